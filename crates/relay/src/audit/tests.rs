//! A chain somebody laid hands on: whatever was done to it, the first row of it is named.

use proptest::prelude::*;
use rusqlite::Connection;
use wangge_wire::order::LevelForm;

use super::walk::{Fault, walk};
use super::*;
use crate::settings::Settings;

fn chain(rows: &[(i64, u8, [u8; 16])]) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(include_str!("../../migrations/0012-audit.sql"))
        .unwrap();
    for (at_ms, what, id) in rows {
        let what = What::of(i64::from(*what)).unwrap();
        let (who, about) = (Who::Device(DeviceId(*id)), About::Document(DocId(*id)));
        note(&connection, *at_ms, what, who, about).unwrap();
    }
    connection
}

fn found(connection: &Connection) -> Option<Fault> {
    walk(connection).unwrap().fault
}

/// Moves the rows from `from` on by `by`, as whoever makes room or closes a gap would.
fn shift(connection: &Connection, from: u64, by: i64) {
    let sql = format!(
        "UPDATE audit SET n = -n - ({by}) WHERE n >= {from};
         UPDATE audit SET n = -n WHERE n < 0"
    );
    let free = "PRAGMA ignore_check_constraints = ON";
    connection.execute_batch(free).unwrap();
    connection.execute_batch(&sql).unwrap();
}

fn put(connection: &Connection, row: &Stored) {
    connection
        .execute(
            "INSERT OR REPLACE INTO audit (n, at_ms, what, who_kind, who, about_kind, about, prev, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                signed(row.n),
                row.at_ms,
                row.what,
                row.who_kind,
                row.who,
                row.about_kind,
                row.about,
                row.prev,
                row.hash
            ],
        )
        .unwrap();
}

fn row(connection: &Connection, n: u64) -> Stored {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE n = ?1");
    connection
        .query_row(&sql, [signed(n)], Stored::read)
        .unwrap()
}

fn rows() -> impl Strategy<Value = Vec<(i64, u8, [u8; 16])>> {
    proptest::collection::vec((any::<i64>(), 1..=21u8, any::<[u8; 16]>()), 3..30)
}

