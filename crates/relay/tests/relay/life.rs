//! A relay's life: crashes, full and damaged disks, restored backups, restarts.

use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use wangge_relay::{Clock, LevelForm, Relay, RelayError, Settings};
use wangge_testkit::wire_client::send_raw;
use wangge_wire::message::PageEntry;
use wangge_wire::receipt::ItemState;

use crate::town::{GRID_1, TOWNSHIP, Town, doc};

/// More orders than fit into what pages have left by chance.
const ORDERS: u8 = 100;

#[test]
fn a_receipt_is_signed_only_after_others_can_read_what_it_is_for() {
    // The clock tells how many batches another connection can read; a receipt's time is read last.
    let database: Arc<OnceLock<std::path::PathBuf>> = Arc::default();
    let read = Arc::clone(&database);
    let base = 1_795_000_000_000;
    let town = Town::with(|settings| {
        settings.clock = Clock::of(move || {
            let Some(path) = read.get() else { return base };
            let connection = Connection::open(path).unwrap();
            let count = connection.query_row("SELECT count(*) FROM batch", [], |row| row.get(0));
            base + count.unwrap_or(0)
        });
    });
    let mut li = town.worker(1, &[GRID_1]);
    database.set(town.dir.path().join("relay.db")).unwrap();
    for n in 1..=3 {
        li.begin(doc(n), GRID_1);
        let batch = li.batch();
        let answer = li.sync(town.relay, base, &[batch]);
        assert_eq!(
            answer.standing.as_ref().unwrap().at_ms,
            base + i64::from(n) - 1
        );
        assert_eq!(answer.receipts()[0].at_ms, base + i64::from(n));
    }
}

#[test]
fn what_was_receipted_is_there_after_a_power_cut() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let after = tempfile::tempdir().unwrap();
    for n in 1..=5 {
        li.begin(doc(n), GRID_1);
        li.write(doc(n), "door", "1");
        let batch = li.batch();
        let answer = li.sync(town.relay, town.now_ms(), &[batch]);
        assert!(
            answer
                .items()
                .iter()
                .all(|item| matches!(item, ItemState::At(_)))
        );
        // The files as they are now, while the relay holds them open.
        let dir = after.path().join(n.to_string());
        std::fs::create_dir(&dir).unwrap();
        town.copy_to(&dir);
        let counts = Relay::open(&dir, &town.settings).unwrap().counts().unwrap();
        assert_eq!(
            (counts.documents, counts.changes),
            (u64::from(n), u64::from(n))
        );
    }
}

#[test]
fn a_restart_changes_nothing_a_device_can_see() {
    let mut town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    li.begin(doc(1), GRID_1);
    let batch = li.batch();
    li.sync(town.relay, town.now_ms(), &[batch]);
    let before = zhao.sync(town.relay, town.now_ms(), &[]);
    town.stop();
    town.start();
    let after = zhao.sync(town.relay, town.now_ms(), &[]);
    let (before_end, after_end) = (before.end.unwrap(), after.end.unwrap());
    assert_eq!(before_end, after_end);
    assert!(!after.standing.unwrap().stale_cursor);
    assert!(after.pages.is_empty());
}

#[test]
fn a_restored_backup_that_has_grown_past_the_cursor_is_noticed() {
    let mut town = Town::new();
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    town.stop();
    let backup = tempfile::tempdir().unwrap();
    town.copy_to(backup.path());
    town.start();
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let lost = li.batch();
    li.sync(town.relay, town.now_ms(), std::slice::from_ref(&lost));
    zhao.sync(town.relay, town.now_ms(), &[]);
    let far = zhao.cursor.unwrap().position;

    town.stop();
    for name in ["relay.db", "relay.db-wal", "relay.db-shm"] {
        let _ = std::fs::remove_file(town.dir.path().join(name));
    }
    std::fs::copy(
        backup.path().join("relay.db"),
        town.dir.path().join("relay.db"),
    )
    .unwrap();
    town.start();
    let behind = zhao.exchange(town.relay, town.now_ms(), 0, &[], false);
    assert!(
        behind.standing.unwrap().stale_cursor,
        "the log is shorter than the cursor"
    );
    let mut wang = town.worker(2, &[GRID_1]);
    for n in 2..6 {
        wang.begin(doc(n), GRID_1);
        let batch = wang.batch();
        wang.sync(town.relay, town.now_ms(), &[batch]);
    }
    assert!(
        wang.sync(town.relay, town.now_ms(), &[])
            .end
            .unwrap()
            .cursor
            .position
            > far
    );
    let answer = zhao.sync(town.relay, town.now_ms(), &[]);
    assert!(
        answer.standing.unwrap().stale_cursor,
        "the same position, another chain"
    );
    assert_eq!(zhao.places.len(), 5, "pages came from the beginning");
    // The author still has what the relay lost; sending it again is all it takes.
    li.cursor = None;
    let answer = li.sync(town.relay, town.now_ms(), &[lost]);
    assert!(
        answer
            .items()
            .iter()
            .all(|item| matches!(item, ItemState::At(_)))
    );
}

