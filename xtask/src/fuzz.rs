//! `cargo xtask fuzz`: coverage-guided fuzzing of the parsers on the stable compiler. Owns the compiler
//! flags and the folders; the targets are in `fuzz/`, and why it is done so in `fuzz/README.md`.

mod keep;

use crate::process;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

const EXAMPLES: &str = "\
Examples:
  cargo xtask fuzz --list                 the targets
  cargo xtask fuzz mapping --seconds 60   one minute; what it finds out lies in target/fuzz/corpus/mapping
  cargo xtask fuzz --all --seconds 60     each target in turn
  cargo xtask fuzz mapping --keep         adds what reaches new code to fuzz/corpus/mapping, to be committed
  cargo xtask fuzz order -- fuzz/artifacts/order/crash-…   one input again

Needs a C++ compiler (Debian: apt-get install g++) for libFuzzer.";

/// Fuzzes a parser, coverage guided, on the stable compiler
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The target: a file in fuzz/targets without its .rs
    #[arg(required_unless_present_any = ["list", "all"])]
    target: Option<String>,
    /// How long
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Each target in turn
    #[arg(long, conflicts_with = "target")]
    all: bool,
    /// Prints the targets
    #[arg(long, conflicts_with_all = ["target", "all"])]
    list: bool,
    /// Does not fuzz: adds the inputs that reach new code to the corpus that is committed
    #[arg(long)]
    keep: bool,
    /// Arguments for libFuzzer
    #[arg(last = true)]
    libfuzzer: Vec<String>,
}

/// Instruments every edge and comparison. A pass of LLVM that the stable compiler can run; no
/// sanitizer is needed, because our own code has no `unsafe`.
const INSTRUMENT: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let known = targets(root)?;
    if args.list {
        known.iter().for_each(|name| println!("{name}"));
        return Ok(());
    }
    let wanted = match &args.target {
        Some(target) if known.contains(target) => vec![target.clone()],
        Some(target) => bail!("no target `{target}`; there are: {}", known.join(", ")),
        None => known,
    };
    for target in &wanted {
        fuzz(root, target, args)?;
    }
    Ok(())
}

fn targets(root: &Path) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(root.join("fuzz/targets")).context("the folder fuzz/targets is missing")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        targets.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

fn fuzz(root: &Path, target: &str, args: &Args) -> Result<()> {
    let host = host(root)?;
    // The versions that are tested are those that are fuzzed.
    std::fs::copy(root.join("Cargo.lock"), root.join("fuzz/Cargo.lock"))
        .context("cannot write fuzz/Cargo.lock")?;
    // A target triple keeps the flags away from build scripts and macros.
    let folder = process::target(root).join("fuzz");
    let mut build =
        process::cargo(root, ["build", "--quiet", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--target", &host, "--bin", target, "--features", target]);
    process::succeed(build.env("RUSTFLAGS", INSTRUMENT.join(" ")).env("CARGO_TARGET_DIR", &folder))?;
    let mut program = Command::new(folder.join(&host).join("release").join(target));
    program.current_dir(root);
    let artifacts = format!("fuzz/artifacts/{target}/");
    let corpus = format!("fuzz/corpus/{target}");
    let working = folder.join("corpus").join(target);
    for made in [root.join(&artifacts), root.join(&corpus), working.clone()] {
        std::fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
    }
    if args.keep {
        return keep::keep(&mut program, root, &corpus, &working);
    }
    // New inputs go to the first folder. An input named by hand is run alone.
    if args.libfuzzer.iter().all(|argument| argument.starts_with('-')) {
        program.arg(&working).arg(&corpus);
    }
    program.args([
        format!("-max_total_time={}", args.seconds),
        format!("-artifact_prefix={artifacts}"),
        "-timeout=5".to_owned(),
        "-rss_limit_mb=1024".to_owned(),
        "-print_final_stats=1".to_owned(),
        "-verbosity=0".to_owned(),
        "-print_funcs=0".to_owned(),
    ]);
    println!("{target}: {} s", args.seconds);
    process::succeed(program.args(&args.libfuzzer)).with_context(|| {
        format!("{target}: the input is in {artifacts}; mend it and add the input to {corpus}")
    })
}

fn host(root: &Path) -> Result<String> {
    let mut rustc = Command::new("rustc");
    let version = process::capture(rustc.current_dir(root).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what its host is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_is_a_binary_of_the_fuzz_crate_and_has_a_corpus_that_tests_replay() {
        let root = process::root();
        let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let tests = ["config", "domains", "mapping", "price-store", "shopify"].map(|name| {
            std::fs::read_to_string(root.join(format!("crates/{name}/tests/fuzz_corpus.rs"))).unwrap()
        });
        let replayed = tests.concat();
        for target in targets(&root).unwrap() {
            let path = format!("path = \"targets/{target}.rs\"\nrequired-features = [\"{target}\"]");
            assert!(manifest.contains(&path), "fuzz/Cargo.toml does not name {target}");
            assert!(root.join(format!("fuzz/checks/{target}.rs")).is_file(), "fuzz/checks has no {target}");
            let corpus = root.join("fuzz/corpus").join(&target);
            let inputs = std::fs::read_dir(&corpus).map(Iterator::count).unwrap_or_default();
            assert!(inputs > 0, "{} is empty: fuzzing begins better with an example", corpus.display());
            assert!(
                replayed.contains(&format!("replay(\"{target}\"")),
                "no test fuzz_corpus replays {target}"
            );
        }
    }
}
