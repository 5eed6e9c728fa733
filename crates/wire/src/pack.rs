//! Packs: whole documents up to a position, so that a first download is not a walk through the log.
//!
//! **A frame is named by its bytes and a manifest is signed**: what is fetched in pieces, from a cut
//! line or a pack made anew meanwhile, is what the relay said or nothing.

use minicbor::{Decode, Encode};

use crate::area::{AreaCode, Audience};
use crate::digest::Digest;
use crate::enroll::OrderBytes;
use crate::entry::DocKind;
use crate::id::{ActorId, DeviceId, DocId, FrameHash, Incarnation, RelayId, Signature};
use crate::limits::{
    CHANGE_BYTES_MAX, DOCUMENT_BYTES_MAX, MANIFEST_BYTES_MAX, PACK_FRAME_DOCUMENTS_MAX,
    PACK_FRAME_INFLATED_BYTES_MAX,
};
use crate::message::Cursor;
use crate::{Malformed, columns, packing};

/// What a pack holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum PackKey {
    /// The documents whose home is this very area, not those of areas inside it.
    #[n(0)]
    Home(#[n(0)] AreaCode),
    /// The documents that name this audience.
    #[n(1)]
    Named(#[n(0)] Audience),
}

/// The packs a device may read, of one moment. Signed by the relay.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Manifest {
    /// The protocol the relay speaks.
    #[n(0)]
    pub version: u16,
    /// The relay.
    #[n(1)]
    pub relay: RelayId,
    /// The life of its log.
    #[n(2)]
    pub incarnation: Incarnation,
    /// Its clock, milliseconds since 1970.
    #[n(3)]
    pub at_ms: i64,
    /// Where a device stands that has these packs: the rest comes by pages.
    #[n(4)]
    pub cursor: Cursor,
    /// The packs, by key.
    #[n(5)]
    pub packs: Vec<PackInfo>,
    /// The orders up to the cursor that the device may read, in the log's order.
    #[n(6)]
    pub orders: Vec<PackOrder>,
    /// Over [`Manifest::signed_bytes`].
    #[n(7)]
    pub signature: Signature,
}

/// One pack.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PackInfo {
    /// What it holds.
    #[n(0)]
    pub key: PackKey,
    /// Up to which position of the log; never before the cursor's.
    #[n(1)]
    pub position: u64,
    /// The digest of its documents there.
    #[n(2)]
    pub digest: Digest,
    /// Documents in it.
    #[n(3)]
    pub documents: u64,
    /// Its frames, in any order to be taken.
    #[n(4)]
    pub frames: Vec<FrameInfo>,
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct FrameInfo {
    /// Its name: the BLAKE3 of its bytes as they travel.
    #[n(0)]
    pub hash: FrameHash,
    /// Its bytes as they travel.
    #[n(1)]
    pub bytes: u64,
    /// Documents in it.
    #[n(2)]
    pub documents: u64,
}

/// An order of the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PackOrder {
    /// Its position.
    #[n(0)]
    pub position: u64,
    /// Its bytes.
    #[n(1)]
    pub order: OrderBytes,
}

/// The head of `POST /v1/frames`. From a device that has a manifest.
///
/// Answered by the frames' bytes one after the other; an answer that ends at the end of a frame says
/// that the next one is of no pack any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FramesAsk {
    /// The protocol the device speaks.
    #[n(0)]
    pub version: u16,
    /// The frames, in the order they are wanted.
    #[n(1)]
    pub frames: Vec<FrameHash>,
    /// Bytes of the first that the device has from a line that was cut.
    #[n(2)]
    pub from: u64,
}

/// A frame of a pack. It travels by columns (`columns`), packed with the shared dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackFrame {
    /// The documents; what an owner owns follows it.
    pub documents: Vec<PackedDoc>,
    /// Which device each writer in them belongs to.
    pub writers: Vec<(ActorId, DeviceId)>,
}

/// A document in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedDoc {
    /// The document.
    pub doc: DocId,
    /// Its kind.
    pub kind: DocKind,
    /// The version of its kind's genesis.
    pub schema: u8,
    /// What it belongs to.
    pub owner: Option<DocId>,
    /// The place that counts; none where its owner's does.
    pub place: Option<PackedPlace>,
    /// The position of its last entry.
    pub position: u64,
    /// Its saved form, not compressed; empty where the relay could not build it. Once it has travelled its
    /// heads are zeros.
    pub saved: Vec<u8>,
    /// Entries that are not in the saved form: changes that are held or rest on held ones, holds,
    /// releases, kinds of a newer program.
    pub beside: Vec<Beside>,
}

