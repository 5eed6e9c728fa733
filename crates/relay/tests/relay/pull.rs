//! Pulling: scopes, pages, places that move, digests.

use wangge_relay::Role;
use wangge_testkit::device::Device;
use wangge_wire::limits::PAGE_BYTES_GOAL;
use wangge_wire::message::PageEntry;
use wangge_wire::receipt::ItemState;
use wangge_wire::{AreaCode, Audience, Digest, DocId, End};

use crate::town::{ELSEWHERE, GRID_1, GRID_2, TOWNSHIP, Town, doc};

fn push(town: &Town, device: &mut Device) {
    let batch = device.batch();
    let answer = device.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
    let receipt = answer.receipts()[0].clone();
    assert!(
        receipt
            .items
            .iter()
            .all(|item| matches!(item, ItemState::At(_))),
        "{receipt:?}"
    );
    device.note_receipt(&batch, &receipt);
}

fn pull(town: &Town, device: &mut Device) -> End {
    device.sync(town.relay, town.now_ms(), &[]).end.unwrap()
}

fn area(digests: &End, code: &str) -> Digest {
    let area = Audience::Area(AreaCode::parse(code).unwrap());
    digests
        .digests
        .iter()
        .find(|(who, _)| *who == area)
        .unwrap()
        .1
}

fn changes(device: &Device, doc: DocId) -> usize {
    device.held.keys().filter(|(held, _)| *held == doc).count()
}

#[test]
fn not_a_byte_of_a_document_out_of_scope_leaves() {
    let town = Town::new();
    let (mut zhao, mut li) = (town.desk(9), town.worker(1, &[GRID_1]));
    zhao.begin(doc(0xc1), GRID_2);
    let hash = zhao.write(doc(0xc1), "note", "canary-4711");
    let place = zhao.places[&doc(0xc1)].first().unwrap().1;
    push(&town, &mut zhao);
    // In one batch with something in scope its name is told, and only that.
    zhao.begin(doc(1), GRID_1);
    zhao.write(doc(1), "door", "1");
    zhao.write(doc(0xc1), "note", "canary-4712");
    push(&town, &mut zhao);
    for full in [false, true] {
        li.cursor = None;
        let answer = li.exchange(town.relay, town.now_ms(), 0, &[], full);
        assert!(!answer.contains(b"canary"), "no content");
        assert!(
            !answer.contains(&hash.0) && !answer.contains(&place.0),
            "no name of its own"
        );
        assert!(answer.contains(b"door"));
        li.take(&answer);
    }
    assert_eq!(changes(&li, doc(1)), 1);
    assert!(!li.docs.contains_key(&doc(0xc1)));
}

#[test]
fn pages_stay_below_their_size_and_a_cut_costs_one_page() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    for n in 0..60u32 {
        for part in 0..8 {
            // Text that packs badly: hashes in hex.
            let text = hex_of(n * 100 + part);
            li.write(doc(1), &format!("note-{part}"), &text);
        }
        push(&town, &mut li);
    }
    let whole = zhao.exchange(town.relay, town.now_ms(), 0, &[], false);
    assert!(whole.pages.len() >= 3, "{} pages", whole.pages.len());
    for (_, packed) in &whole.pages {
        assert!(*packed <= PAGE_BYTES_GOAL, "{packed}");
    }
    // The link breaks after each page; the next request goes on from its cursor.
    let mut came = Vec::new();
    loop {
        let mut answer = zhao.exchange(town.relay, town.now_ms(), 0, &[], false);
        let ended = answer.pages.is_empty();
        answer.pages.truncate(1);
        if !ended {
            answer.end = None;
        }
        zhao.take(&answer);
        came.extend(answer.positions());
        if ended {
            break;
        }
    }
    assert_eq!(came, whole.positions(), "nothing twice, nothing left out");
    assert_eq!(
        zhao.docs[&doc(1)].document.heads(),
        li.docs[&doc(1)].document.heads()
    );
    assert_eq!(
        area(&pull(&town, &mut zhao), TOWNSHIP),
        zhao.digest_of(|_| true)
    );
}

fn hex_of(n: u32) -> String {
    let hash = |n: u32| wangge_wire::digest::content_hash(&n.to_le_bytes());
    format!("{}{}", hash(n), hash(n + 50))
}

#[test]
fn a_document_that_moves_in_brings_its_history_and_what_it_owns() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    let mut zhao = town.desk(9);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    li.begin_owned(doc(2), Some(doc(1)));
    li.write(doc(2), "note", "visited");
    li.write(doc(2), "note", "visited again");
    push(&town, &mut li);
    pull(&town, &mut wang);
    assert!(wang.held.is_empty());
    pull(&town, &mut zhao);

    zhao.place(doc(1), GRID_2, &[], 1);
    push(&town, &mut zhao);
    let end = pull(&town, &mut wang);
    assert_eq!((changes(&wang, doc(1)), changes(&wang, doc(2))), (1, 2));
    assert_eq!(area(&end, GRID_2), wang.digest_of(|_| true));

    // Who had it learns where it went, and gets nothing after.
    wang.write(doc(2), "note", "canary-4711");
    push(&town, &mut wang);
    let answer = li.sync(town.relay, town.now_ms(), &[]);
    assert!(!answer.contains(b"canary"));
    let homes: Vec<_> = li.places[&doc(1)]
        .iter()
        .map(|(n, _, home)| (*n, home.as_str()))
        .collect();
    assert_eq!(homes, [(0, GRID_1), (1, GRID_2)]);
    assert_eq!(area(&answer.end.unwrap(), GRID_1), Digest::default());

    // And when it comes back, what was written meanwhile comes with it.
    zhao.place(doc(1), GRID_1, &[], 2);
    push(&town, &mut zhao);
    let end = pull(&town, &mut li);
    assert_eq!(changes(&li, doc(2)), 3);
    assert_eq!(area(&end, GRID_1), li.digest_of(|_| true));
}

