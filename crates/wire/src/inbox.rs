//! How a desk asks its relay what lies in the inbox, and what the relay answers.
//!
//! **Asked and answered item by item, by where each lies**: a desk is told nothing of what it may not
//! settle.

use minicbor::{Decode, Encode};

use crate::area::AreaCode;
use crate::entry::DocKind;
use crate::hold::HoldReason;
use crate::id::{ChangeHash, DeviceId, DocId};
use crate::receipt::Reason;

/// A question. From a desk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct InboxAsk {
    /// [`crate::PROTOCOL_VERSION`] of the sender.
    #[n(0)]
    pub version: u16,
    /// What it wants.
    #[n(1)]
    pub wish: InboxWish,
}

/// What a question asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum InboxWish {
    /// What nobody has settled, and what the gate holds.
    #[n(0)]
    Open {
        /// Only what comes behind this row.
        #[n(0)]
        after: u64,
    },
    /// Decisions, the oldest first.
    #[n(1)]
    Settled {
        /// Only what comes behind this row.
        #[n(0)]
        after: u64,
    },
    /// All that lies here of one document, with bodies.
    #[n(2)]
    Document(#[n(0)] DocId),
    /// Lets a held change be tried again.
    #[n(3)]
    Retry {
        /// The document.
        #[n(0)]
        doc: DocId,
        /// The change.
        #[n(1)]
        change: ChangeHash,
    },
}

/// An item of the inbox, or a held change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct InboxRow {
    /// What a further question goes on behind.
    #[n(0)]
    pub row: u64,
    /// The kind of entry it is.
    #[n(1)]
    pub entry: u8,
    /// The document.
    #[n(2)]
    pub doc: DocId,
    /// The hash that names it, with the document.
    #[n(3)]
    pub hash: ChangeHash,
    /// The device that wrote it.
    #[n(4)]
    pub author: DeviceId,
    /// What colleagues call its holder; empty for one that is unknown.
    #[n(5)]
    pub author_name: String,
    /// When this relay received it, milliseconds since 1970.
    #[n(6)]
    pub received_ms: i64,
    /// Why it lies there; absent for what the gate holds, and for what has its number.
    #[n(7)]
    pub reason: Option<Reason>,
    /// Why the gate holds it.
    #[n(8)]
    pub hold: Option<HoldReason>,
    /// The kind of its document; 0 where nothing says it.
    #[n(9)]
    pub kind: DocKind,
    /// The document that its document belongs to.
    #[n(10)]
    pub owner: Option<DocId>,
    /// Where its document lives; absent where nobody has said so.
    #[n(11)]
    pub home: Option<AreaCode>,
    /// The area its author claims; a hint and no more.
    #[n(12)]
    pub claimed: AreaCode,
    /// Its position in the relay's log, once it has one.
    #[n(13)]
    pub position: Option<u64>,
    /// The decision that stands.
    #[n(14)]
    pub settled: Option<SettledRow>,
    /// Its bytes, where they were asked for.
    #[n(15)]
    #[cbor(with = "minicbor::bytes")]
    pub body: Option<Vec<u8>>,
}

/// A decision, as the relay that has it tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SettledRow {
    /// The bytes of the [`crate::settle::Settlement`].
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub settlement: Vec<u8>,
    /// The device that signed it.
    #[n(1)]
    pub by: DeviceId,
    /// What colleagues call its holder; empty for one that is unknown.
    #[n(2)]
    pub by_name: String,
    /// When this relay received it, milliseconds since 1970.
    #[n(3)]
    pub received_ms: i64,
}

/// Rows. To a desk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct InboxAnswer {
    /// The rows, in their order.
    #[n(0)]
    pub rows: Vec<InboxRow>,
    /// Where to go on; absent where there is no more.
    #[n(1)]
    pub next: Option<u64>,
}
