//! Writes the first bytes the fuzzer breeds from: one good example of everything it attacks.
//!
//! `cargo run -p wangge-testkit --example fuzz_seeds` fills `fixtures/fuzz`; what is there stays.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for who works on the project"
)]

use std::path::{Path, PathBuf};

use wangge_testkit::device::{Device, shape};
use wangge_wire::frame::{self, Surroundings};
use wangge_wire::message::PageEntry;
use wangge_wire::receipt::ItemState;
use wangge_wire::{
    AreaCode, Audience, Cursor, Digest, DocId, End, Incarnation, Item, Page, PageBatch, Receipt,
    RelayId, Signature, Verdict, chunk, packing, stream,
};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz");
    let mut device = Device::new(3);
    let doc = DocId([7; 16]);
    device.begin(doc, "511724103202001");
    device.write(doc, "note", "一切正常");
    device.write(doc, "note", "下周再来");
    let batch = device.batch();
    let full = frame::encode_full(&batch).unwrap();
    let around = Surroundings {
        device: Some(device.id()),
        previous: None,
    };
    let short = frame::encode(&batch, &around, &NothingHeld).unwrap();
    keep(
        &root,
        "frame",
        &[&full, &short, &wangge_testkit::device::pack(&full)],
    );

    let cursor = Cursor {
        relay: RelayId([1; 16]),
        incarnation: Incarnation([2; 16]),
        position: 3,
        chain: 9,
        covers: None,
        granted: None,
    };
    let entry = PageEntry::Batch(PageBatch {
        frame: full.clone(),
        positions: vec![1, 2, 3],
        first_received_ms: 5,
        received_ms: 5,
    });
    let page = packing::encode(&Page {
        entries: vec![entry],
        cursor,
    });
    keep(&root, "page", &[&page]);

    let raws = batch.items.iter().filter_map(|item| match item {
        Item::Change { change, .. } => Some(change.raw.clone()),
        _ => None,
    });
    let raws: Vec<Vec<u8>> = raws.collect();
    let named = |byte: u8, bytes: &[u8]| [&[byte], bytes].concat();
    let rests: Vec<Vec<u8>> = (0..)
        .zip(&raws)
        .map(|(how, raw)| named(how, &chunk::split(raw).unwrap().1.rest))
        .collect();
    keep(&root, "change", &slices(&raws));
    keep(&root, "gate", &slices(&rests));

    let area = AreaCode::parse("511724103202").unwrap();
    let end = packing::encode(&End {
        cursor,
        digests: vec![(Audience::Area(area), Digest::default())],
        watermarks: vec![],
        inbox: 1,
        above: None,
    });
    let receipt = Receipt {
        relay: cursor.relay,
        incarnation: cursor.incarnation,
        batch: batch.hash(),
        at_ms: 5,
        items: vec![ItemState::At(1), ItemState::Waiting],
        signature: Signature([4; 64]),
    };
    let messages = [
        named(0, &device.ask(1, false).bytes()),
        named(2, &packing::encode(&Verdict::Receipt(receipt.clone()))),
        named(3, &end),
        named(4, &page),
        named(5, &packing::encode(&receipt)),
        named(9, &packing::encode(&shape())),
        named(10, &packing::encode(&batch.head)),
        named(
            15,
            &[stream::frame(1, b"ab"), stream::frame(2, b"")].concat(),
        ),
    ];
    keep(&root, "message", &slices(&messages));

    let table = "户号,户主姓名,与户主关系,姓名,身份证号,电话,门牌\n1,张建国,户主,张建国,,13800000000,3-12\n";
    let book = std::fs::read(root.join("../roster-b.xlsx")).unwrap();
    keep(
        &root,
        "roster",
        &[&named(0, table.as_bytes()), &named(1, &book)],
    );
}

fn slices(all: &[Vec<u8>]) -> Vec<&[u8]> {
    all.iter().map(Vec::as_slice).collect()
}

fn keep<B: AsRef<[u8]>>(root: &Path, target: &str, all: &[B]) {
    let folder: PathBuf = root.join(target);
    std::fs::create_dir_all(&folder).unwrap();
    for (number, bytes) in all.iter().enumerate() {
        let path = folder.join(format!("good-{number}"));
        std::fs::write(path, bytes.as_ref()).unwrap();
    }
    println!("{target}: {}", all.len());
}

/// A receiver that is known to hold nothing.
struct NothingHeld;

impl frame::Elide for NothingHeld {
    fn dependency(&self, _: &DocId, _: &wangge_wire::ChangeHash) -> frame::Dependency {
        frame::Dependency::Full
    }
}
