//! The forms that stand inside other messages, and what is a header, a proof or a hash and no message.

use wangge_testkit::device::{Device, shape};
use wangge_trust::enroll::{Code, Side, proof};
use wangge_wire::enroll::EnrollRefusal;
use wangge_wire::entry::owned_doc;
use wangge_wire::frame::{self, Dependency, Elide, Surroundings};
use wangge_wire::message::PageEntry;
use wangge_wire::repair::EntriesAnswer;
use wangge_wire::{
    Batch, BlobHash, Change, ChangeHash, DocId, EntryKind, Item, ItemName, OrderRefusal, PageBatch,
    Ruling, Signature, packing,
};

use super::{DOC, GRID, Lines, cursor, place, relay_key};

/// The label of an owned document: a visit book's is its year.
const YEAR: &str = "2026";

pub(super) fn lines(lines: &mut Lines) {
    by_label(lines);
    left_out(lines);
    refusals(lines);
    proofs(lines);
    release(lines);
    chain(lines);
}

/// A document that its owner and a label name, a change that rests on its genesis, and one that rests on
/// the change before.
fn by_label(lines: &mut Lines) {
    let doc = owned_doc(shape().kind, &DOC, YEAR);
    let mut device = Device::new(3);
    device.begin_owned(doc, Some(DOC));
    device.write(doc, "note", "一切正常");
    device.write(doc, "note", "下周再来");
    let batch = device.batch();
    let around = Surroundings {
        device: Some(device.id()),
        previous: Some(batch.head.previous),
    };
    let genesis = wangge_crdt::genesis::hash(&shape(), &doc).unwrap();
    let frame = frame::encode(&batch, &around, &ByLabel { genesis }).unwrap();
    lines.insert("owned-document", doc.0.to_vec());
    lines.insert("genesis-hash", genesis.0.to_vec());
    lines.insert("frame-by-label", frame);
}

/// A batch of which one item is only named and one is of a later kind.
fn left_out(lines: &mut Lines) {
    let bytes = b"later".to_vec();
    let name = ItemName {
        entry: 9,
        doc: DOC,
        hash: ChangeHash(BlobHash::of(&bytes).0),
        action: None,
        about: None,
    };
    let mut device = Device::new(3);
    device.begin(DOC, GRID);
    device.push_item(Item::Unknown { name, bytes });
    let mut batch: Batch = device.batch();
    // Who wrote it signed names, so the signature stays.
    batch.items[0] = Item::Named(batch.items[0].name());
    let frame = frame::encode_full(&batch).unwrap();
    let answer = EntriesAnswer {
        entries: vec![
            PageEntry::Single {
                kind: 6,
                position: 4,
                bytes: vec![0x80],
            },
            PageEntry::Batch(PageBatch {
                frame: frame.clone(),
                positions: vec![0, 8],
                first_received_ms: 1,
                received_ms: 2,
            }),
        ],
    };
    lines.insert("frame-named-and-unknown", frame);
    lines.insert("repair-entries", packing::encode(&answer));
}

fn refusals(lines: &mut Lines) {
    let spent = packing::encode(&EnrollRefusal::Spent);
    lines.insert("enroll-refusal-spent", spent);
    let changed = packing::encode(&OrderRefusal::Changed);
    lines.insert("order-refusal-changed", changed);
}

/// The invitation `ABC DEFG HJK`, typed as people type it, and both sides' proofs.
fn proofs(lines: &mut Lines) {
    let code = Code::parse("abc-defg-hjk").unwrap();
    let key = code.proof_key().unwrap();
    let (relay, device) = (relay_key().public(), Device::new(3).key.public());
    let by = |side| proof(&key, side, &relay, &device, &[1; 16]).to_vec();
    lines.insert("invitation-code", code.shown().into_bytes());
    lines.insert("invitation-key", key.to_vec());
    lines.insert("invitation-proof-of-the-device", by(Side::Device));
    lines.insert("invitation-proof-of-the-relay", by(Side::Relay));
}

fn release(lines: &mut Lines) {
    let mut release = Ruling {
        doc: DOC,
        change: ChangeHash([5; 32]),
        reason: None,
        relay: cursor().relay,
        at_ms: 1_764_000_000_000,
        n: 1,
        signature: Signature([0; 64]),
    };
    relay_key().sign_ruling(&mut release);
    lines.insert("release", release.bytes());
    lines.insert("release-hash", release.hash().0.to_vec());
}

/// The chain after a place that comes first, and after a change behind it; the relay's own test reads these.
fn chain(lines: &mut Lines) {
    let next = |before: &[u8], kind: EntryKind, hash: &ChangeHash| {
        let hashed = [before, &[kind.0], &DOC.0, &hash.0].concat();
        BlobHash::of(&hashed).0.iter().take(8).copied().collect()
    };
    let first: Vec<u8> = next(&[0; 8], EntryKind::PLACE, &place().hash());
    let second = next(&first, EntryKind::CHANGE, &ChangeHash([5; 32]));
    lines.insert("chain-1", first);
    lines.insert("chain-2", second);
}

/// A relay that holds everything and knows what an owner and a year name.
struct ByLabel {
    genesis: ChangeHash,
}

impl Elide for ByLabel {
    fn dependency(&self, _: &DocId, hash: &ChangeHash) -> Dependency {
        if *hash == self.genesis {
            Dependency::Genesis
        } else {
            Dependency::Held
        }
    }

    fn label(&self, _: &Change) -> Option<String> {
        Some(YEAR.into())
    }
}
