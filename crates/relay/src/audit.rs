//! The audit chain: one row for each thing done at a relay that somebody may have to answer for.
//!
//! **A row is written in the transaction of what it is about**: where it cannot be written, nothing was
//! done. It holds ids and hashes and never what a document or a person is called. Each row's hash covers the
//! row before, so that [`walk`] names the first one that was changed, taken out or put in; only an end that
//! was cut off needs somebody who saw it, which is what checkpoints are for.

#[cfg(test)]
mod tests;
mod walk;
mod witness;

use minicbor::Encode;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use wangge_wire::{ChangeHash, DeviceId, DocId, OrderBody, PersonId, RelayId, packing};

use crate::ballast::{self, Ballast};
use crate::error::RelayError;
use crate::log::{signed, unsigned};
use crate::relay::Relay;
pub use walk::{Fault, Walked};
pub use witness::Compared;
pub(crate) use witness::checkpoint;

/// What a row's hash is made under.
const CONTEXT: &[u8] = b"wangge audit v0\0";
/// In front of the first row.
pub(crate) const NOTHING_BEFORE: [u8; 32] = [0; 32];

/// What was done. A number is never used for something else.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode,
)]
#[cbor(index_only)]
pub enum What {
    /// The log began.
    #[n(1)]
    Began,
    /// Somebody was invited; about the person that will be.
    #[n(2)]
    Invited,
    /// An invitation was used; about its person.
    #[n(3)]
    InvitationUsed,
    /// A device was granted what it may see.
    #[n(4)]
    Granted,
    /// A device, or a relay below, was taken out.
    #[n(5)]
    Revoked,
    /// A leave or a cover was ordered; about the order.
    #[n(6)]
    Covered,
    /// A unit was ordered.
    #[n(7)]
    UnitOrdered,
    /// A relay was taken in below this one, or given numbers.
    #[n(8)]
    RelayBelow,
    /// This relay went below another.
    #[n(9)]
    RelayAbove,
    /// A code was made that lets a device read on.
    #[n(10)]
    LeaseCode,
    /// An item of the inbox was accepted; about the item.
    #[n(11)]
    Accepted,
    /// An item of the inbox was accepted into another area; about the item.
    #[n(12)]
    Rehomed,
    /// An item of the inbox was discarded; about the item.
    #[n(13)]
    Discarded,
    /// A change was held; about the change.
    #[n(14)]
    Held,
    /// A held change was let be tried again; about the change.
    #[n(15)]
    Released,
    /// A backup was begun.
    #[n(16)]
    BackupBegun,
    /// The log was restored from a backup; about the backup's last row.
    #[n(17)]
    Restored,
    /// A revoked device was told to purge, the first time.
    #[n(18)]
    PurgeTold,
    /// It was asked what a lost device held.
    #[n(19)]
    IncidentReported,
    /// Somebody asked to see what is hidden, and their record of it was numbered; about the document.
    #[n(20)]
    Looked,
    /// A recovery key was ordered; about the order.
    #[n(21)]
    RecoveryOrdered,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// Whoever has the relay's own folder.
    Operator,
    /// A device.
    Device(DeviceId),
    /// A relay: this one by itself, or another by its order.
    Relay(RelayId),
}

/// What it was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// All of the relay.
    Nothing,
    /// A device.
    Device(DeviceId),
    /// A person.
    Person(PersonId),
    /// A document.
    Document(DocId),
    /// A relay.
    Relay(RelayId),
    /// An entry of the log, or one that lies in the inbox.
    Entry(ChangeHash),
    /// A row of this chain, by its hash.
    Row([u8; 32]),
}

/// A row of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number: 1, 2, 3 ….
    pub n: u64,
    /// When, by the relay's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// What was done; none for what a newer program wrote.
    pub what: Option<What>,
    /// Who did it; none for what a newer program wrote.
    pub who: Option<Who>,
    /// What it was done to; none for what a newer program wrote.
    pub about: Option<About>,
}

/// A row as it lies in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    what: i64,
    who_kind: i64,
    who: Vec<u8>,
    about_kind: i64,
    about: Vec<u8>,
    pub(crate) prev: [u8; 32],
    pub(crate) hash: [u8; 32],
}

