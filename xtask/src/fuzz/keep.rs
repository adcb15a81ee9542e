//! Which inputs are worth committing: what libFuzzer says that each reaches, and a choice within a bound. Committed
//! examples stay; beside them the input that reaches the most that none before it does, and so on.

use crate::process;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A corpus is read by people and run by every test run.
const INPUTS_MAX: usize = 48;
const INPUT_BYTES_MAX: u64 = 10 * 1024;

/// An input and the edges that it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Input {
    path: PathBuf,
    reaches: BTreeSet<u32>,
}

/// Copies what is worth it from `working` to `corpus`.
pub(super) fn keep(program: &mut Command, root: &Path, corpus: &str, working: &Path) -> Result<()> {
    let scratch = working.with_extension("kept");
    let control = working.with_extension("control");
    for old in [std::fs::remove_dir_all(&scratch), std::fs::remove_file(&control)] {
        old.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    std::fs::create_dir_all(&scratch)?;
    // Edges alone: not how often each is passed. What is chosen by libFuzzer itself is dropped; it knows no bound.
    program.args(["-set_cover_merge=1", "-use_counters=0", "-verbosity=0"]);
    program.arg(format!("-merge_control_file={}", control.display()));
    process::capture(program.arg(&scratch).arg(corpus).arg(working))?;
    let inputs =
        inputs(&std::fs::read_to_string(&control)?).context("libFuzzer's control file is of another form")?;
    std::fs::remove_dir_all(&scratch)?;
    let (committed, found): (Vec<Input>, _) =
        inputs.into_iter().partition(|input| input.path.starts_with(corpus));
    let found = found.into_iter().filter(|input| {
        std::fs::metadata(root.join(&input.path)).is_ok_and(|file| file.len() <= INPUT_BYTES_MAX)
    });
    let kept = choose(&committed, found.collect(), INPUTS_MAX);
    for input in &kept {
        let name = input.path.file_name().context("an input without a name")?;
        std::fs::copy(root.join(&input.path), root.join(corpus).join(name))?;
    }
    println!("{corpus}: {} inputs, {} of them new", committed.len() + kept.len(), kept.len());
    Ok(())
}

/// The control file: a count, a count of the first folder, so many names, then `FT number edge edge …`.
fn inputs(control: &str) -> Option<Vec<Input>> {
    let mut lines = control.lines();
    let count: usize = lines.next()?.parse().ok()?;
    lines.next()?;
    let mut inputs: Vec<Input> = Vec::with_capacity(count);
    for _ in 0..count {
        inputs.push(Input { path: lines.next()?.into(), reaches: BTreeSet::new() });
    }
    for line in lines.filter_map(|line| line.strip_prefix("FT ")) {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let number = numbers.next()?.ok()?;
        inputs.get_mut(number as usize)?.reaches = numbers.collect::<Result<_, _>>().ok()?;
    }
    Some(inputs)
}

/// The most new edges first; of two that are equal, the one that libFuzzer names first, which is the shorter.
fn choose(committed: &[Input], mut found: Vec<Input>, inputs_max: usize) -> Vec<Input> {
    let mut reached: BTreeSet<u32> =
        committed.iter().flat_map(|input| input.reaches.iter().copied()).collect();
    let mut kept = Vec::new();
    while committed.len() + kept.len() < inputs_max {
        for input in &mut found {
            input.reaches.retain(|edge| !reached.contains(edge));
        }
        let best = (0..found.len()).rev().max_by_key(|index| found[*index].reaches.len());
        let Some(best) = best.filter(|index| !found[*index].reaches.is_empty()) else { break };
        let input = found.remove(best);
        reached.extend(&input.reaches);
        kept.push(input);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: &str = "4\n0\ncorpus/a\nwork/b\nwork/c\nwork/d\nSTARTED 0 3\nFT 0 1 2 3\nCOV 0 1 2 3\nSTARTED 1 4\n\
        FT 1 3 4\nFT 2 3 4 5 6\nFT 3 1 4 7\nDONE 3\n";

    #[test]
    fn what_reaches_the_most_new_edges_is_kept_within_the_bound() {
        let inputs = inputs(CONTROL).unwrap();
        assert_eq!(inputs[3].reaches, BTreeSet::from([1, 4, 7]));
        let names = |inputs_max| -> Vec<String> {
            let kept = choose(&inputs[..1], inputs[1..].to_vec(), inputs_max);
            kept.iter().map(|input| input.path.display().to_string()).collect()
        };
        assert_eq!(names(10), ["work/c", "work/d"], "b reaches nothing that c does not");
        assert_eq!(names(2), ["work/c"]);
        assert!(names(1).is_empty());
    }

    #[test]
    fn another_form_is_refused() {
        for control in ["", "1\n0\n", "1\n0\na\nFT 1 2\n", "1\n0\na\nFT 0 x\n"] {
            assert_eq!(super::inputs(control), None, "{control:?}");
        }
    }
}
