//! Trains the dictionary that both ends hold, on made-up days, and writes it to a file.
//!
//! `scripts/train-dictionary` runs it. The same seed gives the same dictionary; a new one is a new
//! file and a new id, and needs a decision record once formats are frozen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a tool for whoever changes the format; it may stop loudly"
)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use wangge_agent::households::HouseholdEdit;
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::TicketInput;
use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_store::Store;
use wangge_store::outbox::Heading;
use wangge_testkit::working_days::{Dice, matter, note, phone};
use wangge_wire::frame::{self, Dependency, Elide, Surroundings};
use wangge_wire::{AreaCode, BatchHash, BatchHead, ChangeHash, DocId, Signature};

const GRID: &str = "511724103202001";
const DICTIONARY_BYTES: usize = 64 * 1024;

struct All<'a>(&'a Store);

impl Elide for All<'_> {
    fn dependency(&self, doc: &DocId, hash: &ChangeHash) -> Dependency {
        if self.0.is_genesis(doc, hash) {
            Dependency::Genesis
        } else {
            Dependency::Held
        }
    }

    fn label(&self, change: &wangge_wire::Change) -> Option<String> {
        (change.kind == wangge_model::kind::VISIT_BOOK).then(|| "2026".to_owned())
    }
}

fn machine(seed: u64) -> Machine {
    let (dice, clock) = (
        Mutex::new(Dice::new(seed)),
        AtomicI64::new(1_790_000_000_000),
    );
    Machine {
        now_ms: Box::new(move || clock.fetch_add(97_231, Ordering::SeqCst)),
        fill: Box::new(move |bytes| {
            dice.lock().unwrap().fill(bytes);
            Ok(())
        }),
        ..Machine::default()
    }
}

/// Records a worker's weeks, and returns the frames they travel in.
fn frames(seed: u64, roster: &Path) -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let grid = AreaCode::parse(GRID).unwrap();
    let mut replica = Replica::init(&home, "李梅", vec![grid.clone()], machine(seed)).unwrap();
    if seed.is_multiple_of(8) {
        replica.import_roster(roster, &grid, false).unwrap();
    } else {
        // Days on households that are there already.
        replica.import_roster(roster, &grid, false).unwrap();
        drain(&mut replica, &home);
        drop(replica);
        replica = Replica::open(&home, machine(seed + 1000)).unwrap();
        days(&mut replica, seed);
    }
    drain(&mut replica, &home)
}

fn days(replica: &mut Replica, seed: u64) {
    let mut dice = Dice::new(seed);
    let rows = replica.households(None, 1000, 0).unwrap();
    for _ in 0..150 {
        let household = rows.get(dice.below(rows.len())).unwrap().id;
        match dice.below(10) {
            0 | 1 => {
                let edit = HouseholdEdit {
                    phone: Some(phone(&mut dice)),
                    ..HouseholdEdit::default()
                };
                replica.edit_household(&household, edit).unwrap();
            }
            2 => {
                let edit = HouseholdEdit {
                    note: Some(note(&mut dice)),
                    residence: Some(dice.pick(&["resident", "away"]).into()),
                    ..HouseholdEdit::default()
                };
                replica.edit_household(&household, edit).unwrap();
            }
            3 => {
                let input = ReportInput {
                    household: Some(household.to_string()),
                    category: Some(
                        dice.pick(&["D01", "D05", "A04", "B08", "C02", "E01"])
                            .into(),
                    ),
                    text: matter(&mut dice),
                    source: Some(dice.pick(&["走访", "电话", "来访"]).into()),
                    urgency: Some(dice.pick(&["P1", "P2", "P3"]).into()),
                    handled_on_spot: (dice.below(2) == 0).then(|| note(&mut dice)),
                    ..ReportInput::default()
                };
                replica.add_report(input).unwrap();
            }
            4 if dice.below(2) == 0 => {
                let input = TicketInput {
                    household: Some(household.to_string()),
                    kind: Some(dice.pick(&["help", "errand", "complaint"]).into()),
                    subject: matter(&mut dice),
                    ..TicketInput::default()
                };
                replica.open_ticket(input).unwrap();
            }
            _ => {
                let good = dice.below(3) == 0;
                let input = VisitInput {
                    household: household.to_string(),
                    met: Some(dice.pick(&["person", "family", "nobody"]).into()),
                    mode: Some(dice.pick(&["door", "door", "phone"]).into()),
                    purposes: vec![
                        dice.pick(&["care", "collect", "hazard", "service", "publicity"])
                            .into(),
                    ],
                    note: if good { String::new() } else { note(&mut dice) },
                    no_change: good,
                    follow_up_on: (dice.below(5) == 0).then(|| "2026-12-01".to_owned()),
                    ..VisitInput::default()
                };
                replica.add_visit(input).unwrap();
            }
        }
    }
}

