//! What went wrong elsewhere, as other projects' users wrote it down; each test has the number of
//! the report in its name.
//!
//! Tangerine #2484: the same answers on two tablets end differently by who presses sync when.
//! Tangerine #2722: two tablets fill one form, and the first one's answers are gone without a word.
//! ODK Central #698, #805, #808: changes made offline arrive in another order than they were made.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_crdt::{Put, Scalar};
use wangge_model::kind;
use wangge_store::Store;
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::scribe::{Letter, Scribe, deliver};
use wangge_wire::{DocId, Role};

const TOWNSHIP: &str = "511724103";
const GRID: &str = "511724103202001";
const HOUSEHOLD: DocId = DocId([5; 16]);

/// A machine whose dice and clock say the same in every run: two runs that do the same write the
/// same bytes, so that their ends can be compared.
fn machine(seed: u64) -> Machine {
    let rolled = AtomicU64::new(0);
    let clock = AtomicU64::new(0);
    Machine {
        now_ms: Box::new(move || {
            1_795_000_000_000 + i64::try_from(clock.fetch_add(1, Ordering::Relaxed)).unwrap()
        }),
        fill: Box::new(move |bytes| {
            for byte in bytes {
                let rolled = rolled.fetch_add(1, Ordering::Relaxed);
                let mixed = (rolled + seed * 1_000_003).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                *byte = mixed.to_be_bytes()[0];
            }
            Ok(())
        }),
        ..Machine::default()
    }
}

fn tablet(district: &District, name: &str, seed: u64) -> Replica {
    let dir = district.path().join(name);
    let mut replica = Replica::init(&dir, name, Vec::new(), machine(seed)).unwrap();
    let code = district.invite(name, Role::Worker, &[GRID]);
    let url = format!("http://{}", district.address());
    wait(replica.enroll(&code, &url, name, None)).unwrap();
    replica
}

