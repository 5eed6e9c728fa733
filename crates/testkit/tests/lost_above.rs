//! Relays of a tree that lost what they had: whoever is below tells them again, and nobody is told
//! "safe" of what is not there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Replica};
use wangge_relay::{LevelForm, Relay, Settings};
use wangge_testkit::district::{District, sync};
use wangge_testkit::tree::{AREAS, Tree};
use wangge_wire::Role;

const GRID: &str = "511724103202001";

fn family(replica: &mut Replica, door: &str, head: &str) {
    let input = HouseholdInput {
        door: door.into(),
        members: vec![MemberInput {
            name: head.into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap();
}

fn visit(replica: &mut Replica) -> String {
    let input = VisitInput {
        household: "龙国华".into(),
        no_change: true,
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap().id
}

fn is_safe(replica: &mut Replica) -> bool {
    sync(replica).unwrap();
    replica.status().unwrap().all_safe
}

fn now_ms() -> i64 {
    Settings::new("", LevelForm::County).clock.now_ms()
}

/// A tree in which 李梅 has one household, which is everywhere.
fn cast() -> (Tree, Replica) {
    let tree = Tree::new();
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "1", "龙国华");
    sync(&mut li).unwrap();
    tree.settle();
    sync(&mut li).unwrap();
    (tree, li)
}

/// The files of a relay as they were.
struct Earlier(PathBuf);

impl Earlier {
    fn keep(district: &mut District) -> Self {
        let kept = district.path().join("earlier");
        district.stop();
        copy(&district.relay_dir(), &kept);
        district.start();
        Self(kept)
    }

    fn put_back(&self, district: &mut District) {
        district.stop();
        copy(&self.0, &district.relay_dir());
        district.start();
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

fn changes(district: &District) -> u64 {
    district.relay().counts().unwrap().changes
}

#[test]
fn a_township_put_back_is_told_again_wherever_the_meeting_that_notices_is_cut() {
    let (mut tree, mut li) = cast();
    let earlier = Earlier::keep(&mut tree.township);
    for _ in 0..3 {
        visit(&mut li);
    }
    sync(&mut li).unwrap();
    tree.village_meets().unwrap();
    let all = changes(&tree.village);
    assert_eq!(changes(&tree.township), all);
    // What the meeting takes that notices, so that the line is cut in each of its frames. The county
    // hears of nothing: it would give it all back.
    earlier.put_back(&mut tree.township);
    tree.to_township.take();
    tree.village_meets().unwrap();
    let answers = tree.to_township.take().1;
    for part in 1..=12 {
        earlier.put_back(&mut tree.township);
        assert_eq!(changes(&tree.township), all - 3);
        tree.to_township
            .cut_after(u64::MAX, answers * part / 12 - 1);
        let _ = tree.village_meets();
        tree.to_township.cut_after(u64::MAX, u64::MAX);
        tree.village_meets().unwrap();
        assert_eq!(changes(&tree.township), all, "cut in part {part}");
    }
    tree.settle();
    assert!(is_safe(&mut li));
}

#[test]
fn a_township_put_back_is_told_again_though_a_device_pushes_in_the_middle_of_the_meeting() {
    let (mut tree, mut li) = cast();
    let earlier = Earlier::keep(&mut tree.township);
    for _ in 0..3 {
        visit(&mut li);
    }
    sync(&mut li).unwrap();
    tree.village_meets().unwrap();
    earlier.put_back(&mut tree.township);
    let (back, returned) = channel();
    tree.to_township.before_the_answer(move || {
        visit(&mut li);
        sync(&mut li).unwrap();
        back.send(li).unwrap();
    });
    tree.village_meets().unwrap();
    let mut li = returned.recv().unwrap();
    assert_eq!(changes(&tree.township), changes(&tree.village));
    tree.settle();
    assert!(is_safe(&mut li));
}

#[test]
fn a_township_put_back_to_a_cursor_it_knows_is_told_again() {
    let (mut tree, mut li) = cast();
    // As much as a meeting with one visit takes, to cut the next one in its last frame.
    visit(&mut li);
    sync(&mut li).unwrap();
    tree.to_township.take();
    tree.village_meets().unwrap();
    let answer = tree.to_township.take().1;
    tree.settle();
    let earlier = Earlier::keep(&mut tree.township);
    for _ in 0..2 {
        visit(&mut li);
        sync(&mut li).unwrap();
        tree.to_township.cut_after(u64::MAX, answer - 20);
        assert!(tree.village_meets().is_err());
        tree.to_township.cut_after(u64::MAX, u64::MAX);
    }
    assert_eq!(changes(&tree.township), changes(&tree.village));
    earlier.put_back(&mut tree.township);
    assert_eq!(changes(&tree.township), changes(&tree.village) - 2);
    assert!(tree.village_meets().unwrap().complete);
    assert_eq!(changes(&tree.township), changes(&tree.village));
    tree.settle();
    assert!(is_safe(&mut li));
}

#[test]
fn a_village_restored_from_a_backup_takes_back_its_revocations_from_above() {
    let (mut tree, mut li) = cast();
    let backup = tree.village.path().join("backup");
    tree.village.relay().backup(&backup, None).unwrap();
    let wang = tree.village.home("王芳", Role::Worker, &[GRID]);
    tree.village
        .relay()
        .revoke(&li.device(), 9, now_ms())
        .unwrap();
    tree.settle();
    restore(&mut tree.village, &backup, "lost");
    assert_eq!(tree.village.relay().counts().unwrap().devices, 1);
    tree.village_meets().unwrap();
    let devices = tree.village.relay().devices().unwrap();
    let row = |replica: &Replica| {
        let mut rows = devices.iter();
        rows.find(|row| row.device == replica.device()).unwrap()
    };
    assert!(row(&li).revoked && !row(&wang).revoked);
    assert!(matches!(sync(&mut li), Err(AgentError::Purged(_))));

    // Once more, and its own log has gone on before it meets anybody.
    restore(&mut tree.village, &backup, "lost again");
    let other = tree.village.home("赵强", Role::Worker, &[GRID]);
    tree.settle();
    let devices = tree.village.relay().devices().unwrap();
    assert_eq!(devices.len(), 3);
    let revoked = devices.iter().filter(|row| row.revoked);
    assert_eq!(
        revoked.map(|row| row.device).collect::<Vec<_>>(),
        [li.device()]
    );
    assert!(devices.iter().any(|row| row.device == other.device()));
    assert!(matches!(sync(&mut li), Err(AgentError::Purged(_))));
}

/// Loses a relay's folder and makes it anew of a backup.
fn restore(district: &mut District, file: &Path, lost: &str) {
    district.stop();
    std::fs::rename(district.relay_dir(), district.path().join(lost)).unwrap();
    let settings = Settings::new("民主村", LevelForm::Village);
    Relay::restore(file, None, &district.relay_dir(), &settings).unwrap();
    district.start();
}

#[test]
fn what_a_village_numbered_before_it_revoked_its_author_takes_its_place_above() {
    let (tree, mut li) = cast();
    let mut county = tree.county.home("县台", Role::County, &[AREAS[0]]);
    let id = visit(&mut li);
    sync(&mut li).unwrap();
    tree.village
        .relay()
        .revoke(&li.device(), 0, now_ms())
        .unwrap();
    tree.settle();
    for district in [&tree.township, &tree.county] {
        assert!(district.relay().inbox().unwrap().is_empty());
        assert_eq!(changes(district), changes(&tree.village));
    }
    sync(&mut county).unwrap();
    assert!(county.visit(&id).is_ok());
}

#[test]
fn what_a_colleague_gives_back_of_a_revoked_author_is_good_up_to_the_last_good_batch() {
    for (last_good, taken) in [(2, true), (1, false)] {
        let mut district = District::new();
        let mut li = district.home("李梅", Role::Worker, &[GRID]);
        let mut desk = district.home("陈站长", Role::Station, &[AREAS[2]]);
        family(&mut li, "1", "龙国华");
        sync(&mut li).unwrap();
        sync(&mut desk).unwrap();
        let earlier = Earlier::keep(&mut district);
        // The second batch of this life.
        visit(&mut li);
        sync(&mut li).unwrap();
        sync(&mut desk).unwrap();
        let all = changes(&district);
        earlier.put_back(&mut district);
        district
            .relay()
            .revoke(&li.device(), last_good, now_ms())
            .unwrap();
        sync(&mut desk).unwrap();
        let lost = u64::from(!taken);
        assert_eq!(changes(&district), all - lost, "last good {last_good}");
        assert_eq!(district.relay().counts().unwrap().inbox, lost);
    }
}