/// A place in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedPlace {
    /// Its position.
    pub position: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// An entry that stands beside a saved document.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Beside {
    /// The entry's kind.
    #[n(0)]
    pub kind: u8,
    /// Its position.
    #[n(1)]
    pub position: u64,
    /// Its bytes.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl FrameHash {
    /// Returns the name of a frame's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl Manifest {
    /// Returns the manifest in `bytes`; its signature is not checked here.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(Malformed::TooLarge {
                what: "a manifest",
                limit: MANIFEST_BYTES_MAX,
            });
        }
        packing::decode(bytes, "manifest")
    }

    /// Returns how many documents its packs have; one in several of them counts in each.
    pub fn documents(&self) -> u64 {
        self.packs.iter().map(|pack| pack.documents).sum()
    }

    /// Returns the bytes the relay signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let content = packing::encode(&(
            self.version,
            self.relay,
            self.incarnation,
            self.at_ms,
            self.cursor,
            &self.packs,
            &self.orders,
        ));
        [b"wangge manifest v0\0".as_slice(), &content].concat()
    }
}

impl PackFrame {
    /// Returns the frame in bytes that must have this name; nothing is inflated before they do.
    pub fn open(name: &FrameHash, bytes: &[u8]) -> Result<Self, Malformed> {
        let inflated = unpack(name, bytes)?;
        let frame = columns::decode(&inflated)?;
        frame.check()?;
        Ok(frame)
    }

    /// Returns an error if a document or a count is past its limit.
    pub fn check(&self) -> Result<(), Malformed> {
        let within = |size: usize, limit: usize, what: &'static str| {
            if size > limit {
                return Err(Malformed::TooLarge { what, limit });
            }
            Ok(())
        };
        within(
            self.documents.len(),
            PACK_FRAME_DOCUMENTS_MAX,
            "documents of a frame",
        )?;
        for one in &self.documents {
            within(one.saved.len(), DOCUMENT_BYTES_MAX, "a saved document")?;
            for beside in &one.beside {
                within(beside.bytes.len(), CHANGE_BYTES_MAX, "an entry of a pack")?;
            }
        }
        Ok(())
    }
}

fn unpack(name: &FrameHash, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    if bytes.len() > PACK_FRAME_INFLATED_BYTES_MAX {
        return Err(Malformed::TooLarge {
            what: "a frame of a pack",
            limit: PACK_FRAME_INFLATED_BYTES_MAX,
        });
    }
    if FrameHash::of(bytes) != *name {
        return Err(Malformed::shape("name of a frame"));
    }
    packing::Unpacker::new()?.unpack(bytes, PACK_FRAME_INFLATED_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(saved: usize, beside: usize) -> PackedDoc {
        PackedDoc {
            doc: DocId([1; 16]),
            kind: DocKind(1),
            schema: 0,
            owner: None,
            place: None,
            position: 7,
            saved: vec![9; saved],
            beside: vec![Beside {
                kind: 1,
                position: 6,
                bytes: vec![8; beside],
            }],
        }
    }

    fn sealed(frame: &PackFrame) -> (FrameHash, Vec<u8>) {
        let mut packer = packing::Packer::new().unwrap();
        let bytes = packer.pack(&columns::encode(frame)).unwrap();
        (FrameHash::of(&bytes), bytes)
    }

    #[test]
    fn a_frame_opens_by_its_name_and_by_no_other() {
        let frame = PackFrame {
            documents: vec![document(10, 10)],
            writers: vec![(ActorId([2; 8]), DeviceId([3; 16]))],
        };
        let (name, mut bytes) = sealed(&frame);
        assert_eq!(PackFrame::open(&name, &bytes), Ok(frame));
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(PackFrame::open(&name, &bytes).is_err(), "byte {at}");
            bytes[at] ^= 1;
        }
    }

    #[test]
    fn documents_and_entries_of_the_limit_are_read_and_not_a_byte_more() {
        let of = |saved, beside, count| {
            let documents = vec![document(saved, beside); count];
            let writers = Vec::new();
            sealed(&PackFrame { documents, writers })
        };
        let opens = |(name, bytes): (FrameHash, Vec<u8>)| PackFrame::open(&name, &bytes).is_ok();
        assert!(opens(of(DOCUMENT_BYTES_MAX, CHANGE_BYTES_MAX, 1)));
        assert!(!opens(of(DOCUMENT_BYTES_MAX + 1, 0, 1)));
        assert!(!opens(of(0, CHANGE_BYTES_MAX + 1, 1)));
        assert!(opens(of(0, 0, PACK_FRAME_DOCUMENTS_MAX)));
        assert!(!opens(of(0, 0, PACK_FRAME_DOCUMENTS_MAX + 1)));
        assert!(
            !opens(of(DOCUMENT_BYTES_MAX, 0, 4)),
            "past the inflated size"
        );
    }

    #[test]
    fn a_manifest_past_its_limit_is_not_read() {
        let error = Manifest::read(&vec![0; MANIFEST_BYTES_MAX + 1]);
        assert!(matches!(error, Err(Malformed::TooLarge { .. })));
    }
}