#[test]
fn a_first_download_of_a_moved_document_carries_its_history_once() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    push(&town, &mut li);
    pull(&town, &mut zhao);
    zhao.place(doc(1), GRID_2, &[], 1);
    push(&town, &mut zhao);
    let mut wang = town.worker(2, &[GRID_2]);
    let positions = wang.sync(town.relay, town.now_ms(), &[]).positions();
    let mut once = positions.clone();
    once.dedup();
    assert_eq!(positions, once);
    assert_eq!(changes(&wang, doc(1)), 1);
}

#[test]
fn a_change_never_comes_before_what_it_rests_on_when_its_document_moves_in_between() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    let mut zhao = town.desk(9);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    push(&town, &mut li);
    pull(&town, &mut zhao);
    // Wang's cursor passes the first change; the second and the move are ahead of it.
    pull(&town, &mut wang);
    li.write(doc(1), "door", "2");
    push(&town, &mut li);
    zhao.place(doc(1), GRID_2, &[], 1);
    push(&town, &mut zhao);
    let positions = wang.sync(town.relay, town.now_ms(), &[]).positions();
    assert!(positions.is_sorted(), "{positions:?}");
    assert_eq!(changes(&wang, doc(1)), 2);
}

#[test]
fn a_history_of_several_pages_is_brought_again_when_the_link_breaks_in_it() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    let mut zhao = town.desk(9);
    li.begin(doc(1), GRID_1);
    for n in 0..60u32 {
        (0..8).for_each(|part| {
            li.write(doc(1), &format!("note-{part}"), &hex_of(n * 100 + part));
        });
        push(&town, &mut li);
    }
    pull(&town, &mut wang);
    zhao.place(doc(1), GRID_2, &[], 1);
    push(&town, &mut zhao);
    let mut cut = wang.exchange(town.relay, town.now_ms(), 0, &[], false);
    assert!(cut.pages.len() >= 3, "{} pages", cut.pages.len());
    cut.pages.truncate(2);
    cut.end = None;
    let before = wang.cursor;
    wang.take(&cut);
    assert_eq!(wang.cursor, before, "the place has not come yet");
    let end = pull(&town, &mut wang);
    assert_eq!(changes(&wang, doc(1)), 480);
    assert_eq!(area(&end, GRID_2), wang.digest_of(|_| true));
}

#[test]
fn the_greatest_place_wins_whatever_comes_first() {
    let town = Town::new();
    let (mut zhao, mut chen) = (town.desk(9), town.desk(8));
    zhao.begin(doc(1), GRID_1);
    zhao.write(doc(1), "door", "1");
    push(&town, &mut zhao);
    pull(&town, &mut chen);
    let a = zhao.place(doc(1), GRID_2, &[], 1);
    let b = chen.place(doc(1), GRID_1, &[], 1);
    push(&town, &mut zhao);
    push(&town, &mut chen);
    let winner = if a.hash() > b.hash() { GRID_2 } else { GRID_1 };
    let loser = if winner == GRID_1 { GRID_2 } else { GRID_1 };
    let mut li = town.worker(1, &[GRID_1, GRID_2]);
    let end = pull(&town, &mut li);
    assert_eq!(area(&end, winner).changes, 1);
    assert_eq!(area(&end, loser).changes, 0);
    pull(&town, &mut zhao);
    pull(&town, &mut chen);
    assert_eq!(
        zhao.places[&doc(1)],
        chen.places[&doc(1)],
        "both desks know both"
    );
}

#[test]
fn a_person_among_the_audiences_receives_the_document_and_its_digest() {
    let town = Town::new();
    let (mut zhao, mut wang) = (town.desk(9), town.worker(2, &[GRID_2]));
    let mut li = town.worker(1, &[GRID_1]);
    let person = Audience::Person(wang.person());
    zhao.begin_owned(doc(1), None);
    zhao.place(doc(1), GRID_1, std::slice::from_ref(&person), 0);
    zhao.write(doc(1), "door", "1");
    push(&town, &mut zhao);
    let end = pull(&town, &mut wang);
    assert_eq!(changes(&wang, doc(1)), 1);
    let digest = end
        .digests
        .iter()
        .find(|(who, _)| *who == person)
        .unwrap()
        .1;
    assert_eq!(digest, wang.digest_of(|_| true));
    assert_eq!(area(&end, GRID_2), Digest::default());
    let end = pull(&town, &mut li);
    assert_eq!(end.digests.len(), 1, "nobody else's person is told");

    // Taken out of the audiences again, the person's digest is empty and the document's news stop.
    zhao.place(doc(1), GRID_1, &[], 1);
    zhao.write(doc(1), "door", "canary-4711");
    push(&town, &mut zhao);
    let answer = wang.sync(town.relay, town.now_ms(), &[]);
    assert!(!answer.contains(b"canary"));
    assert_eq!(answer.end.unwrap().digests.len(), 1);
}

