//! The inbox: who is told of it, who decides, what a decision does, and what it never does.

use wangge_relay::{HoldReason, Packs, Role};
use wangge_testkit::device::{Answer, Device};
use wangge_wire::frame::{self, Surroundings};
use wangge_wire::inbox::InboxWish;
use wangge_wire::limits::INBOX_ROWS_MAX;
use wangge_wire::message::PageEntry;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{
    Batch, ChangeHash, Decision, DeviceId, DocId, EntryKind, Item, ItemName, Settlement,
};

use crate::packs::poisoned;
use crate::town::{ELSEWHERE, GRID_1, GRID_2, TOWNSHIP, Town, doc};

const VILLAGE: &str = "511724103202";
const OTHER_TOWNSHIP: &str = "511724104";
const COUNTY: &str = "511724";

/// Li writes to a household of another grid; returns the item and the batch it came in.
fn parked(
    town: &Town,
    li: &mut Device,
    zhao: &mut Device,
    n: u8,
) -> ((DocId, ChangeHash, DeviceId), Batch) {
    zhao.begin(doc(n), GRID_2);
    zhao.write(doc(n), "door", "2");
    let batch = zhao.batch();
    zhao.sync(town.relay, town.now_ms(), &[batch]);
    li.begin_owned(doc(n), None);
    let item = li.write(doc(n), "phone", "3");
    let batch = li.batch();
    let answer = li.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
    assert_eq!(answer.items(), [ItemState::Inbox(Reason::OutOfScope)]);
    ((doc(n), item, li.id()), batch)
}

fn items(town: &Town, device: &mut Device, batch: &Batch) -> Vec<ItemState> {
    let batch = std::slice::from_ref(batch);
    device.sync(town.relay, town.now_ms(), batch).items()
}

/// Returns the decisions that an answer brought.
fn decisions(device: &Device, answer: &Answer) -> Vec<Settlement> {
    let entries = answer.pages.iter().flat_map(|(page, _)| &page.entries);
    let frames = entries.filter_map(|entry| match entry {
        PageEntry::Batch(batch) => Some(&batch.frame),
        PageEntry::Single { .. } => None,
    });
    let read = |frame: &Vec<u8>| frame::decode(frame, &Surroundings::default(), device).unwrap();
    let items = frames.flat_map(|frame| read(frame).batch.items);
    items
        .filter_map(|item| match item {
            Item::Unknown { name, bytes } if name.entry == EntryKind::SETTLEMENT.0 => {
                Settlement::read(&bytes).ok()
            }
            _ => None,
        })
        .collect()
}

#[test]
fn what_a_desk_accepts_takes_its_place_and_its_author_is_told() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let (item, batch) = parked(&town, &mut li, &mut zhao, 2);
    let rows = zhao.open_inbox(town.relay, town.now_ms());
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].doc, rows[0].hash, rows[0].author),
        (item.0, item.1, li.id())
    );
    assert_eq!(rows[0].reason, Some(Reason::OutOfScope));
    assert_eq!(rows[0].author_name, "李梅");
    assert_eq!(rows[0].home.as_ref().unwrap().as_str(), GRID_2);

    let accept = zhao.settle(item, Decision::Accept, &[]);
    assert!(matches!(
        items(&town, &mut zhao, &accept)[0],
        ItemState::At(_)
    ));
    assert!(zhao.open_inbox(town.relay, town.now_ms()).is_empty());
    zhao.sync(town.relay, town.now_ms(), &[]);
    let read = zhao.docs[&doc(2)].document.fields();
    assert_eq!(read.root_text("phone"), "3");

    let answer = li.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
    assert!(matches!(answer.items()[0], ItemState::At(_)));
    assert_eq!(decisions(&li, &answer).len(), 1, "the author is told");
    let again = zhao.settle(item, Decision::Discard, &[]);
    let told = [ItemState::Refused(Reason::Settled)];
    assert_eq!(items(&town, &mut zhao, &again), told);
    assert!(matches!(items(&town, &mut li, &batch)[0], ItemState::At(_)));
    let settled = zhao.ask_inbox(town.relay, town.now_ms(), InboxWish::Settled { after: 0 });
    assert_eq!(settled.rows.len(), 1, "the decision is kept");
    assert!(settled.rows[0].position.is_some());
    assert_eq!(settled.rows[0].settled.as_ref().unwrap().by, zhao.id());
}

