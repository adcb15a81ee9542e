//! Routing: the commit of what was decided. What waits for it is found by `unrouted`; where two nodes meet at one root, the table
//! decides (`routing`).

use crate::append::{self, Prepared};
use crate::bind::args;
use crate::codec::{nanos, version_bytes};
use crate::deliveries::Origin;
use crate::desk::{Desk, Shared, later, names_of, transact};
use crate::error::{Done, bug};
use crate::routing::Place;
use crate::view::child;
use crate::work::{LOCK, Numbers, Work};
use futures_util::future::try_join;
use jiff::Timestamp;
use kernel::id::SystemName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::StoreError;
use store::delivery::Claim;
use store::log::{About, Routed};
use store::port::ClaimRequest;

/// Names that the rows of these decisions need.
fn names(decisions: &[Routed]) -> Vec<String> {
    let mut names = Vec::new();
    for decision in decisions {
        names.extend(decision.about.iter().flat_map(|about| names_of(&about.subject)));
        if let Some(record) = &decision.record {
            names.extend(names_of(&record.subject));
            names.push(record.source.as_str().to_owned());
        }
        for new in &decision.deliveries {
            names.extend(names_of(&new.subject));
            names.extend([new.flow.as_str(), new.lane.system.as_str()].map(str::to_owned));
        }
    }
    names
}

struct Here {
    shared: Arc<Shared>,
}

/// The facts that follow from decisions, sealed, by the place of the decision.
type FollowUps = BTreeMap<i64, Vec<Prepared>>;

/// All that the rows of these decisions need, and what follows from them sealed.
async fn ready(
    shared: &Arc<Shared>,
    mut decisions: Vec<Routed>,
) -> Result<(Vec<Routed>, FollowUps), StoreError> {
    let mut names = names(&decisions);
    let mut follow_ups = FollowUps::new();
    for decision in decisions.iter_mut().filter(|decision| !decision.follow_ups.is_empty()) {
        let prepared = append::prepare(&shared.vault, std::mem::take(&mut decision.follow_ups))?;
        names.extend(append::names(&prepared));
        shared.partitions.ensure(&shared.pool, &append::places(&prepared)).await?;
        follow_ups.insert(decision.position.0, prepared);
    }
    shared.ensure(names.iter().map(String::as_str)).await?;
    Ok((decisions, follow_ups))
}

/// Commits what was decided. An envelope that is routed already, or whose root another node has routed since it was
/// handed out, is passed over.
pub(crate) async fn route(
    shared: &Arc<Shared>,
    decisions: Vec<Routed>,
    at: Timestamp,
) -> Result<(), StoreError> {
    if decisions.is_empty() {
        return Ok(());
    }
    let (decisions, follow_ups) = ready(shared, decisions).await?;
    let here = Here { shared: shared.clone() };
    let done: Done<Vec<RoutedRoots>> =
        transact!(here, Derived, desk => desk.route(&decisions, &follow_ups, at).await);
    routed(shared, &decisions, done?);
    Ok(())
}

/// The same, and what may be claimed after it, in one transaction.
pub(crate) async fn route_and_claim(
    shared: &Arc<Shared>,
    decisions: Vec<Routed>,
    at: Timestamp,
    requests: &[ClaimRequest],
    owner: &str,
) -> Result<Vec<(SystemName, Vec<Claim>)>, StoreError> {
    if decisions.is_empty() {
        return Ok(crate::claims::claim(shared, requests, owner).await?);
    }
    let (decisions, follow_ups) = ready(shared, decisions).await?;
    let here = Here { shared: shared.clone() };
    let done: Done<_> = transact!(here, Derived, desk => {
        let routed = desk.route(&decisions, &follow_ups, at).await?;
        // What is due is no longer what it was before.
        shared.board.stir(routed.iter().map(|of_shop| of_shop.shop));
        Ok((routed, desk.claim_all(requests, owner).await?))
    });
    let (done, claims) = done?;
    routed(shared, &decisions, done);
    Ok(claims)
}

