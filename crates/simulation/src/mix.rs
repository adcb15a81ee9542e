//! Which faults a seed has, and how often: each seed varies its own mix, so that rare combinations meet.

use crate::planted::Bug;
use crate::stock::StockMix;
use kernel::rng::{Rng, Seeded};
use std::time::Duration;

/// Shares are per mille.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    pub orders: u32,
    pub changes_each: u32,
    pub duplicate: u32,
    pub never_sent: u32,
    pub delayed: u32,
    pub same_second: u32,
    pub kill: u32,
    pub store_fails: u32,
    pub withheld: u32,
    pub refused: u32,
    pub throttled: u32,
    pub applied_unanswered: u32,
    pub unapplied_unanswered: u32,
    pub late_apply: u32,
    pub bad_gateway: u32,
    pub read_fails: u32,
    pub poison: u32,
    pub missing: u32,
    pub clock_jumps: bool,
    /// The target honours call keys.
    pub native_key: bool,
    pub health_call: bool,
    /// Confirmation: at once, or after this.
    pub confirm_after: Option<Duration>,
    pub outage: Option<Duration>,
    pub credentials_expire: bool,
    pub lag: Duration,
    pub nodes: usize,
    /// Lanes in work at once at the target.
    pub width: u32,
    /// A node sleeps for minutes: at any effect, and right before a request leaves.
    pub sleep: u32,
    pub sleep_sending: u32,
    /// The store has committed and its answer is lost.
    pub answer_lost: u32,
    /// What is to be routed is handed out seconds late.
    pub slow_store: u32,
    /// Of the late ones: later than the target declares.
    pub very_late: u32,
    /// A wire between a node and the store or the target is cut so often.
    pub cuts: u32,
    /// The clocks of the nodes stand apart and drift.
    pub skew: bool,
    /// One node dies and never comes back.
    pub gone: bool,
    /// A newer configuration is rolled out.
    pub upgrade: bool,
    /// When all is calm every order changes within a second.
    pub rush: bool,
    /// The target throttles everybody for so long.
    pub throttle_for: Option<Duration>,
    /// A warehouse beside the orders' target.
    pub stock: Option<StockMix>,
}

impl Mix {
    /// The mix of a seed. Every fault is absent in some seeds and frequent in some.
    pub fn of(rng: &mut Seeded) -> Self {
        let mut share = |most: u64| -> u32 {
            let level = rng.below(4);
            u32::try_from(if level == 0 { 0 } else { rng.below(most * level / 3 + 1) }).unwrap_or(0)
        };
        let mut mix = Self {
            orders: 3 + share(12),
            changes_each: 1 + share(4),
            duplicate: share(400),
            never_sent: share(200),
            delayed: share(500),
            same_second: share(400),
            kill: share(12),
            store_fails: share(30),
            withheld: share(60),
            refused: share(100),
            throttled: share(80),
            applied_unanswered: share(150),
            unapplied_unanswered: share(120),
            late_apply: share(120),
            bad_gateway: share(120),
            read_fails: share(100),
            poison: share(120),
            missing: share(150),
            sleep: share(3),
            sleep_sending: share(40),
            answer_lost: share(40),
            slow_store: share(250),
            very_late: share(700),
            cuts: share(6),
            ..Self::calm()
        };
        mix.clock_jumps = rng.chance(200);
        mix.native_key = rng.chance(300);
        mix.health_call = rng.chance(500);
        mix.confirm_after = rng.chance(300).then(|| Duration::from_secs(30 + rng.below(900)));
        mix.outage = match rng.below(10) {
            0 => Some(Duration::from_secs(86_400)),
            1..=4 => Some(Duration::from_secs(20 + rng.below(600))),
            _ => None,
        };
        mix.credentials_expire = rng.chance(100);
        mix.lag = Duration::from_millis(rng.below(3000));
        mix.nodes = [1, 2, 2, 3][usize::try_from(rng.below(4)).unwrap_or(0)];
        mix.width = 2 + u32::try_from(rng.below(7)).unwrap_or(0);
        mix.skew = rng.chance(400);
        mix.gone = mix.nodes > 1 && rng.chance(200);
        mix.upgrade = mix.nodes > 1 && rng.chance(200);
        mix.rush = rng.chance(400);
        mix.throttle_for = rng.chance(200).then(|| Duration::from_secs(20 + rng.below(400)));
        if mix.nodes > 1 {
            // Nodes look around each second: a day of that is long.
            mix.outage = mix.outage.map(|outage| outage.min(Duration::from_secs(1800)));
        }
        mix
    }

