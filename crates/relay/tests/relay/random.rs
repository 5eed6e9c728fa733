//! Random days of three workers and a desk, against a model that fits on a page.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wangge_testkit::device::Device;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{AreaCode, Audience, Batch, ChangeHash, Digest, DocId, Item};

use crate::town::{GRID_1, GRID_2, TOWNSHIP, Town, doc};

const GRID_3: &str = "511724103203001";
const GRIDS: [&str; 3] = [GRID_1, GRID_2, GRID_3];
const SCOPES: [&[&str]; 4] = [&[GRID_1], &[GRID_1, GRID_2], &[GRID_2, GRID_3], &[TOWNSHIP]];
const DESK: usize = 3;

#[derive(Debug, Clone)]
enum Act {
    /// Somebody begins a document in a grid of theirs.
    Begin { who: usize, doc: u8, grid: usize },
    /// Somebody begins a book of a document they hold.
    Book { who: usize, doc: u8 },
    /// Somebody writes in a document they hold, or in its book.
    Write { who: usize, doc: u8, book: bool },
    /// The desk moves a document it holds, or its book alone.
    Move { doc: u8, book: bool, grid: usize },
    /// Somebody sends what they wrote and reads what is new.
    Sync { who: usize },
}

/// The book of a document, and the document itself.
fn of(n: u8, book: bool) -> DocId {
    doc(if book { n + 100 } else { n })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (0..4usize, 0..6u8, 0..3usize).prop_map(|(who, doc, grid)| Act::Begin { who, doc, grid }),
        1 => (0..4usize, 0..6u8).prop_map(|(who, doc)| Act::Book { who, doc }),
        4 => (0..4usize, 0..6u8, any::<bool>())
            .prop_map(|(who, doc, book)| Act::Write { who, doc, book }),
        2 => (0..6u8, any::<bool>(), 0..3usize)
            .prop_map(|(doc, book, grid)| Act::Move { doc, book, grid }),
        4 => (0..4usize).prop_map(|who| Act::Sync { who }),
    ]
}

/// What a relay must hold, said in the simplest way.
#[derive(Default)]
struct Model {
    homes: BTreeMap<DocId, (u64, ChangeHash, String)>,
    changes: BTreeMap<DocId, BTreeSet<ChangeHash>>,
    places: BTreeSet<(DocId, ChangeHash)>,
    /// Where documents lived before they were placed again: all of it is of one day, so who had one
    /// there may still write to it.
    lived: BTreeMap<DocId, BTreeSet<String>>,
}

impl Model {
    /// Where a document lives: a book lives with its document unless it has a place of its own.
    fn home(&self, id: &DocId) -> Option<&str> {
        let owner = doc(id.0[0].wrapping_sub(101));
        let placed = self.homes.get(id).or_else(|| self.homes.get(&owner));
        placed.map(|(.., home)| home.as_str())
    }

    fn in_scope(&self, who: usize, doc: &DocId) -> bool {
        self.home(doc).is_some_and(|home| covers(who, home))
    }

    /// Whether somebody may write: it is theirs, or was, by itself or by what it belongs to.
    fn may_write(&self, who: usize, id: &DocId) -> bool {
        let owner = doc(id.0[0].wrapping_sub(101));
        let lived = [id, &owner].into_iter().filter_map(|id| self.lived.get(id));
        self.in_scope(who, id) || lived.flatten().any(|home| covers(who, home))
    }

    fn digest(&self, area: &str) -> Digest {
        let inside = |doc: &&DocId| self.home(doc).is_some_and(|home| home.starts_with(area));
        let docs = self.changes.keys().filter(inside);
        docs.flat_map(|doc| self.changes[doc].iter().map(|hash| Digest::of(doc, hash)))
            .sum()
    }

    /// Takes what a receipt says was numbered, after asking whether it had to be.
    fn take(&mut self, who: usize, batch: &Batch, states: &[ItemState]) {
        for (item, state) in batch.items.iter().zip(states) {
            let name = item.name();
            let known = self.home(&name.doc).is_some();
            match (item, state) {
                (Item::Place(place), ItemState::At(_)) => {
                    let new = (place.n, name.hash, place.home.as_str().to_owned());
                    let again = !self.places.insert((name.doc, name.hash));
                    assert!(again || !known || self.in_scope(who, &name.doc));
                    let is_stored =
                        |id: &DocId| self.homes.contains_key(id) || self.changes.contains_key(id);
                    let before = self.home(&name.doc).filter(|_| is_stored(&name.doc));
                    if let Some(before) = before.filter(|_| !again).map(str::to_owned) {
                        self.lived.entry(name.doc).or_default().insert(before);
                    }
                    let now = self.homes.entry(name.doc).or_insert_with(|| new.clone());
                    if (now.0, now.1) < (new.0, new.1) {
                        *now = new;
                    }
                }
                (Item::Change { .. }, ItemState::At(_)) => {
                    let may = self.may_write(who, &name.doc);
                    let changes = self.changes.entry(name.doc).or_default();
                    let again = !changes.insert(name.hash);
                    assert!(again || may);
                }
                (Item::Change { .. }, ItemState::Inbox(Reason::OutOfScope)) => {
                    assert!(!self.may_write(who, &name.doc))
                }
                (_, ItemState::Inbox(Reason::OutOfScope)) => {
                    assert!(!self.in_scope(who, &name.doc))
                }
                (Item::Place(_), ItemState::Inbox(Reason::PlaceNotAllowed)) => assert!(known),
                (Item::Change { .. }, ItemState::Waiting) => {}
                (_, other) => panic!("{other:?}"),
            }
        }
    }
}