proptest! {
    #[test]
    fn a_whole_chain_has_no_fault_and_any_changed_value_names_its_row(
        rows in rows(), at in any::<prop::sample::Index>(), column in 0..8usize,
    ) {
        let connection = chain(&rows);
        prop_assert_eq!(found(&connection), None);
        let n = at.index(rows.len()) as u64 + 1;
        let (set, was) = [
            ("at_ms = at_ms + 1", "at_ms < 9223372036854775807"),
            ("what = what % 20 + 1", "1"),
            ("who_kind = 2", "1"),
            ("who = x'' ", "1"),
            ("about_kind = 1", "1"),
            ("about = x'00000000000000000000000000000001'", "1"),
            ("prev = randomblob(32)", "1"),
            ("hash = randomblob(32)", "1"),
        ][column];
        let sql = format!("UPDATE audit SET {set} WHERE n = ?1 AND {was}");
        let changed = connection.execute(&sql, [signed(n)]).unwrap();
        prop_assume!(changed == 1);
        prop_assert_eq!(found(&connection), Some(Fault::Changed(n)));
    }

    #[test]
    fn a_row_that_was_written_anew_with_a_right_hash_of_its_own_is_named(
        rows in rows(), at in any::<prop::sample::Index>(),
    ) {
        let connection = chain(&rows);
        // The last row is nobody's but a checkpoint's to prove.
        let n = at.index(rows.len() - 1) as u64 + 1;
        let mut forged = row(&connection, n);
        forged.at_ms ^= 1;
        forged.hash = forged.made();
        put(&connection, &forged);
        prop_assert_eq!(found(&connection), Some(Fault::Changed(n)));
    }

    #[test]
    fn a_row_that_was_taken_out_is_missing_also_where_the_gap_was_closed(
        rows in rows(), at in any::<prop::sample::Index>(), close in any::<bool>(),
    ) {
        let connection = chain(&rows);
        let n = at.index(rows.len() - 1) as u64 + 1;
        connection.execute("DELETE FROM audit WHERE n = ?1", [signed(n)]).unwrap();
        if close {
            shift(&connection, n + 1, -1);
        }
        prop_assert_eq!(found(&connection), Some(Fault::Missing(n)));
    }

    #[test]
    fn a_row_that_was_put_in_is_named_even_with_a_right_hash(
        rows in rows(), at in any::<prop::sample::Index>(),
    ) {
        let connection = chain(&rows);
        let n = at.index(rows.len()) as u64 + 1;
        let mut new = row(&connection, n);
        shift(&connection, n, 1);
        new.at_ms ^= 1;
        new.hash = new.made();
        put(&connection, &new);
        prop_assert_eq!(found(&connection), Some(Fault::Inserted(n)));
    }

    #[test]
    fn rows_that_changed_their_places_are_found_at_the_first_of_them(
        rows in rows(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let connection = chain(&rows);
        let (one, other) = (one.index(rows.len()) as u64 + 1, other.index(rows.len()) as u64 + 1);
        prop_assume!(one != other);
        let (mut first, mut second) = (row(&connection, one), row(&connection, other));
        (first.n, second.n) = (other, one);
        put(&connection, &first);
        put(&connection, &second);
        let at = match found(&connection).unwrap() {
            Fault::Changed(n) | Fault::Missing(n) | Fault::Inserted(n) => n,
        };
        let first = one.min(other);
        // Where two neighbours were swapped it looks like a row put in, or taken out, at the first.
        prop_assert!(at == first || (first > 1 && at == first - 1), "{at} {one} {other}");
    }
}

#[test]
fn every_kind_of_row_reads_back_as_it_was_written() {
    for number in 1..=21 {
        let what = What::of(number).unwrap();
        assert_eq!(what.number(), number, "{}", what.as_str());
    }
    assert_eq!(What::of(0), None);
    assert_eq!(What::of(22), None);
    let whos = [
        Who::Operator,
        Who::Device(DeviceId([1; 16])),
        Who::Relay(RelayId([2; 16])),
    ];
    for who in whos {
        let (kind, id) = who.parts();
        assert_eq!(Who::of(kind, id), Some(who));
    }
    let abouts = [
        About::Nothing,
        About::Device(DeviceId([1; 16])),
        About::Person(PersonId([2; 16])),
        About::Document(DocId([3; 16])),
        About::Relay(RelayId([4; 16])),
        About::Entry(ChangeHash([5; 32])),
        About::Row([6; 32]),
    ];
    for about in abouts {
        let (kind, id) = about.parts();
        assert_eq!(About::of(kind, id), Some(about));
    }
}

#[test]
fn a_restored_chain_goes_on_with_a_row_that_names_the_backups_last() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings::new("杨家镇", LevelForm::Township);
    let relay = Relay::open(&dir.path().join("before"), &settings).unwrap();
    let file = dir.path().join("backup");
    relay.backup(&file, None).unwrap();
    let last = relay.read(last).unwrap();
    relay.backup(&dir.path().join("later"), None).unwrap();
    Relay::restore(&file, None, &dir.path().join("after"), &settings).unwrap();
    let after = Relay::open(&dir.path().join("after"), &settings).unwrap();
    let rows = after.audit(i64::MIN).unwrap();
    let [began, backup, restored] = &*rows else {
        panic!("{rows:?}");
    };
    assert_eq!(began.what, Some(What::Began));
    assert_eq!(
        backup.what,
        Some(What::BackupBegun),
        "it is inside the backup"
    );
    assert_eq!(restored.what, Some(What::Restored));
    assert_eq!(
        (last.0, restored.about),
        (backup.n, Some(About::Row(last.1)))
    );
    assert_eq!(after.audit_walk().unwrap().fault, None);
}

#[test]
fn what_an_operator_does_is_not_done_where_its_row_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings::new("杨家镇", LevelForm::Township);
    let relay = Relay::open(&dir.path().join("relay"), &settings).unwrap();
    relay
        .connection()
        .execute_batch("ALTER TABLE audit RENAME TO elsewhere")
        .unwrap();
    let file = dir.path().join("backup");
    assert!(relay.backup(&file, None).is_err());
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "no file is left"
    );
    let new = crate::NewInvitation {
        name: "李梅".into(),
        role: wangge_wire::Role::Worker,
        areas: vec![wangge_wire::AreaCode::parse("511724103202001").unwrap()],
    };
    assert!(relay.invite(&new, 0).is_err());
    let invitations: i64 = relay
        .connection()
        .query_row("SELECT count(*) FROM invitation", [], |row| row.get(0))
        .unwrap();
    assert_eq!(invitations, 0);
}
