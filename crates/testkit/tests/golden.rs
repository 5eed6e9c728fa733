//! A home and a relay of every landing still open, show what they showed, and go on.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};

use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_relay::{LevelForm, Relay, Settings};
use wangge_store::Store;
use wangge_testkit::sealed::key_of;

fn golden() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden");
    let mut versions: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    versions.sort();
    assert!(!versions.is_empty());
    versions
}

/// Copies a folder: opening may migrate, and the golden one stays as it is.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copied(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
fn a_home_of_every_landing_opens_with_all_its_records_and_takes_new_ones() {
    for version in golden() {
        let dir = tempfile::tempdir().unwrap();
        copied(&version.join("home"), dir.path());
        let was_plain = holds(dir.path(), "单秀英".as_bytes());
        assert_eq!(was_plain, version.file_name().unwrap() <= "0.3.0");
        if was_plain {
            belongs_here(dir.path());
        }
        let mut replica = Replica::open(dir.path(), Machine::default()).unwrap();
        if was_plain {
            is_sealed_now(dir.path(), &replica);
        }
        // None of them was ever given a lease: nothing of it is locked, however old it is.
        assert!(replica.lease().unwrap().is_none() && replica.may_read().is_ok());
        let counts = replica.store().counts().unwrap();
        let seen = (
            counts.households,
            counts.visits,
            counts.reports,
            counts.tickets,
        );
        // Packs begin at more families than the first landings had; the one of 7-1 waits at a desk.
        let brings_packs = version.file_name().unwrap() >= "0.3.0";
        let households = if brings_packs { 65 } else { 3 };
        assert_eq!(seen, (households, 2, 1, 1), "{}", version.display());
        assert_eq!((counts.conflicts, counts.unsent), (1, 1));
        if brings_packs {
            shows_what_0_3_0_brought(&replica);
        }
        let conflict = replica.conflicts().unwrap().remove(0);
        assert_eq!(
            (conflict.field.as_str(), conflict.versions.len()),
            ("phone", 2)
        );
        assert_eq!(replica.tickets(&[], 1).unwrap()[0].status, "accepted");
        assert_eq!(replica.find("xxy", 5).unwrap().len(), 0);
        assert_eq!(replica.find("sxy", 5).unwrap()[0].head, "单秀英");
        if version.file_name().unwrap() != "0.1.0" {
            shows_what_0_2_0_brought(&replica);
        }
        let visit = VisitInput {
            household: "sxy".into(),
            no_change: true,
            ..VisitInput::default()
        };
        replica.add_visit(visit).unwrap();
        assert_eq!(replica.store().counts().unwrap().visits, 3);
        let status = replica.status().unwrap();
        assert_eq!((status.name.as_str(), status.all_safe), ("li", false));
    }
}

/// Notes the database of a copied home as the one its life was noted beside: as if it was made here.
fn belongs_here(home: &Path) {
    let Some(born_ms) = (Machine::default().born_ms)(&home.join("wangge.db")) else {
        return;
    };
    let life = std::fs::read_to_string(home.join("life")).unwrap();
    let mut words: Vec<&str> = life.split_whitespace().take(2).collect();
    words.resize(2, "0");
    std::fs::write(home.join("life"), format!("{} {born_ms}", words.join(" "))).unwrap();
}

/// What an earlier program kept in the clear lies in no file any more, a proved copy of it is here, and the
/// home goes on as the same writer.
fn is_sealed_now(home: &Path, replica: &Replica) {
    for text in ["单秀英", "王建国", "13812345678"] {
        assert!(!holds(home, text.as_bytes()), "{text}");
    }
    for name in ["device.key", "id.key", "id.keys.past"] {
        assert!(!home.join(name).exists(), "{name}");
    }
    let copies = Store::copies_before(&home.join("wangge.db")).unwrap();
    assert_eq!(copies.len(), 1);
    let before = Store::open(&copies[0], &key_of(home)).unwrap();
    let (now, then) = (replica.store().counts(), before.counts());
    assert_eq!(then.unwrap().visits, now.unwrap().visits);
    assert!(!replica.is_copied(), "a home that was sealed is no copy");
}

/// Says whether a file of a folder, or of one in it, has these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .any(|path| match path.is_dir() {
            true => holds(&path, bytes),
            false => {
                let read = std::fs::read(&path).unwrap();
                read.windows(bytes.len()).any(|part| part == bytes)
            }
        })
}

/// What 0.2.0 recorded beside what 0.1.0 could: see `crates/testkit/examples/make_golden.rs`.
fn shows_what_0_2_0_brought(replica: &Replica) {
    let wang = replica.name_household("王建国").unwrap();
    let shown = replica.household(&wang).unwrap();
    let son = |member: &&wangge_model::household::Member| member.name == "王小明";
    let son = shown.household.members.iter().find(son).unwrap();
    assert_eq!(son.left.as_deref(), Some("moved_out"));
    assert!(shown.household.head_member().unwrap().care.is_empty());
    let accesses = replica.accesses(&wang).unwrap();
    assert_eq!(accesses.len(), 1);
    let rounds = replica.rounds(10).unwrap();
    assert_eq!(rounds[0].content["marks"][0]["text"], "路灯不亮");
    let shan = replica.name_household("单秀英").unwrap();
    assert_eq!(replica.household(&shan).unwrap().also.len(), 1);
}

/// What 0.3.0 recorded beside: a first download by packs, a family before the desk, an attachment.
fn shows_what_0_3_0_brought(replica: &Replica) {
    let packed = replica.name_household("6-61").unwrap();
    let head = replica.household(&packed).unwrap().household;
    assert_eq!(head.head_member().unwrap().name, "曾大山");
    let rows = replica.outbox().unwrap();
    let discarded = rows.iter().filter(|row| row.state == "discarded");
    assert_eq!(discarded.count(), 2, "{rows:?}");
    let visit = &replica.visits(None, 2).unwrap()[1];
    let attached = replica.attachments(&visit.id).unwrap();
    assert_eq!((attached.len(), attached[0].attachment.bytes), (1, 13));
}

#[test]
fn a_relay_of_every_landing_opens_with_its_log_and_its_devices() {
    for version in golden() {
        let dir = tempfile::tempdir().unwrap();
        copied(&version.join("relay"), dir.path());
        let relay = Relay::open(dir.path(), &Settings::new("any", LevelForm::County)).unwrap();
        let counts = relay.counts().unwrap();
        assert_eq!(
            (counts.devices, counts.inbox),
            (2, 0),
            "{}",
            version.display()
        );
        assert!(counts.changes >= 9, "{counts:?}");
        assert_eq!(relay.card(0).name, "杨家镇");
        assert_eq!(relay.devices().unwrap().len(), 2);
        let settled = relay.settled().unwrap().len();
        let discards = version.file_name().unwrap() >= "0.3.0";
        assert_eq!(settled, if discards { 2 } else { 0 });
    }
}
