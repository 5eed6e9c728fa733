//! The inbox across the levels: what a village holds back, what township and county decide of it, and
//! poison that blocks nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use wangge_agent::AgentError;
use wangge_agent::inbox::{InboxRefusal, Settle};
use wangge_crdt::Document;
use wangge_model::kind;
use wangge_relay::{Code, LevelForm, Packs, Relay, Settings};
use wangge_testkit::device::{Device, Doc};
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::town::Town;
use wangge_testkit::tree::{AREAS, Tree};
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{Batch, ChangeHash, Decision, DeviceId, DocId, Role};

const TOWNSHIP: &str = "511724103";
const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";

/// A station's and a worker's device, at a relay of the tree.
fn device(district: &District, seed: u8, role: Role, areas: &[&str]) -> Device {
    let mut device = Device::new(seed);
    let code = district.invite(&format!("人{seed}"), role, areas);
    device.enroll(district.address(), &Code::parse(&code).unwrap());
    device
}

fn now_ms() -> i64 {
    Settings::new("", LevelForm::County).clock.now_ms()
}

fn push(district: &District, device: &mut Device, batch: &Batch) -> Vec<ItemState> {
    let batch = std::slice::from_ref(batch);
    device.sync(district.address(), now_ms(), batch).items()
}

/// A worker of the village writes where they may not, and it has gone up; returns the item.
fn parked(tree: &Tree, li: &mut Device, n: u8) -> (DocId, ChangeHash, DeviceId) {
    let mut wang = device(&tree.village, 100 + n, Role::Worker, &[GRID_2]);
    let doc = DocId([n; 16]);
    wang.begin(doc, GRID_2);
    wang.write(doc, "door", "1");
    let batch = wang.batch();
    push(&tree.village, &mut wang, &batch);
    li.begin_owned(doc, None);
    let item = li.write(doc, "phone", "2");
    let batch = li.batch();
    let state = push(&tree.village, li, &batch);
    assert!(matches!(state[0], ItemState::Inbox(_)));
    tree.settle();
    for relay in relays(tree) {
        assert_eq!(relay.inbox().unwrap().len(), 1, "it lies at every level");
    }
    (doc, item, li.id())
}

fn relays(tree: &Tree) -> [Relay; 3] {
    [
        tree.village.relay(),
        tree.township.relay(),
        tree.county.relay(),
    ]
}

fn numbered(tree: &Tree, item: &(DocId, ChangeHash, DeviceId)) -> [bool; 3] {
    relays(tree).map(|relay| relay.entry_times(&item.1).unwrap().is_some())
}

#[test]
fn what_lay_in_an_inbox_keeps_the_time_at_which_the_first_relay_received_it() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();
    let item = parked(&tree, &mut li, 11);
    let accept = county.settle(item, Decision::Accept, &[]);
    push(&tree.county, &mut county, &accept);
    tree.settle();
    let first = |relay: Relay| relay.entry_times(&item.1).unwrap().unwrap().0;
    let [village, township, above] = relays(&tree).map(first);
    assert_eq!([township, above], [village; 2]);
}

#[test]
fn two_desks_that_decide_alike_sign_two_decisions_and_nobody_signs_anothers() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut station = device(&tree.village, 2, Role::Station, &[AREAS[2]]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();
    let item = parked(&tree, &mut li, 11);
    let desks = [&mut station, &mut county];
    let [one, other] = desks.map(|desk| desk.settle(item, Decision::Discard, &[]).items[0].name());
    assert_ne!(one.hash, other.hash);

    let mut copier = device(&tree.village, 4, Role::Station, &[AREAS[2]]);
    let copied = county.settle(item, Decision::Discard, &[]).items.remove(0);
    copier.push_item(copied);
    let batch = copier.batch();
    let state = push(&tree.village, &mut copier, &batch);
    assert_eq!(state, [ItemState::Refused(Reason::ForgedActor)]);
}