#[test]
fn what_a_desk_discards_is_kept_and_a_later_accept_undoes_it() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let (item, batch) = parked(&town, &mut li, &mut zhao, 2);
    let discard = zhao.settle(item, Decision::Discard, &[]);
    assert!(matches!(
        items(&town, &mut zhao, &discard)[0],
        ItemState::At(_)
    ));
    assert!(zhao.open_inbox(town.relay, town.now_ms()).is_empty());

    for _ in 0..2 {
        let answer = li.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
        assert_eq!(answer.items(), [ItemState::Inbox(Reason::OutOfScope)]);
        assert_eq!(answer.end.unwrap().inbox, 0, "it waits for nobody");
    }
    let wish = InboxWish::Document(doc(2));
    let rows = zhao.ask_inbox(town.relay, town.now_ms(), wish).rows;
    assert!(rows[0].body.is_some(), "it is still here");
    let stands = rows[0].settled.as_ref().unwrap();
    let stands = Settlement::read(&stands.settlement).unwrap();
    assert_eq!(stands.decision, Decision::Discard);

    let accept = zhao.settle(item, Decision::Accept, &[stands.hash()]);
    assert!(matches!(
        items(&town, &mut zhao, &accept)[0],
        ItemState::At(_)
    ));
    assert!(matches!(items(&town, &mut li, &batch)[0], ItemState::At(_)));
}

#[test]
fn a_discarded_item_does_not_come_in_because_its_author_may_write_again() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let (item, batch) = parked(&town, &mut li, &mut zhao, 2);
    let discard = zhao.settle(item, Decision::Discard, &[]);
    items(&town, &mut zhao, &discard);
    zhao.place(doc(2), GRID_1, &[], 1);
    let moved = zhao.batch();
    items(&town, &mut zhao, &moved);
    let kept = [ItemState::Inbox(Reason::OutOfScope)];
    assert_eq!(items(&town, &mut li, &batch), kept);
}

#[test]
fn of_two_desks_that_decide_at_once_the_first_stands_and_the_other_is_told() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let mut chen = town.device(8, Role::Station, &[VILLAGE]);
    let (item, _) = parked(&town, &mut li, &mut zhao, 2);
    let first = chen.settle(item, Decision::Discard, &[]);
    let second = zhao.settle(item, Decision::Accept, &[]);
    assert!(matches!(
        items(&town, &mut chen, &first)[0],
        ItemState::At(_)
    ));
    let told = [ItemState::Refused(Reason::Settled)];
    assert_eq!(items(&town, &mut zhao, &second), told);
    assert!(zhao.open_inbox(town.relay, town.now_ms()).is_empty());
    // Sent again, the first has the same number.
    assert!(matches!(
        items(&town, &mut chen, &first)[0],
        ItemState::At(_)
    ));
}

#[test]
fn every_role_and_scope_has_its_answer() {
    let cases: [(Role, &[&str], bool); 9] = [
        (Role::Worker, &[GRID_1, GRID_2], false),
        (Role::Station, &[VILLAGE], true),
        (Role::Station, &["511724103203"], false),
        (Role::Station, &[GRID_1], false),
        (Role::Township, &[TOWNSHIP], true),
        (Role::Township, &[OTHER_TOWNSHIP], false),
        (Role::County, &[COUNTY], true),
        (Role::Auditor, &[COUNTY], false),
        (Role::Unit, &[TOWNSHIP], false),
    ];
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    for (n, (role, areas, may)) in (20..).zip(cases) {
        let mut who = town.device(n, role, areas);
        let (item, _) = parked(&town, &mut li, &mut zhao, n);
        let rows = who.open_inbox(town.relay, town.now_ms());
        assert_eq!(rows.len(), usize::from(may), "{role:?} {areas:?} is told");
        let wish = InboxWish::Document(doc(n));
        let rows = who.ask_inbox(town.relay, town.now_ms(), wish).rows;
        assert_eq!(rows.len(), usize::from(may), "{role:?} {areas:?} reads");
        let accept = who.settle(item, Decision::Accept, &[]);
        let state = items(&town, &mut who, &accept).remove(0);
        match may {
            true => assert!(matches!(state, ItemState::At(_)), "{role:?} {areas:?}"),
            false => assert_eq!(
                state,
                ItemState::Inbox(Reason::OutOfScope),
                "{role:?} {areas:?}"
            ),
        }
        // Whoever may not has settled nothing, and the decision itself lies where a desk sees it.
        let open = zhao.open_inbox(town.relay, town.now_ms());
        assert_eq!(open.len(), if may { 0 } else { 2 }, "{role:?} {areas:?}");
        for row in open {
            let what = (row.doc, row.hash, row.author);
            let discard = zhao.settle(what, Decision::Discard, &[]);
            items(&town, &mut zhao, &discard);
        }
    }
}

