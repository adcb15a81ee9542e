//! A failing seed, shrunk to the fewest kinds of faults that it takes.

use crate::mix::{KINDS, Mix, Setup, Story};
use crate::run::{Report, run};
use kernel::rng::Seeded;

/// What is left of a failing seed.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// Kinds of faults without which it does not fail.
    pub needed: Vec<&'static str>,
    pub without: Vec<&'static str>,
    /// The run with these alone, told in full.
    pub report: Report,
}

/// Switches off one kind after another for as long as a promise is broken; `None`: none is.
pub fn shrink(seed: u64, story: Story) -> Option<Shrunk> {
    let mut rng = Seeded::new(seed);
    let mut mix = match story {
        Story::Orders => Mix::of(&mut rng),
        Story::Stock => Mix::of_stock(&mut rng),
    };
    let fails = |mix: &Mix, tell: bool| {
        let report = run(&Setup { seed, story, bug: None, mix: Some(mix.clone()), tell });
        (!report.violations.is_empty()).then_some(report)
    };
    fails(&mix, false)?;
    let (mut needed, mut without) = (Vec::new(), Vec::new());
    for (name, off) in KINDS {
        let mut fewer = mix.clone();
        off(&mut fewer);
        if fewer == mix {
            continue;
        }
        if fails(&fewer, false).is_some() {
            mix = fewer;
            without.push(*name);
        } else {
            needed.push(*name);
        }
    }
    // Fewer orders tell the same story in fewer lines.
    while mix.orders > 1 {
        let fewer = Mix { orders: mix.orders - 1, ..mix.clone() };
        if fails(&fewer, false).is_none() {
            break;
        }
        mix = fewer;
    }
    fails(&mix, true).map(|report| Shrunk { needed, without, report })
}
