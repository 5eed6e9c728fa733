//! A device that was lost: what is here of it, up to where it is good, and that it was told to purge.
//!
//! **What its holder wrote before stays good**: a revocation names the last batch of each life that was
//! received, so that a life which a thief begins has none.

use rusqlite::{Connection, OptionalExtension, params};
use wangge_trust::Roster;
use wangge_wire::device::{LastBatch, RevokedRow};
use wangge_wire::limits::LIVES_MAX;
use wangge_wire::{
    Batch, BatchHash, BatchHead, Day, DeviceId, DurableLife, GoodLife, OrderBody, RelayId, packing,
};

use crate::audit::{self, About, What, Who};
use crate::log::{signed, unsigned};

/// The last batch of a life, and when it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) durable: DurableLife,
    pub(crate) received_ms: i64,
}

/// Returns the last batch of each life of a device, the life that wrote last first.
pub(crate) fn lives(connection: &Connection, device: &DeviceId) -> rusqlite::Result<Vec<Life>> {
    let mut rows = connection.prepare_cached(
        "SELECT b.actor, b.head, b.hash, b.number, b.received_ms, l.count FROM batch b
         JOIN (SELECT actor, max(number) AS number, max(id) AS last,
                      count(DISTINCT number) AS count FROM batch
               WHERE device = ?1 GROUP BY actor) l
           ON l.actor = b.actor AND l.number = b.number
         WHERE b.device = ?1 ORDER BY l.last DESC, b.id",
    )?;
    let rows = rows.query_map([device.0], |row| {
        let (actor, head): ([u8; 8], Vec<u8>) = (row.get(0)?, row.get(1)?);
        Ok((
            actor,
            head,
            BatchHash(row.get(2)?),
            unsigned(row.get(3)?),
            row.get(4)?,
            unsigned(row.get(5)?),
        ))
    })?;
    let (mut found, mut last) = (Vec::new(), None);
    for row in rows {
        let (actor, head, batch, number, received_ms, count) = row?;
        // Two batches of one number: the one that was first stands for it.
        if last == Some(actor) || found.len() >= LIVES_MAX {
            continue;
        }
        last = Some(actor);
        let head: BatchHead = packing::decode(&head, "stored batch")
            .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(1, 0))?;
        found.push(Life {
            durable: DurableLife {
                nonce: head.nonce,
                number,
                batch,
                count,
            },
            received_ms,
        });
    }
    Ok(found)
}

/// Returns the batch a device is known to have written last.
pub(crate) fn last(lives: &[Life]) -> Option<LastBatch> {
    lives.first().map(|life| LastBatch {
        number: life.durable.number,
        received_ms: life.received_ms,
        batch: life.durable.batch,
    })
}

/// Returns the order that revokes a device: what was received up to now is good, or up to another batch of
/// the life that wrote last.
pub(crate) fn revocation(
    connection: &Connection,
    device: &DeviceId,
    last_good: Option<u64>,
) -> rusqlite::Result<OrderBody> {
    let mut named: Vec<GoodLife> = lives(connection, device)?
        .iter()
        .map(|life| GoodLife {
            nonce: life.durable.nonce,
            number: life.durable.number,
        })
        .collect();
    // Of a device that never sent anything no life is known: then the number alone says it.
    let unknown = named.is_empty() && last_good.is_some();
    if let (Some(newest), Some(number)) = (named.first_mut(), last_good) {
        newest.number = number;
    }
    let greatest = named.iter().map(|life| life.number).max();
    Ok(OrderBody::Revoke {
        device: *device,
        last_good_batch: greatest.or(last_good).unwrap_or(0),
        lives: (!unknown).then_some(named),
    })
}

/// Returns whether a batch of a revoked device has the number of another one of that life that is here: one
/// of them its holder did not write.
pub(crate) fn has_double(
    connection: &Connection,
    roster: &Roster,
    batch: &Batch,
) -> rusqlite::Result<bool> {
    let head = &batch.head;
    let Some(member) = roster.known(&head.device) else {
        return Ok(false);
    };
    if !roster.is_revoked(&head.device) {
        return Ok(false);
    }
    let actor = head.actor(&member.key);
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM batch
                            WHERE device = ?1 AND actor = ?2 AND number = ?3 AND hash <> ?4)",
        )?
        .query_row(
            params![head.device.0, actor.0, signed(head.number), batch.hash().0],
            |row| row.get(0),
        )
}

/// Notes that a revoked device was told to purge.
pub(crate) fn told(
    connection: &Connection,
    me: &RelayId,
    device: &DeviceId,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let known = connection
        .prepare_cached("SELECT 1 FROM purge WHERE device = ?1")?
        .exists([device.0])?;
    if !known {
        let who = Who::Relay(*me);
        audit::note(
            connection,
            at_ms,
            What::PurgeTold,
            who,
            About::Device(*device),
        )?;
    }
    connection
        .prepare_cached(
            "INSERT INTO purge (device, told_ms, told_last_ms) VALUES (?1, ?2, ?2)
             ON CONFLICT (device) DO UPDATE SET told_last_ms = max(told_last_ms, ?2)",
        )?
        .execute(params![device.0, at_ms])
        .map(|_| ())
}

/// Returns what is known of a device that was revoked; none of another.
pub(crate) fn revoked_row(
    connection: &Connection,
    roster: &Roster,
    device: &DeviceId,
) -> rusqlite::Result<Option<RevokedRow>> {
    let Some(revocation) = roster.revocation(device) else {
        return Ok(None);
    };
    let told = connection
        .prepare_cached("SELECT told_ms, told_last_ms FROM purge WHERE device = ?1")?
        .query_row([device.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(Some(RevokedRow {
        at_ms: revocation.at_ms,
        last_good_batch: revocation.last_good_batch,
        told_ms: told.map(|(first, _)| first),
        told_last_ms: told.map(|(_, last)| last),
    }))
}

/// Notes until when a device was told that it may read.
pub(crate) fn leased(
    connection: &Connection,
    device: &DeviceId,
    until: Day,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO lease (device, until) VALUES (?1, ?2)
             ON CONFLICT (device) DO UPDATE SET until = max(until, ?2)",
        )?
        .execute(params![device.0, until.0])
        .map(|_| ())
}

/// Returns until when a device may read, as far as it was told here.
pub(crate) fn lease(connection: &Connection, device: &DeviceId) -> rusqlite::Result<Option<Day>> {
    connection
        .prepare_cached("SELECT until FROM lease WHERE device = ?1")?
        .query_row([device.0], |row| row.get(0).map(Day))
        .optional()
}
