//! What a desk asks its relay about devices of its own areas: who came when, and what a lost one held.
//!
//! **Nothing here names a resident**: a relay knows documents, areas and counts.

use minicbor::{Decode, Encode};

use crate::area::AreaCode;
use crate::day::Day;
use crate::id::{BatchHash, DeviceId};
use crate::order::Role;

/// A desk's question. `POST /v1/device`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceAsk {
    /// [`crate::PROTOCOL_VERSION`] of the sender.
    #[n(0)]
    pub version: u16,
    /// What it wants.
    #[n(1)]
    pub wish: DeviceWish,
}

/// What a desk wants.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum DeviceWish {
    /// Every device it may revoke, by id.
    #[n(0)]
    All {
        /// Those behind this one; absent for the first.
        #[n(0)]
        after: Option<DeviceId>,
    },
    /// All that is known of one device.
    #[n(1)]
    Incident(#[n(0)] DeviceId),
    /// A code to be read out, which lets a device read on.
    #[n(2)]
    Lease {
        /// The device.
        #[n(0)]
        device: DeviceId,
        /// For so many days from today; the usual ones where it is absent.
        #[n(1)]
        days: Option<u32>,
    },
}

/// The relay's answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceAnswer {
    /// The devices.
    #[n(0)]
    pub rows: Vec<DeviceRow>,
    /// Whether there are more behind the last one.
    #[n(1)]
    pub more: bool,
    /// What an incident is about.
    #[n(2)]
    pub incident: Option<Incident>,
    /// A lease's code.
    #[n(3)]
    pub code: Option<LeaseCode>,
}

/// A device as its relay knows it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceRow {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// When it last came, milliseconds since 1970; absent for never.
    #[n(1)]
    pub seen_ms: Option<i64>,
    /// Its last batch here, of the life that wrote last.
    #[n(2)]
    pub last: Option<LastBatch>,
    /// The last day of the lease that it was given.
    #[n(3)]
    pub lease: Option<Day>,
    /// What became of it, if it was revoked.
    #[n(4)]
    pub revoked: Option<RevokedRow>,
}

/// A batch that a relay received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LastBatch {
    /// Its number.
    #[n(0)]
    pub number: u64,
    /// When it was received, milliseconds since 1970.
    #[n(1)]
    pub received_ms: i64,
    /// The batch.
    #[n(2)]
    pub batch: BatchHash,
}

/// What a relay knows of a revoked device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RevokedRow {
    /// Since when, milliseconds since 1970.
    #[n(0)]
    pub at_ms: i64,
    /// Its last good batch.
    #[n(1)]
    pub last_good_batch: u64,
    /// When the purge order was first told, milliseconds since 1970; absent for never.
    #[n(2)]
    pub told_ms: Option<i64>,
    /// When it was last told.
    #[n(3)]
    pub told_last_ms: Option<i64>,
}

/// What a lost device held and did, as far as a relay knows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Incident {
    /// Its grants, the first first: what it may have read since when.
    #[n(0)]
    pub grants: Vec<GrantRow>,
    /// Per area it was ever granted: the documents that live there now.
    #[n(1)]
    pub areas: Vec<AreaCount>,
    /// Documents elsewhere that name its person.
    #[n(2)]
    pub named: u64,
    /// Batches that lie in the inbox, the oldest first.
    #[n(3)]
    pub inbox: Vec<WaitingBatch>,
    /// Batches past the last good one that had their numbers before the revocation.
    #[n(4)]
    pub numbered_after: Vec<WaitingBatch>,
}

/// A grant, and when it was given.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GrantRow {
    /// When, milliseconds since 1970.
    #[n(0)]
    pub at_ms: i64,
    /// The role.
    #[n(1)]
    pub role: Role,
    /// The areas.
    #[n(2)]
    pub areas: Vec<AreaCode>,
}

/// What lives in an area.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AreaCount {
    /// The area.
    #[n(0)]
    pub area: AreaCode,
    /// Its documents per kind.
    #[n(1)]
    pub documents: Vec<KindCount>,
}

/// How many documents of a kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KindCount {
    /// The kind of document; a relay does not ask what it means.
    #[n(0)]
    pub kind: u8,
    /// How many.
    #[n(1)]
    pub count: u64,
}

/// A batch, or what of it lies in an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct WaitingBatch {
    /// The batch.
    #[n(0)]
    pub batch: BatchHash,
    /// Its number.
    #[n(1)]
    pub number: u64,
    /// When it was received, milliseconds since 1970.
    #[n(2)]
    pub received_ms: i64,
    /// How many items.
    #[n(3)]
    pub items: u64,
}

/// A code that is read out by telephone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LeaseCode {
    /// The code.
    #[n(0)]
    pub code: String,
    /// The last day it is good for.
    #[n(1)]
    pub until: Day,
}

/// Why a question about devices was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum DeviceRefusal {
    /// The asker is at no desk, or the device works for more than the desk does.
    #[n(1)]
    NotAllowed,
    /// The relay knows no such device.
    #[n(2)]
    Unknown,
    /// A revoked device gets no lease.
    #[n(3)]
    Revoked,
    /// More days than a lease may have, or none.
    #[n(4)]
    BadDays,
}
