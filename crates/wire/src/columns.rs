//! The documents of a pack's frame by columns: what is alike in all of them stands together, and is
//! packed to less than the documents one after the other.
//!
//! **A saved form loses its heads on the way and nothing else**: whoever opens it computes them. Keys of
//! operations travel without what they share with the key before. What cannot be cut apart and joined
//! again byte for byte travels whole.

mod parts;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use self::parts::Parts;
use self::reader::Columns;
use self::writer::Writer;
use crate::chunk::Reader;
use crate::id::{ActorId, ChangeHash, DeviceId};
use crate::pack::PackFrame;
use crate::{Malformed, packing};

/// Bytes of a head.
const HEAD_BYTES: usize = 32;
/// The column of the keys of operations: id 1, strings.
const KEYS: u64 = (1 << 4) | 5;
/// The column of the values of operations: id 5, bytes.
const VALUES: u64 = (5 << 4) | 7;
/// Columns of a saved form have smaller numbers.
const SPEC_MAX: u64 = 0x1000;
/// Actors, heads and columns of one document; what has more is not cut apart.
const COUNT_MAX: usize = 4_096;
/// Bytes of an actor; what has a longer one is not cut apart. Each is named by a byte.
const ACTOR_BYTES_MAX: usize = 32;

/// Names of columns. Those of saved forms are these and the column's own number.
mod name {
    pub(super) const IDS: u64 = 0;
    pub(super) const KINDS: u64 = 1;
    pub(super) const OWNERS: u64 = 2;
    pub(super) const OWNER_IDS: u64 = 3;
    pub(super) const PLACES: u64 = 4;
    pub(super) const PLACE_BYTES: u64 = 5;
    pub(super) const POSITIONS: u64 = 6;
    pub(super) const BESIDE: u64 = 7;
    pub(super) const FORMS: u64 = 8;
    pub(super) const WHOLE: u64 = 9;
    pub(super) const COUNTS: u64 = 10;
    pub(super) const ACTORS: u64 = 11;
    pub(super) const ACTOR_BYTES: u64 = 12;
    pub(super) const SPECS: u64 = 13;
    pub(super) const SUFFIXES: u64 = 14;
    pub(super) const ID_AT: u64 = 15;
    pub(super) const KEY_RUNS: u64 = 16;
    pub(super) const KEY_SHARED: u64 = 17;
    pub(super) const KEY_LENGTHS: u64 = 18;
    pub(super) const KEY_BYTES: u64 = 19;
    pub(super) const CHANGE_LENGTHS: u64 = 0x1000;
    pub(super) const OPERATION_LENGTHS: u64 = 0x2000;
    pub(super) const CHANGES: u64 = 0x3000;
    pub(super) const OPERATIONS: u64 = 0x4000;
}

/// How a saved form travels.
mod form {
    pub(super) const NONE: u64 = 0;
    pub(super) const CUT: u64 = 1;
    pub(super) const WHOLE: u64 = 2;
}

/// Whose a document is.
mod owner {
    pub(super) const NOBODYS: u64 = 0;
    /// The last document before it that is nobody's.
    pub(super) const LAST: u64 = 1;
    pub(super) const OTHER: u64 = 2;
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct FrameForm {
    #[n(0)]
    documents: u64,
    #[n(1)]
    columns: Vec<ColumnForm>,
    #[n(2)]
    writers: Vec<(ActorId, DeviceId)>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct ColumnForm {
    #[n(0)]
    name: u64,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    bytes: Vec<u8>,
}

/// Returns a frame's bytes, not packed.
pub fn encode(frame: &PackFrame) -> Vec<u8> {
    let mut writer = Writer::default();
    for document in &frame.documents {
        writer.document(document);
    }
    let columns = writer.into_columns().into_iter();
    packing::encode(&FrameForm {
        documents: frame.documents.len() as u64,
        columns: columns
            .map(|(name, bytes)| ColumnForm { name, bytes })
            .collect(),
        writers: frame.writers.clone(),
    })
}

/// Returns the frame in bytes; the heads of its saved forms are zeros.
pub fn decode(bytes: &[u8]) -> Result<PackFrame, Malformed> {
    let form: FrameForm = packing::decode(bytes, "frame of a pack")?;
    let mut columns = BTreeMap::new();
    for column in &form.columns {
        let reader = Reader {
            bytes: &column.bytes,
        };
        if columns.insert(column.name, reader).is_some() {
            return Err(shape());
        }
    }
    let mut reader = Columns::new(columns);
    let mut documents = Vec::new();
    for _ in 0..form.documents {
        documents.push(reader.document()?);
    }
    if !reader.is_empty() {
        return Err(shape());
    }
    Ok(PackFrame {
        documents,
        writers: form.writers,
    })
}

/// Returns a saved form with these heads in the place of those it has.
pub fn with_heads(saved: &[u8], heads: &[ChangeHash]) -> Result<Vec<u8>, Malformed> {
    let heads: Vec<u8> = heads.iter().flat_map(|head| head.0).collect();
    let parts = Parts::cut(saved)?;
    if parts.heads.len() != heads.len() {
        return Err(shape());
    }
    let parts = Parts {
        heads: &heads,
        ..parts
    };
    Ok(parts.join())
}

fn shape() -> Malformed {
    Malformed::shape("frame of a pack")
}
