//! What any bytes at all may be handed to, and what must hold whatever they are.
//!
//! Each function takes bytes as a stranger sends them and panics where a promise is broken: a reader
//! that panics, a value that reads back as another one, a document that does not survive a change.
//! The fuzzer drives them with bytes it breeds (`scripts/fuzz`), a test with those it kept
//! (`fixtures/fuzz`). **A value that could be read can be written and read again, the same.**

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken promise panics: that is how the fuzzer hears of it"
)]

use std::io::Write as _;
use std::sync::Once;

use minicbor::{Decode, Encode};
use wangge_crdt::{Document, Put, Scalar, gate, genesis, parse};
use wangge_trust::{KeyPair, Roster};
use wangge_wire::chunk::{self, Parts};
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, RelayCard};
use wangge_wire::frame::{self, Known, Rebuilt, Surroundings};
use wangge_wire::inbox::{InboxAnswer, InboxAsk};
use wangge_wire::limits::{
    ANSWER_FRAME_BYTES_MAX, DOCUMENT_BYTES_MAX, GROUP_INFLATED_BYTES_MAX, MANIFEST_BYTES_MAX,
};
use wangge_wire::message::{PageEntry, Standing};
use wangge_wire::order::LevelForm;
use wangge_wire::pack::FramesAsk;
use wangge_wire::packing::{self, Packer, Unpacker};
use wangge_wire::repair::{EntriesAnswer, RepairAsk, SymbolsAnswer};
use wangge_wire::rise::{RiseAnswer, RiseAsk};
use wangge_wire::stream::Splitter;
use wangge_wire::{
    ActorId, Ask, BatchHead, BlobAsk, BlobState, ChangeHash, DeviceId, DocId, DocKind, End,
    FrameHash, ItemName, Manifest, Order, OrderAsk, OrderBody, PackFrame, Page, Place, Receipt,
    Ruling, Settlement, Shape, Verdict, columns, group,
};

/// Something that takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by the name of its folder of kept bytes.
pub const TARGETS: [(&str, Target); 8] = [
    ("message", message),
    ("frame", frame),
    ("page", page),
    ("pack", pack),
    ("rise", rise),
    ("change", change),
    ("gate", gate),
    ("roster", roster),
];

/// Reads one of the messages; the first byte says which.
pub fn message(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    match which % 26 {
        0 => same::<Ask>(bytes),
        1 => same::<Standing>(bytes),
        2 => same::<Verdict>(bytes),
        3 => same::<End>(bytes),
        4 => same::<Page>(bytes),
        5 => same::<Receipt>(bytes),
        6 => same::<Order>(bytes),
        7 => same::<OrderAsk>(bytes),
        8 => same::<Place>(bytes),
        9 => same::<Shape>(bytes),
        10 => same::<BatchHead>(bytes),
        11 => same::<Vec<ItemName>>(bytes),
        12 => same::<EnrollAsk>(bytes),
        13 => same::<EnrollAnswer>(bytes),
        14 => same::<RelayCard>(bytes),
        16 => same::<BlobAsk>(bytes),
        17 => same::<BlobState>(bytes),
        18 => same::<RepairAsk>(bytes),
        19 => same::<SymbolsAnswer>(bytes),
        20 => same::<Manifest>(bytes),
        21 => by_columns(bytes),
        22 => same::<Ruling>(bytes),
        23 => same::<Settlement>(bytes),
        24 => same::<InboxAsk>(bytes),
        25 => same::<InboxAnswer>(bytes),
        _ => pieces(bytes),
    }
}

/// Rebuilds a batch frame, alone or in a packed group, with a receiver that holds nothing and one that holds
/// all.
pub fn frame(bytes: &[u8]) {
    frame_of(bytes);
    let mut unpacker = Unpacker::new().unwrap();
    if let Ok(batches) = group::unpack(&mut unpacker, bytes) {
        assert_eq!(group::count(bytes), Some(batches.len()));
        let inflated: usize = batches.iter().map(Vec::len).sum();
        assert!(inflated <= GROUP_INFLATED_BYTES_MAX);
        batches.iter().for_each(|batch| frame_of(batch));
    }
}

