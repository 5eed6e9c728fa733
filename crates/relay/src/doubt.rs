//! Whether the relay above still has what it gave receipts for: what the digests of a meeting's end say.
//!
//! A relay may be put back to an earlier state, before or behind what this one read of its log. What is
//! known to be on one side only is counted in; **where nothing waits to be told and the digests differ
//! all the same, everything is told again, once, then read again, and no watermark is given until they
//! agree.**

use rusqlite::{Connection, OptionalExtension, params};
use wangge_wire::{AreaCode, Audience, ChangeHash, Cursor, Day, Digest, DocId, EntryKind, packing};

use crate::log::{signed, unsigned};
use crate::{places, risen};

const NONE: i64 = 0;
/// The cursor was stale: the next whole end tells why.
const STALE: i64 = 1;
/// It was told everything again, and the digests do not agree yet.
const TOLD_AGAIN: i64 = 2;
/// The log above was read again from the beginning, and the digests do not agree yet.
const READ_AGAIN: i64 = 3;
/// Days after which a log that was read again in vain is read again.
pub(crate) const READ_AGAIN_DAYS: u32 = 7;
/// Read again from the beginning of the log above.
const BEGINNING: &[u8] = &[0];

/// Notes that the log above may be another one than this relay knew.
pub(crate) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    set(connection, STALE)
}

/// Returns whether the log above is in doubt: then nothing is said to be durable there.
pub(crate) fn is_open(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(doubt(connection)? != NONE)
}

/// Judges the digests of an end, and whether everything is to be told again or, where that did not help, read
/// again. Both cost as much as the first time: while that does not help, it is done once in so many days.
pub(crate) fn judge(
    connection: &Connection,
    theirs: &[(Audience, Digest)],
    today: Day,
) -> rusqlite::Result<()> {
    if risen::untold(connection)? > 0 {
        // What is still to be told differs for that reason; a later end tells.
        return Ok(());
    }
    if is_explained(connection, theirs)? {
        return set(connection, NONE);
    }
    let sql = "SELECT read_again_day FROM upstream";
    let last: u32 = connection.query_row(sql, [], |row| row.get(0))?;
    let may_read = last == 0 || today.0 >= last.saturating_add(READ_AGAIN_DAYS);
    match doubt(connection)? {
        TOLD_AGAIN if may_read => {
            // A bit of a page may have changed on the way, and the cursor has passed it.
            tracing::warn!("the relay above has what is not here: its log is read again");
            let sql = "UPDATE upstream SET read_again_day = ?1";
            connection.execute(sql, [today.0])?;
            risen::forget_cursor(connection)?;
            set(connection, READ_AGAIN)
        }
        READ_AGAIN | TOLD_AGAIN if !may_read => Ok(()),
        _ => {
            tracing::warn!("the relay above lacks what it had: it is told everything again");
            risen::forget(connection)?;
            set(connection, TOLD_AGAIN)
        }
    }
}