/// What is known here of what was routed, after its commit.
fn routed(shared: &Shared, decisions: &[Routed], done: Vec<RoutedRoots>) {
    let mut touched = BTreeSet::new();
    let positions: Vec<i64> = decisions.iter().map(|decision| decision.position.0).collect();
    let mut roots = Vec::new();
    for done in done {
        touched.insert(done.shop);
        roots.extend(done.roots.into_iter().map(|(root, routed)| (done.shop, root, routed)));
    }
    shared.handed_out.routed(roots, &positions);
    shared.committed(touched);
}

/// What was routed in one shop: how often something of each root has been routed now.
#[derive(Debug)]
pub(crate) struct RoutedRoots {
    shop: i32,
    roots: BTreeMap<String, i64>,
}

impl Desk {
    async fn route(
        &self,
        decisions: &[Routed],
        follow_ups: &FollowUps,
        at: Timestamp,
    ) -> Done<Vec<RoutedRoots>> {
        let places = self.places(decisions).await?;
        let mut of_shops: BTreeMap<i32, Vec<(&Routed, Place)>> = BTreeMap::new();
        for decision in decisions {
            if let Some(place) = places.get(&decision.position.0) {
                of_shops.entry(place.shop).or_default().push((decision, place.clone()));
            }
        }
        let mut done = Vec::new();
        for (shop, of_shop) in of_shops {
            let (roots, positions) = self.route_of_shop(shop, of_shop, at).await?;
            let following: Vec<&Prepared> =
                positions.iter().filter_map(|position| follow_ups.get(position)).flatten().collect();
            if !following.is_empty() {
                self.append_and(&following, false).await?;
            }
            done.push(roots);
        }
        Ok(done)
    }

    /// Where these envelopes stand; nothing of those that are routed already, as far as it is known.
    async fn places(&self, decisions: &[Routed]) -> Done<BTreeMap<i64, Place>> {
        let (mut places, mut unknown) = (BTreeMap::new(), Vec::new());
        for decision in decisions {
            match self.shared.handed_out.place(decision.position.0) {
                Some(place) => {
                    places.insert(decision.position.0, place);
                }
                None => unknown.push(decision.position.0),
            }
        }
        if !unknown.is_empty() {
            // Nobody handed them out here: a look into each shop.
            let sql =
                "SELECT position, shop, day, root FROM unrouted WHERE shop = ANY($1) AND position = ANY($2)";
            for row in self.all(sql, args![self.names().shops(), unknown]).await? {
                let place = Place { shop: row.try_get(1)?, day: row.try_get(2)?, root: row.try_get(3)? };
                places.insert(row.try_get(0)?, place);
            }
        }
        Ok(places)
    }

