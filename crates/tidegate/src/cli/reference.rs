//! docs/cli.md is made from the commands as they are, and is held to them. Nothing of it is in the binary.

use super::Cli;
use clap::{Command, CommandFactory as _};
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# The command line

Made from the commands themselves: do not edit. `UPDATE_DOCS=1 cargo nextest run -p tidegate reference` makes it anew.

`tidegate COMMAND --help` says the same. On a terminal lists are drawn as tables; in a pipe they are plain columns. With
`--json` one object comes on standard output, and whatever else there is to say on standard error.
";

const CODES: &str = "\
## Exit codes

| code | means |
| --- | --- |
| 0 | done; nothing is wrong |
| 1 | it was tried and failed; the text says what to do |
| 2 | the command line is wrong, or what was asked cannot be asked so; nothing was opened or changed |
| 3 | it was looked at, and something is wrong (`check`, `doctor`, `mapping`, `prove`, and every command whose configuration is wrong) |
| 4 | there is no such thing: order, dead letter, shop, file |
| 5 | a hub that should answer does not |

## How commands reach the hub

`status`, `orders`, `dead-letters`, `deliveries`, `replay`, `backfill`, `prove`, `sweep`, `systems`, `flows`, `subjects`,
`audit`, `privacy` and `backup` ask the running hub over `tidegate.sock` in its data directory; whoever may open that
file may do all of it, and it is recorded in the audit. Where no hub runs they open the store themselves and say so on
standard error; what they do is found by the hub at its next start. The other commands need no hub.
";

/// The whole page.
fn page() -> String {
    let mut command = Cli::command().bin_name("tidegate").disable_help_subcommand(true).term_width(100);
    command.build();
    let mut page = format!("{HEAD}\n{CODES}");
    let _ = writeln!(page, "\n## Options of every command\n\n```text\n{}\n```", common(&command));
    chapters(&mut page, &command, 2);
    page
}

/// What is below a command, each with what is below it.
fn chapters(page: &mut String, command: &Command, depth: usize) {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let (heading, name) = ("#".repeat(depth), below.get_bin_name().unwrap_or_default());
        let _ = writeln!(page, "\n{heading} {name}\n\n```text\n{}\n```", help(below));
        chapters(page, below, depth + 1);
    }
}

/// The help of one command without what all have.
fn help(command: &Command) -> String {
    let mut own = command.clone().mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg });
    lines(&own.render_help().to_string())
}

fn common(command: &Command) -> String {
    let globals = command.get_arguments().filter(|arg| arg.is_global_set()).cloned();
    let mut only = Command::new("tidegate")
        .disable_help_flag(true)
        .term_width(100)
        .help_template("{options}")
        .args(globals);
    lines(&only.render_help().to_string())
}

/// Blanks at the ends of lines are no part of it.
fn lines(text: &str) -> String {
    text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_reference_is_in_step_with_the_commands() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let made = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &made).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == made, "docs/cli.md is not what the commands say: run this test with UPDATE_DOCS=1");
}

/// Who reads the page or the help finds a word on everything.
#[test]
fn every_command_and_argument_says_what_it_is() {
    let mut command = Cli::command().bin_name("tidegate");
    command.build();
    let (mut left, mut silent) = (vec![command], Vec::new());
    while let Some(command) = left.pop() {
        let name = command.get_bin_name().unwrap_or_default();
        if command.get_about().is_none() {
            silent.push(name.to_owned());
        }
        let args = command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_help().is_none());
        silent.extend(args.map(|arg| format!("{name}: {}", arg.get_id())));
        left.extend(command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned());
    }
    assert!(silent.is_empty(), "these say nothing about themselves: {silent:#?}");
}