/// What the hash of a row covers.
#[derive(Encode)]
#[cbor(array)]
struct Hashed<'a> {
    #[n(0)]
    n: u64,
    #[n(1)]
    at_ms: i64,
    #[n(2)]
    what: i64,
    #[n(3)]
    who_kind: i64,
    #[cbor(n(4), with = "minicbor::bytes")]
    who: &'a [u8],
    #[n(5)]
    about_kind: i64,
    #[cbor(n(6), with = "minicbor::bytes")]
    about: &'a [u8],
    #[cbor(n(7), with = "minicbor::bytes")]
    prev: &'a [u8],
}

impl What {
    /// Returns what the row of an order says.
    pub(crate) fn ordered(body: &OrderBody) -> Self {
        match body {
            OrderBody::Root { .. } => What::Began,
            OrderBody::Grant(_) => What::Granted,
            OrderBody::Revoke { .. } => What::Revoked,
            OrderBody::Cover(_) => What::Covered,
            OrderBody::Unit(_) => What::UnitOrdered,
            OrderBody::Below(_) => What::RelayBelow,
            OrderBody::Above(_) => What::RelayAbove,
            OrderBody::Recovery(_) => What::RecoveryOrdered,
        }
    }

    /// Returns its word in documents and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            What::Began => "began",
            What::Invited => "invited",
            What::InvitationUsed => "invitation_used",
            What::Granted => "granted",
            What::Revoked => "revoked",
            What::Covered => "covered",
            What::UnitOrdered => "unit_ordered",
            What::RelayBelow => "relay_below",
            What::RelayAbove => "relay_above",
            What::LeaseCode => "lease_code",
            What::Accepted => "accepted",
            What::Rehomed => "rehomed",
            What::Discarded => "discarded",
            What::Held => "held",
            What::Released => "released",
            What::BackupBegun => "backup_begun",
            What::Restored => "restored",
            What::PurgeTold => "purge_told",
            What::IncidentReported => "incident_reported",
            What::Looked => "looked",
            What::RecoveryOrdered => "recovery_ordered",
        }
    }

    fn number(self) -> i64 {
        let bytes = packing::encode(&self);
        minicbor::decode(&bytes).unwrap_or(0)
    }

    fn of(number: i64) -> Option<Self> {
        packing::decode(&packing::encode(&number), "what was done").ok()
    }
}

impl Who {
    fn parts(&self) -> (i64, &[u8]) {
        match self {
            Who::Operator => (0, &[]),
            Who::Device(device) => (1, &device.0),
            Who::Relay(relay) => (2, &relay.0),
        }
    }

    fn of(kind: i64, id: &[u8]) -> Option<Self> {
        match kind {
            0 => Some(Who::Operator),
            1 => DeviceId::from_slice(id).map(Who::Device),
            2 => RelayId::from_slice(id).map(Who::Relay),
            _ => None,
        }
    }
}

impl About {
    /// Returns what an order with this hash is about.
    pub(crate) fn order(body: &OrderBody, hash: ChangeHash) -> Self {
        match body {
            OrderBody::Root { key, .. } => About::Relay(key.relay()),
            OrderBody::Grant(grant) => About::Device(grant.device_key.device()),
            OrderBody::Revoke { device, .. } => About::Device(*device),
            OrderBody::Cover(_) | OrderBody::Recovery(_) => About::Entry(hash),
            OrderBody::Unit(unit) => About::Document(unit.id),
            OrderBody::Below(below) => About::Relay(below.key.relay()),
            OrderBody::Above(above) => About::Relay(above.key.relay()),
        }
    }

    fn parts(&self) -> (i64, &[u8]) {
        match self {
            About::Nothing => (0, &[]),
            About::Device(device) => (1, &device.0),
            About::Person(person) => (2, &person.0),
            About::Document(doc) => (3, &doc.0),
            About::Relay(relay) => (4, &relay.0),
            About::Entry(hash) => (5, &hash.0),
            About::Row(hash) => (6, hash),
        }
    }