    async fn route_of_shop(
        &self,
        shop: i32,
        mut decisions: Vec<(&Routed, Place)>,
        at: Timestamp,
    ) -> Done<(RoutedRoots, Vec<i64>)> {
        let mut roots = BTreeSet::new();
        let mut deliveries = 0;
        for (decision, place) in &decisions {
            roots.insert(place.root.clone());
            roots.extend(decision.about.iter().map(|about| about.subject.root().to_owned()));
            roots.extend(decision.record.iter().map(|record| record.subject.root().to_owned()));
            for new in &decision.deliveries {
                if self.names().given_shop(&new.lane.shop)? != shop {
                    return Err(bug(format!(
                        "a delivery in {} of an envelope of another shop",
                        new.lane.shop
                    )));
                }
                roots.insert(new.lane.root.clone());
                deliveries += 1;
            }
        }
        let shop_id = self.names().shop(shop)?;
        let working = Box::pin(Work::on(self, &shop_id, &roots, &[], Numbers { deliveries, attempts: 0 }));
        let folds = decisions.iter().any(|(decision, _)| decision.record.is_some());
        // What was folded upon another record than there is, is passed over: looked at under the locks.
        let working = if folds { Ok(working.await?) } else { Err(working) };
        if folds {
            decisions = self.upon_their_records(shop, decisions).await?;
        }
        let positions: Vec<i64> = decisions.iter().map(|(decision, _)| decision.position.0).collect();
        let of_roots: Vec<&str> = decisions.iter().map(|(_, place)| place.root.as_str()).collect();
        let then: Vec<Option<i64>> = decisions
            .iter()
            .map(|(decision, place)| self.shared.handed_out.then(decision.position.0, place))
            .collect();
        // Behind the locks, which are asked for first.
        let taking = async { Ok(self.all(TAKE, args![shop, positions, of_roots, then]).await) };
        let (mut work, taken) = match working {
            Ok(work) => (work, taking.await?),
            Err(working) if self.is_prepared(LOCK) => Box::pin(try_join(working, taking)).await?,
            Err(working) => (working.await?, taking.await?),
        };
        let mut once: BTreeSet<i64> = taken?.iter().map(|row| Ok(row.try_get(0)?)).collect::<Done<_>>()?;
        let current: Vec<(&Routed, Place)> =
            decisions.into_iter().filter(|(decision, _)| once.remove(&decision.position.0)).collect();
        let mut raised: BTreeMap<String, i64> = BTreeMap::new();
        for (_, place) in &current {
            let routed = work.routed.get(&place.root).copied().unwrap_or(0);
            raised.insert(place.root.clone(), routed + 1);
        }
        for (decision, place) in &current {
            let origin = Origin { position: decision.position, day: place.day };
            for new in &decision.deliveries {
                work.insert(new.clone(), origin, at).await?;
            }
        }
        self.mark_routed(shop, &current, at).await?;
        self.learn(shop, &current).await?;
        self.raise(shop, raised.clone()).await?;
        let records = current.iter().filter_map(|(decision, _)| decision.record.as_ref());
        work.write_records(records).await?;
        work.flush().await?;
        let positions = current.iter().map(|(decision, _)| decision.position.0).collect();
        Ok((RoutedRoots { shop, roots: raised }, positions))
    }

    async fn mark_routed(&self, shop: i32, routed: &[(&Routed, Place)], at: Timestamp) -> Done<()> {
        if routed.is_empty() {
            return Ok(());
        }
        let days: Vec<i32> = routed.iter().map(|(_, place)| place.day).collect();
        let positions: Vec<i64> = routed.iter().map(|(decision, _)| decision.position.0).collect();
        let versions: Vec<Option<Vec<u8>>> =
            routed.iter().map(|(decision, _)| decision.version.as_ref().map(version_bytes)).collect();
        let at = nanos(at);
        later!(self, ROUTED, shop, days, positions, versions, at)
    }

    /// Each commit of routing is counted at its roots.
    async fn raise(&self, shop: i32, raised: BTreeMap<String, i64>) -> Done<()> {
        if raised.is_empty() {
            return Ok(());
        }
        let (roots, numbers): (Vec<String>, Vec<i64>) = raised.into_iter().unzip();
        later!(self, RAISE, shop, roots, numbers)
    }

    /// Keeps what the newest state says of a subject; a customer once known stays, for redaction.
    async fn learn(&self, shop: i32, routed: &[(&Routed, Place)]) -> Done<()> {
        let mut newest: BTreeMap<(&str, &str), About> = BTreeMap::new();
        let mut of_parts: BTreeMap<&str, &str> = BTreeMap::new();
        for about in routed.iter().filter_map(|(decision, _)| decision.about.as_ref()) {
            let (root, child) = (about.subject.root(), child(&about.subject));
            if let Some(customer) = about.customer.as_deref().filter(|_| !child.is_empty()) {
                of_parts.entry(root).or_insert(customer);
            }
            let known = newest.remove(&(root, child));
            let customer = known.as_ref().and_then(|known| known.customer.clone());
            let mut about = match known {
                Some(known) if known.updated_at > about.updated_at => known,
                _ => about.clone(),
            };
            about.customer = about.customer.or(customer);
            newest.insert((root, child), about);
        }
        for (of_root, sql) in [(true, ABOUT_ROOTS), (false, ABOUTS)] {
            let rows: Vec<(&(&str, &str), &About)> =
                newest.iter().filter(|((_, child), _)| child.is_empty() == of_root).collect();
            if rows.is_empty() {
                continue;
            }
            let roots: Vec<String> = rows.iter().map(|row| row.0.0.to_owned()).collect();
            let children: Vec<String> = rows.iter().map(|row| row.0.1.to_owned()).collect();
            let labels: Vec<String> = rows.iter().map(|row| row.1.label.clone()).collect();
            let customers: Vec<Option<String>> = rows.iter().map(|row| row.1.customer.clone()).collect();
            let created: Vec<i64> = rows.iter().map(|row| nanos(row.1.created_at)).collect();
            let updated: Vec<i64> = rows.iter().map(|row| nanos(row.1.updated_at)).collect();
            later!(self, sql, shop, roots, children, labels, customers, created, updated)?;
        }
        for (root, customer) in of_parts {
            // A customer known of a part is the root's, unless it has one.
            let sql = "UPDATE roots SET customer = $3 WHERE shop = $1 AND root = $2 AND customer IS NULL";
            let (root, customer) = (root.to_owned(), customer.to_owned());
            later!(self, sql, shop, root, customer)?;
        }
        Ok(())
    }
}