#[test]
fn an_unplaced_change_is_for_the_desks_of_its_author_and_finds_its_place_by_one_of_them() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let mut deng = town.device(7, Role::Township, &[OTHER_TOWNSHIP]);
    let mut zhao = town.desk(9);
    li.begin_owned(doc(3), None);
    let change = li.write(doc(3), "door", "3");
    let batch = li.batch();
    let unplaced = [ItemState::Inbox(Reason::Unplaced)];
    assert_eq!(items(&town, &mut li, &batch), unplaced);
    assert!(deng.open_inbox(town.relay, town.now_ms()).is_empty());
    assert_eq!(zhao.open_inbox(town.relay, town.now_ms()).len(), 1);

    // Accepting says nothing of where it lives.
    let item = (doc(3), change, li.id());
    let accept = zhao.settle(item, Decision::Accept, &[]);
    items(&town, &mut zhao, &accept);
    assert_eq!(items(&town, &mut li, &batch), unplaced);
    zhao.place(doc(3), GRID_2, &[], 0);
    let place = zhao.batch();
    items(&town, &mut zhao, &place);
    assert!(matches!(items(&town, &mut li, &batch)[0], ItemState::At(_)));
    // A place that another township's desk says takes nothing there.
    li.begin_owned(doc(4), None);
    li.write(doc(4), "door", "4");
    let lost = li.batch();
    items(&town, &mut li, &lost);
    deng.place(doc(4), GRID_1, &[], 0);
    let foreign = deng.batch();
    let out = [ItemState::Inbox(Reason::OutOfScope)];
    assert_eq!(items(&town, &mut deng, &foreign), out);
    deng.place(doc(4), ELSEWHERE, &[], 0);
    let own = deng.batch();
    items(&town, &mut deng, &own);
    assert_eq!(items(&town, &mut li, &lost), out, "it lies with Deng now");
    let told = deng.open_inbox(town.relay, town.now_ms());
    let both = told.iter().map(|row| row.author).collect::<Vec<_>>();
    assert_eq!(
        both,
        [li.id(), deng.id()],
        "her change, and his first place"
    );
}

#[test]
fn a_decision_about_another_authors_item_says_nothing() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let (item, batch) = parked(&town, &mut li, &mut zhao, 2);
    let wrong = (item.0, item.1, zhao.id());
    let accept = zhao.settle(wrong, Decision::Accept, &[]);
    items(&town, &mut zhao, &accept);
    let still = [ItemState::Inbox(Reason::OutOfScope)];
    assert_eq!(items(&town, &mut li, &batch), still);
}

#[test]
fn an_equivocation_is_not_numbered_by_an_accept_and_can_be_discarded() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let mut copy = Device::new(1);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let batch = li.batch();
    items(&town, &mut li, &batch);
    copy.begin_owned(doc(1), None);
    let twin = copy.write(doc(1), "door", "2");
    let frames = Device::full(&[copy.batch()]);
    copy.exchange(town.relay, town.now_ms(), 1, &frames, false);
    let item = (doc(1), twin, li.id());
    let accept = zhao.settle(item, Decision::Accept, &[]);
    let over = zhao_last(&accept);
    items(&town, &mut zhao, &accept);
    let rows = zhao.open_inbox(town.relay, town.now_ms());
    assert_eq!(rows[0].reason, Some(Reason::Equivocation));
    let discard = zhao.settle(item, Decision::Discard, &[over]);
    items(&town, &mut zhao, &discard);
    assert!(zhao.open_inbox(town.relay, town.now_ms()).is_empty());
}

fn zhao_last(batch: &Batch) -> ChangeHash {
    batch.items[0].name().hash
}

#[test]
fn a_decision_of_a_later_form_is_kept_and_settles_nothing() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let (item, batch) = parked(&town, &mut li, &mut zhao, 2);
    let bytes = vec![0x9f, 1, 0xff];
    let name = ItemName {
        entry: EntryKind::SETTLEMENT.0,
        doc: item.0,
        hash: wangge_wire::digest::content_hash(&bytes),
        action: None,
        about: None,
    };
    zhao.push_item(Item::Unknown { name, bytes });
    let strange = zhao.batch();
    assert!(matches!(
        items(&town, &mut zhao, &strange)[0],
        ItemState::At(_)
    ));
    let still = [ItemState::Inbox(Reason::OutOfScope)];
    assert_eq!(items(&town, &mut li, &batch), still);
}

#[test]
fn more_rows_than_one_answer_holds_are_read_to_the_end() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let count = INBOX_ROWS_MAX + 5;
    let mut batches = Vec::new();
    for n in 0..count {
        let mut id = [9; 16];
        id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        li.begin_owned(DocId(id), None);
        li.write(DocId(id), "door", "1");
        if n % 10 == 9 || n + 1 == count {
            batches.push(li.batch());
        }
    }
    li.sync(town.relay, town.now_ms(), &batches);
    let (mut after, mut read) = (0, 0);
    loop {
        let answer = zhao.ask_inbox(town.relay, town.now_ms(), InboxWish::Open { after });
        assert!(answer.rows.len() <= INBOX_ROWS_MAX);
        read += answer.rows.len();
        let Some(next) = answer.next else { break };
        after = next;
    }
    assert_eq!(read, count);
}

