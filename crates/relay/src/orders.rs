//! The roster as this relay's log has it, and the orders a device may read.
//!
//! Orders are entries like any other; **the roster is only ever what the log's orders say**, read on
//! from where it was read last, so that an order of another process counts at the next request.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};
use wangge_trust::ask::{self, Asked};
use wangge_trust::{BadOrder, KeyPair, Member, Roster};
use wangge_wire::batch::NO_DOC;
use wangge_wire::message::PageEntry;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    AreaCode, CoverId, Day, DeviceId, DocId, EntryKind, Order, OrderBody, OrderRefusal, PersonId,
    Role,
};

use crate::audit::{self, About, What, Who};
use crate::log::{self, NewEntry, signed, unsigned};
use crate::lost;

/// The roster up to one order of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    at: u64,
    roster: Arc<Roster>,
    grants: Arc<BTreeMap<DeviceId, Granted>>,
    /// The position of the last order of each cover.
    covers: Arc<BTreeMap<CoverId, u64>>,
    /// The position of the last order of each unit.
    units: Arc<BTreeMap<DocId, u64>>,
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
                OrderBody::Unit(unit) => {
                    Arc::make_mut(&mut self.units).insert(unit.id, position);
                }
                OrderBody::Root { .. }
                | OrderBody::Revoke { .. }
                | OrderBody::Above(_)
                | OrderBody::Recovery(_) => {}
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
    who: Who,
    now_ms: i64,
) -> rusqlite::Result<Order> {
    let order = key.sign_order(body, standing.roster.last(), now_ms);
    keep(connection, standing, &order, who, now_ms)?;
    Ok(order)
}

/// Numbers another relay's order, if it counts, or an own one that this log lost; returns where it
/// stands.
pub(crate) fn take(
    connection: &Connection,
    standing: &mut Standing,
    key: &KeyPair,
    order: &Order,
    now_ms: i64,
) -> rusqlite::Result<Option<u64>> {
    if let Some(position) = log::position_of(connection, &NO_DOC, &order.hash())? {
        return Ok(Some(position));
    }
    if matches!(order.body, OrderBody::Root { .. }) {
        return Ok(None);
    }
    if standing.roster().is_own(order) {
        return take_back(connection, standing, key, order, now_ms);
    }
    let mut tried = Roster::clone(standing.roster());
    match tried.take_some(order) {
        Ok(()) => keep(
            connection,
            standing,
            order,
            Who::Relay(order.signer),
            now_ms,
        )
        .map(Some),
        Err(error) => {
            tracing::warn!(%error, signer = %order.signer, "another relay's order was not taken");
            Ok(None)
        }
    }
}

/// Takes back an own order that came after the state this log was put back to: else whoever was revoked
/// since would be let in again.
///
/// Where the log has gone on meanwhile the order follows nothing any more, and what it says is ordered
/// anew, unless something that stands says as much.
fn take_back(
    connection: &Connection,
    standing: &mut Standing,
    key: &KeyPair,
    order: &Order,
    now_ms: i64,
) -> rusqlite::Result<Option<u64>> {
    match Roster::clone(standing.roster()).take(order) {
        Ok(()) => keep(
            connection,
            standing,
            order,
            Who::Relay(order.signer),
            now_ms,
        )
        .map(Some),
        Err(BadOrder::OutOfOrder) if says_more(standing.roster(), &order.body) => {
            let who = Who::Relay(order.signer);
            append(connection, standing, key, order.body.clone(), who, now_ms)?;
            Ok(Some(standing.at()))
        }
        Err(error) => {
            tracing::warn!(%error, "an own order from another relay was not taken");
            Ok(None)
        }
    }
}

