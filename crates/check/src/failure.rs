//! What happens to a delivery when its target fails, in words for the terminal and the picture. Says what the
//! configuration and the connector declare; the rule itself is DESIGN section 5.

use crate::inputs::Inputs;
use config::{Config, System, Unknown};
use connector::descriptor::UnknownAnswer;
use kernel::flow::duration_text;
use kernel::id::SystemName;

/// One sentence each: how often it is tried, what an unknown answer becomes, when the system is left alone.
pub(crate) fn words(config: &Config, inputs: &Inputs<'_>, target: &SystemName) -> Vec<String> {
    let Some(system) = config.systems.get(target) else { return Vec::new() };
    let lanes = system.breaker.lanes.value;
    let subjects = if lanes == 1 { "subject fails" } else { "subjects fail in a row" };
    vec![tries(system), unknown(system, inputs, target), format!("left alone once {lanes} {subjects}")]
}

fn tries(system: &System) -> String {
    let retry = &system.retry;
    match retry.attempts_max.value {
        1 => "one try, then a dead letter".to_owned(),
        tries => {
            format!("{tries} tries, up to {} apart, then a dead letter", duration_text(retry.longest.value))
        }
    }
}

/// As the plan has it: a connector that is not known can be asked nothing.
fn unknown(system: &System, inputs: &Inputs<'_>, target: &SystemName) -> String {
    let declared = inputs.descriptor(target.as_str()).map(|descriptor| &descriptor.unknown);
    match (system.unknown.value, declared) {
        (Unknown::LookUp, Some(UnknownAnswer::LookUp { .. })) => {
            format!("an unknown answer is looked up, for {}", duration_text(system.settle_after.value))
        }
        (Unknown::LookUp, Some(UnknownAnswer::NativeKey { lifetime })) => {
            format!("an unknown answer is sent again under its key, for {}", duration_text(*lifetime))
        }
        _ => "an unknown answer goes to a person".to_owned(),
    }
}