fn covers(who: usize, home: &str) -> bool {
    SCOPES[who].iter().any(|area| home.starts_with(area))
}

fn sync(town: &Town, who: usize, device: &mut Device, out: &mut Vec<Batch>, model: &mut Model) {
    let batches = std::mem::take(out);
    // In full: after a loss of scope the relay may not hold what the device rests on.
    let frames = Device::full(&batches);
    let answer = device.exchange(town.relay, town.now_ms(), batches.len(), &frames, false);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.receipts().len(), batches.len());
    for (batch, receipt) in batches.iter().zip(answer.receipts()) {
        model.take(who, batch, &receipt.items);
        device.note_receipt(batch, receipt);
    }
    device.take(&answer);
    let end = answer.end.unwrap();
    assert_eq!(end.cursor.position, town.open().counts().unwrap().entries);
    let expected: Vec<_> = SCOPES[who]
        .iter()
        .map(|area| {
            (
                Audience::Area(AreaCode::parse(area).unwrap()),
                model.digest(area),
            )
        })
        .collect();
    assert_eq!(end.digests, expected, "the relay's digests are a recount");
    for (doc, changes) in &model.changes {
        let held = device
            .held
            .iter()
            .filter(|((held, _), position)| held == doc && **position > 0);
        let held: BTreeSet<_> = held.map(|((_, hash), _)| *hash).collect();
        if model.in_scope(who, doc) {
            assert_eq!(&held, changes, "all of it");
        }
    }
    for ((doc, _), position) in &device.held {
        let owner = self::doc(doc.0[0].wrapping_sub(101));
        let ever = device.places.contains_key(doc) || device.places.contains_key(&owner);
        assert!(
            *position == 0 || ever,
            "nothing of a document that never was in scope"
        );
    }
}

/// Lives these days, and asks after each sync whether everybody holds what they must.
fn live(acts: &[Act]) {
    let town = Town::new();
    let mut model = Model::default();
    let mut devices: Vec<Device> = (0..3u8)
        .map(|n| town.worker(n + 1, SCOPES[usize::from(n)]))
        .collect();
    devices.push(town.desk(9));
    let mut out: Vec<Vec<Batch>> = vec![Vec::new(); 4];
    for (step, act) in acts.iter().enumerate() {
        match *act {
            Act::Begin { who, doc: n, grid } => {
                let device = &mut devices[who];
                if covers(who, GRIDS[grid]) && !device.docs.contains_key(&doc(n)) {
                    device.begin(doc(n), GRIDS[grid]);
                    device.write(doc(n), "door", &format!("{who} {step}"));
                    out[who].push(device.batch());
                }
            }
            Act::Book { who, doc: n } => {
                let device = &mut devices[who];
                let held = |id| device.docs.contains_key(&id);
                if held(of(n, false)) && !held(of(n, true)) {
                    device.begin_owned(of(n, true), Some(of(n, false)));
                    device.write(of(n, true), "note", &format!("{who} {step}"));
                    out[who].push(device.batch());
                }
            }
            Act::Write { who, doc: n, book } => {
                let device = &mut devices[who];
                if device.docs.contains_key(&of(n, book)) {
                    device.write(of(n, book), "note", &format!("{who} {step}"));
                    out[who].push(device.batch());
                }
            }
            Act::Move { doc: n, book, grid } => {
                let device = &mut devices[DESK];
                if device.docs.contains_key(&of(n, book)) {
                    let places = device.places.get(&of(n, book));
                    let last = places.and_then(|places| places.last());
                    let next = last.map_or(0, |(n, ..)| *n) + 1;
                    device.place(of(n, book), GRIDS[grid], &[], next);
                    out[DESK].push(device.batch());
                }
            }
            Act::Sync { who } => {
                sync(&town, who, &mut devices[who], &mut out[who], &mut model);
            }
        }
    }
    for _ in 0..2 {
        for (who, device) in devices.iter_mut().enumerate() {
            sync(&town, who, device, &mut out[who], &mut model);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_device_holds_exactly_what_lives_in_its_scope(
        acts in prop::collection::vec(act(), 1..60),
    ) {
        live(&acts);
    }
}

#[test]
fn an_author_is_known_before_a_document_that_was_moved_on_the_first_day() {
    live(&[
        Act::Begin {
            who: 1,
            doc: 1,
            grid: 1,
        },
        Act::Begin {
            who: 3,
            doc: 0,
            grid: 0,
        },
        Act::Move {
            doc: 0,
            book: false,
            grid: 1,
        },
        Act::Sync { who: 1 },
        Act::Sync { who: 3 },
    ]);
}
