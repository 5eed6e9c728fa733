//! What residents told lies sealed in the log, and its keys lie elsewhere.

use std::path::Path;

use rusqlite::Connection;
use wangge_relay::{LevelForm, Relay, RelayError, Settings};
use wangge_testkit::device::Device;
use wangge_wire::receipt::ItemState;

use crate::town::{GRID_1, Town, doc};

/// Says whether any file of this name, or what SQLite keeps beside it, has these bytes.
fn holds(dir: &Path, name: &str, text: &str) -> bool {
    ["", "-wal", "-shm"].iter().any(|suffix| {
        let bytes = std::fs::read(dir.join(format!("{name}{suffix}"))).unwrap_or_default();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

#[test]
fn no_word_of_a_resident_lies_in_the_log_in_the_clear_numbered_waiting_or_in_the_inbox() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_1]));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "canary numbered");
    let first = li.batch();
    li.write(doc(1), "door", "canary that waits");
    let second = li.batch();
    li.sync(town.relay, town.now_ms(), std::slice::from_ref(&first));
    // The second of three is missing: what rests on it waits.
    li.write(doc(1), "note", "canary behind it");
    let third = li.batch();
    let frames = Device::full(std::slice::from_ref(&third));
    let waits = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert_eq!(waits.items(), [ItemState::Waiting]);
    // Without a place it lies in the inbox.
    wang.begin_owned(doc(7), None);
    wang.write(doc(7), "door", "canary in the inbox");
    let lost = wang.batch();
    wang.sync(town.relay, town.now_ms(), &[lost]);
    let dir = town.dir.path().to_owned();
    for text in ["canary numbered", "canary behind it", "canary in the inbox"] {
        assert!(!holds(&dir, "relay.db", text), "{text}");
        assert!(!holds(&dir, "keys.db", text), "{text}");
    }
    // All of it is read as before: what waited takes its place, and a desk reads it.
    li.sync(town.relay, town.now_ms(), &[second]);
    let mut zhao = town.desk(9);
    zhao.sync(town.relay, town.now_ms(), &[]);
    let read = zhao.docs[&doc(1)].document.fields();
    assert_eq!(read.root_text("door"), "canary that waits");
    assert_eq!(read.root_text("note"), "canary behind it");
    assert!(!holds(&dir, "relay.db", "canary that waits"));
}

#[test]
fn a_log_whose_keys_are_gone_is_refused_and_no_key_is_made_in_their_place() {
    let mut town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "3-12");
    let batch = li.batch();
    li.sync(town.relay, town.now_ms(), &[batch]);
    town.stop();
    let dir = town.dir.path();
    for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
    let opened = Relay::open(dir, &Settings::new("", LevelForm::Township));
    let gone = matches!(&opened, Err(RelayError::Gone { path }) if path.ends_with("keys.db"));
    assert!(gone, "{:?}", opened.err());
    assert!(!dir.join("keys.db").exists());
}

#[test]
fn a_log_of_an_earlier_program_is_sealed_when_it_is_opened_and_reads_as_before() {
    let mut town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "canary of before");
    let batch = li.batch();
    let raw = batch.items.iter().find_map(|item| match item {
        wangge_wire::Item::Change { change, .. } => Some(change.raw.clone()),
        _ => None,
    });
    li.sync(town.relay, town.now_ms(), &[batch]);
    town.stop();
    let dir = town.dir.path();
    // As it lay before bodies were sealed.
    let database = Connection::open(dir.join("relay.db")).unwrap();
    let sql = "UPDATE entry SET body = ?1, sealed = 0 WHERE kind = 1";
    assert_eq!(database.execute(sql, [raw.unwrap()]).unwrap(), 1);
    drop(database);
    std::fs::remove_file(dir.join("keys.db")).unwrap();
    assert!(holds(dir, "relay.db", "canary of before"));
    town.start();
    assert!(!holds(town.dir.path(), "relay.db", "canary of before"));
    let mut zhao = town.desk(9);
    zhao.sync(town.relay, town.now_ms(), &[]);
    let read = zhao.docs[&doc(1)].document.fields();
    assert_eq!(read.root_text("door"), "canary of before");
}
