//! The next step from what is to what is wanted. Pure: a function of the configuration, the wanted object and what
//! was observed. The order of its questions is the order of docs/connectors/http.md.

use super::compare::amount;
use super::config::{Config, StepKind};
use super::frozen::{Frozen, digest};
use super::object::{Body, Context};
use connector::port::{Done, ObjectState, Observation, Observed, Plan, Stage, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{ChangeBecomes, Difference};
use rust_decimal::Decimal;

/// Our codes for what a plan does not allow; each has a page in `docs/errors/`.
pub(super) mod code {
    pub(crate) const NO_STEP: &str = "TG-3201";
    pub(crate) const CLOSED: &str = "TG-3202";
    pub(crate) const BY_POLICY: &str = "TG-3203";
    pub(crate) const TOTALS_DIFFER: &str = "TG-3204";
    pub(crate) const NO_VALUE: &str = "TG-3205";
    pub(crate) const GONE: &str = "TG-3206";
    pub(crate) const MANY: &str = "TG-3207";
    pub(crate) const LOOK_UP_SHAPE: &str = "TG-3208";
}

/// One question's worth of what is known.
struct Standing<'a> {
    config: &'a Config,
    wanted: &'a Wanted,
    object: &'a ObjectState,
    body: Body,
    context: Context,
}

pub(super) fn plan(config: &Config, wanted: &Wanted, observation: &Observation) -> Plan {
    let context = Context::of(&observation.context);
    match &observation.object {
        Observed::Many(ids) => Plan::refused(
            code::MANY,
            format!("the target has {} objects for {}: {}", ids.len(), wanted.object_key, ids.join(", ")),
        ),
        Observed::None => from_nothing(config, wanted),
        Observed::One(object) => Standing { config, wanted, object, body: Body::of(object), context }.plan(),
    }
}

fn from_nothing(config: &Config, wanted: &Wanted) -> Plan {
    match (&wanted.known, wanted.stage) {
        (Some(known), _) => Plan::refused(
            code::GONE,
            format!(
                "the target no longer has {} ({}); it is not made again by itself",
                known.id, wanted.object_key
            ),
        ),
        (None, Stage::Cancelled) => Plan::nothing("the target has nothing to cancel"),
        (None, _) => step(config, StepKind::Create, wanted, None, &Context::default()),
    }
}

