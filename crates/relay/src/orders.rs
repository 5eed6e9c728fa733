//! The roster as this relay's log has it, and the orders a device may read.
//!
//! Orders are entries like any other; **the roster is only ever what the log's orders say**, read on
//! from where it was read last, so that an order of another process counts at the next request.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};
use wangge_trust::ask::{self, Asked};
use wangge_trust::{KeyPair, Member, Roster};
use wangge_wire::batch::NO_DOC;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    AreaCode, CoverId, Day, DeviceId, EntryKind, Order, OrderBody, OrderRefusal, PersonId, Role,
};

use crate::log::{self, NewEntry, signed, unsigned};

/// The roster up to one order of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    at: u64,
    roster: Arc<Roster>,
    grants: Arc<BTreeMap<DeviceId, Granted>>,
    /// The position of the last order of each cover.
    covers: Arc<BTreeMap<CoverId, u64>>,
}

/// When and where a device was granted what it may see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Granted {
    /// The position of its first grant.
    pub(crate) first: u64,
    /// The position of its last grant.
    pub(crate) last: u64,
    /// The position of the last grant that gave it more than it had; 0 if none did.
    pub(crate) widened: u64,
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
            let widens = widens(&self.roster, &order.body);
            let roster = Arc::make_mut(&mut self.roster);
            if roster.root().is_none() || roster.is_own(&order) {
                roster.take(&order).map_err(|_| unreadable())?;
            } else if let Err(error) = roster.take_some(&order) {
                // It was judged when it came; another relay's order is not worth a log that stops.
                tracing::warn!(%error, position, "another relay's order does not count");
            }
            match &order.body {
                OrderBody::Grant(grant) => {
                    let device = grant.device_key.device();
                    self.note_grant(device, position, widens, order.at_ms);
                }
                OrderBody::Cover(cover) => {
                    Arc::make_mut(&mut self.covers).insert(cover.id, position);
                }
                OrderBody::Below(below) => {
                    let device = DeviceId(below.key.relay().0);
                    self.note_grant(device, position, widens, order.at_ms);
                }
                OrderBody::Root { .. }
                | OrderBody::Revoke { .. }
                | OrderBody::Unit(_)
                | OrderBody::Above(_) => {}
            }
            self.at = position;
        }
        Ok(())
    }

    fn note_grant(&mut self, device: DeviceId, position: u64, widens: bool, at_ms: i64) {
        let new = Granted {
            first: position,
            last: position,
            widened: 0,
            at_ms,
        };
        let grants = Arc::make_mut(&mut self.grants);
        let granted = grants.entry(device).or_insert(new);
        granted.last = position;
        if widens {
            granted.widened = position;
        }
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

    /// Returns every device ever granted anything, and when.
    pub(crate) fn grants(&self) -> impl Iterator<Item = (&DeviceId, &Granted)> {
        self.grants.iter()
    }

    /// Returns the position of the last order about a cover; 0 if there is none.
    pub(crate) fn cover_at(&self, cover: &CoverId) -> u64 {
        self.covers.get(cover).copied().unwrap_or(0)
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

/// Returns whether a grant gives a device that has one areas, or another person, that it had not.
fn widens(roster: &Roster, body: &OrderBody) -> bool {
    let grant = match body {
        OrderBody::Grant(grant) => grant,
        OrderBody::Below(below) => {
            let known = roster.known(&DeviceId(below.key.relay().0));
            return known.is_some_and(|known| {
                let has = |area: &AreaCode| known.areas.iter().any(|own| own.covers(area));
                !below.areas.iter().all(has)
            });
        }
        _ => return false,
    };
    let known = roster.known(&grant.device_key.device());
    known.is_some_and(|known| {
        let has = |area: &AreaCode| known.areas.iter().any(|own| own.covers(area));
        let same =
            known.person == grant.person && known.role == grant.role && known.unit == grant.unit;
        !same || !grant.areas.iter().all(has)
    })
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
    keep(connection, standing, &order, now_ms)?;
    Ok(order)
}

/// Numbers another relay's order, if it counts; returns where it stands.
pub(crate) fn take(
    connection: &Connection,
    standing: &mut Standing,
    order: &Order,
    now_ms: i64,
) -> rusqlite::Result<Option<u64>> {
    if let Some(position) = log::position_of(connection, &NO_DOC, &order.hash())? {
        return Ok(Some(position));
    }
    let mut tried = Roster::clone(standing.roster());
    let own = tried.is_own(order);
    // Its own orders a relay has, or lost: a log that goes on from others is not for anybody else to mend.
    if own || matches!(order.body, OrderBody::Root { .. }) {
        return Ok(None);
    }
    match tried.take_some(order) {
        Ok(()) => keep(connection, standing, order, now_ms).map(Some),
        Err(error) => {
            tracing::warn!(%error, signer = %order.signer, "another relay's order was not taken");
            Ok(None)
        }
    }
}

fn keep(
    connection: &Connection,
    standing: &mut Standing,
    order: &Order,
    now_ms: i64,
) -> rusqlite::Result<u64> {
    let position = log::append(
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
            first_received_ms: now_ms,
            received_ms: now_ms,
            body: &order.bytes(),
        },
    )?;
    standing.refresh(connection)?;
    Ok(position)
}

/// Makes an order that a device asks for, or says why not; one that stands already is answered again.
pub(crate) fn ask(
    connection: &Connection,
    standing: &mut Standing,
    key: &KeyPair,
    device: &DeviceId,
    body: &OrderBody,
    now_ms: i64,
) -> rusqlite::Result<Result<Order, OrderRefusal>> {
    match ask::ask(standing.roster(), device, body, Day::of_ms(now_ms)) {
        Ok(Asked::New) => append(connection, standing, key, body.clone(), now_ms).map(Ok),
        Ok(Asked::Stands) => {
            last_saying(connection, body).map(|found| found.ok_or(OrderRefusal::Changed))
        }
        Err(why) => Ok(Err(why)),
    }
}

/// Returns the last order that says exactly this.
fn last_saying(connection: &Connection, body: &OrderBody) -> rusqlite::Result<Option<Order>> {
    let mut rows = connection
        .prepare_cached("SELECT body FROM entry WHERE kind = 6 ORDER BY position DESC")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        let order = Order::read(&bytes).map_err(|_| unreadable())?;
        if order.body == *body {
            return Ok(Some(order));
        }
    }
    Ok(None)
}

