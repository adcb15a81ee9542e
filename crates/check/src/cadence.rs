//! Whether a flow's pace lets it meet its own objective.

use crate::judge::Judge;
use config::{Code, Finding, Intake, Origin, Setting};
use kernel::flow::{Mode, duration_text};
use std::time::Duration;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows().filter(|(_, flow)| flow.mode.value != Mode::Off) {
        let (every, lag) = (&flow.sweep.every, &flow.slo.export_lag);
        if flow.intake.value == Intake::Poll && every.value >= lag.value {
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