#[test]
fn pages_in_full_leave_nothing_out() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    let first = li.write(doc(1), "door", "1");
    li.write(doc(1), "door", "2");
    push(&town, &mut li);
    let short = zhao.exchange(town.relay, town.now_ms(), 0, &[], false);
    let full = zhao.exchange(town.relay, town.now_ms(), 0, &[], true);
    // Once as the batch's name of the first change, once as what the second rests on.
    assert!(!short.contains(&first.0));
    assert!(full.contains(&first.0));
    zhao.take(&full);
    assert_eq!(changes(&zhao, doc(1)), 2);
}

#[test]
fn an_author_from_elsewhere_is_introduced_with_what_they_wrote() {
    let town = Town::new();
    let (mut deng, mut li) = (town.worker(4, &[ELSEWHERE]), town.worker(1, &[GRID_1]));
    pull(&town, &mut li);
    assert!(li.roster.known(&deng.id()).is_none());
    deng.begin_owned(doc(1), None);
    let own = [Audience::Person(deng.person())];
    deng.place(doc(1), GRID_1, &own, 0);
    deng.write(doc(1), "note", "seen in passing");
    push(&town, &mut deng);
    let answer = li.sync(town.relay, town.now_ms(), &[]);
    assert_eq!(changes(&li, doc(1)), 1);
    assert!(li.roster.known(&deng.id()).is_some());
    assert!(matches!(
        answer.pages[0].0.entries[0],
        PageEntry::Single { kind: 6, .. }
    ));
    deng.write(doc(1), "note", "seen again");
    push(&town, &mut deng);
    pull(&town, &mut li);
    assert_eq!(changes(&li, doc(1)), 2);
}

#[test]
fn orders_reach_those_whose_areas_they_concern() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let zhao = town.desk(9);
    let wang = town.worker(2, &[GRID_2]);
    let mut deng = town.worker(4, &[ELSEWHERE]);
    pull(&town, &mut li);
    assert!(li.roster.known(&zhao.id()).is_some(), "the desk above");
    assert!(
        li.roster.known(&wang.id()).is_none(),
        "a neighbour is none of Li's business"
    );
    assert!(li.roster.known(&deng.id()).is_none());
    pull(&town, &mut deng);
    assert!(deng.roster.known(&zhao.id()).is_none());
    assert!(deng.roster.known(&deng.id()).is_some());
}

#[test]
fn a_wider_grant_begins_again_so_that_nothing_passed_over_is_missing() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    zhao.begin(doc(1), GRID_2);
    zhao.write(doc(1), "door", "1");
    push(&town, &mut zhao);
    pull(&town, &mut li);
    assert!(li.held.is_empty());
    li.enroll(town.relay, &town.invite(Role::Worker, &[GRID_1, GRID_2]));
    let answer = li.sync(town.relay, town.now_ms(), &[]);
    assert!(answer.standing.unwrap().stale_cursor);
    assert_eq!(changes(&li, doc(1)), 1);
    assert!(
        !li.sync(town.relay, town.now_ms(), &[])
            .standing
            .unwrap()
            .stale_cursor
    );
}

#[test]
fn an_auditor_and_a_unit_are_sent_no_content() {
    let town = Town::new();
    let mut zhao = town.desk(9);
    zhao.begin(doc(1), GRID_1);
    zhao.write(doc(1), "door", "canary-4711");
    push(&town, &mut zhao);
    for (seed, role) in [(5, Role::Auditor), (6, Role::Unit)] {
        let mut device = town.device(seed, role, &[TOWNSHIP]);
        let answer = device.sync(town.relay, town.now_ms(), &[]);
        assert!(!answer.contains(b"canary"));
        assert!(answer.end.unwrap().digests.is_empty());
    }
}

#[test]
fn a_batch_in_a_page_carries_the_authors_signature_and_the_relays_times() {
    let town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    town.wait_ms(5_000);
    push(&town, &mut li);
    pull(&town, &mut zhao);
    zhao.cursor = None;
    let answer = zhao.sync(town.relay, town.now_ms(), &[]);
    let batches: Vec<_> = answer
        .pages
        .iter()
        .flat_map(|(page, _)| &page.entries)
        .collect();
    let [.., PageEntry::Batch(batch)] = batches.as_slice() else {
        panic!("{batches:?}")
    };
    assert_eq!(
        (batch.first_received_ms, batch.received_ms),
        (town.now_ms(), town.now_ms())
    );
    assert_eq!(batch.positions.len(), 2);
}
