//! Every answer a pushed item can get, one rule at a time, against holdings in memory.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use wangge_sync::admit::{Holdings, ItemDecision, Lived, Lying, Placed, admit};
use wangge_trust::allow::COVER_LATE_DAYS_MAX;
use wangge_trust::{KeyPair, Roster};
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::chunk::{self, Parts};
use wangge_wire::digest::content_hash;
use wangge_wire::limits::CHANGE_BYTES_MAX;
use wangge_wire::order::LevelForm;
use wangge_wire::receipt::Reason;
use wangge_wire::{
    ActorId, AreaCode, Batch, BatchHash, BatchHead, Change, ChangeHash, Day, DeviceId, DocId,
    DocKind, Grant, Item, ItemName, LifeNonce, OrderBody, PersonId, Place, Role, Settled, Shape,
    Signature,
};

const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";
const HOUSEHOLD: DocId = DocId([1; 16]);
const BOOK: DocId = DocId([2; 16]);
const KIND: DocKind = DocKind(1);

#[derive(Default)]
struct Held {
    places: BTreeMap<DocId, Placed>,
    owners: BTreeMap<DocId, DocId>,
    entries: BTreeSet<(DocId, ChangeHash)>,
    numbers: BTreeMap<(DocId, ActorId, u64), ChangeHash>,
    verdict: Option<Reason>,
    lived: BTreeMap<DocId, Vec<Lived>>,
    settled: Vec<Settled>,
    parked: BTreeSet<(DocId, ChangeHash)>,
}

impl Holdings for Held {
    fn place(&self, doc: &DocId) -> Option<Placed> {
        self.places.get(doc).cloned()
    }

    fn owner(&self, doc: &DocId) -> Option<DocId> {
        self.owners.get(doc).copied()
    }

    fn lived(&self, doc: &DocId) -> Vec<Lived> {
        self.lived.get(doc).cloned().unwrap_or_default()
    }

    fn holds(&self, doc: &DocId, hash: &ChangeHash) -> bool {
        self.entries.contains(&(*doc, *hash))
    }

    fn genesis(&self, doc: &DocId, _: &Shape) -> Option<ChangeHash> {
        Some(genesis(doc))
    }

    fn shapes(&self, _: DocKind, _: u8) -> Vec<Shape> {
        Vec::new()
    }

    fn author_of_seq(&self, doc: &DocId, actor: &ActorId, seq: u64) -> Option<ChangeHash> {
        self.numbers.get(&(*doc, *actor, seq)).copied()
    }

    fn parked(&self, doc: &DocId, item: &ChangeHash) -> Option<Lying> {
        let lies = self.parked.contains(&(*doc, *item));
        lies.then_some(Lying { owner: None })
    }

    fn settled(&self, doc: &DocId, item: &ChangeHash, author: &DeviceId) -> Option<Settled> {
        let of_it = |one: &&Settled| {
            let of = &one.settlement;
            (of.doc, of.item, of.author) == (*doc, *item, *author)
        };
        let all: Vec<Settled> = self.settled.iter().filter(of_it).cloned().collect();
        wangge_wire::settle::standing(&all).cloned()
    }

    fn check(&self, _: &[u8]) -> Result<(), Reason> {
        self.verdict.map_or(Ok(()), Err)
    }
}

