//! A relay backed up while it serves and restored by the tool: devices notice by themselves, and what
//! came after the backup comes back as its authors signed it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::PathBuf;

use wangge_agent::{AttachInput, Replica};
use wangge_relay::{LevelForm, Relay, Settings};
use wangge_testkit::device::card;
use wangge_testkit::district::{District, sync};
use wangge_testkit::work::{family, is_whole, visit, visits};
use wangge_wire::Role;

const VILLAGE: &str = "511724103202";
const GRID: &str = "511724103202001";

fn settings() -> Settings {
    Settings::new("恢复", LevelForm::County)
}

fn back_up(district: &District, name: &str) -> PathBuf {
    let file = district.path().join(name);
    district.relay().backup(&file, None).unwrap();
    file
}

/// Loses the relay's folder and makes it anew of a backup.
fn restore(district: &mut District, file: &std::path::Path) {
    district.stop();
    std::fs::rename(district.relay_dir(), district.path().join("lost")).unwrap();
    Relay::restore(file, None, &district.relay_dir(), &settings()).unwrap();
    district.start();
}

#[test]
fn every_backup_made_while_pushes_go_on_is_one_moment_of_the_log() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let pushing = std::thread::spawn(move || {
        for _ in 0..20 {
            visit(&mut li, "3-12");
            assert!(is_whole(&sync(&mut li).unwrap()));
        }
    });
    let mut backups = Vec::new();
    loop {
        let over = pushing.is_finished();
        let file = district.path().join(format!("backup-{}", backups.len()));
        let before = district.relay().counts().unwrap().entries;
        let made = district.relay().backup(&file, None).unwrap();
        let after = district.relay().counts().unwrap().entries;
        assert!((before..=after).contains(&made.entries));
        backups.push((file, made.entries));
        if over {
            break;
        }
    }
    pushing.join().unwrap();
    for (number, (file, entries)) in backups.iter().enumerate() {
        let dir = district.path().join(format!("relay-{number}"));
        let restored = Relay::restore(file, None, &dir, &settings()).unwrap();
        assert_eq!(restored.entries, *entries);
        let counts = Relay::open(&dir, &settings()).unwrap().counts().unwrap();
        assert_eq!(counts.entries, *entries);
    }
    let last = backups.last().unwrap().1;
    assert_eq!(last, district.relay().counts().unwrap().entries);
}

#[test]
fn a_relay_restored_by_the_tool_gets_back_what_came_after_the_backup() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let backup = back_up(&district, "backup");
    for _ in 0..25 {
        visit(&mut li, "3-12");
    }
    family(&mut li, "3-13");
    assert!(is_whole(&sync(&mut li).unwrap()));
    let before = card(district.address());

    restore(&mut district, &backup);
    let after = card(district.address());
    assert_eq!((before.key, before.level), (after.key, after.level));
    assert_ne!(before.incarnation, after.incarnation);
    let report = sync(&mut li).unwrap();
    assert!(is_whole(&report), "{report:?}");
    let repair = report.repair.unwrap();
    assert_eq!((repair.given_back, repair.fetched), (26, 0), "{repair:?}");
    assert!(report.receipts > 0, "they are receipted anew");
    assert!(li.status().unwrap().all_safe);
    assert!(is_whole(&sync(&mut desk).unwrap()));
    assert_eq!(
        (visits(&desk), desk.store().counts().unwrap().households),
        (25, 2)
    );
    assert!(sync(&mut li).unwrap().repair.is_none(), "once is enough");
}

#[test]
fn what_a_lost_phone_wrote_after_the_backup_comes_back_from_a_colleague() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    sync(&mut desk).unwrap();
    let backup = back_up(&district, "backup");
    family(&mut li, "3-12");
    visit(&mut li, "3-12");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    drop(li);

    restore(&mut district, &backup);
    assert!(is_whole(&sync(&mut desk).unwrap()));
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    assert!(is_whole(&sync(&mut wang).unwrap()));
    let written = &wang.visits(None, 1).unwrap()[0];
    assert_eq!(written.by.name, "李梅", "still as its author signed it");
}

#[test]
fn attachments_are_inside_and_later_ones_are_brought_again() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    visit(&mut li, "3-12");
    let to = li.visits(None, 1).unwrap()[0].id.to_string();
    let attach = |li: &mut Replica, district: &District, name: &str| {
        let file = district.path().join(name);
        std::fs::write(&file, format!("%PDF-1.4\n% {name}\n%%EOF\n")).unwrap();
        let to = to.clone();
        let input = AttachInput {
            file,
            to,
            ..AttachInput::default()
        };
        li.attach(&input).unwrap();
        sync(li).unwrap();
    };
    attach(&mut li, &district, "first.pdf");
    let file = district.path().join("backup");
    let made = district.relay().backup(&file, None).unwrap();
    assert_eq!((made.attachments, made.missing), (1, 0));
    attach(&mut li, &district, "second.pdf");
    let held = files(&district.relay_dir().join("blobs"));
    assert_eq!(held.len(), 2);

    restore(&mut district, &file);
    let kept = files(&district.relay_dir().join("blobs"));
    assert_eq!(kept.len(), 1);
    assert!(kept.iter().all(|it| held.contains(it)));
    sync(&mut li).unwrap();
    assert_eq!(files(&district.relay_dir().join("blobs")), held);
}

/// The names of all files below a folder, and what is in them.
fn files(dir: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            let name = entry.file_name().to_string_lossy().into_owned();
            found.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    found.sort();
    found
}
