//! The messages of one sync: what a device asks, and what a relay answers, frame by frame.
//!
//! A request is one [`Ask`] and then batches; an answer is frames in the order of [`AnswerKind`]:
//! standing and orders, receipts as batches become durable, pages, and the end with its digests. A
//! connection that is cut costs the frame it was cut in.

use minicbor::{Decode, Encode};

use crate::Malformed;
use crate::area::Audience;
use crate::audit::AuditCheckpoint;
use crate::day::Day;
use crate::digest::Digest;
use crate::id::{ActorId, BatchHash, BlobHash, ChangeHash, DocId, Incarnation, RelayId};
use crate::lease::{Lease, LeaseKey};
use crate::packing;
use crate::receipt::Receipt;

/// Where a device stands in a relay's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cursor {
    /// The relay.
    #[n(0)]
    pub relay: RelayId,
    /// The life of its log; a new one means: start again.
    #[n(1)]
    pub incarnation: Incarnation,
    /// The last position the device has; 0 for none.
    #[n(2)]
    pub position: u64,
    /// The running hash of the log at that position, as the relay told it.
    #[n(3)]
    pub chain: u64,
    /// Which covers what was read so far includes; none where the device reads its own areas only.
    #[n(4)]
    pub covers: Option<CoversRead>,
    /// The last order in the log when this device began to read from the beginning, while it has not
    /// come to the grant it began for; none otherwise.
    #[n(5)]
    pub granted: Option<u64>,
}

/// The moment a device began to read from the beginning because it stands in for somebody.
///
/// What it has read includes the areas of the covers that ran then; one that began later, or by a
/// later order, makes the cursor stale once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CoversRead {
    /// The relay's day.
    #[n(0)]
    pub day: Day,
    /// The position of the last order in the log.
    #[n(1)]
    pub orders: u64,
}

/// The head of a request. From a device, at each sync.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ask {
    /// [`crate::PROTOCOL_VERSION`] of the sender.
    #[n(0)]
    pub version: u16,
    /// What the sender can do beyond its version: [`CAN_TAKE_PACKS`]; bits without a name are 0.
    #[n(1)]
    pub capabilities: u64,
    /// Where it stands; none at its first sync with this relay.
    #[n(2)]
    pub cursor: Option<Cursor>,
    /// The actor it writes as in this life of its database.
    #[n(3)]
    pub actor: ActorId,
    /// How many batches follow.
    #[n(4)]
    pub batches: u32,
    /// Pages with nothing left out: the device lacked a dependency that was.
    #[n(5)]
    pub full: bool,
    /// The sender holds a copy of what it reads, from another relay: no pages of what is in the log
    /// already, only its orders; the digests say what to repair. Counts without a cursor.
    #[n(6)]
    pub catch_up: Option<bool>,
    /// The batches are given back: this relay once gave what is in them a number, and lost it. Absent for no.
    #[n(7)]
    pub given_back: Option<bool>,
    /// From a relay below: when each batch was first received, by the relay that took it in, milliseconds
    /// since 1970.
    #[n(8)]
    pub origins: Option<Vec<i64>>,
    /// The number of the last row of the relay's audit chain that the sender keeps a checkpoint of; absent for
    /// none. The end's checkpoint answers for it.
    #[n(9)]
    pub witnessed: Option<u64>,
}

/// The capability of a sender that takes packs where it begins to read a log.
pub const CAN_TAKE_PACKS: u64 = 1;

/// What a relay answers about one batch. To a device, as soon as the batch's commit is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Verdict {
    /// The relay's signed word for each item.
    #[n(0)]
    Receipt(#[n(0)] Receipt),
    /// Something left out is not held at the relay: send batch number … in full.
    #[n(1)]
    NeedFull {
        /// The batch, by its place in the request.
        #[n(0)]
        index: u32,
    },
    /// The batch was not stored.
    #[n(2)]
    Refused {
        /// The batch, by its place in the request.
        #[n(0)]
        index: u32,
        /// Why.
        #[n(1)]
        reason: Refusal,
    },
}

/// Why a whole batch was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The bytes do not read as a batch.
    #[n(1)]
    Malformed,
    /// The signature is not the device's over this content.
    #[n(2)]
    Signature,
    /// The batch's device is not the one that sends, nor one this relay knows.
    #[n(3)]
    UnknownDevice,
    /// A size or count is past its limit.
    #[n(4)]
    OverLimit,
}

/// The first frame of an answer. To a device, before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Standing {
    /// [`crate::PROTOCOL_VERSION`] of the relay.
    #[n(0)]
    pub version: u16,
    /// The relay.
    #[n(1)]
    pub relay: RelayId,
    /// The life of its log.
    #[n(2)]
    pub incarnation: Incarnation,
    /// The relay's clock, milliseconds since 1970.
    #[n(3)]
    pub at_ms: i64,
    /// The highest batch number it knows of the asking actor, and that batch.
    #[n(4)]
    pub last_batch: Option<(u64, BatchHash)>,
    /// The device's cursor is not of this log: pages start at the beginning.
    #[n(5)]
    pub stale_cursor: bool,
}

