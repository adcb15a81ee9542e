//! The chart of the last hour, drawn as SVG on the server: p50 and p99 of each minute against the objective on a
//! logarithmic axis, exports per minute below. Owns geometry only; what the figures mean is `engine::overview`'s.

use crate::words::{many, moment};
use engine::overview::{Minute, Overview};
use engine::waits::span;
use jiff::tz::TimeZone;

/// Where the axis begins; nothing faster is told apart.
const LEAST_MS: u64 = 100;
/// Lines of the axis, up to the first at or above all that is drawn.
const TICKS_MS: [u64; 9] =
    [100, 1000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000];

/// One drawing; numbers are pixels of its own view box.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) class: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) bars_bottom: String,
    pub(crate) ticks: Vec<Mark>,
    pub(crate) times: Vec<Mark>,
    pub(crate) objective: Mark,
    pub(crate) p99: Vec<String>,
    pub(crate) p50: Vec<String>,
    pub(crate) dots: Vec<Dot>,
    pub(crate) bars: Vec<Bar>,
    pub(crate) bars_most: String,
    pub(crate) late: Option<Mark>,
}

/// A label at one coordinate, and where its text stands.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) at: String,
    pub(crate) text_at: String,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct Dot {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) over: bool,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) width: String,
    pub(crate) height: String,
}

struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    most_ms: u64,
    minutes: usize,
}

pub(crate) fn px(number: f64) -> String {
    format!("{number:.1}")
}

impl Frame {
    fn x(&self, minute: usize) -> f64 {
        let step = (self.right - self.left) / self.minutes.max(1) as f64;
        self.left + step * (minute as f64 + 0.5)
    }
    fn y(&self, ms: u64) -> f64 {
        let log = |ms: u64| (ms.clamp(LEAST_MS, self.most_ms) as f64).ln();
        let share = (log(ms) - log(LEAST_MS)) / (log(self.most_ms) - log(LEAST_MS));
        self.bottom - share * (self.bottom - self.top)
    }

    /// Lines over neighbouring minutes that have a value; a minute without exports is a gap.
    fn lines(&self, minutes: &[Minute], value: fn(&Minute) -> Option<u64>) -> Vec<String> {
        let mut lines: Vec<Vec<String>> = vec![Vec::new()];
        for (place, minute) in minutes.iter().enumerate() {
            match value(minute) {
                Some(ms) => {
                    let point = format!("{},{}", px(self.x(place)), px(self.y(ms)));
                    if let Some(line) = lines.last_mut() {
                        line.push(point);
                    }
                }
                None => lines.push(Vec::new()),
            }
        }
        lines.into_iter().filter(|line| line.len() > 1).map(|line| line.join(" ")).collect()
    }
}

/// The same chart twice: for a wide window, and for a phone, where text must not shrink.
pub(crate) fn charts(seen: &Overview, zone: &TimeZone) -> [Chart; 2] {
    [chart(seen, zone, "wide", 1080, 12), chart(seen, zone, "narrow", 340, 30)]
}

fn chart(
    seen: &Overview,
    zone: &TimeZone,
    class: &'static str,
    width: u32,
    minutes_per_label: usize,
) -> Chart {
    let minutes = &seen.lag.minutes;
    let slowest = minutes.iter().filter_map(|minute| minute.lag.p99_ms).max().unwrap_or(0);
    let wanted = slowest.max(seen.objective_ms.saturating_mul(2)).max(seen.late.oldest_ms.unwrap_or(0));
    let most_ms = TICKS_MS.into_iter().find(|tick| *tick >= wanted).unwrap_or(TICKS_MS[8]);
    let right = f64::from(width) - 8.0;
    let frame = Frame { left: 58.0, right, top: 12.0, bottom: 172.0, most_ms, minutes: minutes.len() };
    let bars_bottom = 232.0;
    let tick = |ms: u64| Mark { at: px(frame.y(ms)), text_at: px(frame.y(ms) + 4.0), text: span(ms) };
    Chart {
        class,
        width,
        height: 256,
        left: px(frame.left),
        right: px(frame.right),
        bars_bottom: px(bars_bottom),
        ticks: TICKS_MS.into_iter().filter(|ms| *ms <= most_ms).map(tick).collect(),
        times: times(minutes, &frame, zone, minutes_per_label),
        objective: Mark {
            at: px(frame.y(seen.objective_ms)),
            text_at: px(frame.y(seen.objective_ms) - 5.0),
            text: format!("objective {}", span(seen.objective_ms)),
        },
        p99: frame.lines(minutes, |minute| minute.lag.p99_ms),
        p50: frame.lines(minutes, |minute| minute.lag.p50_ms),
        dots: dots(seen, &frame, zone),
        bars: bars(minutes, &frame, bars_bottom),
        bars_most: most_words(minutes.iter().map(|minute| minute.lag.count).max().unwrap_or(0)),
        late: seen.late.oldest_ms.map(|oldest| Mark {
            at: px(frame.y(oldest)),
            text_at: px((frame.y(oldest) - 8.0).max(frame.top + 4.0)),
            text: format!("waiting: {}", span(oldest)),
        }),
    }
}