/// Returns whether the digests above are those of this relay, but for what is known to be on one side.
fn is_explained(connection: &Connection, theirs: &[(Audience, Digest)]) -> rusqlite::Result<bool> {
    let only_here = apart(
        connection,
        "SELECT e.kind, e.doc, e.hash FROM risen r JOIN entry e ON e.position = r.position
         WHERE r.state IN (1, 3)",
    )?;
    let only_there = apart(
        connection,
        "SELECT kind, doc, hash FROM parked WHERE above = 3
         UNION SELECT 1, doc, hash FROM unproven",
    )?;
    let (Some(only_here), Some(only_there)) = (only_here, only_there) else {
        return Ok(true);
    };
    for (audience, theirs) in theirs {
        let Audience::Area(area) = audience else {
            continue;
        };
        let within = |known: &[(AreaCode, Digest)]| {
            let inside = known.iter().filter(|(home, _)| area.covers(home));
            inside.fold(Digest::default(), |sum, (_, one)| sum.plus(*one))
        };
        let ours = places::area_digest(connection, area)?;
        if ours.minus(within(&only_here)).plus(within(&only_there)) != *theirs {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns where each of these changes lives, and its digest; none if a place is among them, since then
/// both sides may count whole documents in other areas.
fn apart(connection: &Connection, sql: &str) -> rusqlite::Result<Option<Vec<(AreaCode, Digest)>>> {
    let mut rows = connection.prepare_cached(sql)?;
    let mut rows = rows.query([])?;
    let mut apart = Vec::new();
    while let Some(row) = rows.next()? {
        let (doc, hash) = (DocId(row.get(1)?), ChangeHash(row.get(2)?));
        match EntryKind(row.get(0)?) {
            EntryKind::PLACE => return Ok(None),
            EntryKind::CHANGE => {
                if let Some(document) = places::document(connection, &doc)? {
                    apart.push((document.placed.home, Digest::of(&doc, &hash)));
                }
            }
            _ => {}
        }
    }
    Ok(Some(apart))
}

/// Notes what has a number above and cannot be taken, because its author is not known here.
///
/// It is read again once there are further orders: the page's cursor passes it, so that nothing behind
/// it waits.
pub(crate) fn pass_by<'a>(
    connection: &Connection,
    names: impl Iterator<Item = (&'a DocId, &'a ChangeHash)>,
    orders: u64,
) -> rusqlite::Result<()> {
    for (doc, hash) in names {
        let sql = "INSERT OR IGNORE INTO unproven (doc, hash) VALUES (?1, ?2)";
        connection
            .prepare_cached(sql)?
            .execute(params![doc.0, hash.0])?;
    }
    let sql = "UPDATE upstream SET reread_orders = ?2,
                 reread = CASE WHEN reread <> x'' THEN reread
                               WHEN cursor <> x'' THEN cursor ELSE ?1 END";
    connection
        .execute(sql, params![BEGINNING, signed(orders)])
        .map(|_| ())
}

/// Notes that an entry has a number here: whatever stood in its way does not any more.
pub(crate) fn proven(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM unproven WHERE doc = ?1 AND hash = ?2")?
        .execute(params![doc.0, hash.0])
        .map(|_| ())
}

/// Moves the cursor back to what was passed by, if there were orders since, up to this position.
pub(crate) fn reread(connection: &Connection, orders: u64) -> rusqlite::Result<()> {
    let sql = "SELECT reread, reread_orders FROM upstream WHERE reread <> x''";
    let found = connection.query_row(sql, [], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, unsigned(row.get(1)?)))
    });
    let later = found.optional()?.filter(|(_, known)| orders > *known);
    let Some((from, _)) = later else {
        return Ok(());
    };
    match packing::decode::<Cursor>(&from, "cursor") {
        Ok(cursor) => risen::move_cursor(connection, &cursor)?,
        Err(_) => risen::forget_cursor(connection)?,
    }
    connection.execute_batch("UPDATE upstream SET reread = x''; DELETE FROM unproven;")
}

fn doubt(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT doubt FROM upstream WHERE id = 1";
    let found = connection.query_row(sql, [], |row| row.get(0)).optional();
    Ok(found?.unwrap_or(NONE))
}

fn set(connection: &Connection, doubt: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE upstream SET doubt = ?1";
    connection.execute(sql, [doubt]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db;
    use crate::relay::Relay;
    use crate::settings::Settings;
    use wangge_wire::order::LevelForm::{Township, Village};
    use wangge_wire::{Incarnation, PublicKey, RelayId};

    fn cursor(position: u64) -> Cursor {
        Cursor {
            relay: RelayId([1; 16]),
            incarnation: Incarnation([2; 16]),
            position,
            chain: 3,
            covers: None,
            granted: None,
        }
    }

    fn at(connection: &Connection) -> Option<u64> {
        let upstream = risen::upstream(connection).unwrap().unwrap();
        upstream.cursor.map(|cursor| cursor.position)
    }

    #[test]
    fn what_was_passed_by_is_read_again_from_the_first_such_page_once_there_are_further_orders() {
        let dir = tempfile::tempdir().unwrap();
        let relay = Relay::open(dir.path(), &Settings::new("民主村", Village)).unwrap();
        let connection = db::connect(&relay.place).unwrap();
        let key = PublicKey([7; 32]);
        risen::join(&connection, "http://127.0.0.1:1", &key, "镇", Township).unwrap();
        let (doc, hash) = (DocId([1; 16]), ChangeHash([1; 32]));
        for before in [None, Some(40)] {
            match before {
                Some(position) => risen::move_cursor(&connection, &cursor(position)).unwrap(),
                None => risen::forget_cursor(&connection).unwrap(),
            }
            pass_by(&connection, [(&doc, &hash)].into_iter(), 5).unwrap();
            for position in [50, 60] {
                risen::move_cursor(&connection, &cursor(position)).unwrap();
                // A later page has something of the kind too.
                pass_by(&connection, [(&doc, &hash)].into_iter(), 5).unwrap();
            }
            reread(&connection, 5).unwrap();
            assert_eq!(at(&connection), Some(60), "nothing is known that was not");
            reread(&connection, 6).unwrap();
            assert_eq!(at(&connection), before);
            risen::move_cursor(&connection, &cursor(70)).unwrap();
            reread(&connection, 7).unwrap();
            assert_eq!(at(&connection), Some(70), "once");
        }
    }
}
