//! Pushing: receipts, what is refused, what waits, what a person must see.

use wangge_testkit::device::Device;
use wangge_wire::message::Refusal;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{Change, ChangeHash, Item, ItemName, Verdict};

use crate::town::{ELSEWHERE, GRID_1, GRID_2, Town, doc};

#[test]
fn what_one_device_writes_is_receipted_and_another_reads_it() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "3-12");
    li.write(doc(1), "door", "3-13");
    let batch = li.batch();
    let answer = li.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
    let items = answer.items();
    assert!(
        items.iter().all(|item| matches!(item, ItemState::At(_))),
        "{items:?}"
    );
    assert!(
        answer
            .positions()
            .iter()
            .all(|at| !items.contains(&ItemState::At(*at))),
        "it has them"
    );
    li.note_receipt(&batch, answer.receipts()[0]);

    let answer = zhao.sync(town.relay, town.now_ms(), &[]);
    let read = zhao.docs[&doc(1)].document.fields();
    assert_eq!(read.root_text("door"), "3-13");
    let end = answer.end.unwrap();
    assert_eq!(end.digests.len(), 1);
    assert_eq!(end.digests[0].1, zhao.digest_of(|_| true));
    assert_eq!(end.digests[0].1.changes, 2);

    let again = zhao.sync(town.relay, town.now_ms(), &[]);
    assert!(again.positions().is_empty());
    assert_eq!(again.end.unwrap().cursor, end.cursor);
}

#[test]
fn pushing_again_is_a_no_op_with_the_same_positions() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "3-12");
    let batch = li.batch();
    let first = li
        .sync(town.relay, town.now_ms(), std::slice::from_ref(&batch))
        .items();
    let counts = town.open().counts().unwrap();
    let second = li
        .sync(town.relay, town.now_ms(), std::slice::from_ref(&batch))
        .items();
    assert_eq!(first, second);
    assert_eq!(town.open().counts().unwrap(), counts);
}

#[test]
fn several_batches_of_one_request_may_rest_on_each_other() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    let batches: Vec<_> = (0..30)
        .map(|n| {
            li.write(doc(1), "note", &format!("visit {n}"));
            li.batch()
        })
        .collect();
    let answer = li.sync(town.relay, town.now_ms(), &batches);
    assert_eq!(answer.receipts().len(), 30);
    let order: Vec<_> = answer
        .receipts()
        .iter()
        .map(|receipt| receipt.batch)
        .collect();
    assert_eq!(
        order,
        batches
            .iter()
            .map(wangge_wire::Batch::hash)
            .collect::<Vec<_>>()
    );
    let mut zhao = town.desk(9);
    zhao.sync(town.relay, town.now_ms(), &[]);
    assert_eq!(
        zhao.docs[&doc(1)].document.heads(),
        li.docs[&doc(1)].document.heads()
    );
}

#[test]
fn a_batch_signed_by_another_key_is_refused_and_nothing_is_kept() {
    let town = Town::new();
    let (mut li, wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_1]));
    li.begin(doc(1), GRID_1);
    let mut batch = li.batch();
    wang.key.sign_batch(&mut batch);
    let before = town.open().counts().unwrap();
    let answer = li.sync(town.relay, town.now_ms(), &[batch]);
    assert_eq!(
        answer.verdicts,
        [Verdict::Refused {
            index: 0,
            reason: Refusal::Signature
        }]
    );
    assert_eq!(town.open().counts().unwrap(), before);
}

#[test]
fn a_batch_of_a_device_nobody_knows_is_refused_and_the_next_one_goes_on() {
    let town = Town::new();
    let (mut li, mut stranger) = (town.worker(1, &[GRID_1]), Device::new(77));
    stranger.begin(doc(7), GRID_1);
    li.begin(doc(1), GRID_1);
    let batches = [stranger.batch(), li.batch()];
    let frames = Device::full(&batches);
    let answer = li.exchange(town.relay, town.now_ms(), 2, &frames, false);
    let refused = Verdict::Refused {
        index: 0,
        reason: Refusal::UnknownDevice,
    };
    assert_eq!(answer.verdicts[0], refused);
    assert!(matches!(&answer.verdicts[1], Verdict::Receipt(_)));
}

