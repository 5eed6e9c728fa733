//! The disk under a real SQLite: what survives, what is lost, and that a lie about it is caught.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::{Content, Cut, Disk, Fault, FaultKind, Image, Weak};

const ROWS: i64 = 12;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(dir: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(dir.join("a.db"))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    connection.execute_batch("CREATE TABLE IF NOT EXISTS a (n INTEGER PRIMARY KEY, b BLOB)")?;
    Ok(connection)
}

fn add(connection: &Connection, n: i64) -> rusqlite::Result<usize> {
    let bytes = vec![u8::try_from(n).unwrap(); 3_000];
    connection.execute("INSERT INTO a VALUES (?1, ?2)", (n, bytes))
}

fn is_whole(connection: &Connection) -> bool {
    let ask = "PRAGMA quick_check(1)";
    let told: rusqlite::Result<String> = connection.query_row(ask, [], |row| row.get(0));
    told.is_ok_and(|told| told == "ok")
}

fn rows(connection: &Connection) -> i64 {
    assert!(is_whole(connection));
    let ask = "SELECT ifnull(max(n), 0) FROM a WHERE length(b) = 3000";
    connection.query_row(ask, [], |row| row.get(0)).unwrap()
}

/// Writes rows and cuts the power after every operation, in every way; returns how many images lost a row
/// that was committed, and how many images there were.
fn lost(weak: Option<Weak>) -> (usize, usize) {
    let dir = folder();
    let disk = Disk::new();
    disk.weaken(weak);
    disk.record();
    let mounted = disk.mount(dir.path()).unwrap();
    let connection = open(dir.path()).unwrap();
    let mut committed = BTreeMap::from([(0, 0)]);
    for n in 1..=ROWS {
        add(&connection, n).unwrap();
        committed.insert(disk.recorded(), n);
        if n == ROWS / 2 {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            connection.query_row(sql, [], |_| Ok(())).unwrap();
        }
    }
    drop((connection, mounted));
    let (mut walk, mut lost, mut images) = (disk.walk(7), 0, 0);
    while walk.step().is_some() {
        for cut in Cut::ALL {
            images += 1;
            let image = walk.image(cut);
            let beside = Disk::of(&image);
            let _mounted = beside.mount(dir.path()).unwrap();
            let (_, had) = committed.range(..=walk.at()).next_back().unwrap();
            let opened = match open(dir.path()) {
                Ok(opened) => opened,
                // Without any sync a file may even be no database any more.
                Err(_) if weak == Some(Weak::Off) => {
                    lost += 1;
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            if !is_whole(&opened) {
                assert_eq!(weak, Some(Weak::Off));
                lost += 1;
                continue;
            }
            let found = rows(&opened);
            assert!(found <= had + 1, "nobody wrote row {found}");
            lost += usize::from(found < *had);
        }
    }
    (lost, images)
}

#[test]
fn content_reads_as_it_was_written_across_pieces_and_is_zero_where_nothing_was() {
    let mut content = Content::of(&[1; 5_000]);
    let copy = content.clone();
    content.write(9_000, &[2; 10]);
    content.set_len(4_100);
    content.set_len(9_005);
    let bytes = content.bytes();
    assert_eq!(bytes.len(), 9_005);
    assert_eq!(
        (bytes[0], bytes[4_099], bytes[4_100], bytes[9_004]),
        (1, 1, 0, 0)
    );
    assert_eq!(copy.bytes(), vec![1; 5_000], "a copy stays as it was");
    let mut beyond = [9; 4];
    assert_eq!(content.read(9_003, &mut beyond), 2);
    assert_eq!(beyond, [0; 4]);
    assert_ne!(content, copy);
    assert_eq!(copy, Content::of(&[1; 5_000]));
}

#[test]
fn what_was_synced_survives_every_cut_and_a_database_that_does_not_sync_is_caught() {
    let (full, images) = lost(None);
    assert_eq!(full, 0);
    assert!(images > 300, "{images}");
    for weak in [Weak::Normal, Weak::Off] {
        let (lost, _) = lost(Some(weak));
        assert!(lost > 0, "{weak:?}");
    }
}

#[test]
fn nothing_reaches_the_folder_and_other_folders_are_the_systems_own() {
    let (dir, other) = (folder(), folder());
    let disk = Disk::new();
    let mounted = disk.mount(dir.path()).unwrap();
    add(&open(dir.path()).unwrap(), 1).unwrap();
    add(&open(other.path()).unwrap(), 1).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(other.path().join("a.db").exists());
    assert!(disk.content("a.db").is_some());
    drop(mounted);
    assert!(
        Connection::open_with_flags(
            dir.path().join("a.db"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY
        )
        .is_err()
    );
}

#[test]
fn two_connections_see_each_other_and_only_one_writes_at_a_time() {
    let dir = folder();
    let disk = Disk::new();
    let _mounted = disk.mount(dir.path()).unwrap();
    let (mut first, second) = (open(dir.path()).unwrap(), open(dir.path()).unwrap());
    add(&first, 1).unwrap();
    assert_eq!(rows(&second), 1);
    let transaction = first.transaction().unwrap();
    add(&transaction, 2).unwrap();
    assert_eq!(rows(&second), 1, "not before it is committed");
    second.busy_timeout(std::time::Duration::ZERO).unwrap();
    let refused = add(&second, 3).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    transaction.commit().unwrap();
    add(&second, 3).unwrap();
    assert_eq!(rows(&first), 3);
}

#[test]
fn a_fault_strikes_where_it_was_told_to_and_what_is_told_fits() {
    for kind in FaultKind::ALL {
        for (lasts, at) in [(false, 0), (true, 0), (false, 2)] {
            let dir = folder();
            let disk = Disk::new();
            let _mounted = disk.mount(dir.path()).unwrap();
            let connection = open(dir.path()).unwrap();
            add(&connection, 1).unwrap();
            disk.fail(Some(Fault { kind, at, lasts }));
            let told: Vec<_> = (2..6).map(|n| add(&connection, n).is_ok()).collect();
            let met = disk.met();
            disk.fail(None);
            // What fits in its memory a connection does not read again.
            assert_eq!(met > 0, kind != FaultKind::ShortRead, "{kind:?} {at}");
            assert_eq!(told.contains(&false), met > 0, "{kind:?} {at} {told:?}");
            drop(connection);
            let again = open(dir.path()).unwrap();
            let whole: Vec<i64> = again
                .prepare("SELECT n FROM a ORDER BY n")
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let said = (2..6).zip(told).filter(|(_, told)| *told).map(|(n, _)| n);
            assert!(said.into_iter().all(|n| whole.contains(&n)), "{kind:?}");
        }
    }
}

#[test]
fn what_a_failed_sync_left_out_no_later_sync_brings_back() {
    let dir = folder();
    let disk = Disk::new();
    let _mounted = disk.mount(dir.path()).unwrap();
    let (file, _) = disk.open("b", true, false).unwrap();
    disk.record();
    disk.write(file, 0, b"first").unwrap();
    disk.fail(Some(Fault {
        kind: FaultKind::Sync,
        at: 0,
        lasts: false,
    }));
    disk.sync(file, true).unwrap_err();
    disk.sync(file, true).unwrap();
    assert_eq!(
        disk.content("b"),
        Some(Content::of(b"first")),
        "as long as it runs"
    );
    let kept = |seed| {
        let mut walk = disk.walk(seed);
        while walk.step().is_some() {}
        let image = walk.image(Cut::Whole);
        image.file("b").unwrap().bytes() == b"first"
    };
    let kept: Vec<bool> = (0..64).map(kept).collect();
    assert!(kept.contains(&false) && kept.contains(&true));
}

#[test]
fn a_name_is_there_after_a_cut_only_once_it_was_made_durable() {
    let disk = Disk::new();
    disk.record();
    let (file, _) = disk.open("b", true, false).unwrap();
    disk.write(file, 0, b"bytes").unwrap();
    disk.sync(file, false).unwrap();
    let mut walk = disk.walk(1);
    while walk.step().is_some() {}
    assert_eq!(walk.image(Cut::Gone), Image::default());
    assert_eq!(walk.image(Cut::Whole).files().count(), 1);
    disk.sync(file, true).unwrap();
    let mut walk = disk.walk(1);
    while walk.step().is_some() {}
    assert_eq!(walk.image(Cut::Gone).files().count(), 1);
    assert!(!walk.is_open());
    disk.delete("b", false).unwrap();
    let mut walk = disk.walk(1);
    while walk.step().is_some() {}
    assert_eq!(walk.image(Cut::Gone).files().count(), 1, "it comes back");
    assert_eq!(walk.image(Cut::Whole).files().count(), 0);
}
