//! The log: entries numbered 1, 2, 3 …, each chained to the one before.
//!
//! **A position is given in the transaction that makes the entry durable**, so that a reader never
//! sees 8 before 7. The chain tells a device whose log this is, even after a restore nobody told of.

use rusqlite::{Connection, OptionalExtension, params};
use wangge_wire::{ActorId, ChangeHash, DocId, EntryKind};

/// The end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// The last position; 0 for an empty log.
    pub(crate) position: u64,
    /// The running hash there.
    pub(crate) chain: u64,
}

/// An entry about to be numbered.
#[derive(Debug)]
pub(crate) struct NewEntry<'a> {
    pub(crate) kind: EntryKind,
    pub(crate) doc: DocId,
    pub(crate) hash: ChangeHash,
    /// The batch's row and the item in it; 0 for an entry of its own.
    pub(crate) batch: i64,
    pub(crate) item: i64,
    /// Kind and schema of the document; 0 for what is no change.
    pub(crate) doc_kind: u8,
    pub(crate) doc_schema: u8,
    /// Author and number of a change.
    pub(crate) author: Option<(ActorId, u64)>,
    /// When the first relay received it.
    pub(crate) first_received_ms: i64,
    pub(crate) received_ms: i64,
    pub(crate) body: &'a [u8],
}

/// Returns the end of the log.
pub(crate) fn head(connection: &Connection) -> rusqlite::Result<Head> {
    connection
        .prepare_cached("SELECT position, chain FROM entry ORDER BY position DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(Head {
                position: unsigned(row.get(0)?),
                chain: chain(row.get(1)?),
            })
        })
        .optional()
        .map(Option::unwrap_or_default)
}

/// Returns the running hash at a position; none past the end.
pub(crate) fn chain_at(connection: &Connection, position: u64) -> rusqlite::Result<Option<u64>> {
    if position == 0 {
        return Ok(Some(0));
    }
    connection
        .prepare_cached("SELECT chain FROM entry WHERE position = ?1")?
        .query_row([signed(position)], |row| row.get(0).map(chain))
        .optional()
}

/// Returns the position of the entry with this name.
pub(crate) fn position_of(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT position FROM entry WHERE doc = ?1 AND hash = ?2")?
        .query_row(params![doc.0, hash.0], |row| row.get(0).map(unsigned))
        .optional()
}

/// Numbers an entry and returns its position.
pub(crate) fn append(connection: &Connection, entry: &NewEntry<'_>) -> rusqlite::Result<u64> {
    let before = head(connection)?;
    let position = before.position + 1;
    let (actor, seq) = match &entry.author {
        Some((actor, seq)) => (actor.as_bytes(), signed(*seq)),
        None => (&[] as &[u8], 0),
    };
    connection
        .prepare_cached(
            "INSERT INTO entry (position, kind, doc, hash, batch, item, doc_kind, doc_schema,
                                actor, seq, first_received_ms, received_ms, chain, sealed, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?14, ?11, ?12, ?15,
                     CASE WHEN ?15 THEN sealed(?3, ?4, ?13) ELSE ?13 END)",
        )?
        .execute(params![
            signed(position),
            entry.kind.0,
            entry.doc.0,
            entry.hash.0,
            entry.batch,
            entry.item,
            entry.doc_kind,
            entry.doc_schema,
            actor,
            seq,
            entry.received_ms,
            next_chain(before.chain, entry.kind, &entry.doc, &entry.hash).to_le_bytes(),
            entry.body,
            entry.first_received_ms,
            entry.kind == EntryKind::CHANGE,
        ])?;
    Ok(position)
}

/// Returns the running hash after one more entry: the first 8 bytes, little-endian, of BLAKE3 over
/// the hash before, the kind, the document and the hash.
pub(crate) fn next_chain(before: u64, kind: EntryKind, doc: &DocId, hash: &ChangeHash) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&before.to_le_bytes());
    hasher.update(&[kind.0]);
    hasher.update(&doc.0);
    hasher.update(&hash.0);
    u64::from_le_bytes(wangge_wire::id::truncate(hasher.finalize().as_bytes()))
}

/// Returns a number as SQLite keeps it; ours never reach its end.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns a number that SQLite kept.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn chain(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &str = include_str!("../../../fixtures/bytes-0.txt");

    fn line(name: &str) -> Vec<u8> {
        let lines = BYTES.lines().map(|line| line.split_once(' ').unwrap());
        let (_, hex) = lines.into_iter().find(|(found, _)| *found == name).unwrap();
        let digits: Vec<char> = hex.chars().collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(&String::from_iter(two), 16).unwrap())
            .collect()
    }

    #[test]
    fn the_chain_has_the_bytes_that_the_protocol_says() {
        let doc = DocId([0xd0; 16]);
        let place = ChangeHash::from_slice(&line("place-hash")).unwrap();
        let first = next_chain(0, EntryKind::PLACE, &doc, &place);
        let second = next_chain(first, EntryKind::CHANGE, &doc, &ChangeHash([5; 32]));
        assert_eq!(first.to_le_bytes().to_vec(), line("chain-1"));
        assert_eq!(second.to_le_bytes().to_vec(), line("chain-2"));
    }
}
