//! The bytes of every message, as `docs/protocol.md` says them and another client would write them.
//!
//! The values are made of counted bytes and the keys of secrets 03…03 (device) and 04…04 (relay), so
//! that whoever reads the protocol can make the same ones. **A line of `fixtures/bytes-0.txt` changes
//! only with a decision in `docs/decisions`**; `UPDATE=1` writes the file anew.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "bytes/lost.rs"]
mod lost;
#[path = "bytes/small.rs"]
mod small;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use wangge_crdt::{Document, Put};
use wangge_sync::riblt;
use wangge_testkit::device::{Device, shape};
use wangge_trust::KeyPair;
use wangge_trust::request::{Signed, sign};
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, OrderBytes, RelayCard};
use wangge_wire::frame::{self, Dependency, Elide, Surroundings};
use wangge_wire::inbox::{InboxAnswer, InboxAsk, InboxRow, InboxWish, SettledRow};
use wangge_wire::message::{PageEntry, Refusal, Standing};
use wangge_wire::order::{LevelForm, NumberRange};
use wangge_wire::pack::{
    Beside, FrameInfo, FramesAsk, PackInfo, PackOrder, PackedDoc, PackedPlace,
};
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::repair::{RepairAsk, Subject, SymbolsAnswer, Wish, fingerprint};
use wangge_wire::rise::{RiseAnswer, RiseAsk};
use wangge_wire::{
    AreaCode, Ask, Audience, Batch, BlobAsk, BlobHash, BlobState, ChangeHash, Cover, CoversRead,
    Cursor, Day, Decision, Digest, DocId, End, FrameHash, Grant, HoldReason, Incarnation, Item,
    ItemName, Manifest, OrderAsk, OrderBody, PackFrame, PackKey, Page, PageBatch, PersonId, Place,
    Receipt, RelayAbove, RelayBelow, Role, Ruling, Settlement, Unit, Verdict, columns, group,
    packing, stream,
};

const DOC: DocId = DocId([0xd0; 16]);
const GRID: &str = "511724103202001";

type Lines = BTreeMap<&'static str, Vec<u8>>;