    fn of(kind: i64, id: &[u8]) -> Option<Self> {
        match kind {
            0 => Some(About::Nothing),
            1 => DeviceId::from_slice(id).map(About::Device),
            2 => PersonId::from_slice(id).map(About::Person),
            3 => DocId::from_slice(id).map(About::Document),
            4 => RelayId::from_slice(id).map(About::Relay),
            5 => ChangeHash::from_slice(id).map(About::Entry),
            6 => id.try_into().ok().map(About::Row),
            _ => None,
        }
    }
}

impl Stored {
    /// Returns the hash that a row of these values has.
    pub(crate) fn made(&self) -> [u8; 32] {
        let hashed = Hashed {
            n: self.n,
            at_ms: self.at_ms,
            what: self.what,
            who_kind: self.who_kind,
            who: &self.who,
            about_kind: self.about_kind,
            about: &self.about,
            prev: &self.prev,
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(CONTEXT);
        hasher.update(&packing::encode(&hashed));
        *hasher.finalize().as_bytes()
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: unsigned(row.get(0)?),
            at_ms: row.get(1)?,
            what: row.get(2)?,
            who_kind: row.get(3)?,
            who: row.get(4)?,
            about_kind: row.get(5)?,
            about: row.get(6)?,
            prev: row.get(7)?,
            hash: row.get(8)?,
        })
    }
}

const COLUMNS: &str = "n, at_ms, what, who_kind, who, about_kind, about, prev, hash";

/// Returns the number and hash of the last row; 0 and zeros without one.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<(u64, [u8; 32])> {
    let last = connection
        .prepare_cached("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1")?
        .query_row([], |row| Ok((unsigned(row.get(0)?), row.get(1)?)))
        .optional()?;
    Ok(last.unwrap_or((0, NOTHING_BEFORE)))
}

/// Writes a row, in the transaction of what it is about.
pub(crate) fn note(
    connection: &Connection,
    at_ms: i64,
    what: What,
    who: Who,
    about: About,
) -> rusqlite::Result<()> {
    let (before, prev) = last(connection)?;
    let ((who_kind, who), (about_kind, about)) = (who.parts(), about.parts());
    let mut row = Stored {
        n: before + 1,
        at_ms,
        what: what.number(),
        who_kind,
        who: who.to_vec(),
        about_kind,
        about: about.to_vec(),
        prev,
        hash: NOTHING_BEFORE,
    };
    row.hash = row.made();
    let sql = "INSERT INTO audit (n, at_ms, what, who_kind, who, about_kind, about, prev, hash)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    connection.prepare_cached(sql)?.execute(params![
        signed(row.n),
        row.at_ms,
        row.what,
        row.who_kind,
        row.who,
        row.about_kind,
        row.about,
        row.prev,
        row.hash,
    ])?;
    Ok(())
}

impl Relay {
    /// Returns the rows of the audit chain since a moment, milliseconds since 1970, the oldest first.
    pub fn audit(&self, since_ms: i64) -> Result<Vec<AuditRow>, RelayError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM audit WHERE at_ms >= ?1 ORDER BY n");
            let mut rows = connection.prepare(&sql)?;
            let rows = rows.query_map([since_ms], |row| {
                let row = Stored::read(row)?;
                Ok(AuditRow {
                    n: row.n,
                    at_ms: row.at_ms,
                    what: What::of(row.what),
                    who: Who::of(row.who_kind, &row.who),
                    about: About::of(row.about_kind, &row.about),
                })
            })?;
            rows.collect()
        })
    }

    /// Writes a row of what an operator does that writes nothing else; where the disk is full, in the room
    /// that is kept for orders.
    pub(crate) fn note_of_operator(
        &self,
        at_ms: i64,
        what: What,
        about: About,
    ) -> Result<(), RelayError> {
        let mut connection = self.connection();
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let once = |connection: &mut Connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(fail)?;
            note(&transaction, at_ms, what, Who::Operator, about).map_err(fail)?;
            transaction.commit().map_err(fail)
        };
        match once(&mut connection) {
            Err(RelayError::Full) => {
                let ballast = Ballast::beside(&self.place.path);
                let again = || ballast::past_the_limit(&mut *connection, |it| it, once);
                ballast.instead(again).unwrap_or(Err(RelayError::Full))
            }
            written => written,
        }
    }
}
