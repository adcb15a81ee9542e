//! The differences that checks found, over time, drawn as SVG on the server: a point for each check on an axis that
//! shows one and ten thousand alike. Owns geometry only.

use crate::chart::{Dot, Mark, px};
use crate::over_time::{Drawing, Stretch};
use crate::words::{many, moment, thousands};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::elapsed_ms;

/// The axis ends at least here: a single difference is seen to be few.
const MOST_AT_LEAST: u64 = 10;

/// One check: what it found, and of what kinds in words.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    pub(crate) count: u64,
    pub(crate) more: String,
}

struct Frame {
    time: Stretch,
    top: f64,
    bottom: f64,
    most: u64,
}

impl Frame {
    fn y(&self, count: u64) -> f64 {
        let log = |count: u64| (count.min(self.most) as f64).ln_1p();
        self.bottom - log(count) / log(self.most) * (self.bottom - self.top)
    }
}

/// The same twice: for a wide window, and for a phone, where text must not shrink. `checks`: oldest first, at least one.
pub(crate) fn drift_charts(checks: &[Point], now: Timestamp, zone: &TimeZone) -> [Drawing; 2] {
    [chart(checks, now, zone, "wide", 1080, 5), chart(checks, now, zone, "narrow", 340, 3)]
}

fn chart(
    checks: &[Point],
    now: Timestamp,
    zone: &TimeZone,
    class: &'static str,
    width: u32,
    labels: u64,
) -> Drawing {
    let from = checks.first().map_or(now, |check| check.at);
    let length_ms = checks.last().map_or(0, |last| elapsed_ms(from, last.at));
    let most = checks.iter().map(|check| check.count).max().unwrap_or(0);
    let ticks = ticks(most);
    let time = Stretch { left: 58.0, right: f64::from(width) - 16.0, from, length_ms };
    let most = ticks.last().copied().unwrap_or(MOST_AT_LEAST);
    let frame = Frame { time, top: 12.0, bottom: 152.0, most };
    let tick = |count: u64| Mark {
        at: px(frame.y(count)),
        text_at: px(frame.y(count) + 4.0),
        text: thousands(count),
    };
    let point = |check: &Point| format!("{},{}", px(frame.time.x(check.at)), px(frame.y(check.count)));
    let line = (checks.len() > 1).then(|| checks.iter().map(point).collect::<Vec<_>>().join(" "));
    Drawing {
        class,
        width,
        height: 182,
        left: px(time.left),
        right: px(time.right),
        ticks_end: "50".to_owned(),
        ticks: ticks.iter().copied().map(tick).collect(),
        times: time.times(zone, labels),
        lines: line.into_iter().collect(),
        dots: checks.iter().map(|check| dot(check, &frame, now, zone)).collect(),
    }
}

/// Zero and powers of ten, up to the first at or above all that is drawn; one stands too near to zero where it is high.
fn ticks(most: u64) -> Vec<u64> {
    let mut ticks = if most > 1000 { vec![0, MOST_AT_LEAST] } else { vec![0, 1, MOST_AT_LEAST] };
    let mut last = MOST_AT_LEAST;
    while last < most {
        last = last.saturating_mul(10);
        ticks.push(last);
    }
    ticks
}

fn dot(check: &Point, frame: &Frame, now: Timestamp, zone: &TimeZone) -> Dot {
    let count = check.count;
    let more = if check.more.is_empty() { String::new() } else { format!(" ({})", check.more) };
    Dot {
        x: px(frame.time.x(check.at)),
        y: px(frame.y(count)),
        over: count > 0,
        text: format!("{}: {}{more}", moment(check.at, now, zone).text, many(count, "difference")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hours: i64, count: u64) -> Point {
        let more = if count > 1_000 { "all missed".to_owned() } else { String::new() };
        Point { at: Timestamp::from_second(hours * 3600).unwrap(), count, more }
    }

    #[test]
    fn checks_stand_at_their_time_and_nothing_leaves_the_frame() {
        let all = [check(0, 0), check(24, 7), check(96, 1_200)];
        let [wide, narrow] = drift_charts(&all, all[2].at, &TimeZone::UTC);
        assert_eq!(
            wide.dots.iter().map(|dot| dot.x.as_str()).collect::<Vec<_>>(),
            ["58.0", "309.5", "1064.0"]
        );
        assert_eq!((wide.dots[0].y.as_str(), wide.dots[0].over, wide.dots[1].over), ("152.0", false, true));
        let names: Vec<&str> = wide.ticks.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(names, ["0", "10", "100", "1,000", "10,000"]);
        assert_eq!(wide.ticks.last().unwrap().at, "12.0");
        assert_eq!(
            narrow.times.iter().map(|time| time.text.as_str()).collect::<Vec<_>>(),
            ["1 Jan", "3 Jan", "5 Jan"]
        );
        assert_eq!(wide.dots[2].text, "00:00:00: 1,200 differences (all missed)");
    }

    #[test]
    fn one_check_alone_is_a_point_in_the_middle() {
        let one = check(5, 3);
        let [wide, _] = drift_charts(std::slice::from_ref(&one), one.at, &TimeZone::UTC);
        assert_eq!((wide.lines.len(), wide.dots.len(), wide.dots[0].x.as_str()), (0, 1, "561.0"));
        assert_eq!(wide.times.len(), 1);
    }
}
