//! The roster as this relay's log has it, and the orders a device may read.
//!
//! Orders are entries like any other; **the roster is only ever what the log's orders say**, read on
//! from where it was read last, so that an order of another process counts at the next request.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};
use wangge_trust::{KeyPair, Member, Roster};
use wangge_wire::batch::NO_DOC;
use wangge_wire::{AreaCode, DeviceId, EntryKind, Order, OrderBody};

use crate::log::{self, NewEntry, signed, unsigned};

/// The roster up to one order of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    at: u64,
    roster: Arc<Roster>,
    grants: Arc<BTreeMap<DeviceId, Granted>>,
}

/// When and where a device was granted what it may see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Granted {
    /// The position of its first grant.
    pub(crate) first: u64,
    /// The position of its last grant.
    pub(crate) last: u64,
    /// When it was first granted, milliseconds since 1970.
    pub(crate) at_ms: i64,
}

impl Standing {
    /// Reads on to the end of the log.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut rows = connection.prepare_cached(
            "SELECT position, body FROM entry WHERE kind = 6 AND position > ?1 ORDER BY position",
        )?;
        let mut rows = rows.query(params![signed(self.at)])?;
        while let Some(row) = rows.next()? {
            let position = unsigned(row.get(0)?);
            let bytes: Vec<u8> = row.get(1)?;
            let order = Order::read(&bytes).map_err(|_| unreadable())?;
            Arc::make_mut(&mut self.roster)
                .take(&order)
                .map_err(|_| unreadable())?;
            if let OrderBody::Grant(grant) = &order.body {
                let new = Granted {
                    first: position,
                    last: position,
                    at_ms: order.at_ms,
                };
                let grants = Arc::make_mut(&mut self.grants);
                grants.entry(grant.device_key.device()).or_insert(new).last = position;
            }
            self.at = position;
        }
        Ok(())
    }

    /// Returns the position of the last order read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    pub(crate) fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    pub(crate) fn granted(&self, device: &DeviceId) -> Option<Granted> {
        self.grants.get(device).copied()
    }

    /// Returns the device part of the next device's ticket numbers.
    pub(crate) fn next_device_number(&self) -> u32 {
        let taken = self
            .roster
            .members()
            .map(|(_, member)| member.device_number)
            .max();
        taken.unwrap_or(0) + 1
    }
}

/// Signs an order, numbers it and reads it into `standing`.
pub(crate) fn append(
    connection: &Connection,
    standing: &mut Standing,
    key: &KeyPair,
    body: OrderBody,
    now_ms: i64,
) -> rusqlite::Result<Order> {
    let order = key.sign_order(body, standing.roster.last(), now_ms);
    log::append(
        connection,
        &NewEntry {
            kind: EntryKind::ORDER,
            doc: NO_DOC,
            hash: order.hash(),
            batch: 0,
            item: 0,
            doc_kind: 0,
            doc_schema: 0,
            author: None,
            received_ms: now_ms,
            body: &order.bytes(),
        },
    )?;
    standing.refresh(connection)?;
    Ok(order)
}

/// Returns whether a device may read an order: the root, its own, and those about people whose areas
/// contain its own or lie in them.
pub(crate) fn may_read(roster: &Roster, device: &DeviceId, me: &Member, order: &Order) -> bool {
    match &order.body {
        OrderBody::Root { .. } => true,
        OrderBody::Grant(grant) => {
            grant.device_key.device() == *device || related(&me.areas, &grant.areas)
        }
        OrderBody::Revoke { device: other, .. } => {
            other == device
                || roster
                    .known(other)
                    .is_some_and(|other| related(&me.areas, &other.areas))
        }
    }
}

/// Returns the bytes of the order at this position.
pub(crate) fn bytes_at(connection: &Connection, position: u64) -> rusqlite::Result<Vec<u8>> {
    connection
        .prepare_cached("SELECT body FROM entry WHERE position = ?1 AND kind = 6")?
        .query_row([signed(position)], |row| row.get(0))
}

fn related(own: &[AreaCode], other: &[AreaCode]) -> bool {
    own.iter().any(|own| {
        other
            .iter()
            .any(|other| own.covers(other) || other.covers(own))
    })
}

/// An order of our own log that does not follow the one before it: somebody changed the file.
fn unreadable() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some("an order does not follow the one before it".into()),
    )
}
