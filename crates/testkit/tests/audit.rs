//! Devices as witnesses of their relay's audit chain: an end that was cut off, or written anew, is told of.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use rusqlite::Connection;
use wangge_agent::Replica;
use wangge_agent::witness::{AuditDoubt, read};
use wangge_relay::{Compared, LevelForm, Relay, Settings};
use wangge_testkit::district::{District, sync};
use wangge_wire::{AuditCheckpoint, Role};

const GRID: &str = "511724103202001";

/// Changes the chain behind the relay, which does not serve meanwhile.
fn behind(district: &mut District, sql: &str) {
    district.stop();
    let database = Connection::open(district.relay_dir().join("relay.db")).unwrap();
    database.execute_batch(sql).unwrap();
    drop(database);
    district.start();
}

fn told(replica: &mut Replica) -> Option<AuditDoubt> {
    let doubt = sync(replica).unwrap().audit_doubt;
    assert_eq!(replica.status().unwrap().audit_doubt, doubt);
    doubt
}

fn kept(replica: &Replica) -> AuditCheckpoint {
    let seen = replica.audit_checkpoints().unwrap();
    assert_eq!(seen.len(), 1);
    read(&seen[0].checkpoint).unwrap()
}

fn compared(district: &District, replica: &Replica) -> Compared {
    district.relay().audit_compare(&kept(replica)).unwrap()
}

/// Li's device has seen a chain of some rows; then another was written.
fn seen() -> (District, Replica) {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    assert!(li.audit_checkpoints().unwrap().is_empty());
    assert_eq!(told(&mut li), None);
    assert_eq!(kept(&li).n, 4);
    district.invite("王芳", Role::Worker, &[GRID]);
    assert_eq!(compared(&district, &li), Compared::Fits);
    (district, li)
}

#[test]
fn a_chain_that_grows_fits_at_every_sync() {
    let (district, mut li) = seen();
    for n in 5..8 {
        assert_eq!(told(&mut li), None);
        assert_eq!((kept(&li).n, kept(&li).asked), (n, n - 1));
        district.invite("王芳", Role::Worker, &[GRID]);
    }
}

#[test]
fn a_tail_that_was_cut_off_is_told_of_by_a_device_that_saw_it_until_it_is_back() {
    let (mut district, mut li) = seen();
    told(&mut li);
    behind(
        &mut district,
        "CREATE TABLE aside AS SELECT * FROM audit WHERE n > 3; DELETE FROM audit WHERE n > 3",
    );
    assert_eq!(district.relay().audit_walk().unwrap().fault, None);
    for _ in 0..2 {
        assert_eq!(told(&mut li), Some(AuditDoubt::Cut));
        assert_eq!(kept(&li).n, 5, "what was seen is kept");
    }
    assert_eq!(compared(&district, &li), Compared::Cut(3));
    behind(&mut district, "INSERT INTO audit SELECT * FROM aside");
    assert_eq!(told(&mut li), None);
    assert_eq!(compared(&district, &li), Compared::Fits);
}

#[test]
fn a_chain_that_was_cut_and_grew_past_what_was_seen_is_told_of() {
    let (mut district, mut li) = seen();
    told(&mut li);
    behind(&mut district, "DELETE FROM audit WHERE n > 3");
    for _ in 0..4 {
        district.invite("赵敏", Role::Worker, &[GRID]);
    }
    assert_eq!(district.relay().audit_walk().unwrap().last, 7);
    assert_eq!(district.relay().audit_walk().unwrap().fault, None);
    assert_eq!(told(&mut li), Some(AuditDoubt::Changed));
    assert_eq!(compared(&district, &li), Compared::Changed);
}

#[test]
fn a_relay_restored_from_a_backup_explains_its_chain_and_one_that_only_says_so_does_not() {
    let (mut district, mut li) = seen();
    let file = district.path().join("backup");
    district.relay().backup(&file, None).unwrap();
    for _ in 0..3 {
        district.invite("赵敏", Role::Worker, &[GRID]);
    }
    assert_eq!(told(&mut li), None);
    let before = kept(&li);
    assert_eq!(before.n, 9);
    district.stop();
    let dir = district.relay_dir();
    std::fs::rename(&dir, district.path().join("lost")).unwrap();
    let settings = Settings::new("杨家镇", LevelForm::Township);
    Relay::restore(&file, None, &dir, &settings).unwrap();
    district.start();
    assert_eq!(compared(&district, &li), Compared::Restored(7));
    assert_eq!(told(&mut li), None);
    assert_eq!((kept(&li).n, kept(&li).restored), (7, 7));
    assert_ne!(kept(&li).incarnation, before.incarnation);
    // Another life and no new row of a restore: nothing explains that the end is gone.
    district.invite("赵敏", Role::Worker, &[GRID]);
    told(&mut li);
    behind(
        &mut district,
        "UPDATE meta SET incarnation = randomblob(16); DELETE FROM audit WHERE n > 7",
    );
    assert_eq!(told(&mut li), Some(AuditDoubt::Cut));
}

#[test]
fn a_checkpoint_that_another_relay_signed_proves_nothing() {
    let (district, _) = seen();
    let (_other, li) = seen();
    assert_eq!(compared(&district, &li), Compared::NotOurs);
}