#[test]
fn a_full_disk_refuses_batches_whole_and_goes_on_answering() {
    let mut town = Town::with(|settings| settings.pages_max = Some(80));
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(9));
    let mut wang = town.worker(2, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    let mut kept = 0;
    let refused = loop {
        li.write(doc(1), "note", &"字".repeat(3_000 + kept));
        let batch = li.batch();
        let frames = li.short(std::slice::from_ref(&batch));
        let answer = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
        if answer.status != 200 {
            assert_eq!(answer.status, 507);
            break batch;
        }
        li.take(&answer);
        kept += 1;
    };
    assert!(kept > 3, "{kept}");
    let counts = town.open().counts().unwrap();
    assert_eq!(
        (counts.changes, counts.waiting, counts.inbox),
        (kept as u64, 0, 0)
    );
    // Reading goes on.
    let end = zhao.sync(town.relay, town.now_ms(), &[]).end.unwrap();
    assert_eq!(end.digests[0].1.changes, kept as u64);
    assert_eq!(end.digests[0].1, zhao.digest_of(|_| true));
    // Orders do not wait for room: neither a desk's nor a revocation.
    for n in 0..ORDERS {
        let unit = wangge_wire::Unit {
            id: doc(10 + n),
            n: 0,
            name: format!("{n}{}", "站".repeat(38)),
            area: wangge_wire::AreaCode::parse(TOWNSHIP).unwrap(),
            phone: String::new(),
            closed: false,
        };
        let body = wangge_wire::OrderBody::Unit(unit);
        let ordered = zhao.ask_order(town.relay, town.now_ms(), body);
        assert_eq!(ordered.status, 200, "{n} {}", ordered.text());
    }
    let relay = town.open();
    for good in 0..u64::from(ORDERS) {
        relay.revoke(&wang.id(), good, town.now_ms()).unwrap();
    }
    let ask = wang.ask(0, false).bytes();
    let request = wang.request(town.relay, town.now_ms(), &ask, &[]);
    assert_eq!(send_raw(town.relay, &request).status, 403, "told to purge");
    let frames = li.short(std::slice::from_ref(&refused));
    let still = li.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert_eq!(
        still.status, 507,
        "what is kept for orders is nobody else's"
    );
    // With room again the same batch is taken.
    town.stop();
    town.settings.pages_max = None;
    town.start();
    let answer = li.sync(town.relay, town.now_ms(), &[refused]);
    assert!(matches!(answer.items()[0], ItemState::At(_)));
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_is() {
    let mut town = Town::new();
    town.stop();
    let path = town.dir.path().join("relay.db");
    let whole = std::fs::read(&path).unwrap();
    let mut torn = whole.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 4096].fill(0xa5);
    for bytes in [
        b"this is no database, and long enough to be looked at".repeat(100),
        torn,
    ] {
        std::fs::write(&path, &bytes).unwrap();
        match Relay::open(town.dir.path(), &town.settings) {
            Err(RelayError::Damaged { path: named }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
        assert!(
            std::fs::read(&path).unwrap() == bytes,
            "not a byte was changed"
        );
    }
    std::fs::write(&path, whole).unwrap();
    assert!(Relay::open(town.dir.path(), &town.settings).is_ok());
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let mut town = Town::new();
    town.stop();
    let path = town.dir.path().join("relay.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let opened = Relay::open(town.dir.path(), &town.settings);
    assert!(
        matches!(opened, Err(RelayError::TooNew { found: 99, .. })),
        "{opened:?}"
    );
}

#[test]
fn a_database_of_another_program_is_not_taken_for_ours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.db");
    let sql = "CREATE TABLE other (id INTEGER); PRAGMA user_version = 1";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let opened = Relay::open(dir.path(), &Settings::new("x", LevelForm::County));
    assert!(
        matches!(opened, Err(RelayError::Damaged { .. })),
        "{opened:?}"
    );
}

#[test]
fn a_log_without_its_key_is_not_opened_with_a_new_one() {
    let mut town = Town::new();
    town.stop();
    let key = town.dir.path().join("relay.key");
    let secret = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let opened = Relay::open(town.dir.path(), &town.settings);
    assert!(matches!(opened, Err(RelayError::Gone { path }) if path == key));
    assert!(!key.exists());
    std::fs::write(&key, [7; 32]).unwrap();
    assert!(Relay::open(town.dir.path(), &town.settings).is_err());
    std::fs::write(&key, secret).unwrap();
    assert!(Relay::open(town.dir.path(), &town.settings).is_ok());
}

#[test]
fn a_relay_without_its_database_does_not_become_another_one() {
    let mut town = Town::new();
    town.stop();
    let path = town.dir.path().join("relay.db");
    let whole = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    for empty in [false, true] {
        if empty {
            std::fs::write(&path, []).unwrap();
        }
        let opened = Relay::open(town.dir.path(), &town.settings);
        assert!(matches!(opened, Err(RelayError::Gone { path: named }) if named == path));
        let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
        assert_eq!(bytes, 0, "nothing was begun");
    }
    // Its key may be lost with it: the attachments are a relay's all the same.
    let key = town.dir.path().join("relay.key");
    let secret = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir_all(town.dir.path().join("blobs")).unwrap();
    assert!(Relay::open(town.dir.path(), &town.settings).is_err());
    std::fs::write(&key, secret).unwrap();
    std::fs::write(&path, whole).unwrap();
    assert!(Relay::open(town.dir.path(), &town.settings).is_ok());
}

#[test]
fn the_name_of_the_first_start_stays() {
    let mut town = Town::new();
    let before = town.open().card(1);
    town.stop();
    let other = Settings::new("another name", LevelForm::County);
    let after = Relay::open(town.dir.path(), &other).unwrap().card(1);
    assert_eq!(before, after);
}

#[test]
fn no_page_repeats_an_order_that_the_device_has() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let first = li.sync(town.relay, town.now_ms(), &[]);
    let orders = first.pages.iter().flat_map(|(page, _)| &page.entries);
    let orders = orders.filter(|entry| matches!(entry, PageEntry::Single { kind: 6, .. }));
    assert_eq!(orders.count(), 2, "the root and the own grant");
    assert!(li.sync(town.relay, town.now_ms(), &[]).pages.is_empty());
}