/// Reads a page, or the entries that a repair brings, and the frames in them: a page is an array and the
/// others a map, so the same bytes are never both.
pub fn page(bytes: &[u8]) {
    same::<Page>(bytes);
    same::<EntriesAnswer>(bytes);
    let page = packing::decode::<Page>(bytes, "page").map(|it| it.entries);
    let repair = packing::decode::<EntriesAnswer>(bytes, "entries").map(|it| it.entries);
    for entry in page.iter().chain(&repair).flatten() {
        match entry {
            PageEntry::Batch(batch) => frame_of(&batch.frame),
            PageEntry::Single { bytes, .. } => same::<Order>(bytes),
        }
    }
}

/// Reads the manifest of packs or a question for their frames, or a frame of one, packed or not; the first
/// byte says which.
pub fn pack(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    match which % 3 {
        0 => {
            same::<FramesAsk>(bytes);
            if let Ok(manifest) = Manifest::read(bytes) {
                assert!(bytes.len() <= MANIFEST_BYTES_MAX);
                let again = Manifest::read(&packing::encode(&manifest));
                assert_eq!(
                    again.map(|it| it.signed_bytes()),
                    Ok(manifest.signed_bytes())
                );
            }
        }
        1 => pack_frame(bytes),
        // Under its right name, so that what is inside is looked at and not only the name.
        _ => pack_frame(&Packer::new().unwrap().pack(bytes).unwrap()),
    }
}

/// Reads a frame of a pack that is not packed.
fn by_columns(bytes: &[u8]) {
    if let Ok(frame) = columns::decode(bytes) {
        again(&frame);
    }
}

/// Takes a frame apart and joins it again.
fn again(frame: &PackFrame) {
    // A form that travelled whole may be cut apart the next time, and loses its heads.
    let again = columns::decode(&columns::encode(frame)).unwrap();
    assert_eq!(columns::decode(&columns::encode(&again)), Ok(again));
}

/// Opens a frame by its own name, and by another's, which nothing may have.
fn pack_frame(bytes: &[u8]) {
    let opened = PackFrame::open(&FrameHash::of(bytes), bytes);
    assert!(PackFrame::open(&FrameHash([0; 32]), bytes).is_err());
    let Ok(frame) = opened else {
        return;
    };
    for one in &frame.documents {
        assert!(one.saved.len() <= DOCUMENT_BYTES_MAX);
    }
    again(&frame);
}

/// Reads what relays of a tree say to each other beside batches: orders that go up, and the answer to
/// them; the first byte says which. Whoever sends an order, it counts only as far as its signer's word.
pub fn rise(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    if which % 2 == 0 {
        same::<RiseAnswer>(bytes);
        return;
    }
    same::<RiseAsk>(bytes);
    let Ok(ask) = packing::decode::<RiseAsk>(bytes, "orders") else {
        return;
    };
    let mut roster = rooted();
    for order in ask.orders.iter().filter_map(|it| Order::read(&it.0).ok()) {
        let before = roster.members().count();
        if roster.take_some(&order).is_err() {
            assert_eq!(roster.members().count(), before);
        }
    }
    assert_eq!(
        roster.root().map(|(key, ..)| *key),
        Some(root_key().public())
    );
}

/// Returns the key of the relay whose word counts where orders are tried.
pub fn root_key() -> KeyPair {
    KeyPair::from_secret(&[9; 32])
}

fn rooted() -> Roster {
    let key = root_key();
    let body = OrderBody::Root {
        key: key.public(),
        name: String::new(),
        level: LevelForm::County,
    };
    let mut roster = Roster::default();
    let root = key.sign_order(body, ChangeHash([0; 32]), 1);
    roster.take_some(&root).unwrap();
    roster
}

/// Reads a change chunk as it is, without a right checksum being made for it.
pub fn change(bytes: &[u8]) {
    if let Ok((hash, parts)) = chunk::split(bytes) {
        assert_eq!(chunk::join(&parts), (hash, bytes.to_vec()));
        let _ = chunk::author(&parts.rest);
    }
    let _ = parse::check(bytes);
}