fn genesis(doc: &DocId) -> ChangeHash {
    content_hash(&doc.0)
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

/// No cover is asked for here.
const DAY: Day = Day(0);

fn li() -> KeyPair {
    KeyPair::from_secret(&[1; 32])
}

fn roster(role: Role, grid: &str) -> Roster {
    let relay = KeyPair::from_secret(&[9; 32]);
    let mut roster = Roster::default();
    let root = OrderBody::Root {
        key: relay.public(),
        name: String::new(),
        level: LevelForm::Village,
    };
    roster
        .take(&relay.sign_order(root, roster.last(), 1))
        .unwrap();
    let grant = OrderBody::Grant(Grant {
        device_key: li().public(),
        person: PersonId([1; 16]),
        name: "李梅".into(),
        role,
        areas: vec![area(grid)],
        device_number: 1,
        unit: None,
        n: None,
    });
    roster
        .take(&relay.sign_order(grant, roster.last(), 2))
        .unwrap();
    roster
}

fn worker() -> Roster {
    roster(Role::Worker, GRID_1)
}

fn actor() -> ActorId {
    li().public().actor(&LifeNonce([1; 8]))
}

fn change_by(actor: ActorId, doc: DocId, seq: u8, deps: Vec<ChangeHash>) -> Change {
    let mut rest = vec![8];
    rest.extend_from_slice(&actor.0);
    rest.extend_from_slice(&[seq, 1, 0, 0, 0, 0]);
    let (_, raw) = chunk::join(&Parts { deps, rest });
    Change::read(doc, KIND, 0, (doc == BOOK).then_some(HOUSEHOLD), raw).unwrap()
}

fn change(doc: DocId, seq: u8, deps: Vec<ChangeHash>) -> Change {
    change_by(actor(), doc, seq, deps)
}

fn item(change: &Change) -> Item {
    Item::Change {
        change: change.clone(),
        action: None,
    }
}

fn place(doc: DocId, home: &str, n: u64) -> Place {
    Place {
        doc,
        home: area(home),
        audiences: Vec::new(),
        n,
    }
}

fn placed(home: &str, n: u64) -> Placed {
    let place = place(HOUSEHOLD, home, n);
    Placed {
        hash: place.hash(),
        home: place.home,
        audiences: Vec::new(),
        n,
        own: true,
    }
}

fn lives(home: &str) -> Held {
    let mut held = Held::default();
    held.places.insert(HOUSEHOLD, placed(home, 0));
    held
}

fn judged(items: Vec<Item>, roster: &Roster, held: &Held) -> Vec<ItemDecision> {
    judged_on(items, roster, held, DAY)
}

fn judged_on(items: Vec<Item>, roster: &Roster, held: &Held, day: Day) -> Vec<ItemDecision> {
    let head = BatchHead {
        suite: SUITE_PLAIN,
        device: li().public().device(),
        nonce: LifeNonce([1; 8]),
        number: 1,
        previous: BatchHash([0; 32]),
        roster: 0,
        claimed_at_ms: 0,
        area: area(GRID_1),
    };
    let shape = Shape {
        kind: KIND,
        schema: 0,
        containers: Vec::new(),
    };
    let batch = Batch {
        head,
        items,
        signature: Signature([0; 64]),
        shapes: vec![shape],
    };
    admit(&batch, &[], roster, day, held)
}

fn one(item: Item, roster: &Roster, held: &Held) -> ItemDecision {
    judged(vec![item], roster, held).remove(0)
}

#[test]
fn a_new_document_its_first_changes_and_what_it_owns_come_in_one_batch() {
    let first = change(HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD)]);
    let second = change(HOUSEHOLD, 2, vec![first.hash]);
    let book = change(BOOK, 1, vec![genesis(&BOOK)]);
    let items = [
        Item::Place(place(HOUSEHOLD, GRID_1, 0)),
        item(&first),
        item(&second),
    ];
    let items = items
        .into_iter()
        .chain([item(&book), item(&second)])
        .collect();
    let mut expected = vec![ItemDecision::Accept; 4];
    expected.push(ItemDecision::Held);
    assert_eq!(judged(items, &worker(), &Held::default()), expected);
}

#[test]
fn without_a_place_a_change_is_for_the_inbox() {
    let book = change(BOOK, 1, vec![genesis(&BOOK)]);
    let unplaced = ItemDecision::Inbox(Reason::Unplaced);
    assert_eq!(one(item(&book), &worker(), &Held::default()), unplaced);
    assert_eq!(
        one(item(&book), &worker(), &lives(GRID_1)),
        ItemDecision::Accept
    );
}

#[test]
fn out_of_scope_is_never_refused_and_a_place_in_the_batch_counts_from_there_on() {
    let written = change(HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD)]);
    let inbox = ItemDecision::Inbox(Reason::OutOfScope);
    assert_eq!(one(item(&written), &worker(), &lives(GRID_2)), inbox);
    // The desk moves it away and writes after: its village still covers both.
    let away = Item::Place(place(HOUSEHOLD, GRID_2, 1));
    let desk = roster(Role::Station, "511724103202");
    let both = judged(vec![away, item(&written)], &desk, &lives(GRID_1));
    assert_eq!(both, [ItemDecision::Accept, ItemDecision::Accept]);
    // One whose scope ends at the grid may not move it, and its write still stands where it was.
    let away = Item::Place(place(HOUSEHOLD, GRID_2, 1));
    let grid_desk = roster(Role::Station, GRID_1);
    let both = judged(vec![away, item(&written)], &grid_desk, &lives(GRID_1));
    assert_eq!(
        both,
        [ItemDecision::Accept, inbox],
        "it has moved out of the desk's scope"
    );
}

