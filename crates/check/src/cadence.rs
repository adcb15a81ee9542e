//! Whether a flow's pace lets it meet its own objective.

use crate::judge::Judge;
use config::{Cadence, Code, Finding, Intake, Origin, Setting};
use kernel::flow::{Mode, duration_text};
use std::time::Duration;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows().filter(|(_, flow)| flow.mode.value != Mode::Off) {
        let (every, lag) = (&flow.sweep.every, &flow.slo.export_lag);
        if let Some(cadence) = flow.sweep.cadence.as_ref().filter(|_| every.origin != Origin::Default) {
            let message = format!("flow {name} has a cadence and every, and the cadence takes its place");
            let finding = Finding::new(Code::Value, &cadence.origin, message, "leave one of the two out");
            let finding = finding.key(format!("flows.{name}.sweep.cadence"));
            judge.push(finding.related("the other of the two", &every.origin));
        }
        if let Some(jitter) = &flow.sweep.jitter {
            let at = flow.sweep.cadence.as_ref().map_or(&every.origin, |cadence| &cadence.origin);
            let paced = Setting::new(flow.sweep.paced(), at.clone());
            jitters(judge, format!("flows.{name}.sweep.jitter"), "sweep", jitter, Some(&paced));
        }
        if let Some(cadence) = flow.sweep.cadence.as_ref().filter(|_| flow.intake.value == Intake::Poll) {
            paced(judge, name.as_str(), cadence, lag);
        } else if flow.intake.value == Intake::Poll && every.value >= lag.value {
            let message = format!(
                "flow {name} asks for changes every {}, and promises an export lag of {}",
                duration_text(every.value),
                duration_text(lag.value)
            );
            let help = format!(
                "write sweep.every below \"{0}\", or slo.export_lag above \"{1}\"",
                duration_text(lag.value),
                duration_text(every.value)
            );
            late(judge, format!("flows.{name}.sweep.every"), every, lag, message, help);
        }
        let Some(rate) = judge.system(&flow.target.value).and_then(|system| system.rate_limit.as_ref())
        else {
            continue;
        };
        let gap = rate.per / rate.count;
        if gap >= lag.value {
            let target = flow.target.as_str();
            let message = format!(
                "{target} gets one request in {}, and flow {name} promises an export lag of {}",
                duration_text(gap),
                duration_text(lag.value)
            );
            let help = "raise rate_limit, or slo.export_lag".to_owned();
            let gap = Setting::new(gap, rate.origin.clone());
            late(judge, format!("systems.{target}.rate_limit"), &gap, lag, message, help);
        }
    }
}

/// A run that is put off beyond its window, or until the next one is due, would be left out.
pub(crate) fn jitters(
    judge: &mut Judge<'_>,
    key: String,
    what: &str,
    jitter: &Setting<Duration>,
    paced: Option<&Setting<Cadence>>,
) {
    let Some((paced, room)) = paced.and_then(|paced| Some((paced, paced.value.room()?))) else {
        let message = format!("the jitter of a {what} means nothing: no {what} comes by itself");
        let help = "give it a cadence, as in \"30 2 * * * Europe/Berlin\", or take the jitter out";
        return judge.finding(Code::Policy, &jitter.origin, key, message, help);
    };
    if jitter.value > room {
        let [most, room] = [jitter.value, room].map(duration_text);
        let message =
            format!("a {what} may be put off by {most}, and has to be made within {room} of when it is due");
        let help = format!("make it {room} at most: by then its window is over, or the next {what} is due");
        let finding = Finding::new(Code::Policy, &jitter.origin, message, help).key(key);
        judge.push(finding.related("when it is due", &paced.origin));
    }
}

/// A poll at a cadence: of what changed right after a run, the next one hears first.
fn paced(judge: &mut Judge<'_>, name: &str, cadence: &Setting<Cadence>, lag: &Setting<Duration>) {
    let gap = cadence.value.longest_gap();
    if gap.is_some_and(|gap| gap < lag.value) {
        return;
    }
    let (apart, help) = match gap {
        Some(gap) => (
            format!("up to {} apart", duration_text(gap)),
            format!(
                "write a cadence whose runs are closer than \"{0}\", or slo.export_lag above \"{1}\"",
                duration_text(lag.value),
                duration_text(gap)
            ),
        ),
        None => (
            "on demand alone".to_owned(),
            "write a cadence, or have the source push: what nobody asks for never comes".to_owned(),
        ),
    };
    let message = format!(
        "flow {name} asks for changes at {:?}, {apart}, and promises an export lag of {}",
        cadence.value.to_string(),
        duration_text(lag.value)
    );
    let finding = Finding::new(Code::Slo, &cadence.origin, message, help);
    let finding = finding.key(format!("flows.{name}.sweep.cadence"));
    judge.push(finding.related("the other of the two", &lag.origin));
}

/// Points to what was written, and to the other beside it.
fn late(
    judge: &mut Judge<'_>,
    key: String,
    pace: &Setting<Duration>,
    lag: &Setting<Duration>,
    message: String,
    help: String,
) {
    let (at, other) = if pace.origin == Origin::Default { (lag, pace) } else { (pace, lag) };
    let finding = Finding::new(Code::Slo, &at.origin, message, help).key(key);
    judge.push(finding.related("the other of the two", &other.origin));
}
