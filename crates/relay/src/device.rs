//! What a relay knows of devices: asked by a desk over the line, and by an operator on the relay's own folder.
//!
//! **Documents, areas and counts**: what a document says of whom is not a relay's to know.

use rusqlite::{Connection, TransactionBehavior, params};
use wangge_trust::Revocation;
use wangge_trust::ask::may_administer;
use wangge_trust::lease::{code, key_of};
use wangge_wire::batch::NO_DOC;
use wangge_wire::device::{
    AreaCount, DeviceAnswer, DeviceRefusal, DeviceRow, DeviceWish, GrantRow, Incident, KindCount,
    LeaseCode, WaitingBatch,
};
use wangge_wire::limits::{DEVICE_ROWS_MAX, INCIDENT_BATCHES_MAX, LEASE_DAYS_MAX};
use wangge_wire::{
    AreaCode, BatchHash, BatchHead, Day, DeviceId, EntryKind, Order, OrderBody, Role, packing,
};

use crate::audit::{About, What, Who};
use crate::error::RelayError;
use crate::log::unsigned;
use crate::lost;
use crate::orders::{self, Standing};
use crate::places;
use crate::relay::{Relay, last_seen};

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asker {
    /// Whoever has the relay's own folder.
    Operator(Day),
    /// A desk, on a day.
    Desk(DeviceId, Day),
}

impl Asker {
    fn day(self) -> Day {
        match self {
            Asker::Operator(day) | Asker::Desk(_, day) => day,
        }
    }

    fn may(self, standing: &Standing, device: &DeviceId) -> bool {
        match self {
            Asker::Operator(_) => true,
            Asker::Desk(desk, day) => may_administer(standing.roster(), &desk, device, day),
        }
    }
}

/// What a revocation does, said before it is ordered and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoking {
    /// The last good batch; 0 for none.
    pub last_good: u64,
    /// The last batch that was received of the life that wrote last, and when; none for no batch.
    pub last: Option<(u64, i64)>,
    /// Batches past the last good one that have their numbers already, and keep them.
    pub numbered_after: u64,
    /// Whether it was revoked before.
    pub again: bool,
}

/// Answers a question about devices.
pub(crate) fn answer(
    connection: &Connection,
    standing: &Standing,
    relay: &Relay,
    asker: Asker,
    wish: &DeviceWish,
) -> rusqlite::Result<Result<DeviceAnswer, DeviceRefusal>> {
    let none = DeviceAnswer {
        rows: Vec::new(),
        more: false,
        incident: None,
        code: None,
    };
    let of_one = |device: &DeviceId| {
        let known = standing.roster().known(device);
        match known.is_some_and(|known| known.role != Role::Relay) {
            false => Err(DeviceRefusal::Unknown),
            true if asker.may(standing, device) => Ok(()),
            true => Err(DeviceRefusal::NotAllowed),
        }
    };
    match wish {
        DeviceWish::All { after } => {
            let behind = |device: &DeviceId| after.is_none_or(|after| *device > after);
            let devices = standing.roster().members().map(|(device, _)| *device);
            let mut devices = devices.filter(|it| behind(it) && asker.may(standing, it));
            let mut rows = Vec::new();
            for device in devices.by_ref().take(DEVICE_ROWS_MAX) {
                rows.push(row(connection, standing, &device)?);
            }
            let more = devices.next().is_some();
            Ok(Ok(DeviceAnswer { rows, more, ..none }))
        }
        DeviceWish::Incident(device) => {
            if let Err(why) = of_one(device) {
                return Ok(Err(why));
            }
            Ok(Ok(DeviceAnswer {
                rows: vec![row(connection, standing, device)?],
                incident: Some(incident(connection, standing, device)?),
                ..none
            }))
        }
        DeviceWish::Lease { device, days } => {
            let role = standing.roster().known(device).map(|known| known.role);
            let usual = role.and_then(|role| relay.settings.lease_days.of(role));
            let days = days.or(usual).unwrap_or_default();
            if let Err(why) = of_one(device) {
                return Ok(Err(why));
            }
            if standing.roster().is_revoked(device) {
                return Ok(Err(DeviceRefusal::Revoked));
            }
            if !(1..=LEASE_DAYS_MAX).contains(&days) {
                return Ok(Err(DeviceRefusal::BadDays));
            }
            let until = Day(asker.day().0.saturating_add(days));
            let key = key_of(&relay.secrets.lease_seed.0, device);
            let code = code(&key, device, until);
            Ok(Ok(DeviceAnswer {
                code: Some(LeaseCode { code, until }),
                ..none
            }))
        }
    }
}