/// Passes over what was decided on what is no longer known: something of its root was routed since by another node.
const TAKE: &str = "DELETE FROM unrouted WHERE shop = $1 AND position = ANY(ARRAY( \
     SELECT n.position FROM unnest($2::int8[], $3::text[], $4::int8[]) AS n (position, root, routed) \
     CROSS JOIN LATERAL (SELECT routed FROM roots WHERE shop = $1 AND root = n.root OFFSET 0) r \
     WHERE n.routed IS NULL OR n.routed = r.routed)) RETURNING position";

/// Changes of rows that are there are written as inserts that meet them: by the whole key, whatever the planner thinks of
/// a table that was empty when it looked. What stands beside the key and the change is written by nobody.
const ROUTED: &str = "INSERT INTO envelopes (shop, day, position, root, child, domain, source, topic, kind, via, version, \
     occurred_at, received_at, trace, raw_hash, raw_bytes, routed_at) \
     SELECT $1, n.day, n.position, '', '', 0, 0, 0, 0, 0, n.version, 0, 0, '', '', 0, $5 \
     FROM unnest($2::int4[], $3::int8[], $4::bytea[]) AS n (day, position, version) \
     ON CONFLICT (shop, day, position) DO UPDATE SET routed_at = excluded.routed_at, \
     version = coalesce(excluded.version, envelopes.version)";

const RAISE: &str = "INSERT INTO roots (shop, root, routed) SELECT $1, n.* FROM unnest($2::text[], $3::int8[]) AS n \
     ON CONFLICT (shop, root) DO UPDATE SET routed = excluded.routed";

const ABOUT_ROOTS: &str = "INSERT INTO roots (shop, root, label, customer, created_at, updated_at) \
     SELECT $1, n.root, n.label, n.customer, n.created_at, n.updated_at \
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[]) \
     AS n (root, child, label, customer, created_at, updated_at) \
     ON CONFLICT (shop, root) DO UPDATE SET label = excluded.label, \
     customer = coalesce(excluded.customer, roots.customer), created_at = excluded.created_at, \
     updated_at = excluded.updated_at WHERE coalesce(roots.updated_at <= excluded.updated_at, true)";

const ABOUTS: &str = "INSERT INTO abouts (shop, root, child, label, customer, created_at, updated_at) \
     SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[]) AS n \
     ON CONFLICT (shop, root, child) DO UPDATE SET label = excluded.label, \
     customer = coalesce(excluded.customer, abouts.customer), created_at = excluded.created_at, \
     updated_at = excluded.updated_at WHERE abouts.updated_at <= excluded.updated_at";

/// The hot statements of this file, for the test that looks at their plans.
pub(crate) fn statements() -> Vec<(&'static str, &'static str)> {
    vec![
        ("route.take", TAKE),
        ("route.routed", ROUTED),
        ("route.raise", RAISE),
        ("route.about_roots", ABOUT_ROOTS),
        ("route.abouts", ABOUTS),
    ]
}
