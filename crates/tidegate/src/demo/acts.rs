//! What is done to the hub and its neighbours, and when: one line each says what and why.

use super::report::Teller;
use super::stage::{Stage, pause};
use super::warehouse::Warehouse;
use std::time::Duration;
use twin::erp::{FaultsOn, Knobs, Outage};

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The everyday of any ERP.
    Everyday,
    Fails,
    Throttles,
    Away,
    /// Does the work and does not say so.
    Lies,
    /// SIGKILL, and at once again.
    Kill,
    /// SIGKILL, and a while of nobody there: webhooks are refused, and Shopify retries.
    KillAndStayDown,
    /// SIGKILL to one of several nodes, which comes back after a moment.
    KillNode,
    /// The same for longer than its leases: the others take over what it had under way.
    KillNodeForLong,
    /// The items that orders waited for are added to the ERP.
    ItemsAdded,
    /// The warehouse's stock moves, and some of what it tells is lost on the way.
    StockMoves,
    /// The warehouse tells nobody of anything.
    Mute,
    /// Somebody writes to the warehouse's database, past its books.
    PastItsBooks,
    /// The night's prices are loaded.
    Night,
    /// Somebody loads a file in which every price is halved.
    Halved,
    AllWell,
}

/// The acts, each with how many orders are placed before it.
pub fn script(orders: u64) -> Vec<(u64, Act)> {
    let acts: &[(u64, Act)] = &[
        (0, Act::StockMoves),
        (0, Act::Everyday),
        (8, Act::Fails),
        (16, Act::Kill),
        (20, Act::Everyday),
        (30, Act::Away),
        (36, Act::Kill),
        (42, Act::Mute),
        (46, Act::PastItsBooks),
        (48, Act::Throttles),
        (50, Act::Night),
        (52, Act::Everyday),
        (58, Act::StockMoves),
        (60, Act::Halved),
        (62, Act::Lies),
        (68, Act::Kill),
        (72, Act::Everyday),
        (80, Act::KillAndStayDown),
        (88, Act::ItemsAdded),
        (92, Act::Lies),
        (95, Act::Kill),
    ];
    acts.iter().map(|(percent, act)| (orders * percent / 100, *act)).collect()
}

/// A node is killed this often, in seconds of the play.
const NODE_EVERY_S: u64 = 3;
/// Longer than a lease at the ERP in the play's configuration.
const LONG: Duration = Duration::from_secs(13);

/// Where there are several nodes, one after the other is killed every few seconds, in place of the one hub.
pub fn among_nodes(script: &mut Vec<(u64, Act)>, orders: u64, rate: u64) {
    script.retain(|(_, act)| !matches!(act, Act::Kill | Act::KillAndStayDown));
    let kills = (1..).map(|turn| turn * NODE_EVERY_S * rate).take_while(|from| *from < orders);
    // Every fifth stays away for so long that it is given up.
    let act = |turn: usize| if turn % 5 == 1 { Act::KillNodeForLong } else { Act::KillNode };
    script.extend(kills.enumerate().map(|(turn, from)| (from, act(turn))));
    script.sort_by_key(|(from, _)| *from);
}