/// Returns whether an order says what the roster does not say yet.
fn says_more(roster: &Roster, body: &OrderBody) -> bool {
    match body {
        OrderBody::Revoke { device, .. } => !roster.is_revoked(device),
        OrderBody::Grant(grant) => {
            let known = roster.known(&grant.device_key.device());
            known.is_none_or(|known| known.n < grant.n.unwrap_or(0))
        }
        OrderBody::Cover(cover) => roster.cover(&cover.id).is_none_or(|it| it.n < cover.n),
        OrderBody::Unit(unit) => roster.unit(&unit.id).is_none_or(|it| it.n < unit.n),
        OrderBody::Below(below) => {
            let device = DeviceId(below.key.relay().0);
            roster.known(&device).is_none()
        }
        OrderBody::Recovery(new) => roster.recovery().is_none_or(|it| it.n < new.n),
        // Who is above is this relay's own to know.
        OrderBody::Root { .. } | OrderBody::Above(_) => false,
    }
}

fn keep(
    connection: &Connection,
    standing: &mut Standing,
    order: &Order,
    who: Who,
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
    let about = About::order(&order.body, order.hash());
    audit::note(connection, now_ms, What::ordered(&order.body), who, about)?;
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
        Ok(Asked::New) => {
            let asker = Who::Device(*device);
            let body = match body {
                // Which batches are good is what this log has: a desk says only where it knows better.
                OrderBody::Revoke {
                    device,
                    last_good_batch,
                    ..
                } => {
                    let said = Some(*last_good_batch).filter(|said| *said < u64::MAX);
                    lost::revocation(connection, device, said)?
                }
                other => other.clone(),
            };
            append(connection, standing, key, body, asker, now_ms).map(Ok)
        }
        Ok(Asked::Stands) => {
            last_saying(connection, body).map(|found| found.ok_or(OrderRefusal::Changed))
        }
        Err(why) => Ok(Err(why)),
    }
}

/// Returns the last order that says this: of revocations, the last of that device.
fn last_saying(connection: &Connection, body: &OrderBody) -> rusqlite::Result<Option<Order>> {
    let mut rows = connection
        .prepare_cached("SELECT body FROM entry WHERE kind = 6 ORDER BY position DESC")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        let order = Order::read(&bytes).map_err(|_| unreadable())?;
        let says = match (&order.body, body) {
            (OrderBody::Revoke { device: one, .. }, OrderBody::Revoke { device, .. }) => {
                one == device
            }
            (one, other) => one == other,
        };
        if says {
            return Ok(Some(order));
        }
    }
    Ok(None)
}

/// Returns whether a device may read an order: the root, its own, those about people and units whose
/// areas contain its own or lie in them, or ever did, and those about whom its person stands in for or is
/// covered by.
///
/// Whoever was told of somebody hears too that they were relieved or revoked: a relay that did not would
/// go on letting them in.
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
    let about = |other: &DeviceId, person: &PersonId, areas: &[AreaCode]| {
        let before = roster.known(other).map(|known| known.been.iter().cloned());
        let before: Vec<AreaCode> = before.into_iter().flatten().collect();
        let had = meets(&before) && !Sabotage::TakenAwayUnread.is_on();
        other == device || meets(areas) || had || are_paired(roster, &me.person, person)
    };
    match &order.body {
        // Without these nobody could tell whose word counts.
        OrderBody::Root { .. } | OrderBody::Below(_) | OrderBody::Above(_) => true,
        // Everybody may forget a word.
        OrderBody::Recovery(_) => true,
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

/// Returns the orders by which whoever does not know an author can tell the signature: the last grant,
/// and in front of it the unit it is for, without which nobody could tell whether its relay may grant it.
pub(crate) fn introduction(
    connection: &Connection,
    standing: &Standing,
    author: &DeviceId,
) -> rusqlite::Result<Vec<PageEntry>> {
    let Some(granted) = standing.granted(author) else {
        return Ok(Vec::new());
    };
    let unit = standing
        .roster()
        .known(author)
        .and_then(|member| member.unit);
    let unit = unit.and_then(|unit| standing.units.get(&unit).copied());
    let positions = unit.into_iter().chain([granted.last]);
    let single = |position| {
        Ok(PageEntry::Single {
            kind: EntryKind::ORDER.0,
            position,
            bytes: bytes_at(connection, position)?,
        })
    };
    positions.map(single).collect()
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