#[test]
fn a_courier_brings_the_batch_of_a_colleague() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    wang.begin(doc(2), GRID_2);
    wang.write(doc(2), "door", "1");
    let frames = Device::full(&[wang.batch()]);
    let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert!(
        answer
            .items()
            .iter()
            .all(|item| matches!(item, ItemState::At(_)))
    );
    assert!(
        !answer.contains(b"door"),
        "the courier reads nothing by carrying it"
    );
    wang.sync(town.relay, town.now_ms(), &[]);
    assert_eq!(
        wang.held.values().filter(|position| **position > 0).count(),
        1
    );
}

#[test]
fn a_change_in_the_name_of_another_actor_is_refused_and_the_others_stand() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_1]));
    li.begin(doc(1), GRID_1);
    wang.begin_owned(doc(1), None);
    wang.write(doc(1), "door", "forged");
    wang.take_items()
        .into_iter()
        .for_each(|item| li.push_item(item));
    li.write(doc(1), "door", "3-12");
    let batch = li.batch();
    let items = li.sync(town.relay, town.now_ms(), &[batch]).items();
    assert_eq!(items[1], ItemState::Refused(Reason::ForgedActor));
    assert!(matches!(
        (items[0], items[2]),
        (ItemState::At(_), ItemState::At(_))
    ));
}

#[test]
fn one_damaged_body_does_not_block_the_others() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.begin(doc(2), GRID_1);
    li.write(doc(1), "door", "1");
    li.write(doc(2), "door", "2");
    let mut items = li.take_items();
    if let Item::Change { change, .. } = &mut items[2] {
        change.hash = ChangeHash([0xee; 32]);
    }
    let batch = li.batch_of(items);
    let frames = Device::full(&[batch]);
    let items = li
        .exchange(town.relay, town.now_ms(), 1, &frames, false)
        .items();
    assert_eq!(items[2], ItemState::Refused(Reason::WrongHash));
    assert!(
        [0, 1, 3]
            .iter()
            .all(|at| matches!(items[*at], ItemState::At(_))),
        "{items:?}"
    );
}

#[test]
fn a_change_out_of_scope_goes_to_the_inbox_and_is_never_served() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    zhao.begin(doc(2), GRID_2);
    zhao.write(doc(2), "door", "2");
    let batch = zhao.batch();
    zhao.sync(town.relay, town.now_ms(), &[batch]);

    li.begin_owned(doc(2), None);
    li.write(doc(2), "door", "canary-4711");
    let batch = li.batch();
    let answer = li.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
    assert_eq!(answer.items(), [ItemState::Inbox(Reason::OutOfScope)]);
    assert_eq!(answer.end.unwrap().inbox, 1);
    let inbox = town.open().inbox().unwrap();
    assert_eq!(
        (inbox.len(), inbox[0].device, inbox[0].reason),
        (1, li.id(), Reason::OutOfScope)
    );
    assert_eq!(inbox[0].batch, batch.hash());

    let answer = zhao.sync(town.relay, town.now_ms(), &[]);
    assert!(!answer.contains(b"canary-4711"));
    assert!(!answer.contains(&batch.hash().0));
}

#[test]
fn a_document_without_a_place_waits_in_the_inbox_until_it_has_one() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin_owned(doc(5), Some(doc(1)));
    li.write(doc(5), "note", "the book before its household");
    let book = li.batch();
    let answer = li.sync(town.relay, town.now_ms(), std::slice::from_ref(&book));
    assert_eq!(answer.items(), [ItemState::Inbox(Reason::Unplaced)]);
    li.begin(doc(1), GRID_1);
    let household = li.batch();
    let answer = li.sync(town.relay, town.now_ms(), &[household]);
    assert_eq!(answer.end.unwrap().inbox, 0);
    let again = li.sync(town.relay, town.now_ms(), std::slice::from_ref(&book));
    assert!(matches!(again.items()[0], ItemState::At(_)));
}

#[test]
fn a_wrong_guess_at_what_the_relay_holds_is_asked_for_in_full_and_then_stored() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let first = li.batch();
    li.write(doc(1), "door", "2");
    let second = li.batch();
    let frames = li.short(std::slice::from_ref(&second));
    let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert_eq!(answer.verdicts, [Verdict::NeedFull { index: 0 }]);
    let frames = Device::full(std::slice::from_ref(&second));
    let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert_eq!(answer.items(), [ItemState::Inbox(Reason::Unplaced)]);

    let answer = li.sync(town.relay, town.now_ms(), &[first]);
    assert!(matches!(answer.items()[1], ItemState::At(_)));
    let frames = Device::full(&[second]);
    let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert!(matches!(answer.items()[0], ItemState::At(_)));
}

