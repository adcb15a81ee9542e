//! Levels and changes in every order: what a source had at last is what comes out.

use super::*;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

/// What a source told: a level or a change, with its number and its time.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    topic: &'static str,
    payload: String,
    sequence: Option<i64>,
    asked: bool,
}

fn level(on_hand: i64, sequence: Option<i64>, second: i64) -> Said {
    let payload = format!(
        r#"{{"sku":"S","location":"W","on_hand":"{on_hand}","reserved":"2","counted":"1","changed_at":"{}"}}"#,
        at(second)
    );
    Said { topic: "stock/level", payload, sequence, asked: false }
}

fn by(on_hand: i64, sequence: Option<i64>, second: i64) -> Said {
    let payload = format!(
        r#"{{"sku":"S","location":"W","change":{{"on_hand":"{on_hand}"}},"changed_at":"{}"}}"#,
        at(second)
    );
    Said { topic: change::TOPIC, payload, sequence, asked: false }
}

/// A pair whose record is kept.
#[derive(Default)]
struct Pair {
    record: Option<Vec<u8>>,
    level: Option<Vec<u8>>,
}

impl Pair {
    fn hear(&mut self, said: &Said) -> Folding {
        let Said { topic, payload, sequence, asked } = said;
        let told = Told { topic, payload: payload.as_bytes(), sequence: *sequence, at: at(0), asked: *asked };
        let folding = fold(&told, self.record.as_deref()).unwrap();
        if let Some(record) = &folding.record {
            self.record = Some(record.clone());
        }
        match &folding.became {
            Became::Level(level) => self.level = Some(level.clone()),
            Became::AsTold => self.level = Some(payload.clone().into_bytes()),
            Became::Known | Became::Older | Became::NoLevel(_) => {}
        }
        folding
    }

    /// On hand of the newest level; it is one, whatever was folded.
    fn on_hand(&self) -> Option<i64> {
        let stock = level::read(self.level.as_deref()?).unwrap();
        stock.on_hand.to_string().parse().ok()
    }

    fn explained(&self) -> String {
        explain(self.level.as_deref().unwrap_or_default()).join("\n")
    }
}

#[test]
fn a_change_is_folded_into_the_level_and_explained() {
    let mut pair = Pair::default();
    assert_eq!(pair.hear(&level(120, Some(17), 0)).became, Became::AsTold);
    assert_eq!(pair.explained(), "", "it was told as it is");
    let body = r#"{"sku":"S","location":"W","change":{"on_hand":"-3","reserved":"-5","counted":2},"changed_at":"2026-11-26T14:00:00Z"}"#;
    let said = Said { payload: body.to_owned(), ..by(0, Some(18), 1) };
    assert!(matches!(pair.hear(&said).became, Became::Level(_)));
    let stock = level::read(pair.level.as_deref().unwrap()).unwrap();
    assert_eq!((stock.on_hand.to_string(), stock.counted.unwrap().to_string()), ("117".into(), "3".into()));
    assert_eq!(stock.reserved.to_string(), "0", "less than nothing is promised to nobody");
    assert_eq!(stock.changed_at.to_string(), "2026-11-26T14:00:00Z");
    assert!(pair.explained().contains("(version 17), and 1 change since"), "{}", pair.explained());
    // What was taken off too early comes back: the sum is kept as it is.
    let back = Said { payload: body.replace("\"-5\"", "\"4\""), ..by(0, Some(19), 1) };
    pair.hear(&back);
    assert_eq!(level::read(pair.level.as_deref().unwrap()).unwrap().reserved.to_string(), "1");
}

#[test]
fn a_repeat_and_what_the_level_has_already_are_folded_once() {
    let mut pair = Pair::default();
    pair.hear(&level(100, Some(5), 0));
    pair.hear(&by(-3, Some(6), 1));
    for known in [by(-3, Some(6), 1), by(-9, Some(5), 1), by(-9, Some(1), 1)] {
        let folding = pair.hear(&known);
        assert_eq!((folding.became, folding.record), (Became::Known, None), "{known:?}");
    }
    assert_eq!(pair.hear(&level(50, Some(4), 9)).became, Became::Older);
    assert_eq!(pair.on_hand(), Some(97));
    assert_eq!(pair.hear(&level(97, Some(6), 2)).became, Became::AsTold, "the change is in it");
    assert_eq!(pair.hear(&level(90, Some(6), 2)).became, Became::Older, "told twice, the first stands");
    let asked = Said { asked: true, ..level(90, Some(6), 2) };
    assert_eq!(pair.hear(&asked).became, Became::AsTold, "the source was asked, and says so");
}

#[test]
fn a_gap_asks_the_source_and_is_marked_until_it_is_closed() {
    let mut pair = Pair::default();
    pair.hear(&level(100, Some(5), 0));
    assert!(!pair.hear(&by(-1, Some(6), 1)).ask);
    let folding = pair.hear(&by(-1, Some(9), 2));
    assert!(folding.ask && matches!(folding.became, Became::Level(_)));
    assert_eq!(pair.on_hand(), Some(98), "what is known counts meanwhile");
    assert!(pair.explained().contains("no change 7 to 8 came"), "{}", pair.explained());
    assert!(pair.hear(&by(-1, Some(8), 3)).ask);
    assert!(pair.explained().contains("no change 7 came"), "{}", pair.explained());
    assert!(!pair.hear(&by(-1, Some(7), 3)).ask, "it came after all");
    assert_eq!(pair.on_hand(), Some(96));
    assert!(!pair.explained().contains("incomplete"), "{}", pair.explained());
    // However far they are apart.
    let mut far = Pair::default();
    far.hear(&level(100, Some(i64::MIN), 0));
    assert!(far.hear(&by(-1, Some(i64::MAX), 1)).ask, "nearly all of them are missing");
    // A level closes it as well, and what it does not have stays on top of it.
    pair.hear(&by(-1, Some(12), 3));
    let answer = Said { asked: true, ..level(90, Some(11), 3) };
    assert!(!pair.hear(&answer).ask);
    assert_eq!(pair.on_hand(), Some(89));
}

