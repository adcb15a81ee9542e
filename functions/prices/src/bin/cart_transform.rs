//! The function of the target `cart.transform.run`.

fn main() -> std::process::ExitCode {
    tidegate_function::run(tidegate_function::cart_transform::run)
}
