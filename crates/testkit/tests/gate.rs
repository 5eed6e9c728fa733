//! A device that is handed bombs, damaged changes and poison stays up, small, and as it was.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;

use wangge_crdt::Put;
use wangge_model::kind;
use wangge_store::Store;
use wangge_testkit::memory::Memory;
use wangge_testkit::scribe::{Letter, Scribe, deliver};
use wangge_testkit::sealed;
use wangge_testkit::siege::{Arm, Siege};
use wangge_wire::DocId;

const GRID: &str = "511724103202001";
/// What a device may grow by, KiB.
const GROWS_KIB_MAX: u64 = 32 * 1024;
/// Hostile changes in one page.
const PAGE: usize = 40;
const NEIGHBOUR: DocId = DocId([0xee; 16]);

fn open(dir: &Path) -> Store {
    Store::open_alone(&dir.join("wangge.db"), &[7; 32]).unwrap()
}

/// Returns how many changes of others a database has, by their state.
fn kept(dir: &Path) -> BTreeMap<i64, usize> {
    let connection = sealed::connection(&dir.join("wangge.db"), &[7; 32]);
    let mut rows = connection
        .prepare("SELECT state, count(*) FROM change GROUP BY state")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
    rows.unwrap()
        .map(|row| row.unwrap())
        .map(|(state, many)| (state, usize::try_from(many).unwrap()))
        .collect()
}

/// Lets a device be handed so many hostile changes, and looks at it; returns how many it holds back.
fn besieged(arm: Arm, seed: u8, households: u8, count: usize) -> usize {
    wangge_crdt::gate::silence_caught_panics();
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut siege = Siege::new(seed, households);
    let honest = siege.households();
    let honest: Vec<Letter> = honest.iter().map(|batch| siege.letter(batch)).collect();
    deliver(&mut store, &honest.iter().collect::<Vec<_>>());
    let mut neighbour = Scribe::new(23, kind::HOUSEHOLD, NEIGHBOUR, None, GRID);
    let first = neighbour.write(1_000, &[Put::root("area", GRID), Put::root("door", "3-12")]);
    deliver(&mut store, &[&first]);
    // Whatever is made once is made by now.
    let memory = Memory::of(std::process::id());

    let (mut left, mut no_change, mut handed) = (count, 0, 1);
    let mut last = Vec::new();
    while left > 0 {
        let now = left.min(PAGE);
        left -= now;
        let mut page = Vec::new();
        for _ in 0..now {
            let (doc, hostile) = siege.next(arm);
            match siege.wrap(doc, hostile) {
                Some(batch) => page.push(siege.letter(&batch)),
                None => no_change += 1,
            }
        }
        let note = format!("{left}");
        page.insert(
            page.len() / 2,
            neighbour.write(2_000, &[Put::root("note", note.as_str())]),
        );
        handed += page.len();
        deliver(&mut store, &page.iter().collect::<Vec<_>>());
        let other = store.document(&NEIGHBOUR).unwrap().unwrap();
        assert_eq!(other.fields().root_text("note"), note, "others go on");
        last = page;
    }
    let grown = memory.grown_kib();
    assert!(grown < GROWS_KIB_MAX, "{grown} KiB");
    // Started again, and handed the last of it again, it is the same.
    drop(store);
    let before = kept(dir.path());
    let mut store = open(dir.path());
    deliver(&mut store, &last.iter().collect::<Vec<_>>());
    let (waiting, held) = store.unapplied().unwrap();
    for (doc, honest) in &siege.targets {
        let document = store.document(doc).unwrap().unwrap();
        let fields = document.fields();
        // A damaged change that only says something else is one like any other, and its sayings stand beside.
        assert!(fields.root("area").is_some(), "the household reads");
        assert!(honest.heads().iter().all(|hash| document.contains(hash)));
    }
    drop(store);
    assert_eq!(kept(dir.path()), before);
    let all: usize = before.values().sum();
    assert_eq!(
        all,
        handed + usize::from(households),
        "nothing is thrown away, {no_change} were none"
    );
    assert_eq!((waiting + held) as usize, all - before[&0]);
    held as usize
}

#[test]
fn a_device_survives_a_thousand_bombs_of_a_hundred_to_three_hundred_thousand_bytes() {
    let held = besieged(Arm::Bombs, 9, 20, 1_000);
    assert!(held > 300, "{held}");
}

#[test]
fn a_device_survives_ten_thousand_damaged_changes_with_right_checksums_0() {
    let held = besieged(Arm::Mutants, 9, 30, 5_000);
    assert!(held > 3_500, "{held}");
}

#[test]
fn a_device_survives_ten_thousand_damaged_changes_with_right_checksums_1() {
    let held = besieged(Arm::Mutants, 10, 30, 5_000);
    assert!(held > 3_500, "{held}");
}

#[test]
fn a_device_survives_a_thousand_changes_that_would_make_documents_unreadable() {
    let held = besieged(Arm::Poison, 9, 20, 1_000);
    assert_eq!(held, 1_000, "each is held");
}
