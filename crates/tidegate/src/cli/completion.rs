//! `tidegate completion`: what a shell needs to complete commands, options and their values. Made from the commands as
//! they are, so that it fits the binary that wrote it.

use super::{Cli, Failure, say};
use clap::{Command, CommandFactory as _};
use clap_complete::{Shell, generate};

const EXAMPLES: &str = "\
Examples:
  tidegate completion bash > ~/.local/share/bash-completion/completions/tidegate
  tidegate completion zsh > \"${fpath[1]}/_tidegate\"
  tidegate completion fish > ~/.config/fish/completions/tidegate.fish

Write it anew after an upgrade.";

/// Writes a shell's completion of this command line
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_parser = clap::value_parser!(Known))]
    shell: Known,
}

/// Those that are tried by a test.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut offered(), "tidegate", &mut script);
    say::out(String::from_utf8_lossy(&script));
    Ok(())
}

/// Without what the help does not show either; the generators would offer it.
fn offered() -> Command {
    let whole = Cli::command();
    let shown = whole.get_subcommands().filter(|below| !below.is_hide_set()).cloned();
    Command::new("tidegate").args(whole.get_arguments().cloned()).subcommands(shown)
}