/// A page of the log. To a device; applied in one transaction with its cursor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Page {
    /// The entries in scope, in the log's order.
    #[n(0)]
    pub entries: Vec<PageEntry>,
    /// Where the device stands once this page is applied.
    #[n(1)]
    pub cursor: Cursor,
}

/// What stands in a page.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PageEntry {
    /// Entries that one batch brought.
    #[n(0)]
    Batch(#[n(0)] PageBatch),
    /// An entry of its own: an order, or a kind from a newer relay.
    #[n(1)]
    Single {
        /// The entry's kind.
        #[n(0)]
        kind: u8,
        /// Its position in the log.
        #[n(1)]
        position: u64,
        /// Its bytes.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
}

/// A batch in a page: its frame, and what this relay's log says of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PageBatch {
    /// The frame (`frame::decode`), items out of scope as names.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub frame: Vec<u8>,
    /// The position of each item, in the batch's order; 0 for those that are only named.
    #[n(1)]
    pub positions: Vec<u64>,
    /// When the first relay received it, milliseconds since 1970.
    #[n(2)]
    pub first_received_ms: i64,
    /// When this relay received it, milliseconds since 1970.
    #[n(3)]
    pub received_ms: i64,
}

/// The last frame of an answer: where the log ended and what the device must now hold.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct End {
    /// Where the device stands.
    #[n(0)]
    pub cursor: Cursor,
    /// For each of the device's areas and, if it has any, its person: what is placed there.
    #[n(1)]
    pub digests: Vec<(Audience, Digest)>,
    /// Per level above, up to which of this relay's positions all is durable there.
    #[n(2)]
    pub watermarks: Vec<(crate::order::LevelForm, u64)>,
    /// Changes of the asking device that wait in this relay's inbox.
    #[n(3)]
    pub inbox: u32,
    /// Names of the asking device's changes, or of a relay's, that are durable at a level above and have
    /// no number there: in an inbox, or waiting. Absent for none.
    #[n(4)]
    pub above: Option<Vec<(DocId, ChangeHash)>>,
    /// The decisions on inbox items in this relay's log that concern the asker; absent for none. No area's
    /// digest counts them, since most of those who read the area never see one.
    #[n(5)]
    pub decisions: Option<Digest>,
    /// Items of the asking device that wait at this relay for what they rest on; absent for none.
    #[n(6)]
    pub waiting: Option<u32>,
    /// Of the oldest items of this relay's inbox, as many as one answer about it tells, those that wait for
    /// the asking desk; absent for none.
    #[n(7)]
    pub undecided: Option<u32>,
    /// Attachments that this relay was told of and has no file of any more, of documents the asker reads:
    /// whoever has one brings it again. At most [`crate::limits::LOST_BLOBS_MAX`]; absent for none.
    #[n(8)]
    pub lost: Option<Vec<(DocId, BlobHash)>>,
    /// How long the asking device may read on; absent to a relay.
    #[n(9)]
    pub lease: Option<Box<Lease>>,
    /// What makes the codes by which somebody at a telephone lets this device read on, for nobody else.
    #[n(10)]
    pub lease_key: Option<LeaseKey>,
    /// Where the relay's audit chain ends; absent from a relay without one.
    #[n(11)]
    pub audit: Option<Box<AuditCheckpoint>>,
}

/// The kinds of answer frames, one byte in front of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerKind(pub u8);

impl AnswerKind {
    /// [`Standing`], CBOR.
    pub const STANDING: AnswerKind = AnswerKind(1);
    /// [`Verdict`], CBOR.
    pub const VERDICT: AnswerKind = AnswerKind(2);
    /// [`Page`], CBOR packed with the dictionary.
    pub const PAGE: AnswerKind = AnswerKind(3);
    /// [`End`], CBOR.
    pub const END: AnswerKind = AnswerKind(4);
    /// The relay cannot go on (full disk, damaged log): text for the device's log. Nothing follows.
    pub const FAILED: AnswerKind = AnswerKind(5);
    /// A [`crate::Manifest`], CBOR, in the place of pages, to a sender that [can take packs](CAN_TAKE_PACKS) and
    /// begins to read: the packs first, then it asks again. Nothing follows.
    pub const MANIFEST: AnswerKind = AnswerKind(6);
    /// A [`crate::PurgeAnswer`], CBOR: the device was revoked since the answer began. Nothing follows.
    pub const PURGE: AnswerKind = AnswerKind(7);
}

impl Ask {
    /// Returns the bytes that are sent and whose digest the request's signature covers.
    pub fn bytes(&self) -> Vec<u8> {
        packing::encode(self)
    }

    /// Returns the head in `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        packing::decode(bytes, "request head")
    }
}