#[test]
fn who_was_relieved_a_short_while_ago_still_writes_and_nobody_else() {
    let written = change(HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD)]);
    let book = change(BOOK, 1, vec![genesis(&BOOK)]);
    let inbox = ItemDecision::Inbox(Reason::OutOfScope);
    let moved = |from: &str, until: u32| {
        let mut held = lives(GRID_2);
        let lived = Lived {
            home: area(from),
            audiences: Vec::new(),
            until: Day(until),
        };
        held.lived.insert(HOUSEHOLD, vec![lived]);
        held
    };
    let on = |item: Item, held: &Held, day: u32| {
        judged_on(vec![item], &worker(), held, Day(day)).remove(0)
    };
    let late = COVER_LATE_DAYS_MAX;
    for (day, expected) in [
        (100, ItemDecision::Accept),
        (100 + late, ItemDecision::Accept),
        (101 + late, inbox.clone()),
    ] {
        let held = moved(GRID_1, 100);
        assert_eq!(on(item(&written), &held, day), expected, "day {day}");
        assert_eq!(
            on(item(&book), &held, day),
            expected,
            "what it owns, day {day}"
        );
    }
    let elsewhere = moved("511724103202003", 100);
    assert_eq!(on(item(&written), &elsewhere, 100), inbox);
    // What comes late is what they met, never where the household lives.
    let back = Item::Place(place(HOUSEHOLD, GRID_1, 2));
    let refused = ItemDecision::Inbox(Reason::PlaceNotAllowed);
    assert_eq!(on(back, &moved(GRID_1, 100), 100), refused);
}

#[test]
fn the_actor_must_be_the_signers() {
    let forged = change_by(ActorId([7; 8]), HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD)]);
    let refused = ItemDecision::Refuse(Reason::ForgedActor);
    assert_eq!(one(item(&forged), &worker(), &lives(GRID_1)), refused);
    assert_eq!(
        one(item(&forged), &Roster::default(), &lives(GRID_1)),
        refused
    );
}

#[test]
fn what_must_not_be_read_is_refused_and_what_is_too_large_is_kept() {
    let written = change(HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD)]);
    let mut held = lives(GRID_1);
    held.verdict = Some(Reason::Malformed);
    let decision = one(item(&written), &worker(), &held);
    assert_eq!(decision, ItemDecision::Refuse(Reason::Malformed));
    held.verdict = Some(Reason::OverLimit);
    let decision = one(item(&written), &worker(), &held);
    assert_eq!(decision, ItemDecision::Inbox(Reason::OverLimit));
    let rootless = change(HOUSEHOLD, 1, Vec::new());
    let decision = one(item(&rootless), &worker(), &lives(GRID_1));
    assert_eq!(decision, ItemDecision::Refuse(Reason::Malformed));
}

#[test]
fn a_change_waits_for_exactly_what_is_missing() {
    let here = ChangeHash([3; 32]);
    let mut held = lives(GRID_1);
    held.entries.insert((HOUSEHOLD, here));
    let (a, b) = (ChangeHash([4; 32]), ChangeHash([5; 32]));
    let late = change(HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD), here, a, b]);
    let after = change(HOUSEHOLD, 2, vec![late.hash]);
    let decisions = judged(vec![item(&late), item(&after)], &worker(), &held);
    assert_eq!(
        decisions[0],
        ItemDecision::Wait {
            missing: vec![a, b]
        }
    );
    assert_eq!(
        decisions[1],
        ItemDecision::Wait {
            missing: vec![late.hash]
        }
    );
}

#[test]
fn the_same_number_twice_is_for_a_person_to_look_at() {
    let first = change(HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD)]);
    let mut held = lives(GRID_1);
    let twin = ItemDecision::Inbox(Reason::Equivocation);
    held.numbers
        .insert((HOUSEHOLD, actor(), 1), ChangeHash([8; 32]));
    assert_eq!(one(item(&first), &worker(), &held), twin);
    held.numbers.insert((HOUSEHOLD, actor(), 1), first.hash);
    assert_eq!(one(item(&first), &worker(), &held), ItemDecision::Accept);
    let second = change(HOUSEHOLD, 1, vec![first.hash]);
    let decisions = judged(vec![item(&first), item(&second)], &worker(), &lives(GRID_1));
    assert_eq!(decisions[1], twin);
}

#[test]
fn damaged_items_and_bare_names_are_refused_alone() {
    let first = change(HOUSEHOLD, 1, vec![genesis(&HOUSEHOLD)]);
    let named = Item::Named(item(&first).name());
    let mut held = lives(GRID_1);
    let decision = one(named.clone(), &worker(), &held);
    assert_eq!(decision, ItemDecision::Refuse(Reason::Malformed));
    held.entries.insert((HOUSEHOLD, first.hash));
    assert_eq!(one(named, &worker(), &held), ItemDecision::Held);
}

