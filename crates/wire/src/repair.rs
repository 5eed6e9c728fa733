//! What a device and a relay say to each other when their digests differ.
//!
//! The relay answers questions and remembers nothing between them; **what is in nobody's scope has no
//! fingerprint**, so a question about it learns nothing.

use minicbor::{Decode, Encode};

use crate::area::Audience;
use crate::id::{ChangeHash, DocId, truncate};
use crate::message::PageEntry;

/// A question. From a device, when the end of a sync told another digest than its own.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RepairAsk {
    /// [`crate::PROTOCOL_VERSION`] of the sender.
    #[n(0)]
    pub version: u16,
    /// What it is about.
    #[n(1)]
    pub about: Subject,
    /// Drawn for this repair: fingerprints of two repairs have nothing in common.
    #[n(2)]
    pub key: u64,
    /// What it wants.
    #[n(3)]
    pub wish: Wish,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Subject {
    /// The changes of an area's, a unit's or a person's documents, as far as the device reads them.
    #[n(0)]
    Changes(#[n(0)] Audience),
    /// The decisions on inbox items that concern the device.
    #[n(1)]
    Decisions,
}

/// What a question asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Wish {
    /// Symbols of what the question is about.
    #[n(0)]
    Symbols {
        /// How many the asker has already.
        #[n(0)]
        from: u32,
        /// How many there are to be then.
        #[n(1)]
        until: u32,
    },
    /// The entries with these fingerprints, and the places of their documents.
    #[n(1)]
    Entries(#[n(0)] Vec<u64>),
}

/// Symbols. To a device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SymbolsAnswer {
    /// The symbols, 16 bytes each.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub symbols: Vec<u8>,
    /// How many changes the relay has there.
    #[n(1)]
    pub changes: u64,
}

/// Entries, packed as a page is. To a device; it moves no cursor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EntriesAnswer {
    /// As many of them as fit, in the log's order.
    #[n(0)]
    pub entries: Vec<PageEntry>,
}

/// Returns the fingerprint of a change's name in a repair.
pub fn fingerprint(key: u64, doc: &DocId, hash: &ChangeHash) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&key.to_le_bytes());
    hasher.update(&doc.0);
    hasher.update(&hash.0);
    u64::from_le_bytes(truncate(hasher.finalize().as_bytes()))
}