impl Act {
    fn text(self) -> &'static str {
        match self {
            Self::Everyday => "the ERP as it is on any day: now and then slow, busy, or without an answer",
            Self::Fails => {
                "the ERP answers every third request with 500; half of those it carried out all the same"
            }
            Self::Throttles => "the ERP throttles: 429 to every third request",
            Self::Away => "the ERP is away for six seconds: its port is closed",
            Self::Lies => {
                "the ERP carries orders out and drops the connection, or carries them out a second later"
            }
            Self::Kill => "the hub is killed with SIGKILL in the middle of its work, and started again",
            Self::KillAndStayDown => {
                "the hub is killed and stays away for two seconds: webhooks are refused, and retried"
            }
            Self::KillNode => {
                "a node is killed with SIGKILL in the middle of its work, and comes back after a second"
            }
            Self::KillNodeForLong => {
                "a node is killed and stays away for longer than its leases: the others take over its work"
            }
            Self::ItemsAdded => "somebody adds the items to the ERP that some orders waited for",
            Self::StockMoves => {
                "the warehouse's stock moves; of its pushes 2 % are lost, some come twice or overtaken"
            }
            Self::Mute => "the warehouse's stock moves and it tells nobody",
            Self::PastItsBooks => {
                "a script writes to the warehouse's database: no push and no list of changes shows it, but a full check"
            }
            Self::Night => {
                "the night's prices are loaded: four of them rise, and the shop knows nothing of it"
            }
            Self::Halved => {
                "somebody loads a file in which every price is halved: it is held, and no cart sees it"
            }
            Self::AllWell => "from here on all is well",
        }
    }

    pub(super) async fn perform(self, stage: &mut Stage, teller: &Teller) -> anyhow::Result<()> {
        teller.act(self.text());
        match self {
            Self::Everyday => stage.erp.turn(everyday),
            Self::Fails => stage.erp.turn(|knobs| {
                everyday(knobs);
                knobs.error_per_mille = 330;
                knobs.error_applied_per_mille = 500;
            }),
            Self::Throttles => stage.erp.turn(|knobs| {
                everyday(knobs);
                knobs.throttled_per_mille = 330;
            }),
            Self::Away => stage.erp.turn(|knobs| {
                everyday(knobs);
                knobs.outage = Outage::Refused;
                knobs.outage_for_ms = Some(6_000);
            }),
            Self::Lies => stage.erp.turn(|knobs| {
                everyday(knobs);
                knobs.faults_on = FaultsOn::Writes;
                knobs.unanswered_per_mille = 200;
                knobs.late_apply_per_mille = 150;
                knobs.late_apply_ms = 1_000;
            }),
            Self::Kill => {
                stage.ground.hub.kill().await?;
                stage.ground.hub.start().await?;
            }
            Self::KillAndStayDown => {
                stage.ground.hub.kill().await?;
                pause(Duration::from_secs(2)).await;
                stage.ground.hub.start().await?;
            }
            Self::KillNode => stage.ground.hub.kill_for(Duration::from_secs(1)).await?,
            Self::KillNodeForLong => stage.ground.hub.kill_for(LONG).await?,
            Self::ItemsAdded => {
                for sku in ["SKU-9001", "SKU-9002", "SKU-9003"] {
                    add_surely(stage, sku).await?;
                }
            }
            Self::StockMoves => stage.warehouse.iter_mut().for_each(Warehouse::everyday),
            Self::Mute => stage.warehouse.iter().for_each(Warehouse::mute),
            Self::PastItsBooks => stage.warehouse.iter().for_each(Warehouse::past_its_books),
            Self::Night | Self::Halved => {
                let Some(counter) = &mut stage.counter else { return Ok(()) };
                match self {
                    Self::Night => counter.night(&stage.ground).await?,
                    _ => counter.halved(&stage.ground).await?,
                }
            }
            Self::AllWell => {
                stage.warehouse.iter_mut().for_each(Warehouse::rest);
                stage.ground.hub.start().await?;
                stage.erp.turn(|knobs| *knobs = Knobs { page_size: knobs.page_size, ..Knobs::default() })
            }
        }
        Ok(())
    }
}

/// The ERP of the play fails for people too.
pub(super) async fn add_surely(stage: &Stage, sku: &str) -> anyhow::Result<()> {
    let mut last = Ok(());
    for _ in 0..50 {
        last = stage.add_item(sku).await;
        if last.is_ok() {
            break;
        }
        pause(Duration::from_millis(100)).await;
    }
    last
}

pub(super) fn everyday(knobs: &mut Knobs) {
    *knobs = Knobs {
        page_size: knobs.page_size,
        latency_ms: 5,
        latency_tail_ms: 150,
        latency_tail_per_mille: 20,
        error_per_mille: 10,
        error_applied_per_mille: 500,
        throttled_per_mille: 1,
        unanswered_per_mille: 10,
        late_apply_per_mille: 3,
        late_apply_ms: 800,
        half_answer_per_mille: 3,
        ..Knobs::default()
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_kills_several_times_and_comes_in_its_order() {
        let script = script(1000);
        let kills = script.iter().filter(|(_, act)| matches!(act, Act::Kill | Act::KillAndStayDown)).count();
        assert!(kills >= 3 && script.is_sorted_by_key(|(from, _)| *from));
        assert!(script.iter().all(|(from, _)| *from < 1000));
        assert_eq!(super::script(1).len(), script.len());
    }

    #[test]
    fn among_nodes_one_is_killed_every_few_seconds() {
        let mut acts = script(1000);
        among_nodes(&mut acts, 1000, 25);
        let of = |wanted: Act| acts.iter().filter(|(_, act)| *act == wanted).count();
        assert_eq!((of(Act::Kill), of(Act::KillNode), of(Act::KillNodeForLong)), (0, 10, 3));
        assert!(acts.is_sorted_by_key(|(from, _)| *from));
    }
}