/// Returns what the audit chain says of a question that was answered; none of a mere list.
pub(crate) fn noted(wish: &DeviceWish) -> Option<(What, About)> {
    match wish {
        DeviceWish::All { .. } => None,
        DeviceWish::Incident(device) => Some((What::IncidentReported, About::Device(*device))),
        DeviceWish::Lease { device, .. } => Some((What::LeaseCode, About::Device(*device))),
    }
}

fn row(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
) -> rusqlite::Result<DeviceRow> {
    Ok(DeviceRow {
        device: *device,
        seen_ms: last_seen(connection, device)?,
        last: lost::last(&lost::lives(connection, device)?),
        lease: lost::lease(connection, device)?,
        revoked: lost::revoked_row(connection, standing.roster(), device)?,
    })
}

fn incident(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
) -> rusqlite::Result<Incident> {
    let known = standing.roster().known(device);
    let been = known.map(|known| known.been.clone()).unwrap_or_default();
    let mut areas = Vec::new();
    for area in been {
        let documents = kinds_in(connection, &area)?;
        areas.push(AreaCount { area, documents });
    }
    let person = known.map(|known| known.person);
    let named = match person {
        Some(person) => places::named_documents(connection, &person.0)?,
        None => 0,
    };
    let revocation = standing.roster().revocation(device);
    Ok(Incident {
        grants: grants(connection, device)?,
        areas,
        named,
        inbox: in_inbox(connection, device)?,
        numbered_after: match revocation {
            Some(revocation) => after(connection, device, revocation)?,
            None => Vec::new(),
        },
    })
}

/// Returns the documents whose home lies in an area, by kind.
fn kinds_in(connection: &Connection, area: &AreaCode) -> rusqlite::Result<Vec<KindCount>> {
    let mut rows = connection.prepare_cached(
        "SELECT e.doc_kind, count(DISTINCT e.doc) FROM document d
         JOIN entry e ON e.doc = d.doc AND e.kind = ?3
         WHERE d.home >= ?1 AND d.home < ?2 GROUP BY e.doc_kind ORDER BY e.doc_kind",
    )?;
    // Codes are digits: the colon comes after all of them.
    let past = format!("{}:", area.as_str());
    let rows = rows.query_map(params![area.as_str(), past, EntryKind::CHANGE.0], |row| {
        Ok(KindCount {
            kind: row.get(0)?,
            count: unsigned(row.get(1)?),
        })
    })?;
    rows.collect()
}

/// Returns every grant of a device, the first first.
fn grants(connection: &Connection, device: &DeviceId) -> rusqlite::Result<Vec<GrantRow>> {
    let mut rows = connection
        .prepare_cached("SELECT body FROM entry WHERE kind = 6 AND doc = ?1 ORDER BY position")?;
    let mut rows = rows.query([NO_DOC.0])?;
    let mut grants = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        // One that does not read was refused when the log was opened.
        let Ok(order) = Order::read(&bytes) else {
            continue;
        };
        if let OrderBody::Grant(grant) = order.body
            && grant.device_key.device() == *device
        {
            grants.push(GrantRow {
                at_ms: order.at_ms,
                role: grant.role,
                areas: grant.areas,
            });
        }
    }
    Ok(grants)
}

/// Returns what of a device's batches lies in the inbox and was not discarded, the oldest first.
fn in_inbox(connection: &Connection, device: &DeviceId) -> rusqlite::Result<Vec<WaitingBatch>> {
    let mut rows = connection.prepare_cached(
        "SELECT b.hash, b.number, b.received_ms, count(*) FROM parked p JOIN batch b ON b.id = p.batch
         WHERE p.device = ?1 AND p.state = 2 GROUP BY b.id ORDER BY b.id LIMIT ?2",
    )?;
    let rows = rows.query_map(params![device.0, INCIDENT_BATCHES_MAX as i64], waiting)?;
    rows.collect()
}