fn family() -> HouseholdInput {
    HouseholdInput {
        area: Some(GRID.into()),
        door: "3组12号".into(),
        members: vec![MemberInput {
            name: "曾小红".into(),
            relation: Some("户主".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    }
}

/// Fills the form: a visit of its own, and the one telephone number of the household.
fn fill(replica: &mut Replica, note: &str, phone: &str) {
    let visit = VisitInput {
        household: "zxh".into(),
        note: note.into(),
        ..VisitInput::default()
    };
    replica.add_visit(visit).unwrap();
    let id = replica.name_household("zxh").unwrap();
    let edit = HouseholdEdit {
        phone: Some(phone.into()),
        ..HouseholdEdit::default()
    };
    assert!(replica.edit_household(&id, edit).unwrap());
}

/// What the person at a device sees of the answers: the notes, the number, and every version of it.
fn answers(replica: &Replica) -> (Vec<String>, String, Vec<String>) {
    let visits = replica.visits(None, 10).unwrap();
    let mut notes: Vec<String> = visits
        .iter()
        .map(|visit| visit.content["note"].as_str().unwrap().to_owned())
        .collect();
    notes.sort();
    let id = replica.name_household("zxh").unwrap();
    let view = replica.household(&id).unwrap();
    let mut versions: Vec<String> = view
        .conflicts
        .iter()
        .flat_map(|conflict| &conflict.versions)
        .map(|version| format!("{} {}", version.value, version.by.name))
        .collect();
    versions.sort();
    (notes, view.household.phone.unwrap(), versions)
}

#[derive(Clone, Copy)]
enum Step {
    FillA,
    FillB,
    SyncA,
    SyncB,
}

fn scenario(steps: &[Step]) -> (Vec<String>, String, Vec<String>) {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let (mut a, mut b) = (tablet(&district, "李梅", 1), tablet(&district, "王芳", 2));
    a.add_household(family()).unwrap();
    for replica in [&mut a, &mut b, &mut desk] {
        sync(replica).unwrap();
    }
    for step in steps {
        match step {
            Step::FillA => fill(&mut a, "甲的答案", "13800000001"),
            Step::FillB => fill(&mut b, "乙的答案", "13900000002"),
            Step::SyncA => assert_eq!(sync(&mut a).unwrap().unsent, 0, "one sync is enough"),
            Step::SyncB => assert_eq!(sync(&mut b).unwrap().unsent, 0, "one sync is enough"),
        }
    }
    for _ in 0..2 {
        for replica in [&mut a, &mut b, &mut desk] {
            sync(replica).unwrap();
        }
    }
    let seen = answers(&a);
    assert_eq!(answers(&b), seen);
    assert_eq!(answers(&desk), seen);
    seen
}

#[test]
fn tangerine_2484_the_four_orders_of_filling_and_syncing_end_alike_with_both_answers() {
    use Step::{FillA, FillB, SyncA, SyncB};
    let orders: [&[Step]; 4] = [
        &[FillA, SyncA, FillB, SyncB, SyncA, SyncB],
        &[FillA, FillB, SyncB, SyncA, SyncB, SyncA],
        &[FillA, FillB, SyncA, SyncB, SyncA],
        &[FillA, FillB, SyncA, SyncA, SyncB],
    ];
    let ends: Vec<_> = orders.iter().map(|steps| scenario(steps)).collect();
    let (notes, _, versions) = &ends[0];
    assert_eq!(notes, &["乙的答案", "甲的答案"]);
    assert_eq!(versions, &["\"13800000001\" 李梅", "\"13900000002\" 王芳"]);
    for end in &ends[1..] {
        assert_eq!(end, &ends[0], "no order of syncing decides what is shown");
    }
}

#[test]
fn tangerine_2722_after_three_syncs_the_first_form_is_there_and_the_conflict_is_listed() {
    let district = District::new();
    let (mut a, mut b) = (tablet(&district, "李梅", 1), tablet(&district, "王芳", 2));
    a.add_household(family()).unwrap();
    sync(&mut a).unwrap();
    sync(&mut b).unwrap();

    fill(&mut a, "甲的答案", "13800000001");
    sync(&mut a).unwrap();
    fill(&mut b, "乙的答案", "13900000002");
    sync(&mut b).unwrap();
    sync(&mut a).unwrap();

    let (notes, _, versions) = answers(&a);
    assert_eq!(notes, ["乙的答案", "甲的答案"]);
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert_eq!(
        answers(&b).2,
        versions,
        "listed where the second one was typed, too"
    );
    let id = a.name_household("zxh").unwrap().to_string();
    let phones = |replica: &Replica| {
        let changes = replica.history(&id).unwrap().changes;
        let edits = changes.into_iter().flat_map(|change| change.edits);
        edits.filter(|edit| edit.field == "phone").count()
    };
    assert_eq!((phones(&a), phones(&b)), (2, 2));
}

/// A household registered and updated offline three times, each step its own change.
fn chain() -> Vec<Letter> {
    let mut li = Scribe::new(1, kind::HOUSEHOLD, HOUSEHOLD, None, GRID);
    let created = [
        Put::root("area", GRID),
        Put::root("door", "12"),
        Put::entry("members", "m", "name", "曾小红"),
        Put::root("head", "m"),
    ];
    let note = |at: i64| vec![Put::root("note", format!("第{at}次").as_str())];
    let mut letters = vec![li.write(0, &created)];
    letters.extend((1..4).map(|at| li.write(at, &note(at))));
    letters
}

fn store(dir: &tempfile::TempDir, name: &str) -> Store {
    Store::open(&dir.path().join(name), &[7; 32]).unwrap()
}

/// What stands at the receiver: the note, how many conflicts, how many wait and are held.
fn stands(store: &Store) -> (Option<Scalar>, usize, (u64, u64)) {
    let document = store.document(&HOUSEHOLD).unwrap();
    let note = document.and_then(|document| document.fields().root("note").cloned());
    let conflicts = store.conflicts(None).unwrap().len();
    (note, conflicts, store.unapplied().unwrap())
}

/// Hands the chain over in an order and expects that in the end nothing of the order is left.
fn arrives(order: [usize; 4]) {
    let dir = tempfile::tempdir().unwrap();
    let (letters, mut there, mut straight) = (chain(), store(&dir, "a"), store(&dir, "b"));
    for at in order {
        deliver(&mut there, &[&letters[at]]);
    }
    deliver(&mut straight, &letters.iter().collect::<Vec<_>>());
    assert_eq!(stands(&there), (Some("第3次".into()), 0, (0, 0)));
    let history = |store: &Store| store.document(&HOUSEHOLD).unwrap().unwrap().history();
    assert_eq!(history(&there), history(&straight));
    let row = |store: &Store| store.household(&HOUSEHOLD).unwrap().unwrap();
    assert_eq!(row(&there), row(&straight));
}

#[test]
fn odk_central_805_the_third_update_first_is_neither_forced_nor_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let (letters, mut there) = (chain(), store(&dir, "a"));
    deliver(&mut there, &[&letters[0]]);
    let outcome = deliver(&mut there, &[&letters[3]]);
    assert_eq!((outcome.waiting, outcome.held), (1, 0));
    assert_eq!(
        stands(&there),
        (None, 0, (1, 0)),
        "it waits and is not applied on another base"
    );
    deliver(&mut there, &[&letters[1]]);
    assert_eq!(stands(&there), (Some("第1次".into()), 0, (1, 0)));
    deliver(&mut there, &[&letters[2]]);
    assert_eq!(stands(&there), (Some("第3次".into()), 0, (0, 0)));
    arrives([0, 3, 1, 2]);
}

#[test]
fn odk_central_808_an_update_before_the_registration_makes_no_household_and_loses_none() {
    let dir = tempfile::tempdir().unwrap();
    let (letters, mut there) = (chain(), store(&dir, "a"));
    deliver(&mut there, &[&letters[2]]);
    deliver(&mut there, &[&letters[1]]);
    let (note, conflicts, unapplied) = stands(&there);
    assert_eq!((note, conflicts, unapplied), (None, 0, (2, 0)));
    assert_eq!(
        there
            .find(&wangge_model::find::Query::parse("zxh"), 5)
            .unwrap(),
        []
    );
    deliver(&mut there, &[&letters[0]]);
    assert_eq!(stands(&there), (Some("第2次".into()), 0, (0, 0)));
    assert_eq!(there.household(&HOUSEHOLD).unwrap().unwrap().head, "曾小红");
    arrives([2, 1, 0, 3]);
}

#[test]
fn odk_central_698_what_waited_is_applied_when_the_rest_comes_however_late_and_in_whatever_order() {
    let dir = tempfile::tempdir().unwrap();
    let (letters, path) = (chain(), dir.path().join("a"));
    {
        let mut there = Store::open(&path, &[7; 32]).unwrap();
        deliver(&mut there, &[&letters[3], &letters[1]]);
        assert_eq!(there.unapplied().unwrap(), (2, 0));
    }
    // The program ends and begins again; nothing is forced by time, nothing was forgotten.
    let mut there = Store::open(&path, &[7; 32]).unwrap();
    assert_eq!(there.unapplied().unwrap(), (2, 0));
    deliver(&mut there, &[&letters[2], &letters[0]]);
    assert_eq!(stands(&there), (Some("第3次".into()), 0, (0, 0)));
    for first in 0..4 {
        for second in (0..4).filter(|at| *at != first) {
            let mut rest = (0..4).filter(|at| ![first, second].contains(at));
            let (third, fourth) = (rest.next().unwrap(), rest.next().unwrap());
            arrives([first, second, third, fourth]);
            arrives([first, second, fourth, third]);
        }
    }
}