fn most_words(most: u64) -> String {
    match most {
        0 => "no exports".to_owned(),
        most => format!("up to {} a minute", many(most, "export")),
    }
}

fn times(minutes: &[Minute], frame: &Frame, zone: &TimeZone, every: usize) -> Vec<Mark> {
    let last = minutes.len().saturating_sub(1);
    let labelled = |place: &usize| (last - place).is_multiple_of(every);
    let mark = |place: usize| {
        let local = minutes[place].from.to_zoned(zone.clone());
        // The first and last label stay within the drawing.
        let x = frame.x(place).clamp(frame.left + 14.0, frame.right - 16.0);
        Mark { at: px(frame.x(place)), text_at: px(x), text: local.strftime("%H:%M").to_string() }
    };
    (0..minutes.len()).filter(labelled).map(mark).collect()
}

/// One for each minute that is over the objective or stands alone; the lines show the others.
fn dots(seen: &Overview, frame: &Frame, zone: &TimeZone) -> Vec<Dot> {
    let minutes = &seen.lag.minutes;
    let empty = |place: usize| minutes.get(place).is_none_or(|minute| minute.lag.count == 0);
    let dot = |(place, minute): (usize, &Minute)| {
        let p99_ms = minute.lag.p99_ms?;
        let over = p99_ms > seen.objective_ms;
        let alone = empty(place.wrapping_sub(1)) && empty(place + 1);
        (over || alone).then(|| Dot {
            x: px(frame.x(place)),
            y: px(frame.y(p99_ms)),
            over,
            text: format!("{}: p99 {}", moment(minute.from, seen.at, zone).text, span(p99_ms)),
        })
    };
    minutes.iter().enumerate().filter_map(dot).collect()
}

fn bars(minutes: &[Minute], frame: &Frame, bottom: f64) -> Vec<Bar> {
    let most = minutes.iter().map(|minute| minute.lag.count).max().unwrap_or(0).max(1);
    let width = ((frame.right - frame.left) / minutes.len().max(1) as f64 - 1.0).max(1.0);
    let with_exports = minutes.iter().enumerate().filter(|(_, minute)| minute.lag.count > 0);
    with_exports
        .map(|(place, minute)| {
            let height = (minute.lag.count as f64 / most as f64 * 36.0).max(1.0);
            Bar {
                x: px(frame.x(place) - width / 2.0),
                y: px(bottom - height),
                width: px(width),
                height: px(height),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame { left: 50.0, right: 650.0, top: 10.0, bottom: 170.0, most_ms: 600_000, minutes: 60 }
    }

    #[test]
    fn the_axis_is_logarithmic_and_nothing_leaves_the_frame() {
        let frame = frame();
        assert_eq!((px(frame.y(0)), px(frame.y(LEAST_MS))), ("170.0".into(), "170.0".into()));
        assert_eq!((px(frame.y(600_000)), px(frame.y(u64::MAX))), ("10.0".into(), "10.0".into()));
        assert!(frame.y(1000) > frame.y(10_000));
        assert_eq!((px(frame.x(0)), px(frame.x(59))), ("55.0".into(), "645.0".into()));
    }

    #[test]
    fn a_minute_without_exports_is_a_gap() {
        let minute = |ms: Option<u64>| Minute {
            from: jiff::Timestamp::UNIX_EPOCH,
            lag: engine::overview::Quantiles {
                count: u64::from(ms.is_some()),
                p50_ms: ms,
                p99_ms: ms,
                over: 0,
            },
        };
        let minutes: Vec<Minute> =
            [Some(1), Some(2), None, Some(3), None, Some(4), Some(5)].map(minute).into();
        let lines = frame().lines(&minutes, |minute| minute.lag.p99_ms);
        assert_eq!(lines.iter().map(|line| line.split(' ').count()).collect::<Vec<_>>(), [2, 2]);
    }
}
