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
use wangge_trust::KeyPair;
use wangge_wire::enroll::OrderBytes;
use wangge_wire::frame::{self, Surroundings};
use wangge_wire::message::PageEntry;
use wangge_wire::order::LevelForm;
use wangge_wire::pack::{FrameInfo, FramesAsk, PackInfo, PackKey, PackedDoc};
use wangge_wire::receipt::ItemState;
use wangge_wire::repair::EntriesAnswer;
use wangge_wire::rise::{RiseAnswer, RiseAsk};
use wangge_wire::{
    ActorId, AreaCode, Audience, ChangeHash, Cursor, DeviceId, Digest, DocId, DocKind, End,
    FrameHash, Grant, Incarnation, Item, Manifest, OrderBody, PackFrame, Page, PageBatch, PersonId,
    Receipt, RelayBelow, RelayId, Role, Signature, Verdict, chunk, columns, packing, stream,
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
    let repaired = packing::encode(&EntriesAnswer {
        entries: vec![entry.clone()],
    });
    let page = packing::encode(&Page {
        entries: vec![entry],
        cursor,
    });
    keep(&root, "page", &[&page, &repaired]);

    keep(&root, "pack", &packs());
    keep(&root, "rise", &rises());

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
        decisions: None,
        waiting: None,
        undecided: None,
        lost: None,
        lease: None,
        lease_key: None,
        audit: None,
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

/// A manifest, frames of a pack and a question for frames, with as much in them as fits a few lines.
fn packs() -> [Vec<u8>; 4] {
    let doc = DocId([7; 16]);
    let frame = PackFrame {
        documents: vec![PackedDoc {
            doc,
            kind: DocKind(1),
            schema: 0,
            owner: None,
            place: None,
            position: 2,
            saved: b"saved".to_vec(),
            beside: Vec::new(),
        }],
        writers: vec![(ActorId([1; 8]), DeviceId([2; 16]))],
    };
    let frame = columns::encode(&frame);
    let packed = packing::Packer::new().unwrap().pack(&frame).unwrap();
    let manifest = Manifest {
        version: 0,
        relay: RelayId([1; 16]),
        incarnation: Incarnation([2; 16]),
        at_ms: 5,
        cursor: Cursor {
            relay: RelayId([1; 16]),
            incarnation: Incarnation([2; 16]),
            position: 2,
            chain: 9,
            covers: None,
            granted: None,
        },
        packs: vec![PackInfo {
            key: PackKey::Home(AreaCode::parse("511724103202001").unwrap()),
            position: 2,
            digest: Digest::default(),
            documents: 1,
            frames: vec![FrameInfo {
                hash: FrameHash::of(&packed),
                bytes: packed.len() as u64,
                documents: 1,
            }],
        }],
        orders: Vec::new(),
        signature: Signature([4; 64]),
    };
    let ask = FramesAsk {
        version: 0,
        frames: vec![FrameHash::of(&packed)],
        from: 5,
    };
    let named = |byte: u8, bytes: &[u8]| [&[byte], bytes].concat();
    [
        named(0, &packing::encode(&manifest)),
        named(1, &packed),
        named(2, &frame),
        named(0, &packing::encode(&ask)),
    ]
}

/// Orders that go up, and the answer to them.
fn rises() -> [Vec<u8>; 2] {
    let key = wangge_testkit::hostile::root_key();
    let li = KeyPair::from_secret(&[1; 32]);
    let grant = OrderBody::Grant(Grant {
        device_key: li.public(),
        person: PersonId([3; 16]),
        name: "李梅".into(),
        role: Role::Worker,
        areas: vec![AreaCode::parse("511724103202001").unwrap()],
        device_number: 1,
        unit: None,
        n: None,
    });
    let below = OrderBody::Below(RelayBelow {
        key: KeyPair::from_secret(&[2; 32]).public(),
        name: "民主村".into(),
        level: LevelForm::Village,
        areas: vec![AreaCode::parse("511724103202").unwrap()],
        numbers: None,
    });
    let orders = [grant, below].map(|body| {
        let order = key.sign_order(body, ChangeHash([0; 32]), 2);
        OrderBytes(order.bytes())
    });
    let ask = RiseAsk {
        version: 0,
        orders: orders.to_vec(),
    };
    let answer = RiseAnswer {
        positions: vec![4, 0],
    };
    let named = |byte: u8, bytes: &[u8]| [&[byte], bytes].concat();
    [
        named(0, &packing::encode(&answer)),
        named(1, &packing::encode(&ask)),
    ]
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