/// Hands a document a change whose checksum is right and whose content is these bytes: the document
/// must be as good as before, and take an honest change after it.
pub fn gate(bytes: &[u8]) {
    hear_only_what_escapes();
    let Some((how, rest)) = bytes.split_first() else {
        return;
    };
    let (doc, shape) = (DocId([7; 16]), shape());
    let mut document = Document::begin(&shape, &doc).unwrap();
    write(&mut document, 1, "0001", "张建国");
    let before = document.fields();
    let first = genesis::hash(&shape, &doc).unwrap();
    let deps = match how % 3 {
        0 => document.heads(),
        1 => vec![first],
        _ => vec![first, ChangeHash([9; 32])],
    };
    let (hash, raw) = chunk::join(&Parts {
        deps,
        rest: rest.to_vec(),
    });
    let applied = document.apply(&[raw]);
    let told = applied.applied.len() + applied.waiting.len() + applied.held.len();
    assert_eq!(told, 1, "a change has exactly one fate");
    if applied.applied.is_empty() {
        assert!(!document.contains(&hash));
        assert_eq!(document.fields(), before);
    }
    write(&mut document, 2, "0002", "李梅");
    let again = Document::load(&shape, &document.save()).unwrap();
    assert_eq!(again.heads(), document.heads());
    assert_eq!(again.fields(), document.fields());
    assert_eq!(again.id(), Some(doc));
}

/// Reads a household roster; by its first byte a table in text form or a workbook.
pub fn roster(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    hear_only_what_escapes();
    let ending = if which % 2 == 0 { ".csv" } else { ".xlsx" };
    let file = tempfile::Builder::new().suffix(ending).tempfile();
    let mut file = file.unwrap();
    file.write_all(bytes).unwrap();
    let first = wangge_agent::roster::read(file.path());
    let second = wangge_agent::roster::read(file.path());
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}

/// Libraries' panics are caught where they are asked; the fuzzer must not hear of those.
fn hear_only_what_escapes() {
    static ONCE: Once = Once::new();
    ONCE.call_once(gate::silence_caught_panics);
}

/// Reads a value and, if that went well, writes it and reads it again.
fn same<T>(bytes: &[u8])
where
    T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + std::fmt::Debug,
{
    if let Ok(value) = packing::decode::<T>(bytes, "fuzz") {
        let again = packing::encode(&value);
        assert_eq!(packing::decode::<T>(&again, "fuzz"), Ok(value));
    }
}

/// Cuts a stream into frames: the same ones, whatever pieces it comes in.
fn pieces(bytes: &[u8]) {
    let cut = |size: usize| {
        let mut splitter = Splitter::new(ANSWER_FRAME_BYTES_MAX);
        let mut frames = Vec::new();
        for piece in bytes.chunks(size) {
            splitter.push(piece);
            loop {
                match splitter.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(error) => return (frames, Some(error)),
                }
            }
        }
        (frames, None)
    };
    assert_eq!(cut(1), cut(usize::MAX));
}

fn frame_of(bytes: &[u8]) {
    let around = Surroundings {
        device: Some(DeviceId([1; 16])),
        previous: None,
    };
    let _ = frame::decode(bytes, &around, &Nothing);
    let Ok(Rebuilt { batch, damaged }) = frame::decode(bytes, &around, &Everything) else {
        return;
    };
    assert!(damaged.iter().all(|index| *index < batch.items.len()));
    let _ = batch.check();
    // What was rebuilt travels on in full, under the same name.
    let Ok(full) = frame::encode_full(&batch) else {
        return;
    };
    let again = frame::decode(&full, &Surroundings::default(), &Nothing);
    let again = again.expect("a whole frame needs nothing").batch;
    assert_eq!(again.hash(), batch.hash());
}

fn shape() -> Shape {
    Shape {
        kind: DocKind(1),
        schema: 0,
        containers: vec!["members".into()],
    }
}

fn write(document: &mut Document, actor: u8, key: &str, value: &str) {
    let put = Put {
        container: "members",
        key: format!("{key}/name"),
        value: Scalar::from(value),
    };
    let written = document.write(&ActorId([actor; 8]), 1, &[put]).unwrap();
    assert!(written.is_some());
}

/// A receiver that holds nothing.
struct Nothing;

impl Known for Nothing {
    fn genesis(&self, _: &DocId, _: &Shape) -> Option<ChangeHash> {
        None
    }

    fn change(&self, _: &DocId, _: &[u8; 6]) -> Option<ChangeHash> {
        None
    }
}

/// A receiver that holds whatever is asked for.
struct Everything;

impl Known for Everything {
    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash> {
        genesis::hash(shape, doc).ok()
    }

    fn change(&self, _: &DocId, prefix: &[u8; 6]) -> Option<ChangeHash> {
        let mut hash = [5; 32];
        hash.iter_mut()
            .zip(prefix)
            .for_each(|(to, from)| *to = *from);
        Some(ChangeHash(hash))
    }
}
