//! A price over time, drawn as SVG on the server: it stays until it changes, so it is steps. Owns geometry only.

use crate::chart::{Dot, Mark, px};
use crate::over_time::{Drawing, Stretch};
use crate::prices::PriceChanged;
use crate::words::moment;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::elapsed_ms;

/// The same twice: for a wide window, and for a phone. `changes` of one list, oldest first; none where there is nothing to draw.
pub(crate) fn price_charts(changes: &[&PriceChanged], now: Timestamp, zone: &TimeZone) -> Vec<Drawing> {
    let most = changes.iter().filter_map(|change| change.amount).fold(0.0, f64::max);
    if most <= 0.0 || !most.is_finite() {
        return Vec::new();
    }
    let top = round_up(most);
    [("wide", 1080, 5), ("narrow", 340, 3)]
        .map(|(class, width, labels)| chart(changes, (now, zone), top, class, width, labels))
        .into()
}

/// 1, 2 or 5 of the power of ten at or above.
fn round_up(most: f64) -> f64 {
    let power = 10_f64.powf(most.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= most);
    step.unwrap_or(10.0) * power
}

fn chart(
    changes: &[&PriceChanged],
    (now, zone): (Timestamp, &TimeZone),
    most: f64,
    class: &'static str,
    width: u32,
    labels: u64,
) -> Drawing {
    let (top, bottom) = (12.0, 152.0);
    let from = changes.first().map_or(now, |change| change.at);
    let time =
        Stretch { left: 70.0, right: f64::from(width) - 16.0, from, length_ms: elapsed_ms(from, now).max(1) };
    let y = |amount: f64| bottom - amount / most * (bottom - top);
    let tick = |share: f64| Mark {
        at: px(y(most * share)),
        text_at: px(y(most * share) + 4.0),
        text: amount_text(most * share),
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut last: Option<f64> = None;
    for change in changes {
        let at = time.x(change.at);
        match (last, change.amount) {
            (Some(before), Some(after)) => {
                if let Some(line) = lines.last_mut() {
                    line.extend([
                        format!("{},{}", px(at), px(y(before))),
                        format!("{},{}", px(at), px(y(after))),
                    ]);
                }
            }
            (Some(before), None) => {
                if let Some(line) = lines.last_mut() {
                    line.push(format!("{},{}", px(at), px(y(before))));
                }
            }
            (None, Some(after)) => lines.push(vec![format!("{},{}", px(at), px(y(after)))]),
            (None, None) => {}
        }
        last = change.amount;
    }
    if let (Some(amount), Some(line)) = (last, lines.last_mut()) {
        line.push(format!("{},{}", px(time.right), px(y(amount))));
    }
    let dot = |change: &&PriceChanged| {
        let amount = change.amount?;
        let text = format!("{}: {} by {}", moment(change.at, now, zone).whole, change.after, change.by);
        Some(Dot { x: px(time.x(change.at)), y: px(y(amount)), over: false, text })
    };
    Drawing {
        class,
        width,
        height: 182,
        left: px(time.left),
        right: px(time.right),
        ticks_end: "62".to_owned(),
        ticks: [0.0, 0.5, 1.0].map(tick).into(),
        times: time.times(zone, labels),
        lines: lines.into_iter().map(|line| line.join(" ")).collect(),
        dots: changes.iter().filter_map(dot).collect(),
    }
}

fn amount_text(amount: f64) -> String {
    if amount >= 10.0 || amount == 0.0 { format!("{amount:.0}") } else { format!("{amount:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at: &str, amount: Option<f64>) -> PriceChanged {
        PriceChanged {
            at: at.parse().unwrap(),
            list: "L".to_owned(),
            before: String::new(),
            after: String::new(),
            amount,
            load: 1,
            source: String::new(),
            by: "anna".to_owned(),
            approved_because: None,
        }
    }

    #[test]
    fn a_price_stays_until_it_changes_and_a_gap_is_a_gap() {
        let all = [
            change("2026-01-01T00:00:00Z", Some(10.0)),
            change("2026-01-11T00:00:00Z", Some(5.0)),
            change("2026-01-16T00:00:00Z", None),
            change("2026-01-21T00:00:00Z", Some(8.0)),
        ];
        let drawn: Vec<&PriceChanged> = all.iter().collect();
        let now = "2026-01-31T00:00:00Z".parse().unwrap();
        let [wide, narrow] = &price_charts(&drawn, now, &TimeZone::UTC)[..] else { panic!() };
        assert_eq!(
            wide.lines,
            ["70.0,12.0 401.3,12.0 401.3,82.0 567.0,82.0", "732.7,40.0 1064.0,40.0"],
            "a step for each change, up to now, and nothing where there was no price"
        );
        assert_eq!((wide.dots.len(), narrow.class), (3, "narrow"));
        assert_eq!(wide.ticks.iter().map(|tick| tick.text.as_str()).collect::<Vec<_>>(), ["0", "5.00", "10"]);
    }

    #[test]
    fn without_a_price_there_is_nothing_to_draw() {
        let all = [change("2026-01-01T00:00:00Z", None)];
        let drawn: Vec<&PriceChanged> = all.iter().collect();
        assert!(price_charts(&drawn, "2026-01-31T00:00:00Z".parse().unwrap(), &TimeZone::UTC).is_empty());
    }
}