#[test]
fn every_message_has_the_bytes_it_had() {
    let mut lines = Lines::new();
    let batch = batches(&mut lines);
    answers(&mut lines, &batch);
    orders(&mut lines);
    packs(&mut lines);
    settlements(&mut lines);
    requests(&mut lines);
    small::lines(&mut lines);
    lost::lines(&mut lines);
    let mut text = String::new();
    for (name, bytes) in &lines {
        write!(text, "{name} ").unwrap();
        bytes
            .iter()
            .for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bytes-0.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    for (kept, made) in kept.lines().zip(text.lines()) {
        assert_eq!(kept, made);
    }
    assert_eq!(kept.lines().count(), text.lines().count());
}

fn batches(lines: &mut Lines) -> Batch {
    let mut device = Device::new(3);
    device.begin(DOC, GRID);
    device.write(DOC, "note", "一切正常");
    device.write(DOC, "note", "下周再来");
    let batch = device.batch();
    let first = batch
        .items
        .iter()
        .find_map(|item| match item {
            Item::Change { change, .. } => Some(change.clone()),
            _ => None,
        })
        .unwrap();
    let names: Vec<ItemName> = batch.items.iter().map(Item::name).collect();
    let (place, shape) = (place(), shape());
    lines.insert("change", first.raw.clone());
    lines.insert("change-hash", first.hash.0.to_vec());
    lines.insert("digest", packing::encode(&Digest::of(&DOC, &first.hash)));
    lines.insert("place", place.bytes());
    lines.insert("place-hash", place.hash().0.to_vec());
    lines.insert("shape", packing::encode(&shape));
    lines.insert("batch-head", packing::encode(&batch.head));
    lines.insert("item-names", packing::encode(&names));
    lines.insert("batch-hash", batch.hash().0.to_vec());
    lines.insert("batch-signature", batch.signature.0.to_vec());
    lines.insert("frame-full", frame::encode_full(&batch).unwrap());
    let around = Surroundings {
        device: Some(device.id()),
        previous: Some(batch.head.previous),
    };
    lines.insert(
        "frame-short",
        frame::encode(&batch, &around, &AllHeld).unwrap(),
    );
    lines.insert("frame-in-a-stream", stream::frame(1, b"ab"));
    let group = group::joined(&[b"ab".to_vec(), b"c".to_vec()]);
    lines.insert("group-inflated", group.unwrap());
    batch
}

fn settlements(lines: &mut Lines) {
    let settlement = Settlement {
        doc: DOC,
        item: ChangeHash([0x50; 32]),
        author: Device::new(3).id(),
        decision: Decision::Accept,
        to: Some(AreaCode::parse(GRID).unwrap()),
        reason: "核实过".into(),
        over: vec![ChangeHash([0x60; 32])],
        at_ms: 1_764_000_000_000,
        by: Some(Device::new(4).id()),
    };
    let row = InboxRow {
        row: 7,
        entry: 1,
        doc: DOC,
        hash: settlement.item,
        author: settlement.author,
        author_name: "李梅".into(),
        received_ms: 1_764_000_000_000,
        reason: Some(Reason::Settled),
        hold: Some(HoldReason::Poison),
        kind: shape().kind,
        owner: Some(DOC),
        home: Some(AreaCode::parse(GRID).unwrap()),
        claimed: AreaCode::parse(GRID).unwrap(),
        position: Some(9),
        settled: Some(SettledRow {
            settlement: settlement.bytes(),
            by: settlement.author,
            by_name: "陈站长".into(),
            received_ms: 1_764_000_000_001,
        }),
        body: Some(vec![1, 2, 3]),
    };
    let answer = InboxAnswer {
        rows: vec![row],
        next: Some(8),
    };
    let (doc, change) = (DOC, settlement.item);
    let ask = |wish| packing::encode(&InboxAsk { version: 0, wish });
    let first_form = Settlement {
        by: None,
        ..settlement.clone()
    };
    lines.insert("settlement-first-form", first_form.bytes());
    lines.insert("settlement-first-form-hash", first_form.hash().0.to_vec());
    lines.insert("inbox-answer", packing::encode(&answer));
    lines.insert("inbox-ask-open", ask(InboxWish::Open { after: 7 }));
    lines.insert("inbox-ask-settled", ask(InboxWish::Settled { after: 7 }));
    lines.insert("inbox-ask-document", ask(InboxWish::Document(DOC)));
    lines.insert("inbox-ask-retry", ask(InboxWish::Retry { doc, change }));
    lines.insert("settlement", settlement.bytes());
    lines.insert("settlement-hash", settlement.hash().0.to_vec());
}

fn answers(lines: &mut Lines, batch: &Batch) {
    let cursor = cursor();
    let mut receipt = Receipt {
        relay: cursor.relay,
        incarnation: cursor.incarnation,
        batch: batch.hash(),
        at_ms: 1_764_000_000_000,
        items: vec![
            ItemState::At(7),
            ItemState::Waiting,
            ItemState::Inbox(Reason::OutOfScope),
            ItemState::Refused(Reason::Malformed),
        ],
        signature: wangge_wire::Signature([0; 64]),
    };
    relay_key().sign_receipt(&mut receipt);
    let standing = Standing {
        version: 0,
        relay: cursor.relay,
        incarnation: cursor.incarnation,
        at_ms: 1_764_000_000_000,
        last_batch: Some((1, batch.hash())),
        stale_cursor: false,
    };
    let refused = Verdict::Refused {
        index: 2,
        reason: Refusal::Signature,
    };
    let page = Page {
        entries: vec![
            PageEntry::Batch(PageBatch {
                frame: frame::encode_full(batch).unwrap(),
                positions: vec![5, 6, 7],
                first_received_ms: 1,
                received_ms: 2,
            }),
            PageEntry::Single {
                kind: 6,
                position: 8,
                bytes: vec![0x80],
            },
        ],
        cursor,
    };
    let end = End {
        cursor,
        digests: vec![
            (
                Audience::Area(area("511724103")),
                Digest::from_parts(2, [3; 16]),
            ),
            (Audience::Unit(DOC), Digest::default()),
            (Audience::Person(PersonId([0xee; 16])), Digest::default()),
        ],
        watermarks: vec![(LevelForm::County, 4)],
        inbox: 1,
        above: None,
        decisions: None,
        waiting: None,
        undecided: None,
        lost: None,
        lease: None,
        lease_key: None,
        audit: None,
    };
    lines.insert("receipt", packing::encode(&receipt));
    lines.insert("standing", packing::encode(&standing));
    lines.insert(
        "verdict-receipt",
        packing::encode(&Verdict::Receipt(receipt)),
    );
    lines.insert(
        "verdict-need-full",
        packing::encode(&Verdict::NeedFull { index: 1 }),
    );
    lines.insert("verdict-refused", packing::encode(&refused));
    lines.insert("page", packing::encode(&page));
    lines.insert("end", packing::encode(&end));
    let named = End {
        above: Some(vec![(DocId([5; 16]), ChangeHash([6; 32]))]),
        ..end.clone()
    };
    lines.insert("end-named-above", packing::encode(&named));
    let decided = End {
        decisions: Some(Digest::from_parts(1, [4; 16])),
        ..end.clone()
    };
    let lost = End {
        lost: Some(vec![(DocId([5; 16]), BlobHash([7; 32]))]),
        ..end.clone()
    };
    lines.insert("end-lost", packing::encode(&lost));
    let waiting = End {
        waiting: Some(3),
        undecided: Some(4),
        ..end
    };
    lines.insert("end-waiting", packing::encode(&waiting));
    lines.insert("end-decisions", packing::encode(&decided));
}

fn orders(lines: &mut Lines) {
    let key = relay_key();
    let root = OrderBody::Root {
        key: key.public(),
        name: "杨家镇".into(),
        level: LevelForm::Township,
    };
    let first = key.sign_order(root, ChangeHash([0; 32]), 1);
    let grant = OrderBody::Grant(Grant {
        device_key: Device::new(3).key.public(),
        person: PersonId([0xee; 16]),
        name: "李梅".into(),
        role: Role::Worker,
        areas: vec![area(GRID)],
        device_number: 1,
        unit: None,
        n: None,
    });
    let revoke = OrderBody::Revoke {
        device: Device::new(3).id(),
        last_good_batch: 9,
        lives: None,
    };
    let cover = OrderBody::Cover(Cover {
        id: wangge_wire::CoverId([0xc0; 8]),
        n: 0,
        absent: PersonId([0xee; 16]),
        substitute: Some(PersonId([0xef; 16])),
        areas: vec![area(GRID)],
        from: Day(20_000),
        until: Day(20_006),
        note: "产假".into(),
    });
    let unit = OrderBody::Unit(Unit {
        id: DOC,
        n: 0,
        name: "水务站".into(),
        area: area("511724103"),
        phone: "0818".into(),
        closed: false,
    });
    let ask = OrderAsk {
        version: 0,
        body: unit.clone(),
    };
    lines.insert("order-root-whole", first.bytes());
    lines.insert("order-root-hash", first.hash().0.to_vec());
    lines.insert("order-grant", packing::encode(&grant));
    lines.insert("order-revoke", packing::encode(&revoke));
    lines.insert("order-cover", packing::encode(&cover));
    lines.insert("order-unit", packing::encode(&unit));
    lines.insert("order-ask", packing::encode(&ask));
    let below = |numbers| {
        OrderBody::Below(RelayBelow {
            key: relay_key().public(),
            name: "民主村".into(),
            level: LevelForm::Village,
            areas: vec![area("511724103202")],
            numbers,
        })
    };
    let range = NumberRange {
        first: 30,
        last: 39,
    };
    let above = OrderBody::Above(RelayAbove {
        key: relay_key().public(),
        name: "杨家镇".into(),
        level: LevelForm::Township,
        url: "http://127.0.0.1:8720".into(),
    });
    let rise = RiseAsk {
        version: 0,
        orders: vec![OrderBytes(vec![0x80])],
    };
    let risen = RiseAnswer {
        positions: vec![0, 7],
    };
    lines.insert("order-relay-below", packing::encode(&below(None)));
    let numbered = below(Some(vec![range]));
    lines.insert("order-relay-below-numbers", packing::encode(&numbered));
    lines.insert("order-relay-above", packing::encode(&above));
    lines.insert("rise-ask", packing::encode(&rise));
    lines.insert("rise-answer", packing::encode(&risen));
}

fn packs(lines: &mut Lines) {
    let mut hold = Ruling {
        doc: DOC,
        change: ChangeHash([5; 32]),
        reason: Some(HoldReason::TooHeavy),
        relay: cursor().relay,
        at_ms: 1_764_000_000_000,
        n: 0,
        signature: wangge_wire::Signature([0; 64]),
    };
    relay_key().sign_ruling(&mut hold);
    let packed = PackedDoc {
        doc: DOC,
        kind: shape().kind,
        schema: 0,
        owner: None,
        place: Some(PackedPlace {
            position: 1,
            bytes: place().bytes(),
        }),
        position: 3,
        saved: vec![0x85, 0x6f],
        beside: vec![Beside {
            kind: 3,
            position: 3,
            bytes: hold.bytes(),
        }],
    };
    let frame = PackFrame {
        documents: vec![packed.clone()],
        writers: vec![(Device::new(3).actor(), Device::new(3).id())],
    };
    let pack = |key| PackInfo {
        key,
        position: 3,
        digest: Digest::from_parts(2, [3; 16]),
        documents: 1,
        frames: vec![FrameInfo {
            hash: FrameHash::of(b"frame"),
            bytes: 5,
            documents: 1,
        }],
    };
    let mut manifest = Manifest {
        version: 0,
        relay: cursor().relay,
        incarnation: cursor().incarnation,
        at_ms: 1_764_000_000_000,
        cursor: cursor(),
        packs: vec![
            pack(PackKey::Home(area(GRID))),
            pack(PackKey::Named(Audience::Unit(DOC))),
        ],
        orders: vec![PackOrder {
            position: 2,
            order: OrderBytes(vec![0x80]),
        }],
        signature: wangge_wire::Signature([0; 64]),
    };
    relay_key().sign_manifest(&mut manifest);
    lines.insert("hold", hold.bytes());
    lines.insert("hold-hash", hold.hash().0.to_vec());
    let mut document = Document::begin(&shape(), &DOC).unwrap();
    let put = [Put::root("door", "2组6号"), Put::root("phone", "0")];
    document.write(&Device::new(3).actor(), 7, &put).unwrap();
    let cut = PackFrame {
        documents: vec![PackedDoc {
            saved: document.save(),
            beside: Vec::new(),
            ..packed
        }],
        writers: Vec::new(),
    };
    lines.insert("pack-frame-inflated", columns::encode(&frame));
    lines.insert("pack-frame-cut-apart", columns::encode(&cut));
    lines.insert("manifest", packing::encode(&manifest));
    let ask = FramesAsk {
        version: 0,
        frames: vec![FrameHash([0xf1; 32]), FrameHash([0xf2; 32])],
        from: 4_096,
    };
    lines.insert("frames-ask", packing::encode(&ask));
    let regranted = Cursor {
        granted: Some(41),
        ..cursor()
    };
    lines.insert("cursor-granted", packing::encode(&regranted));
}

fn requests(lines: &mut Lines) {
    let device = Device::new(3);
    let ask = Ask {
        cursor: Some(cursor()),
        ..device.ask(1, true)
    };
    let rising = Ask {
        cursor: None,
        catch_up: Some(true),
        given_back: None,
        origins: Some(vec![1_764_000_000_000]),
        witnessed: None,
        ..ask.clone()
    };
    lines.insert("ask-of-a-relay", rising.bytes());
    let giving_back = Ask {
        given_back: Some(true),
        ..ask.clone()
    };
    lines.insert("ask-giving-back", giving_back.bytes());
    let witness = Ask {
        witnessed: Some(9),
        ..ask.clone()
    };
    lines.insert("ask-of-a-witness", witness.bytes());
    let headers = sign(
        &device.key,
        &Signed {
            relay: relay_key().public().relay(),
            method: "POST",
            authority: "127.0.0.1:8720",
            path: "/v1/sync",
            query: "?",
            head: &ask.bytes(),
        },
        1_764_000_000,
        &[0xa0; 8],
    );
    let card = RelayCard {
        version: 0,
        key: relay_key().public(),
        incarnation: cursor().incarnation,
        name: "杨家镇".into(),
        level: LevelForm::Township,
        at_ms: 1_764_000_000_000,
    };
    let enroll = EnrollAsk {
        invitation: "ABC".into(),
        device_key: device.key.public(),
        nonce: [1; 16],
        proof: [2; 32],
    };
    let answer = EnrollAnswer {
        proof: [2; 32],
        orders: vec![OrderBytes(vec![0x80])],
        id_key: [3; 32],
    };
    let repair = |wish| RepairAsk {
        version: 0,
        about: Subject::Changes(Audience::Area(area(GRID))),
        key: 7,
        wish,
    };
    let symbols = riblt::symbols([11, 12, 13], 4);
    let answer_symbols = SymbolsAnswer {
        symbols: riblt::to_bytes(&symbols),
        changes: 3,
    };
    lines.insert(
        "repair-symbols-ask",
        packing::encode(&repair(Wish::Symbols {
            from: 200,
            until: 256,
        })),
    );
    lines.insert(
        "repair-entries-ask",
        packing::encode(&repair(Wish::Entries(vec![11, 12]))),
    );
    let decisions = RepairAsk {
        about: Subject::Decisions,
        ..repair(Wish::Entries(vec![13]))
    };
    lines.insert("repair-decisions-ask", packing::encode(&decisions));
    lines.insert("repair-symbols", packing::encode(&answer_symbols));
    let print = fingerprint(7, &DOC, &ChangeHash([5; 32]));
    lines.insert("repair-fingerprint", print.to_le_bytes().to_vec());
    lines.insert("ask", ask.bytes());
    lines.insert("wangge-head", headers.head.into_bytes());
    lines.insert("signature-input", headers.signature_input.into_bytes());
    lines.insert("signature", headers.signature.into_bytes());
    lines.insert("card", packing::encode(&card));
    lines.insert("enroll-ask", packing::encode(&enroll));
    lines.insert("enroll-answer", packing::encode(&answer));
    let blob = BlobAsk {
        version: 0,
        doc: DOC,
        bytes: 300_000,
        offset: 131_072,
        piece: BlobHash::of(b"abc"),
    };
    let state = BlobState {
        durable: 131_075,
        whole: false,
    };
    lines.insert("blob-ask", blob.encoded());
    lines.insert("blob-state", packing::encode(&state));
}

fn cursor() -> Cursor {
    Cursor {
        relay: relay_key().public().relay(),
        incarnation: Incarnation([0x1c; 16]),
        position: 300,
        chain: 0x0102_0304_0506_0708,
        covers: Some(CoversRead {
            day: Day(20_000),
            orders: 2,
        }),
        granted: None,
    }
}

fn place() -> Place {
    Place {
        doc: DOC,
        home: area(GRID),
        audiences: vec![Audience::Area(area("511724")), Audience::Unit(DOC)],
        n: 1,
    }
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

fn relay_key() -> KeyPair {
    KeyPair::from_secret(&[4; 32])
}

/// A relay that holds everything and knows no genesis.
struct AllHeld;

impl Elide for AllHeld {
    fn dependency(&self, _: &DocId, _: &ChangeHash) -> Dependency {
        Dependency::Held
    }
}
