//! What a relay says of a change that must not be shown, and its taking back.
//!
//! **A hold hides nothing for good**: the change stays in the log, is counted and sent; whoever reads
//! the document leaves it out, with all that rests on it, until a release.

use minicbor::{Decode, Encode};

use crate::Malformed;
use crate::entry::EntryKind;
use crate::id::{ChangeHash, DocId, RelayId, Signature};
use crate::packing;

/// Why a change must not be shown.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// Its bytes do not read.
    #[n(1)]
    Malformed,
    /// It does more than set scalars, or numbers its operations past those it rests on.
    #[n(2)]
    NotAWrite,
    /// The document library refuses it or panics, or the document would not load again.
    #[n(3)]
    Poison,
    /// It hides a container that the genesis made.
    #[n(4)]
    HidesContainer,
    /// Another change of the same writer has its number.
    #[n(5)]
    Equivocation,
    /// It takes more memory or time than a change may.
    #[n(6)]
    TooHeavy,
}

/// A hold, or its release. An entry of the log, made by the relay alone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Ruling {
    /// The document.
    #[n(0)]
    pub doc: DocId,
    /// The change.
    #[n(1)]
    pub change: ChangeHash,
    /// Why it is held; none releases it.
    #[n(2)]
    pub reason: Option<HoldReason>,
    /// The relay that found so.
    #[n(3)]
    pub relay: RelayId,
    /// By its clock, milliseconds since 1970.
    #[n(4)]
    pub at_ms: i64,
    /// How many rulings on this change came before: no two have the same bytes.
    #[n(5)]
    pub n: u32,
    /// Over [`Ruling::signed_bytes`].
    #[n(6)]
    pub signature: Signature,
}

impl Ruling {
    /// Returns what kind of entry it is.
    pub fn kind(&self) -> EntryKind {
        match self.reason {
            Some(_) => EntryKind::HOLD,
            None => EntryKind::RELEASE,
        }
    }

    /// Returns the hash that names the entry.
    pub fn hash(&self) -> ChangeHash {
        ChangeHash(*blake3::hash(&self.bytes()).as_bytes())
    }

    /// Returns the bytes that are stored and sent.
    pub fn bytes(&self) -> Vec<u8> {
        packing::encode(self)
    }

    /// Returns the ruling in `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        packing::decode(bytes, "hold")
    }

    /// Returns the bytes the relay signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let content = packing::encode(&(
            self.doc,
            self.change,
            self.reason,
            self.relay,
            self.at_ms,
            self.n,
        ));
        [b"wangge hold v0\0".as_slice(), &content].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_and_its_release_read_back_and_are_two_kinds() {
        let hold = Ruling {
            doc: DocId([1; 16]),
            change: ChangeHash([2; 32]),
            reason: Some(HoldReason::TooHeavy),
            relay: RelayId([3; 16]),
            at_ms: 5,
            n: 0,
            signature: Signature([4; 64]),
        };
        let release = Ruling {
            reason: None,
            n: 1,
            ..hold.clone()
        };
        assert_eq!(Ruling::read(&hold.bytes()), Ok(hold.clone()));
        assert_eq!(Ruling::read(&release.bytes()), Ok(release.clone()));
        assert_eq!((hold.kind(), release.kind()), (EntryKind(3), EntryKind(4)));
        assert_ne!(hold.signed_bytes(), release.signed_bytes());
    }
}