#[test]
fn every_place_has_its_answer() {
    use ItemDecision::{Accept, Inbox};
    let (accept, not_allowed) = (Accept, Inbox(Reason::PlaceNotAllowed));
    let desk = || roster(Role::Station, "511724103202");
    let elsewhere = "511724104202001";
    // Who, where it lives now and as which n, the new place, the answer.
    let table = [
        (worker(), None, place(HOUSEHOLD, GRID_1, 0), accept.clone()),
        (
            worker(),
            None,
            place(HOUSEHOLD, GRID_2, 0),
            Inbox(Reason::OutOfScope),
        ),
        (
            worker(),
            None,
            place(HOUSEHOLD, GRID_1, 1),
            not_allowed.clone(),
        ),
        (
            worker(),
            Some((GRID_1, 0)),
            place(HOUSEHOLD, GRID_1, 0),
            ItemDecision::Held,
        ),
        (
            worker(),
            Some((GRID_1, 0)),
            place(HOUSEHOLD, GRID_2, 0),
            not_allowed.clone(),
        ),
        (
            worker(),
            Some((GRID_2, 0)),
            place(HOUSEHOLD, GRID_1, 0),
            not_allowed.clone(),
        ),
        (
            worker(),
            Some((GRID_1, 0)),
            place(HOUSEHOLD, GRID_1, 1),
            not_allowed.clone(),
        ),
        (
            desk(),
            Some((GRID_1, 0)),
            place(HOUSEHOLD, GRID_2, 0),
            accept.clone(),
        ),
        (
            desk(),
            Some((GRID_1, 0)),
            place(HOUSEHOLD, GRID_2, 1),
            accept.clone(),
        ),
        (
            desk(),
            Some((GRID_1, 1)),
            place(HOUSEHOLD, GRID_2, 1),
            accept.clone(),
        ),
        (
            desk(),
            Some((GRID_1, 2)),
            place(HOUSEHOLD, GRID_2, 1),
            not_allowed.clone(),
        ),
        (
            desk(),
            Some((GRID_1, 0)),
            place(HOUSEHOLD, elsewhere, 1),
            accept,
        ),
        (
            desk(),
            Some((elsewhere, 0)),
            place(HOUSEHOLD, GRID_1, 1),
            not_allowed,
        ),
    ];
    for (index, (roster, now, new, expected)) in table.into_iter().enumerate() {
        let mut held = Held::default();
        if let Some((home, n)) = now {
            held.places.insert(HOUSEHOLD, placed(home, n));
            held.entries.insert((HOUSEHOLD, placed(home, n).hash));
        }
        assert_eq!(
            one(Item::Place(new), &roster, &held),
            expected,
            "row {index}"
        );
    }
}

#[test]
fn a_later_kind_is_carried_and_a_relays_own_kinds_are_not() {
    let unknown = |kind: u8, bytes: Vec<u8>| {
        let hash = content_hash(&bytes);
        Item::Unknown {
            name: ItemName {
                entry: kind,
                doc: HOUSEHOLD,
                hash,
                action: None,
                about: None,
            },
            bytes,
        }
    };
    let held = lives(GRID_1);
    assert_eq!(
        one(unknown(8, vec![1]), &worker(), &held),
        ItemDecision::Accept
    );
    for kind in 3..=7 {
        let inbox = ItemDecision::Inbox(Reason::OutOfScope);
        assert_eq!(one(unknown(kind, vec![1]), &worker(), &held), inbox);
    }
    for kind in 1..=2 {
        let refused = ItemDecision::Refuse(Reason::Malformed);
        assert_eq!(one(unknown(kind, vec![1]), &worker(), &held), refused);
    }
    let fits = unknown(8, vec![0; CHANGE_BYTES_MAX]);
    assert_eq!(one(fits, &worker(), &held), ItemDecision::Accept);
    let large = unknown(8, vec![0; CHANGE_BYTES_MAX + 1]);
    assert_eq!(
        one(large, &worker(), &held),
        ItemDecision::Inbox(Reason::OverLimit)
    );
    let Item::Unknown { name, .. } = unknown(8, vec![1]) else {
        return;
    };
    let lie = Item::Unknown {
        name,
        bytes: vec![2],
    };
    assert_eq!(
        one(lie, &worker(), &held),
        ItemDecision::Refuse(Reason::WrongHash)
    );
}

#[test]
fn naming_oneself_an_audience_carries_no_household_out_of_its_village() {
    let roster = worker();
    let person = roster.members().next().unwrap().1.person;
    for elsewhere in ["511724103203001", "110101001001001"] {
        let mut away = place(HOUSEHOLD, elsewhere, 0);
        away.audiences = vec![wangge_wire::Audience::Person(person)];
        assert_eq!(
            one(Item::Place(away), &roster, &lives(GRID_1)),
            ItemDecision::Inbox(Reason::PlaceNotAllowed),
            "{elsewhere}"
        );
    }
}