#[test]
fn before_the_first_level_a_numbered_change_is_kept_and_another_is_in_it() {
    let mut pair = Pair::default();
    for (said, kept) in [(by(-3, Some(8), 1), true), (by(-4, Some(6), 1), true), (by(-5, None, 1), false)] {
        let folding = pair.hear(&said);
        let Became::NoLevel(fault) = folding.became else { panic!("{said:?}") };
        assert!(folding.ask && fault.message.contains("send one under the topic \"stock/level\""), "{fault}");
        assert_eq!(fault.message.contains("is kept until it comes"), kept, "{fault}");
        assert_eq!(fault.code.as_str(), "body_change_without_level");
    }
    pair.hear(&level(100, Some(7), 2));
    assert_eq!(pair.on_hand(), Some(97));
}

#[test]
fn a_level_from_before_a_change_without_a_number_is_asked_for_again_a_few_times() {
    let mut pair = Pair::default();
    pair.hear(&level(100, Some(1), 0));
    pair.hear(&by(-3, None, 10));
    let old = |sequence| Said { asked: true, ..level(100, Some(sequence), 5) };
    assert!(pair.hear(&old(2)).ask, "by its time the change is not in it");
    let again = |pair: &mut Pair, sequence| {
        pair.hear(&by(-3, None, 10));
        pair.hear(&old(sequence)).ask
    };
    assert!(again(&mut pair, 3) && again(&mut pair, 4));
    assert!(!again(&mut pair, 5), "a source that dates its levels so is taken at its word");
    pair.hear(&by(-3, None, 10));
    assert!(!pair.hear(&Said { asked: true, ..level(94, Some(6), 11) }).ask, "the change is in it");
    assert_eq!(pair.on_hand(), Some(94));
}

#[test]
fn what_is_missing_too_long_is_given_up_and_said() {
    let mut pair = Pair::default();
    pair.hear(&level(1000, Some(1), 0));
    for sequence in 4..=400 {
        pair.hear(&by(-1, Some(sequence), sequence));
    }
    assert_eq!(pair.on_hand(), Some(603));
    assert!(pair.explained().contains("2 changes never came; only a level mends it"), "{}", pair.explained());
    assert!(pair.record.as_ref().unwrap().len() < 40_000, "{}", pair.record.unwrap().len());
    let mut pair = Pair { record: None, level: None };
    pair.hear(&level(1000, Some(1), 0));
    for sequence in 2..=400 {
        pair.hear(&by(-1, Some(sequence), sequence));
    }
    assert!(pair.record.as_ref().unwrap().len() < 5_000, "{}", pair.record.unwrap().len());
    assert_eq!(pair.explained().lines().count(), 1);
}

/// A source's history: what it had after each of its numbers.
fn histories() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(-9i64..=9, 1..120)
}

proptest! {
    /// Whatever comes when, and however often: once all came that the newest level does not have, the level is the source's.
    #[test]
    fn in_any_order_it_ends_at_what_the_source_has(
        steps in histories(),
        levels in proptest::collection::vec(any::<prop::sample::Index>(), 1..6),
        doubles in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        shuffle in any::<u64>(),
    ) {
        let start = 1000i64;
        let has = |number: usize| start + steps[..number].iter().sum::<i64>();
        let number = |at: usize| i64::try_from(at).unwrap();
        let mut said: Vec<Said> =
            steps.iter().enumerate().map(|(at, step)| by(*step, Some(number(at + 1)), number(at + 1))).collect();
        for index in &levels {
            let at = index.index(steps.len() + 1);
            said.push(level(has(at), Some(number(at)), number(at)));
        }
        for index in &doubles {
            said.push(said[index.index(said.len())].clone());
        }
        shuffled(&mut said, shuffle);
        let mut pair = Pair::default();
        for one in &said {
            pair.hear(one);
        }
        prop_assert_eq!(pair.on_hand(), Some(has(steps.len())));
        prop_assert!(!pair.explained().contains("incomplete"), "{}", pair.explained());
    }

    /// Without numbers the log says what is in what.
    #[test]
    fn without_numbers_it_is_what_the_log_adds_up_to(log in proptest::collection::vec((any::<bool>(), -50i64..50), 1..150)) {
        let (mut pair, mut has) = (Pair::default(), None);
        for (second, (is_level, quantity)) in log.iter().enumerate() {
            let second = i64::try_from(second).unwrap();
            if *is_level {
                has = Some(*quantity);
                pair.hear(&level(*quantity, None, second));
            } else {
                has = has.map(|has| has + quantity);
                pair.hear(&by(*quantity, None, second));
            }
            prop_assert_eq!(pair.on_hand(), has);
        }
    }
}

fn shuffled(said: &mut [Said], mut seed: u64) {
    for at in (1..said.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(seed >> 33).unwrap() % (at + 1);
        said.swap(at, other);
    }
}