/// Batches everything, takes it for sent, and returns the frames.
fn drain(replica: &mut Replica, home: &Path) -> Vec<Vec<u8>> {
    let mut store = wangge_testkit::sealed::store_of(home);
    let heading = Heading {
        actor: replica.actor(),
        takes_places: true,
        head: BatchHead {
            suite: 1,
            device: replica.device(),
            nonce: replica.life(),
            number: 0,
            previous: BatchHash([0; 32]),
            roster: 12,
            claimed_at_ms: replica.now_ms(),
            area: AreaCode::parse(GRID).unwrap(),
        },
    };
    let random = Mutex::new(Dice::new(replica.now_ms().unsigned_abs()));
    let sign = |batch: &mut wangge_wire::Batch| {
        let mut bytes = [0; 64];
        random.lock().unwrap().fill(&mut bytes);
        batch.signature = Signature(bytes);
    };
    store.make_batches(&heading, &sign).unwrap();
    let mut previous = None;
    let mut frames = Vec::new();
    for hash in store.pending_batches().unwrap() {
        let batch = store.batch(&hash).unwrap();
        let around = Surroundings {
            device: Some(replica.device()),
            previous,
        };
        frames.push(frame::encode(&batch, &around, &All(&store)).unwrap());
        previous = Some(hash);
        let items = (1..)
            .zip(&batch.items)
            .map(|(n, _)| wangge_wire::receipt::ItemState::At(n));
        let receipt = wangge_wire::Receipt {
            relay: wangge_wire::RelayId([1; 16]),
            incarnation: wangge_wire::Incarnation([2; 16]),
            batch: hash,
            at_ms: 0,
            items: items.collect(),
            signature: Signature([0; 64]),
        };
        store.keep_receipt(&receipt).unwrap();
    }
    frames
}

fn main() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let to = std::env::args().nth(1).expect("the file to write");
    let mut samples = Vec::new();
    for seed in 0..48 {
        let roster = fixtures.join(if seed % 2 == 0 {
            "roster-a.xlsx"
        } else {
            "roster-b.xlsx"
        });
        samples.extend(frames(seed, &roster));
    }
    let dictionary = zstd::dict::from_samples(&samples, DICTIONARY_BYTES).unwrap();
    std::fs::write(&to, &dictionary).unwrap();
    let raw: usize = samples.iter().map(Vec::len).sum();
    let mut compressor = zstd::bulk::Compressor::with_dictionary(12, &dictionary).unwrap();
    let packed: usize = samples
        .iter()
        .map(|frame| compressor.compress(frame).unwrap().len())
        .sum();
    let bare: usize = samples
        .iter()
        .map(|frame| zstd::bulk::compress(frame, 12).unwrap().len())
        .sum();
    eprintln!(
        "{} frames, {raw} bytes: {bare} by zstd alone, {packed} with the dictionary of {} bytes",
        samples.len(),
        dictionary.len()
    );
}