#[test]
fn what_waits_is_numbered_in_order_as_soon_as_what_it_rests_on_arrives() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    let place = li.batch();
    let batches: Vec<_> = (0..4)
        .map(|n| {
            li.write(doc(1), "note", &format!("visit {n}"));
            li.batch()
        })
        .collect();
    li.sync(town.relay, town.now_ms(), &[place]);
    for batch in [&batches[3], &batches[1], &batches[2]] {
        let frames = Device::full(std::slice::from_ref(batch));
        let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
        assert_eq!(answer.items(), [ItemState::Waiting]);
    }
    assert_eq!(town.open().counts().unwrap().waiting, 3);
    zhao.sync(town.relay, town.now_ms(), &[]);
    assert!(zhao.held.is_empty(), "what waits is not served");

    let frames = Device::full(&batches[..1]);
    let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    let ItemState::At(first) = answer.items()[0] else {
        panic!("{:?}", answer.items())
    };
    assert_eq!(town.open().counts().unwrap().waiting, 0);
    let frames = Device::full(&batches[1..]);
    let answer = li.exchange(town.relay, town.now_ms(), 3, &frames, false);
    let at: Vec<_> = answer
        .receipts()
        .iter()
        .map(|receipt| receipt.items[0])
        .collect();
    assert_eq!(at, [first + 1, first + 2, first + 3].map(ItemState::At));
    zhao.sync(town.relay, town.now_ms(), &[]);
    assert_eq!(
        zhao.docs[&doc(1)].document.heads(),
        li.docs[&doc(1)].document.heads()
    );
}

#[test]
fn a_second_change_with_the_same_number_goes_to_the_inbox() {
    let town = Town::new();
    let (mut li, mut copy) = (town.worker(1, &[GRID_1]), Device::new(1));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let batch = li.batch();
    li.sync(town.relay, town.now_ms(), &[batch]);
    copy.begin_owned(doc(1), None);
    copy.write(doc(1), "door", "2");
    let frames = Device::full(&[copy.batch()]);
    let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert_eq!(answer.items(), [ItemState::Inbox(Reason::Equivocation)]);
    let last = answer.standing.unwrap().last_batch.unwrap();
    assert_eq!(last.0, 1);
}

#[test]
fn an_entry_of_a_later_kind_is_kept_and_handed_on_and_a_relays_own_kind_is_not() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    for kind in [99, 6, 1] {
        let bytes = vec![kind, 2, 3];
        let hash = wangge_wire::digest::content_hash(&bytes);
        let name = ItemName {
            entry: kind,
            doc: doc(1),
            hash,
            action: None,
            about: None,
        };
        li.push_item(Item::Unknown { name, bytes });
    }
    let batch = li.batch();
    let items = li.sync(town.relay, town.now_ms(), &[batch]).items();
    assert!(matches!(items[1], ItemState::At(_)));
    assert_eq!(items[2], ItemState::Inbox(Reason::OutOfScope));
    assert_eq!(items[3], ItemState::Refused(Reason::Malformed));
    assert!(
        zhao.sync(town.relay, town.now_ms(), &[])
            .contains(&[99, 2, 3])
    );
}

#[test]
fn a_change_of_another_document_is_not_passed_off_as_this_ones() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.begin(doc(2), GRID_1);
    li.write(doc(2), "door", "1");
    let mut items = li.take_items();
    if let Item::Change { change, .. } = &mut items[2] {
        *change = Change {
            doc: doc(1),
            ..change.clone()
        };
    }
    let frames = Device::full(&[li.batch_of(items)]);
    let items = li
        .exchange(town.relay, town.now_ms(), 1, &frames, false)
        .items();
    assert_eq!(
        items[2],
        ItemState::Waiting,
        "it rests on another document's genesis"
    );
}

#[test]
fn a_place_out_of_scope_is_not_taken() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), ELSEWHERE);
    li.begin(doc(2), GRID_1);
    li.place(doc(2), GRID_2, &[], 0);
    li.place(doc(2), GRID_1, &[], 1);
    let batch = li.batch();
    let items = li.sync(town.relay, town.now_ms(), &[batch]).items();
    assert_eq!(items[0], ItemState::Inbox(Reason::OutOfScope));
    assert!(matches!(items[1], ItemState::At(_)));
    assert_eq!(items[2], ItemState::Inbox(Reason::PlaceNotAllowed));
    assert_eq!(
        items[3],
        ItemState::Inbox(Reason::PlaceNotAllowed),
        "a worker moves nothing"
    );
}
