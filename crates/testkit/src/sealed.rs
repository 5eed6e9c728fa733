//! Looks into the sealed database of a home that no word locks, beside whoever has it.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;

use rusqlite::Connection;
use wangge_agent::Machine;
use wangge_agent::keys;
use wangge_store::Store;

/// Returns the key of a home's database.
pub fn key_of(home: &Path) -> [u8; 32] {
    *keys::database_key(home, &Machine::default()).unwrap()
}

/// Opens the database of a home.
pub fn store_of(home: &Path) -> Store {
    Store::open(&home.join("wangge.db"), &key_of(home)).unwrap()
}

/// Opens the database at a path with its key, as SQL.
pub fn connection(path: &Path, key: &[u8; 32]) -> Connection {
    wangge_store::keyed(path, key).unwrap()
}
