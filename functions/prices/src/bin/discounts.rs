//! The function of the target `cart.lines.discounts.generate.run`.

fn main() -> std::process::ExitCode {
    tidegate_function::run(tidegate_function::discounts::run)
}
