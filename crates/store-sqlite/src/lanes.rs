//! The lanes table: one small row for each lane with a delivery that has not ended, kept in step with its members.

use crate::codec;
use crate::desk::Desk;
use crate::error::{Done, bug};
use kernel::id::{DeliveryId, Position};
use rusqlite::{Row, params};
use store::lane::{self, Member, Stand};

/// A member from its columns, and when its change was made.
pub(crate) fn member_of(row: &Row<'_>) -> Done<(Member<i64>, i64)> {
    let due_at: Option<i64> = row.get(4)?;
    let due_at = due_at.map(codec::time);
    let stand = match row.get(3)? {
        codec::WAITING => Stand::Waiting(due_at),
        codec::UNKNOWN => Stand::Unknown(due_at.ok_or_else(|| bug("an unknown delivery without its time"))?),
        codec::DEAD => Stand::Dead,
        _ => return Err(bug("an ended delivery in a lane")),
    };
    let member = Member {
        id: DeliveryId(row.get(0)?),
        position: Position(row.get(1)?),
        kind: codec::delivery_kind(row.get(2)?)?,
        stand,
        priority: codec::priority(row.get(5)?),
        flow: row.get(6)?,
    };
    Ok((member, row.get(7)?))
}

impl Desk {
    /// Brings the row of a lane in step with its members; deletes it when nothing is left.
    pub(crate) fn refresh(&mut self, shop: i64, root: i64, system: i64) -> Done<()> {
        let sql = "SELECT id, position, kind, phase, due_at, priority, flow, changed_at FROM deliveries \
                   WHERE shop = ?1 AND root = ?2 AND phase < 3 AND system = ?3";
        let members = self.view().all(sql, [shop, root, system], member_of)?;
        if members.is_empty() {
            self.execute(
                "DELETE FROM lanes WHERE shop = ?1 AND root = ?2 AND system = ?3",
                [shop, root, system],
            )?;
            return Ok(());
        }
        let (mut waiting, mut unknown, mut dead, mut oldest) = (0, 0, 0, None);
        for (member, changed_at) in &members {
            match member.stand {
                Stand::Waiting(_) => waiting += 1,
                Stand::Unknown(_) => unknown += 1,
                Stand::Dead => dead += 1,
            }
            if member.stand != Stand::Dead {
                oldest = Some(oldest.map_or(*changed_at, |known: i64| known.min(*changed_at)));
            }
        }
        let members: Vec<Member<i64>> = members.into_iter().map(|(member, _)| member).collect();
        let flow = match members.split_first() {
            Some((first, rest)) if rest.iter().all(|member| member.flow == first.flow) => first.flow,
            _ => 0,
        };
        let due = lane::due(&members);
        let due_at = due.map(|(due_at, _)| codec::nanos(due_at));
        let priority = due.map_or(0, |(_, priority)| priority as i64);
        let sql = "INSERT INTO lanes (shop, root, system, flow, priority, due_at, waiting, unknown, dead, oldest) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET flow = ?4, \
                   priority = ?5, due_at = ?6, waiting = ?7, unknown = ?8, dead = ?9, oldest = ?10";
        let row = params![shop, root, system, flow, priority, due_at, waiting, unknown, dead, oldest];
        self.execute(sql, row)?;
        self.claims.saw(system, flow);
        Ok(())
    }
}