/// Returns whether a device may read an order: the root, its own, those about people and units whose
/// areas contain its own or lie in them, and those about whom its person stands in for or is covered by.
///
/// **Whose areas are taken away is read by those who read it when they were given**: else a relay below,
/// or a desk, would go on with the grant that is no more.
///
/// A unit's device learns of no colleague but those whose work it is sent.
pub(crate) fn may_read(
    roster: &Roster,
    device: &DeviceId,
    me: &Member,
    order: &Order,
    day: Day,
) -> bool {
    let for_areas = !matches!(me.role, Role::Unit | Role::Auditor);
    let meets = |areas: &[AreaCode]| for_areas && related(&roster.areas_on(me, day), areas);
    let had = |other: &DeviceId| {
        let known = roster.known(other);
        !Sabotage::TakenAwayUnread.is_on()
            && known.is_some_and(|known| {
                let past = known.past.iter().map(|(area, _)| area);
                meets(&past.chain(&known.areas).cloned().collect::<Vec<_>>())
            })
    };
    let about = |other: &DeviceId, person: &PersonId, areas: &[AreaCode]| {
        other == device || meets(areas) || had(other) || are_paired(roster, &me.person, person)
    };
    match &order.body {
        // Without these nobody could tell whose word counts.
        OrderBody::Root { .. } | OrderBody::Below(_) | OrderBody::Above(_) => true,
        OrderBody::Grant(grant) => about(&grant.device_key.device(), &grant.person, &grant.areas),
        OrderBody::Revoke { device: other, .. } => match roster.known(other) {
            Some(member) => about(other, &member.person, &member.areas),
            None => false,
        },
        OrderBody::Cover(cover) => {
            let person = Some(me.person);
            person == Some(cover.absent) || person == cover.substitute || meets(&cover.areas)
        }
        OrderBody::Unit(unit) => {
            me.unit == Some(unit.id) || meets(std::slice::from_ref(&unit.area))
        }
    }
}

/// Returns the devices of those an order brings together: whoever reads it must know them.
pub(crate) fn named_in(roster: &Roster, order: &Order) -> Vec<DeviceId> {
    let OrderBody::Cover(cover) = &order.body else {
        return Vec::new();
    };
    let people = [Some(cover.absent), cover.substitute];
    let devices = people
        .iter()
        .flatten()
        .flat_map(|person| roster.devices_of(person));
    devices.map(|member| member.key.device()).collect()
}

/// Returns whether a cover, whenever it runs, names both.
fn are_paired(roster: &Roster, one: &PersonId, other: &PersonId) -> bool {
    roster.covers().any(|cover| {
        let pair = (Some(cover.absent), cover.substitute);
        pair == (Some(*one), Some(*other)) || pair == (Some(*other), Some(*one))
    })
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
