//! What can be pressed, and what it does to shop, ERP and hub. The words of each are here, so that page and log say the same.

use super::super::acts::{Act, everyday};
use super::super::report::Teller;
use super::super::stage::{self, Stage};
use std::time::Duration;
use twin::erp::{FaultsOn, Knobs, LateAnswer, Outage};
use twin::shopify::Mischief;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Button {
    OneOrder,
    ManyOrders,
    Steady,
    Poison,
    UnknownItem,
    ItemsAdded,
    ErpWell,
    ErpEveryday,
    ErpDown,
    ErpSlow,
    ErpLies,
    ErpLate,
    ErpThrottles,
    HooksWell,
    HooksStorm,
    HooksLost,
    HooksLate,
    Kill,
    KillForLong,
    Freeze,
}

/// Under which heading it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Orders,
    Erp,
    Webhooks,
    Hub,
}

/// What a press asks of the play, which knows what it has placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Orders(u64),
    Poison,
    UnknownItem,
    /// The ERP is to know them.
    ItemsAdded,
    /// On, if it was off.
    Steady,
}

/// Longer than a lease at the ERP in the play's configuration.
const LONG: Duration = Duration::from_secs(20);

impl Of {
    pub(super) const ALL: [Self; 4] = [Self::Orders, Self::Erp, Self::Webhooks, Self::Hub];

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Orders => "The shop",
            Self::Erp => "The ERP",
            Self::Webhooks => "The webhooks",
            Self::Hub => "The hub",
        }
    }
}

impl Button {
    pub(super) const ALL: [Self; 20] = [
        Self::OneOrder,
        Self::ManyOrders,
        Self::Steady,
        Self::Poison,
        Self::UnknownItem,
        Self::ItemsAdded,
        Self::ErpWell,
        Self::ErpEveryday,
        Self::ErpDown,
        Self::ErpSlow,
        Self::ErpLies,
        Self::ErpLate,
        Self::ErpThrottles,
        Self::HooksWell,
        Self::HooksStorm,
        Self::HooksLost,
        Self::HooksLate,
        Self::Kill,
        Self::KillForLong,
        Self::Freeze,
    ];