/// Returns the batches past the last good one that have entries in the log, the oldest first: they were
/// received before the revocation, and what has a number keeps it.
fn after(
    connection: &Connection,
    device: &DeviceId,
    revocation: &Revocation,
) -> rusqlite::Result<Vec<WaitingBatch>> {
    let mut rows = connection.prepare_cached(
        "SELECT b.hash, b.number, b.received_ms, count(*), b.head
         FROM batch b JOIN entry e ON e.batch = b.id
         WHERE b.device = ?1 GROUP BY b.id ORDER BY b.id",
    )?;
    let rows = rows.query_map([device.0], |row| {
        let head: Vec<u8> = row.get(4)?;
        Ok((waiting(row)?, head))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (batch, head) = row?;
        let head: BatchHead = packing::decode(&head, "stored batch")
            .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(4, 0))?;
        if !revocation.is_good(&head, None) && found.len() < INCIDENT_BATCHES_MAX {
            found.push(batch);
        }
    }
    Ok(found)
}

fn waiting(row: &rusqlite::Row<'_>) -> rusqlite::Result<WaitingBatch> {
    Ok(WaitingBatch {
        batch: BatchHash(row.get(0)?),
        number: unsigned(row.get(1)?),
        received_ms: row.get(2)?,
        items: unsigned(row.get(3)?),
    })
}

impl Relay {
    /// Returns what an operator asks about devices.
    pub fn ask_devices(
        &self,
        wish: &DeviceWish,
        now_ms: i64,
    ) -> Result<Result<DeviceAnswer, DeviceRefusal>, RelayError> {
        let asker = Asker::Operator(Day::of_ms(now_ms));
        let answer = self.read(|connection| {
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            answer(connection, &standing, self, asker, wish)
        })?;
        if answer.is_ok()
            && let Some((what, about)) = noted(wish)
        {
            self.note_of_operator(now_ms, what, about)?;
        }
        Ok(answer)
    }

    /// Returns what revoking a device would do, with the last batch received as the last good one unless
    /// another is named.
    pub fn revoking(
        &self,
        device: &DeviceId,
        last_good: Option<u64>,
    ) -> Result<Revoking, RelayError> {
        let told = self.read(|connection| {
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            match standing.roster().known(device) {
                Some(_) => told(connection, &standing, device, last_good).map(Some),
                None => Ok(None),
            }
        })?;
        told.ok_or(RelayError::UnknownDevice)
    }

    /// Takes a device, or a relay below, out: a device is told to purge and nothing else, and what it wrote
    /// after the last good batch is for the inbox. Returns what that does.
    ///
    /// May run in another process than the one that serves.
    pub fn revoke_device(
        &self,
        device: &DeviceId,
        last_good: Option<u64>,
        now_ms: i64,
    ) -> Result<Revoking, RelayError> {
        let mut connection = self.connection();
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        let mut standing = Standing::default();
        standing.refresh(&transaction).map_err(fail)?;
        if standing.roster().known(device).is_none() {
            return Err(RelayError::UnknownDevice);
        }
        let told = told(&transaction, &standing, device, last_good).map_err(fail)?;
        let body = lost::revocation(&transaction, device, last_good).map_err(fail)?;
        orders::append(
            &transaction,
            &mut standing,
            &self.secrets.key,
            body,
            Who::Operator,
            now_ms,
        )
        .map_err(fail)?;
        transaction.commit().map_err(fail)?;
        tracing::info!(%device, "revoked");
        Ok(told)
    }
}

fn told(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
    last_good: Option<u64>,
) -> rusqlite::Result<Revoking> {
    let lives = lost::lives(connection, device)?;
    let last = lost::last(&lives).map(|last| (last.number, last.received_ms));
    let body = lost::revocation(connection, device, last_good)?;
    let revocation = match &body {
        OrderBody::Revoke {
            last_good_batch,
            lives,
            ..
        } => Revocation::of(*last_good_batch, lives.as_deref(), 0),
        _ => Revocation::of(0, None, 0),
    };
    let last_good = last_good.or(last.map(|(number, _)| number)).unwrap_or(0);
    Ok(Revoking {
        last_good,
        last,
        numbered_after: after(connection, device, &revocation)?.len() as u64,
        again: standing.roster().is_revoked(device),
    })
}
