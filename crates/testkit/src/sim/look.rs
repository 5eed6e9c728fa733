//! Reads databases of a simulated district, past the program that writes them.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use wangge_agent::Replica;
use wangge_wire::{AreaCode, Audience, ChangeHash, DocId, packing};

use super::seats::GRIDS;
use crate::sealed;

/// Returns the households that can be named on a device.
pub(super) fn households(replica: &Replica) -> Vec<String> {
    docs(replica, "SELECT doc FROM household ORDER BY doc")
}

/// Returns the tickets of a device.
pub(super) fn tickets(replica: &Replica) -> Vec<String> {
    docs(replica, "SELECT doc FROM ticket ORDER BY doc")
}

fn docs(replica: &Replica, sql: &str) -> Vec<String> {
    let connection = sealed::connection(replica.store().path(), &sealed::key_of(replica.dir()));
    all(&connection, sql, |row| row.get(0).map(DocId))
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Returns a grid below an area.
pub(super) fn grid_below(area: &str) -> String {
    let below = GRIDS.iter().find(|grid| grid.starts_with(area));
    below.unwrap_or(&GRIDS[0]).to_string()
}

/// Returns all rows of a question without parameters.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], read).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Returns names of changes.
pub(super) fn names(connection: &Connection, sql: &str) -> BTreeSet<(DocId, ChangeHash)> {
    let read = |row: &Row<'_>| Ok((DocId(row.get(0)?), ChangeHash(row.get(1)?)));
    all(connection, sql, read).into_iter().collect()
}

/// Returns what a device has: changes by the rest of a query on them, and all that packs brought.
pub(super) fn held(connection: &Connection, of_changes: &str) -> BTreeSet<(DocId, ChangeHash)> {
    let mut held = names(
        connection,
        &format!("SELECT doc, hash FROM change {of_changes}"),
    );
    held.extend(packed(connection));
    held
}

/// Returns the changes that a device has as part of what packs brought.
pub(super) fn packed(connection: &Connection) -> BTreeSet<(DocId, ChangeHash)> {
    let read = |row: &Row<'_>| Ok((DocId(row.get(0)?), row.get::<_, Vec<u8>>(1)?));
    let mut packed = BTreeSet::new();
    for (doc, names) in all(connection, "SELECT doc, names FROM packed", read) {
        let (names, rest) = names.as_chunks::<32>();
        assert!(rest.is_empty(), "names of {doc}");
        packed.extend(names.iter().map(|name| (doc, ChangeHash(*name))));
    }
    packed
}

/// Returns where documents live.
pub(super) fn places(connection: &Connection, sql: &str) -> Vec<(DocId, AreaCode, Vec<Audience>)> {
    let read = |row: &Row<'_>| {
        let (home, audiences): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
        let home = AreaCode::parse(&home).unwrap();
        let audiences = packing::decode(&audiences, "audiences").unwrap();
        Ok((DocId(row.get(0)?), home, audiences))
    };
    all(connection, sql, read)
}

/// Returns rows as text, for comparing.
pub(super) fn lines(connection: &Connection, sql: &str) -> Vec<String> {
    all(connection, sql, |row| {
        let mut line = String::new();
        for column in 0..row.as_ref().column_count() {
            match row.get::<_, Value>(column)? {
                Value::Blob(bytes) => {
                    line.extend(bytes.iter().map(|byte| format!("{byte:02x}")));
                }
                Value::Text(text) => line.push_str(&text),
                Value::Integer(n) => line.push_str(&n.to_string()),
                Value::Real(n) => line.push_str(&n.to_string()),
                Value::Null => {}
            }
            line.push('|');
        }
        Ok(line)
    })
}