    /// Nothing goes wrong: the shape of a run without faults.
    pub fn calm() -> Self {
        Self {
            orders: 5,
            changes_each: 2,
            duplicate: 0,
            never_sent: 0,
            delayed: 0,
            same_second: 0,
            kill: 0,
            store_fails: 0,
            withheld: 0,
            refused: 0,
            throttled: 0,
            applied_unanswered: 0,
            unapplied_unanswered: 0,
            late_apply: 0,
            bad_gateway: 0,
            read_fails: 0,
            poison: 0,
            missing: 0,
            clock_jumps: false,
            native_key: false,
            health_call: true,
            confirm_after: None,
            outage: None,
            credentials_expire: false,
            lag: Duration::ZERO,
            nodes: 1,
            width: 8,
            sleep: 0,
            sleep_sending: 0,
            answer_lost: 0,
            slow_store: 0,
            very_late: 0,
            cuts: 0,
            skew: false,
            gone: false,
            upgrade: false,
            rush: false,
            throttle_for: None,
            stock: None,
        }
    }
}

impl Mix {
    /// Amendments that are carried out minutes late, among many changes: what the last look is for.
    pub fn late() -> Self {
        Self { orders: 8, changes_each: 5, late_apply: 250, very_late: 900, width: 4, ..Self::calm() }
    }

    /// Two nodes that are told of one order within a moment, at a store whose answers are slow.
    pub fn crowded() -> Self {
        Self { orders: 12, changes_each: 5, same_second: 700, slow_store: 400, nodes: 2, ..Self::calm() }
    }
}

fn stock(mix: &mut Mix, change: fn(&mut StockMix)) {
    if let Some(of) = &mut mix.stock {
        change(of);
    }
}

/// One kind of fault: its name, and how it is switched off.
pub type Kind = (&'static str, fn(&mut Mix));

/// The kinds of faults, for shrinking a seed to the fewest that it takes.
pub const KINDS: &[Kind] = &[
    ("several nodes", |mix| mix.nodes = 1),
    ("a third node", |mix| mix.nodes = mix.nodes.min(2)),
    ("clock jumps", |mix| mix.clock_jumps = false),
    ("clock skew and drift", |mix| mix.skew = false),
    ("a node gone for good", |mix| mix.gone = false),
    ("an upgrade", |mix| mix.upgrade = false),
    ("cut wires", |mix| mix.cuts = 0),
    ("kills", |mix| mix.kill = 0),
    ("sleep", |mix| mix.sleep = 0),
    ("sleep with a request in the socket", |mix| mix.sleep_sending = 0),
    ("store failures", |mix| mix.store_fails = 0),
    ("lost answers of the store", |mix| mix.answer_lost = 0),
    ("slow answers of the store", |mix| mix.slow_store = 0),
    ("appends that become visible late", |mix| mix.withheld = 0),
    ("a long outage", |mix| mix.outage = None),
    ("a rush", |mix| mix.rush = false),
    ("throttling for long", |mix| mix.throttle_for = None),
    ("expired credentials", |mix| mix.credentials_expire = false),
    ("duplicates", |mix| mix.duplicate = 0),
    ("webhooks never sent", |mix| mix.never_sent = 0),
    ("late webhooks", |mix| mix.delayed = 0),
    ("two changes within a second", |mix| mix.same_second = 0),
    ("refused connections", |mix| mix.refused = 0),
    ("429", |mix| mix.throttled = 0),
    ("carried out, no answer", |mix| mix.applied_unanswered = 0),
    ("not carried out, no answer", |mix| mix.unapplied_unanswered = 0),
    ("carried out later than declared", |mix| mix.very_late = 0),
    ("carried out late", |mix| mix.late_apply = 0),
    ("502", |mix| mix.bad_gateway = 0),
    ("failing reads", |mix| mix.read_fails = 0),
    ("poison", |mix| mix.poison = 0),
    ("missing references", |mix| mix.missing = 0),
    ("a search that lags", |mix| mix.lag = Duration::ZERO),
    ("a wait before the confirmation", |mix| mix.confirm_after = None),
    ("changes", |mix| mix.changes_each = 0),
    ("pushes that are lost", |mix| stock(mix, |of| of.push_lost = 0)),
    ("pushes that are late", |mix| stock(mix, |of| of.push_late = 0)),
    ("pushes that come twice", |mix| stock(mix, |of| of.push_twice = 0)),
    ("other channels", |mix| stock(mix, |of| of.others = false)),
    ("arrivals", |mix| stock(mix, |of| of.moves = 0)),
    ("parcels in parts", |mix| stock(mix, |of| of.splits = 0)),
    ("parcels", |mix| stock(mix, |of| of.ships = 0)),
    ("returns", |mix| stock(mix, |of| of.returns = 0)),
    ("refusals", |mix| stock(mix, |of| of.refuses = 0)),
    ("bundles", |mix| stock(mix, |of| of.bundles = 0)),
    ("several places", |mix| stock(mix, |of| of.places = 1)),
    ("several outlets", |mix| stock(mix, |of| of.divided = None)),
    ("several pairs", |mix| stock(mix, |of| of.pairs = 1)),
];

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Story {
    #[default]
    Orders,
    /// And the stock that they take.
    Stock,
}

/// What one run is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    pub seed: u64,
    pub story: Story,
    pub bug: Option<Bug>,
    /// Overrides the seed's own mix.
    pub mix: Option<Mix>,
    /// Keeps every event and effect for the report.
    pub tell: bool,
}