#[test]
fn what_the_gate_holds_is_told_to_the_desk_which_may_have_it_tried_again() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let batch = li.batch();
    items(&town, &mut li, &batch);
    li.write(doc(1), "door", "2");
    let (item, hash) = poisoned(&mut li);
    let batch = li.batch_of(vec![item]);
    assert!(matches!(items(&town, &mut li, &batch)[0], ItemState::At(_)));
    let packs = Packs::default();
    town.open().make_packs(&packs).unwrap();
    let rows = zhao.open_inbox(town.relay, town.now_ms());
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].hash, rows[0].hold),
        (hash, Some(HoldReason::NotAWrite))
    );
    let wish = InboxWish::Retry {
        doc: doc(1),
        change: hash,
    };
    assert_eq!(
        li.post_inbox(town.relay, town.now_ms(), wish.clone())
            .status,
        403
    );
    assert_eq!(
        zhao.post_inbox(town.relay, town.now_ms(), wish.clone())
            .status,
        200
    );
    assert!(town.open().held().unwrap().is_empty());
    assert_eq!(zhao.post_inbox(town.relay, town.now_ms(), wish).status, 403);
}

#[test]
fn nothing_lies_there_that_no_desk_reads() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let mut copy = Device::new(1);
    let mut unit = town.device(3, Role::Unit, &[TOWNSHIP]);
    let mut lost = town.worker(4, &[GRID_1]);
    parked(&town, &mut li, &mut zhao, 2);
    // Of nobody's document, of a unit's people, of a device that is taken out since.
    for (n, who) in (10..).zip([&mut li, &mut unit, &mut lost]) {
        who.begin_owned(doc(n), None);
        who.write(doc(n), "door", "1");
        let batch = who.batch();
        items(&town, who, &batch);
    }
    town.open().revoke(&lost.id(), 0, town.now_ms()).unwrap();
    // A place that is not theirs to say, a kind that is a relay's, a number given twice.
    li.place(doc(2), GRID_1, &[], 1);
    let bytes = vec![1, 2, 3];
    let name = ItemName {
        entry: EntryKind::ERASE.0,
        doc: doc(2),
        hash: wangge_wire::digest::content_hash(&bytes),
        action: None,
        about: None,
    };
    li.push_item(Item::Unknown { name, bytes });
    let batch = li.batch();
    items(&town, &mut li, &batch);
    copy.begin_owned(doc(20), None);
    copy.write(doc(20), "door", "3");
    let frames = Device::full(&[copy.batch()]);
    li.exchange(town.relay, town.now_ms(), 1, &frames, false);

    let lies = town.open().inbox().unwrap();
    assert_eq!(lies.len(), 7, "{lies:?}");
    let mut county = town.device(8, Role::County, &[COUNTY]);
    for desk in [&mut zhao, &mut county] {
        let rows = desk.open_inbox(town.relay, town.now_ms());
        let mut told: Vec<_> = rows.iter().map(|row| (row.doc, row.author)).collect();
        let mut all: Vec<_> = lies.iter().map(|row| (row.doc, row.device)).collect();
        told.sort();
        all.sort();
        assert_eq!(told, all);
    }
}

#[test]
fn a_batch_that_is_sent_again_after_it_was_rehomed_has_its_numbers() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin_owned(doc(3), None);
    let first = li.write(doc(3), "door", "3");
    li.write(doc(3), "phone", "4");
    let batch = li.batch();
    items(&town, &mut li, &batch);
    // As a desk's program does it: the decision, and the place behind it, in one batch.
    let decision = zhao.settle((doc(3), first, li.id()), Decision::Accept, &[]);
    zhao.push_item(decision.items[0].clone());
    zhao.place(doc(3), GRID_2, &[], 0);
    let both = zhao.batch();
    let states = items(&town, &mut zhao, &both);
    let numbered = |state: &ItemState| matches!(state, ItemState::At(_));
    assert!(states.iter().all(numbered), "{states:?}");
    let again = items(&town, &mut li, &batch);
    assert!(numbered(&again[0]));
    // Only what was decided about is let in: the other change lies in a grid that is not hers.
    assert_eq!(again[1], ItemState::Inbox(Reason::OutOfScope));
    assert_eq!(items(&town, &mut li, &batch), again);
}