#[test]
fn a_decision_at_any_level_reaches_the_others() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut station = device(&tree.village, 2, Role::Station, &[AREAS[2]]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();

    let accepted_below = parked(&tree, &mut li, 11);
    let accept = station.settle(accepted_below, Decision::Accept, &[]);
    push(&tree.village, &mut station, &accept);
    tree.settle();
    assert_eq!(numbered(&tree, &accepted_below), [true; 3]);

    let accepted_above = parked(&tree, &mut li, 12);
    let accept = county.settle(accepted_above, Decision::Accept, &[]);
    push(&tree.county, &mut county, &accept);
    tree.settle();
    assert_eq!(numbered(&tree, &accepted_above), [true; 3]);

    let discarded_below = parked(&tree, &mut li, 13);
    let discard = station.settle(discarded_below, Decision::Discard, &[]);
    push(&tree.village, &mut station, &discard);
    tree.settle();
    let discarded_above = parked(&tree, &mut li, 14);
    let discard = county.settle(discarded_above, Decision::Discard, &[]);
    push(&tree.county, &mut county, &discard);
    tree.settle();
    for relay in relays(&tree) {
        assert!(relay.inbox().unwrap().is_empty());
        assert_eq!(relay.settled().unwrap().len(), 4, "the audit is everywhere");
    }
    for item in [discarded_below, discarded_above] {
        assert_eq!(numbered(&tree, &item), [false; 3]);
    }
}

#[test]
fn two_levels_that_decide_differently_at_once_end_the_same() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut station = device(&tree.village, 2, Role::Station, &[AREAS[2]]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();
    for (n, below) in [(11, Decision::Accept), (12, Decision::Discard)] {
        let above = match below {
            Decision::Accept => Decision::Discard,
            Decision::Discard => Decision::Accept,
        };
        let item = parked(&tree, &mut li, n);
        let one = station.settle(item, below, &[]);
        let other = county.settle(item, above, &[]);
        push(&tree.village, &mut station, &one);
        push(&tree.county, &mut county, &other);
        tree.settle();
        tree.settle();
        assert_eq!(
            numbered(&tree, &item),
            [true; 3],
            "a number is never taken back"
        );
        for relay in relays(&tree) {
            assert!(relay.inbox().unwrap().is_empty());
        }
    }
}

#[test]
fn poison_among_fifty_good_records_blocks_none_of_them_and_is_told_to_the_desk() {
    let town = Town::new();
    let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
    let mut li = Device::new(1);
    let code = town.district.invite("李梅", Role::Worker, &[GRID_1]);
    li.enroll(town.district.address(), &Code::parse(&code).unwrap());
    let shape = kind::shape(kind::HOUSEHOLD).unwrap();
    let mut batches = Vec::new();
    for n in 1..=50 {
        let doc = DocId([n; 16]);
        li.begin(doc, GRID_1);
        let document = Document::begin(&shape, &doc).unwrap();
        li.docs.insert(
            doc,
            Doc {
                document,
                owner: None,
            },
        );
        // A record made of nothing else, and a change of a record that is good before and after.
        if n == 20 {
            li.write(doc, "members", "x");
        } else {
            li.write(doc, "note", &format!("记{n}"));
        }
        if n == 30 {
            li.write(doc, "members", "x");
        }
        let mut batch = li.batch();
        batch.shapes = vec![shape.clone()];
        batches.push(batch);
    }
    let frames = Device::full(&batches);
    let now = wangge_testkit::town::MORNING_MS;
    let answer = li.exchange(town.district.address(), now, batches.len(), &frames, false);
    let receipts = answer.receipts();
    let items: Vec<&ItemState> = receipts.iter().flat_map(|it| &it.items).collect();
    assert_eq!(items.len(), 101);
    let numbered = |item: &&ItemState| matches!(item, ItemState::At(_));
    assert!(items.iter().all(numbered), "all are receipted");

    let report = sync(&mut desk).unwrap();
    assert_eq!(report.held, 2);
    for n in (1..=50).filter(|n| *n != 20) {
        let document = desk.store().document(&DocId([n; 16])).unwrap().unwrap();
        assert_eq!(document.fields().root_text("note"), format!("记{n}"));
    }
    town.district.relay().make_packs(&Packs::default()).unwrap();
    let held = wait(desk.inbox(false)).unwrap();
    assert_eq!(held.len(), 2);
    assert!(
        held.iter()
            .all(|item| item.state == "held" && item.held == "hides_container")
    );
    let shown = wait(desk.inbox_show(&held[0].id)).unwrap();
    assert_eq!(shown.unread, "hides_container");
    let refused = wait(desk.inbox_settle(&held[0].id, &Settle::Accept, false));
    assert!(matches!(
        refused,
        Err(AgentError::Inbox(InboxRefusal::Held))
    ));
    wait(desk.inbox_retry(&held[0].id)).unwrap();
    town.district.relay().make_packs(&Packs::default()).unwrap();
    assert_eq!(
        wait(desk.inbox(false)).unwrap().len(),
        2,
        "what fails again is held again"
    );
}