    /// As it stands in an address.
    pub(super) fn name(self) -> &'static str {
        self.words().0
    }

    pub(super) fn label(self) -> &'static str {
        self.words().1
    }

    /// What happens when it is pressed.
    pub(super) fn says(self) -> &'static str {
        self.words().2
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|button| button.name() == name)
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::OneOrder => ("order", "One order", "Somebody buys something."),
            Self::ManyOrders => (
                "orders",
                "A hundred orders",
                "A hundred within two seconds; some are edited, refunded or cancelled within the next ones.",
            ),
            Self::Steady => ("steady", "Five a second, on or off", "Orders come until it is pressed again."),
            Self::Poison => (
                "poison",
                "A poisoned order",
                "Its PO number is longer than the ERP will ever take: one dead letter, and nobody else waits for it.",
            ),
            Self::UnknownItem => (
                "unknown-item",
                "An order for an unknown item",
                "The ERP does not know the item yet. It waits for that.",
            ),
            Self::ItemsAdded => (
                "add-items",
                "Add the unknown items to the ERP",
                "What waited for them is released by the fact that they exist.",
            ),
            Self::ErpWell => ("erp-well", "Well", "It answers at once and never fails."),
            Self::ErpEveryday => {
                ("erp-everyday", "As on any day", "Now and then slow, busy, or without an answer.")
            }
            Self::ErpDown => ("erp-down", "Down", "Its port is closed until another button is pressed."),
            Self::ErpSlow => ("erp-slow", "Slow", "Each answer takes one to three seconds."),
            Self::ErpLies => (
                "erp-lies",
                "Lying",
                "Of three writes it answers one with 500, and carries it out all the same.",
            ),
            Self::ErpLate => (
                "erp-late",
                "Late",
                "Of two writes it drops one without an answer, and carries it out four seconds later.",
            ),
            Self::ErpThrottles => ("erp-throttles", "Busy", "429 to every second request."),
            Self::HooksWell => ("hooks-well", "As sent", "Each comes once and at once."),
            Self::HooksStorm => (
                "hooks-storm",
                "Duplicate storm",
                "Each is sent six times at the same instant, and again within two seconds.",
            ),
            Self::HooksLost => {
                ("hooks-lost", "Lost", "None is sent at all: the sweep has to find what happened.")
            }
            Self::HooksLate => (
                "hooks-late",
                "Late and out of order",
                "Held back by up to two seconds, and overtaken by their successors; old ones come ten seconds later.",
            ),
            Self::Kill => {
                ("kill", "Kill it", "SIGKILL in the middle of its work, and started again at once.")
            }
            Self::KillForLong => (
                "kill-for-long",
                "Kill it for a while",
                "SIGKILL, and nobody there for three seconds (one node of several: longer than its leases).",
            ),
            Self::Freeze => (
                "freeze",
                "Freeze it for 20 seconds",
                "SIGSTOP: longer than its leases. It wakes with requests in its sockets and does not know that time passed.",
            ),
        }
    }

    pub(super) fn of(self) -> Of {
        match self {
            Self::OneOrder
            | Self::ManyOrders
            | Self::Steady
            | Self::Poison
            | Self::UnknownItem
            | Self::ItemsAdded => Of::Orders,
            Self::ErpWell
            | Self::ErpEveryday
            | Self::ErpDown
            | Self::ErpSlow
            | Self::ErpLies
            | Self::ErpLate
            | Self::ErpThrottles => Of::Erp,
            Self::HooksWell | Self::HooksStorm | Self::HooksLost | Self::HooksLate => Of::Webhooks,
            Self::Kill | Self::KillForLong | Self::Freeze => Of::Hub,
        }
    }

    /// Does it; what it asks of the play is returned.
    pub(super) async fn press(self, stage: &mut Stage, teller: &Teller) -> anyhow::Result<Option<Asked>> {
        teller.act(&format!(
            "{}, {}: {}",
            self.of().heading().to_lowercase(),
            self.label().to_lowercase(),
            self.says()
        ));
        let erp = |how: fn(&mut Knobs)| {
            stage.erp.turn(|knobs| {
                let (page_size, keys) = (knobs.page_size, knobs.idempotency_lifetime_ms);
                *knobs = Knobs { page_size, idempotency_lifetime_ms: keys, ..Knobs::default() };
                how(knobs);
            });
        };
        let hooks = |how: fn(&mut Mischief)| {
            stage.ground.shop.turn_mischief(|mischief| {
                *mischief = Mischief { seed: mischief.seed, ..Mischief::default() };
                how(mischief);
            });
        };
        match self {
            Self::OneOrder => return Ok(Some(Asked::Orders(1))),
            Self::ManyOrders => return Ok(Some(Asked::Orders(100))),
            Self::Steady => return Ok(Some(Asked::Steady)),
            Self::Poison => return Ok(Some(Asked::Poison)),
            Self::UnknownItem => return Ok(Some(Asked::UnknownItem)),
            Self::ItemsAdded => return Ok(Some(Asked::ItemsAdded)),
            Self::ErpWell => erp(|_| ()),
            Self::ErpEveryday => erp(everyday),
            Self::ErpDown => erp(|knobs| knobs.outage = Outage::Refused),
            Self::ErpSlow => erp(|knobs| {
                (knobs.latency_ms, knobs.latency_tail_ms, knobs.latency_tail_per_mille) =
                    (1_000, 2_000, 1_000);
            }),
            Self::ErpLies => erp(|knobs| {
                knobs.faults_on = FaultsOn::Writes;
                (knobs.error_per_mille, knobs.error_applied_per_mille) = (330, 1_000);
            }),
            Self::ErpLate => erp(|knobs| {
                knobs.faults_on = FaultsOn::Writes;
                (knobs.late_apply_per_mille, knobs.late_apply_ms) = (500, 4_000);
                knobs.late_apply_answer = LateAnswer::Reset;
            }),
            Self::ErpThrottles => erp(|knobs| knobs.throttled_per_mille = 500),
            Self::HooksWell => hooks(|_| ()),
            // The shop's time goes sixty times as fast.
            Self::HooksStorm => hooks(|mischief| {
                (mischief.copies_per_mille, mischief.copies) = (1_000, 6);
                (mischief.duplicate_per_mille, mischief.delay_max) = (1_000, Duration::from_secs(120));
            }),
            Self::HooksLost => hooks(|mischief| mischief.never_sent_per_mille = 1_000),
            Self::HooksLate => hooks(|mischief| {
                let all = stage::mischief(mischief.seed);
                (mischief.delay_per_mille, mischief.delay_max) = (1_000, all.delay_max);
                (mischief.swap_per_mille, mischief.stale_per_mille) = (300, 300);
                mischief.stale_after = all.stale_after;
            }),
            Self::Kill if stage.ground.hub.count() > 1 => Act::KillNode.perform(stage, teller).await?,
            Self::Kill => Act::Kill.perform(stage, teller).await?,
            Self::KillForLong if stage.ground.hub.count() > 1 => {
                Act::KillNodeForLong.perform(stage, teller).await?
            }
            Self::KillForLong => stage.ground.hub.kill_away(Duration::from_secs(3)).await?,
            Self::Freeze => stage.ground.hub.freeze_for(LONG)?,
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_button_has_a_name_of_its_own_and_says_what_it_does() {
        let names: BTreeSet<&str> = Button::ALL.into_iter().map(Button::name).collect();
        assert_eq!(names.len(), Button::ALL.len());
        for button in Button::ALL {
            assert_eq!(Button::named(button.name()), Some(button));
            assert!(button.says().ends_with('.') && !button.label().is_empty(), "{button:?}");
            assert!(Of::ALL.contains(&button.of()));
        }
        assert_eq!(Button::named("nothing"), None);
    }
}
