//! What a log holds: changes, places and, later, the other kinds of entry.
//!
//! **An unknown kind is kept and forwarded byte for byte**: an old relay must not lose what a newer
//! device wrote.

use minicbor::{Decode, Encode};

use crate::Malformed;
use crate::area::{AreaCode, Audience};
use crate::chunk;
use crate::id::{self, ActorId, ChangeHash, DocId};
use crate::limits::{PLACE_AUDIENCES_MAX, SHAPE_CONTAINERS_MAX, SHAPE_NAME_BYTES_MAX};

/// The kind of an entry, one byte; those without a name here are carried as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKind(pub u8);

impl EntryKind {
    /// A change of a document.
    pub const CHANGE: EntryKind = EntryKind(1);
    /// Who receives a document.
    pub const PLACE: EntryKind = EntryKind(2);
    /// A change that must not be shown, with its reason.
    pub const HOLD: EntryKind = EntryKind(3);
    /// A hold taken back.
    pub const RELEASE: EntryKind = EntryKind(4);
    /// An erased document.
    pub const ERASE: EntryKind = EntryKind(5);
    /// A signed order: roster, revocation.
    pub const ORDER: EntryKind = EntryKind(6);
    /// A request to see hidden fields.
    pub const ACCESS: EntryKind = EntryKind(7);
    /// A desk's decision on an item of an inbox.
    pub const SETTLEMENT: EntryKind = EntryKind(8);
}

/// The kind of a document, one byte; the relay carries it and never asks what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct DocKind(#[n(0)] pub u8);

/// What a relay reads of a change without knowing what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The document.
    pub doc: DocId,
    /// The document's kind.
    pub kind: DocKind,
    /// The version of the genesis this document's writer knows.
    pub schema: u8,
    /// The document that this one belongs to: the household of a book, report or ticket.
    pub owner: Option<DocId>,
    /// Who wrote it.
    pub actor: ActorId,
    /// The number of this change among the actor's changes of this document.
    pub seq: u64,
    /// The SHA-256 of `raw`, which is this change's name with `doc`.
    pub hash: ChangeHash,
    /// The changes it rests on.
    pub deps: Vec<ChangeHash>,
    /// The change chunk, complete.
    pub raw: Vec<u8>,
}

impl Change {
    /// Returns the envelope of a raw change, after checking its hash and size.
    pub fn read(
        doc: DocId,
        kind: DocKind,
        schema: u8,
        owner: Option<DocId>,
        raw: Vec<u8>,
    ) -> Result<Self, Malformed> {
        let (hash, parts) = chunk::split(&raw)?;
        let (actor, seq) = chunk::author(&parts.rest)?;
        Ok(Self {
            doc,
            kind,
            schema,
            owner,
            actor,
            seq,
            hash,
            deps: parts.deps,
            raw,
        })
    }
}

/// Returns the id of a document of which its owner has one a label: the visit book of a year.
///
/// Whoever knows owner and label knows the id, so it need not travel.
pub fn owned_doc(kind: DocKind, owner: &DocId, label: &str) -> DocId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"wangge owned\0");
    hasher.update(&[kind.0]);
    hasher.update(&owner.0);
    hasher.update(label.as_bytes());
    DocId(id::truncate(hasher.finalize().as_bytes()))
}

/// Who receives a document: its home area and further audiences. The greatest (n, hash) wins.
///
/// Placing a document places what it owns. Never the body says who may read it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Place {
    /// The document, an owner or one without owner.
    #[n(0)]
    pub doc: DocId,
    /// The area it lives in.
    #[n(1)]
    pub home: AreaCode,
    /// Those who receive it beside.
    #[n(2)]
    pub audiences: Vec<Audience>,
    /// 0 at its birth by its author, greater at each hand-over by a desk.
    #[n(3)]
    pub n: u64,
}

impl Place {
    /// Returns the hash that names this place.
    pub fn hash(&self) -> ChangeHash {
        ChangeHash(*blake3::hash(&self.bytes()).as_bytes())
    }

    /// Returns the bytes that are hashed, stored and sent.
    pub fn bytes(&self) -> Vec<u8> {
        crate::packing::encode(self)
    }

    /// Returns the place in `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let place: Place = crate::packing::decode(bytes, "place")?;
        if place.audiences.len() > PLACE_AUDIENCES_MAX {
            return Err(Malformed::TooLarge {
                what: "audiences",
                limit: PLACE_AUDIENCES_MAX,
            });
        }
        Ok(place)
    }
}

/// The genesis of a kind, as data: a relay computes it without knowing the kind.
///
/// The first change of a document is a pure function of its shape and its id; it is never sent.
/// Two devices that begin the same document begin with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Shape {
    /// The kind this is the genesis of.
    #[n(0)]
    pub kind: DocKind,
    /// The version of this kind's genesis.
    #[n(1)]
    pub schema: u8,
    /// The maps it makes, in order.
    #[n(2)]
    pub containers: Vec<String>,
}

impl Shape {
    /// Returns an error if the shape is past a limit.
    pub fn check(&self) -> Result<(), Malformed> {
        if self.containers.len() > SHAPE_CONTAINERS_MAX {
            return Err(Malformed::TooLarge {
                what: "containers",
                limit: SHAPE_CONTAINERS_MAX,
            });
        }
        if self
            .containers
            .iter()
            .any(|name| name.len() > SHAPE_NAME_BYTES_MAX)
        {
            return Err(Malformed::TooLarge {
                what: "a container's name",
                limit: SHAPE_NAME_BYTES_MAX,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_its_hash_names_its_content() {
        let place = Place {
            doc: DocId([1; 16]),
            home: AreaCode::parse("511724103202001").unwrap(),
            audiences: vec![Audience::Area(AreaCode::parse("511724").unwrap())],
            n: 0,
        };
        assert_eq!(Place::read(&place.bytes()), Ok(place.clone()));
        assert_ne!(
            Place {
                n: 1,
                ..place.clone()
            }
            .hash(),
            place.hash()
        );
    }

    #[test]
    fn as_many_audiences_as_the_limit_and_no_more() {
        let with = |count: usize| Place {
            doc: DocId([1; 16]),
            home: AreaCode::parse("511724").unwrap(),
            audiences: vec![Audience::Unit(DocId([2; 16])); count],
            n: 0,
        };
        assert!(Place::read(&with(PLACE_AUDIENCES_MAX).bytes()).is_ok());
        assert!(Place::read(&with(PLACE_AUDIENCES_MAX + 1).bytes()).is_err());
    }

    #[test]
    fn a_shape_past_a_limit_is_refused() {
        let with = |count: usize, name: usize| Shape {
            kind: DocKind(1),
            schema: 0,
            containers: vec!["x".repeat(name); count],
        };
        assert!(
            with(SHAPE_CONTAINERS_MAX, SHAPE_NAME_BYTES_MAX)
                .check()
                .is_ok()
        );
        assert!(with(SHAPE_CONTAINERS_MAX + 1, 1).check().is_err());
        assert!(with(1, SHAPE_NAME_BYTES_MAX + 1).check().is_err());
    }
}
