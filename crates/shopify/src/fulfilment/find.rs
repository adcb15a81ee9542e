//! Which of an order's fulfilments are the shipment that is asked for: the one that we know, else those that came when it was sent
//! and hold what it holds, whole or as our note divides it, else one that somebody made with its tracking numbers. Where more could
//! be it than there may be, says which, and takes none.

use super::look::{Look, Shown};
use super::note::{Share, Whose};
use super::parcel::{Parcel, Taken};
use super::seen::Made;
use super::want::Want;
use connector::port::{Observed, Stage, Wanted};
use kernel::fault::Fault;
use std::collections::BTreeMap;

/// What was found.
#[derive(Default)]
struct Found<'a> {
    /// Each is all of the shipment; the second: it was made by somebody else.
    wholes: Vec<(&'a Made, bool)>,
    /// Each holds what a piece holds that another one is already.
    twice: Vec<&'a Made>,
}

pub(super) async fn find(look: &Look<'_>, wanted: &Wanted, shown: &Shown) -> Result<Observed, Fault> {
    let known = match &wanted.known {
        None => None,
        Some(known) => match shown.made.iter().find(|made| made.id == known.id) {
            None => return Ok(Observed::None),
            known => known,
        },
    };
    let whole = |made: &Made, adopted: bool| Observed::One(Parcel::whole(made.clone()).state(adopted));
    let known_whole = || known.map_or(Observed::None, |made| whole(made, false));
    // What is wrong with it is the plan's to say.
    let Ok(want) = Want::read(&wanted.body) else { return Ok(known_whole()) };
    let mut parcel = Parcel::divided(shown.context.notes.parts(&want.shipment));
    if known.is_some() && !parcel.is_divided() {
        return Ok(known_whole());
    }
    let mut found = candidates(look, wanted, &want, shown, &mut parcel).await?;
    let is_begun = parcel.made().next().is_some();
    if known.is_some_and(|known| !parcel.has(&known.id)) {
        return Ok(known_whole());
    }
    // One that we sent is nearer than one that somebody made.
    if is_begun || found.wholes.iter().any(|(_, adopted)| !adopted) {
        found.wholes.retain(|(_, adopted)| !adopted);
    }
    let wholes = || found.wholes.iter().map(|(made, _)| *made);
    if is_begun && found.twice.is_empty() && found.wholes.is_empty() {
        return Ok(Observed::One(parcel.state(false)));
    }
    if is_begun || found.wholes.len() > 1 {
        let all = parcel.made().map(|(_, made)| made).chain(found.twice.iter().copied()).chain(wholes());
        return Ok(Observed::Many(all.map(|made| made.id.clone()).collect()));
    }
    Ok(found.wholes.first().map_or(Observed::None, |(made, adopted)| whole(made, *adopted)))
}

/// Looks at what each holds that could be it. What holds a piece goes into the parcel.
async fn candidates<'a>(
    look: &Look<'_>,
    wanted: &Wanted,
    want: &Want,
    shown: &'a Shown,
    parcel: &mut Parcel,
) -> Result<Found<'a>, Fault> {
    let may_adopt = wanted.stage != Stage::Cancelled && !want.tracking.numbers.is_empty();
    let mut found = Found::default();
    for made in &shown.made {
        let adopted = match shown.context.notes.whose(&want.shipment, &made.id) {
            Whose::This => false,
            Whose::Nobody if may_adopt && want.tracking.has(&made.numbers) && !made.is_cancelled() => true,
            Whose::Nobody | Whose::Another => continue,
        };
        // One that was cancelled need not say what it held: then what was sent for it is it.
        if wanted.stage == Stage::Cancelled && want.lines.is_empty() && !parcel.is_divided() {
            found.wholes.push((made, adopted));
            continue;
        }
        let may_be_whole = is_whole(want, made);
        // What we made is a piece wherever it is: its fulfilment order may have been moved between our look and our call.
        let is_known = wanted.known.as_ref().is_some_and(|known| known.id == made.id);
        let may_be =
            |share: &Share| !adopted && share.units() == made.units && (is_known || left_from(want, made));
        let may_be_piece = parcel.shares().any(may_be);
        if !may_be_whole && !may_be_piece {
            continue;
        }
        let Some(holds) = look.holds(made).await? else { continue };
        match parcel.takes(made, |share| may_be(share) && is_same(&share.lines(), &holds)) {
            Taken::AsPiece => {}
            Taken::Twice => found.twice.push(made),
            Taken::Not if may_be_whole && is_same(&want.lines(), &holds) => {
                found.wholes.push((made, adopted))
            }
            Taken::Not => {}
        }
    }
    Ok(found)
}

/// Whether a fulfilment may be all of the shipment, by its units and by where it left from.
fn is_whole(want: &Want, made: &Made) -> bool {
    let units: u64 = want.lines.iter().map(|(_, units)| u64::from(*units)).sum();
    units == made.units && left_from(want, made)
}

fn left_from(want: &Want, made: &Made) -> bool {
    made.place.as_ref().is_none_or(|(id, name)| want.left_from(id, name))
}

/// Whether a fulfilment holds these lines, each SKU once, and nothing else.
fn is_same(lines: &[(&str, u32)], holds: &BTreeMap<String, u64>) -> bool {
    let holds_it = |(sku, units): &(&str, u32)| holds.get(*sku) == Some(&u64::from(*units));
    lines.len() == holds.len() && lines.iter().all(holds_it)
}