impl Standing<'_> {
    fn plan(&self) -> Plan {
        if self.object.adopted {
            return self.done(Some("an object of a former connector was taken over as it is".to_owned()));
        }
        if self.is_in(&self.config.states.cancelled) {
            return self.cancelled();
        }
        if self.wanted.stage == Stage::Cancelled {
            return self.cancel();
        }
        let differences = self.differences();
        if !differences.is_empty() {
            return self.amend(&differences);
        }
        match self.total_difference() {
            Err(fault) => Plan::NotAllowed(fault),
            Ok(note) => self.confirm(note),
        }
    }

    fn is_in(&self, states: &[String]) -> bool {
        self.object.external.state.as_ref().is_some_and(|state| states.contains(state))
    }

    fn is_finished(&self) -> bool {
        self.is_in(&self.config.states.finished)
    }

    fn is_confirmed(&self) -> bool {
        self.is_in(&self.config.states.confirmed) || self.is_finished()
    }

    fn shown(&self) -> String {
        let external = &self.object.external;
        let name = external.number.as_ref().unwrap_or(&external.id);
        format!("{name} is {}", external.state.as_deref().unwrap_or("in an unknown state"))
    }

    fn cancelled(&self) -> Plan {
        if self.wanted.stage == Stage::Cancelled {
            return self.done(None);
        }
        Plan::refused(code::CLOSED, format!("{} in the target, and the order is not cancelled", self.shown()))
    }

    fn cancel(&self) -> Plan {
        if self.is_finished() {
            return Plan::refused(code::CLOSED, format!("{}: it can no longer be cancelled", self.shown()));
        }
        if self.is_confirmed() {
            let may = self.config.step(StepKind::Cancel).is_some_and(|step| step.after_confirm);
            if let Some(refused) = self.policy(self.wanted.after_confirm.cancel, may, "a cancellation") {
                return refused;
            }
        }
        self.step(StepKind::Cancel)
    }

    /// Where the object says something else than is wanted. An object that the target does not echo differs unless
    /// it was we who wrote it last; one that it echoes otherwise than we wrote it does not differ again.
    fn differences(&self) -> Vec<String> {
        if self.context.written.as_ref().is_some_and(|written| *written == digest(&self.wanted.body)) {
            return Vec::new();
        }
        if self.body.object.is_null() {
            return if self.config.step(StepKind::Amend).is_some() {
                vec![String::new()]
            } else {
                Vec::new()
            };
        }
        self.config.compare.differences(&self.wanted.body, &self.body.object)
    }

    fn amend(&self, differences: &[String]) -> Plan {
        let what = fields(differences);
        if self.is_finished() {
            return Plan::refused(code::CLOSED, format!("{}: {what} can no longer change", self.shown()));
        }
        if self.is_confirmed() {
            let policy = self.wanted.after_confirm;
            let address = self.config.compare.only_address(differences);
            let becomes = if address { policy.address } else { policy.line };
            let may = self.config.step(StepKind::Amend).is_some_and(|step| step.after_confirm);
            if let Some(refused) = self.policy(becomes, may, &what) {
                return refused;
            }
        }
        match self.step(StepKind::Amend) {
            Plan::NotAllowed(fault) if fault.code == code::NO_STEP => Plan::refused(
                code::NO_STEP,
                format!("{what} differ, and the system's connection has no amend"),
            ),
            plan => plan,
        }
    }

    /// A change after the confirmation, by the flow's policy.
    fn policy(&self, becomes: ChangeBecomes, may: bool, what: &str) -> Option<Plan> {
        let why = match becomes {
            ChangeBecomes::Amend if may => return None,
            ChangeBecomes::Amend => "the connection does not say that it may be done after the confirmation",
            ChangeBecomes::CounterDocument => "this connector makes no counter documents",
            ChangeBecomes::Ticket => "the flow's after_confirm makes it a ticket",
        };
        Some(Plan::refused(code::BY_POLICY, format!("{} and {what} came after: {why}", self.shown())))
    }

    fn total_difference(&self) -> Result<Option<String>, Fault> {
        let Some(total) = &self.config.total else { return Ok(None) };
        let both = self
            .wanted
            .body
            .pointer(&total.wanted)
            .and_then(amount)
            .zip(self.body.object.pointer(&total.object).and_then(amount));
        let Some((wanted, computed)) = both else { return Ok(None) };
        let by: Decimal = (wanted - computed).abs();
        match &self.wanted.difference {
            _ if by.is_zero() => Ok(None),
            Difference::Accept(most) if by <= *most => Ok(Some(format!("difference of {by} accepted"))),
            _ => Err(Fault::new(
                FaultKind::Rejected,
                code::TOTALS_DIFFER,
                format!("the order's total is {wanted}, and the target computed {computed}"),
            )
            .field(total.wanted.clone())),
        }
    }

    fn confirm(&self, note: Option<String>) -> Plan {
        if self.wanted.stage == Stage::Confirmed && !self.is_confirmed() {
            return self.step(StepKind::Confirm);
        }
        self.done(note)
    }

    fn step(&self, kind: StepKind) -> Plan {
        step(self.config, kind, self.wanted, Some((self.object, &self.body)), &self.context)
    }

    fn done(&self, note: Option<String>) -> Plan {
        Plan::Done(Done {
            external: self.object.external.clone(),
            note,
            unchanged: !self.context.wrote,
            adopted: self.object.adopted,
        })
    }
}

fn fields(differences: &[String]) -> String {
    if differences.iter().all(String::is_empty) { "the content".to_owned() } else { differences.join(", ") }
}

fn step(
    config: &Config,
    kind: StepKind,
    wanted: &Wanted,
    object: Option<(&ObjectState, &Body)>,
    context: &Context,
) -> Plan {
    let Some(how) = config.step(kind) else {
        let what = format!("the system's connection has no {}: add [connection.{0}]", kind.name());
        return Plan::refused(code::NO_STEP, what);
    };
    match Frozen::of(kind, how, wanted, object, context) {
        Ok(step) => Plan::Next(step),
        Err(name) => Plan::refused(
            code::NO_VALUE,
            format!(
                "{} names {{{name}}}, and the object in the target has none that could be used",
                kind.name()
            ),
        ),
    }
}
