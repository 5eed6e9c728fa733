//! What of this log is durable further up: the relay above, what it has of each entry, the watermarks.
//!
//! **An entry counts as durable above only by the relay above's signed receipt, or because it came from
//! there.** What is there without a number, or was refused, is an exception that is named, never
//! covered by a watermark in silence.

use rusqlite::{Connection, OptionalExtension, params};
use wangge_wire::limits::ABOVE_NAMES_MAX;
use wangge_wire::order::LevelForm;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    BatchHash, ChangeHash, Cursor, DocId, EntryKind, Incarnation, Order, OrderBody, PublicKey,
    packing,
};

use crate::doubt;
use crate::log::{signed, unsigned};

/// Own positions looked at in one round.
const WINDOW: u64 = 20_000;

/// What the relay above has of an own entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Above {
    /// It has this number there.
    At(u64),
    /// It is durable there and has no number.
    Unnumbered,
    /// Nothing of it goes up.
    Stays,
    /// It was refused there.
    Refused,
}

impl Above {
    /// Returns whether it says no number past a position of the log above.
    pub(crate) fn is_read(self, through: u64) -> bool {
        !matches!(self, Above::At(number) if number > through)
    }
}

/// The relay above, and how far this one has come with it.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) key: PublicKey,
    pub(crate) name: String,
    pub(crate) level: LevelForm,
    pub(crate) incarnation: Option<Incarnation>,
    pub(crate) cursor: Option<Cursor>,
    /// Up to this own position every entry has a row.
    pub(crate) through: u64,
    /// Whether the digests were equal at the last end.
    pub(crate) complete: bool,
    /// When the last meeting ended whole, milliseconds since 1970; 0 for never.
    pub(crate) met_ms: i64,
    /// When the last one was tried, and why it failed; empty if it did not.
    pub(crate) tried_ms: i64,
    pub(crate) failure: String,
}

/// A batch with something that the relay above was not told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rising {
    pub(crate) batch: BatchHash,
    pub(crate) bytes: usize,
    pub(crate) first_received_ms: i64,
}

/// Returns the relay above; none for one that is below nobody.
pub(crate) fn upstream(connection: &Connection) -> rusqlite::Result<Option<Upstream>> {
    let sql = "SELECT url, relay_key, name, level, incarnation, cursor, through, complete, met_ms,
                      tried_ms, failure FROM upstream WHERE id = 1";
    let found = connection.prepare_cached(sql)?.query_row([], |row| {
        let (incarnation, cursor): (Vec<u8>, Vec<u8>) = (row.get(4)?, row.get(5)?);
        Ok(Upstream {
            url: row.get(0)?,
            key: PublicKey(row.get(1)?),
            name: row.get(2)?,
            level: level(row.get(3)?)?,
            incarnation: Incarnation::from_slice(&incarnation),
            cursor: packing::decode(&cursor, "cursor").ok(),
            through: unsigned(row.get(6)?),
            complete: row.get(7)?,
            met_ms: row.get(8)?,
            tried_ms: row.get(9)?,
            failure: row.get(10)?,
        })
    });
    found.optional()
}

/// Notes which relay is above; what was known of another one's log is forgotten.
pub(crate) fn join(
    connection: &Connection,
    url: &str,
    key: &PublicKey,
    name: &str,
    level: LevelForm,
) -> rusqlite::Result<()> {
    forget(connection)?;
    connection.execute_batch("DELETE FROM unproven")?;
    connection
        .execute(
            "INSERT INTO upstream (id, url, relay_key, name, level) VALUES (1, ?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET url = ?1, relay_key = ?2, name = ?3, level = ?4,
               incarnation = x'', cursor = x'', complete = 0, doubt = 0, reread = x''",
            params![url, key.0, name, number(level)],
        )
        .map(|_| ())
}

/// Forgets what the relay above has: it is told everything again, which changes nothing it holds.
pub(crate) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    if Sabotage::LostAboveIgnored.is_on() {
        return Ok(());
    }
    connection.execute_batch(
        "DELETE FROM risen; DELETE FROM watermark; DELETE FROM above_name;
         UPDATE parked SET above = 0;
         UPDATE blob_told SET incarnation = x'', asked_ms = 0;
         UPDATE upstream SET through = 0, complete = 0;",
    )
}

/// Forgets that the relay above has decisions: it is told them again.
pub(crate) fn forget_decisions(connection: &Connection) -> rusqlite::Result<()> {
    let kind = EntryKind::SETTLEMENT.0;
    let sql = "DELETE FROM risen WHERE position IN (SELECT position FROM entry WHERE kind = ?1)";
    connection.execute(sql, [kind])?;
    let sql = "UPDATE upstream SET through = min(through,
                 (SELECT ifnull(min(position), through + 1) - 1 FROM entry WHERE kind = ?1))";
    connection.execute(sql, [kind]).map(|_| ())
}

/// Notes the life of the log above; another one than before has to be told everything again.
pub(crate) fn meet(connection: &Connection, incarnation: &Incarnation) -> rusqlite::Result<()> {
    let known = upstream(connection)?.and_then(|upstream| upstream.incarnation);
    if known.is_some_and(|known| known != *incarnation) {
        forget(connection)?;
        forget_cursor(connection)?;
    }
    connection
        .execute("UPDATE upstream SET incarnation = ?1", [incarnation.0])
        .map(|_| ())
}

/// Notes where this relay stands in the log above; none begins again.
pub(crate) fn move_cursor(connection: &Connection, cursor: &Cursor) -> rusqlite::Result<()> {
    let sql = "UPDATE upstream SET cursor = ?1";
    connection
        .execute(sql, [packing::encode(cursor)])
        .map(|_| ())
}

/// Forgets where this relay stands in the log above.
pub(crate) fn forget_cursor(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE upstream SET cursor = x''", [])
        .map(|_| ())
}

/// Notes how a meeting ended: without a failure it was whole.
pub(crate) fn tried(connection: &Connection, now_ms: i64, failure: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE upstream SET tried_ms = ?1, failure = ?2,
                 met_ms = CASE ?2 WHEN '' THEN ?1 ELSE met_ms END";
    connection
        .execute(sql, params![now_ms, failure])
        .map(|_| ())
}

/// Notes what the relay above has of an own entry. A number is never taken away again.
///
/// A number may come late, for what was named until then: marks that passed it were never told that it
/// is further up, and are found anew from before it.
pub(crate) fn note(connection: &Connection, position: u64, above: Above) -> rusqlite::Result<()> {
    let (state, number) = match above {
        Above::At(number) => (0, number),
        Above::Unnumbered => (1, 0),
        Above::Stays => (2, 0),
        Above::Refused => (3, 0),
    };
    connection
        .prepare_cached(
            "INSERT INTO risen (position, state, above) VALUES (?1, ?2, ?3)
             ON CONFLICT (position) DO UPDATE SET state = ?2, above = ?3 WHERE state <> 0 OR ?2 = 0",
        )?
        .execute(params![signed(position), state, signed(number)])?;
    if let Above::At(number) = above {
        let sql = "UPDATE watermark SET position = ?1 - 1 WHERE position >= ?1 AND above < ?2";
        connection
            .prepare_cached(sql)?
            .execute(params![signed(position), signed(number)])?;
    }
    Ok(())
}

/// Notes that a parked item is durable above too, has a number there, or was refused there.
pub(crate) fn note_parked(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
    above: Above,
) -> rusqlite::Result<()> {
    let state = match above {
        Above::Unnumbered | Above::Stays => 1,
        Above::Refused => 2,
        Above::At(_) => 3,
    };
    connection
        .prepare_cached("UPDATE parked SET above = ?3 WHERE doc = ?1 AND hash = ?2")?
        .execute(params![doc.0, hash.0, state])
        .map(|_| ())
}

/// Returns the orders the relay above was not told, with their positions; those that are none of its
/// business are noted as staying.
pub(crate) fn orders(connection: &Connection) -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
    let through = upstream(connection)?.map_or(0, |upstream| upstream.through);
    connection
        .prepare_cached(
            "INSERT INTO risen (position, state)
             SELECT e.position, 2 FROM entry e LEFT JOIN risen r ON r.position = e.position
             WHERE e.position > ?1 AND e.position <= ?2 AND r.position IS NULL
               AND e.batch = 0 AND e.kind <> 6",
        )?
        .execute([signed(through), signed(through + WINDOW)])?;
    let mut rows = connection.prepare_cached(
        "SELECT e.position, e.body FROM entry e LEFT JOIN risen r ON r.position = e.position
         WHERE e.kind = 6 AND e.position > ?1 AND r.position IS NULL ORDER BY e.position",
    )?;
    let rows = rows.query_map([signed(through)], |row| {
        Ok((unsigned(row.get(0)?), row.get::<_, Vec<u8>>(1)?))
    })?;
    let rows: Vec<(u64, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut orders = Vec::new();
    for (position, bytes) in rows {
        let body = Order::read(&bytes).map(|order| order.body);
        let stays = matches!(
            body,
            Ok(OrderBody::Root { .. } | OrderBody::Above(_)) | Err(_)
        );
        if stays || Sabotage::OrdersStayBelow.is_on() {
            note(connection, position, Above::Stays)?;
        } else {
            orders.push((position, bytes));
        }
    }
    Ok(orders)
}

/// What the relay above was told and is told once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Again {
    /// What it refused: maybe it knows the author now, or a bit had changed on the way.
    pub(crate) refused: bool,
    /// What it keeps without a number: no cursor tells when that is lost.
    pub(crate) unnumbered: bool,
}

/// Returns the batches with an entry, or a parked item, that the relay above was not told, or is to be
/// told again.
pub(crate) fn batches(
    connection: &Connection,
    limit: u32,
    again: Again,
) -> rusqlite::Result<Vec<Rising>> {
    let through = upstream(connection)?.map_or(0, |upstream| upstream.through);
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Rising {
            batch: BatchHash(row.get(0)?),
            bytes: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
            first_received_ms: row.get(2)?,
        })
    };
    let mut numbered = connection.prepare_cached(
        "SELECT b.hash, sum(length(e.body)), min(e.first_received_ms)
         FROM entry e JOIN batch b ON b.id = e.batch
         LEFT JOIN risen r ON r.position = e.position
         WHERE e.position > ?1 AND e.position <= ?2 AND r.position IS NULL
         GROUP BY e.batch ORDER BY min(e.position) LIMIT ?3",
    )?;
    let window = params![signed(through), signed(through + WINDOW), limit];
    let mut rising: Vec<Rising> = numbered
        .query_map(window, read)?
        .collect::<rusqlite::Result<_>>()?;
    let mut noted = connection.prepare_cached(
        "SELECT b.hash, sum(length(e.body)), min(e.first_received_ms)
         FROM risen r JOIN entry e ON e.position = r.position JOIN batch b ON b.id = e.batch
         WHERE r.state IN (1, 3) AND CASE r.state WHEN 3 THEN ?2 ELSE ?3 END
         GROUP BY e.batch ORDER BY min(e.position) LIMIT ?1",
    )?;
    let mut parked = connection.prepare_cached(
        "SELECT b.hash, sum(length(p.body)), min(p.first_received_ms)
         FROM parked p JOIN batch b ON b.id = p.batch
         WHERE CASE p.above WHEN 0 THEN 1 WHEN 2 THEN ?2 ELSE ?3 END
         GROUP BY p.batch ORDER BY min(p.id) LIMIT ?1",
    )?;
    let refused = again.refused && !Sabotage::RefusedForGood.is_on();
    let wanted = params![limit, refused, again.unnumbered];
    let noted = noted.query_map(wanted, read)?;
    for waiting in noted.chain(parked.query_map(wanted, read)?) {
        if Sabotage::InboxStaysBelow.is_on() {
            break;
        }
        let waiting = waiting?;
        if !rising.iter().any(|known| known.batch == waiting.batch) {
            rising.push(waiting);
        }
    }
    Ok(rising)
}

/// Moves `through` and the own position of each watermark as far as the notes allow.
pub(crate) fn advance(connection: &Connection) -> rusqlite::Result<()> {
    let Some(upstream) = upstream(connection)? else {
        return Ok(());
    };
    let before = |sql: &str, from: u64, q: u64, end: u64| -> rusqlite::Result<u64> {
        let first = connection
            .prepare_cached(sql)?
            .query_row(params![signed(from), signed(q)], |row| row.get(0))
            .optional()?
            .map(unsigned);
        Ok(first.map_or(end, |first| first - 1).min(end))
    };
    let gap = "SELECT e.position FROM entry e LEFT JOIN risen r ON r.position = e.position
               WHERE e.position > ?1 AND r.position IS NULL AND ?2 = 0
               ORDER BY e.position LIMIT 1";
    let head = crate::log::head(connection)?.position;
    let through = before(gap, upstream.through, 0, head)?;
    connection.execute("UPDATE upstream SET through = ?1", [signed(through)])?;
    let mut marks = connection.prepare_cached("SELECT level, above, position FROM watermark")?;
    let marks = marks.query_map([], |row| {
        Ok((row.get(0)?, unsigned(row.get(1)?), unsigned(row.get(2)?)))
    })?;
    let marks: Vec<(i64, u64, u64)> = marks.collect::<rusqlite::Result<_>>()?;
    let further = "SELECT position FROM risen WHERE position > ?1 AND state = 0 AND above > ?2
                   ORDER BY position LIMIT 1";
    for (level, above, position) in marks {
        let reached = before(further, position, above, through)?;
        let sql = "UPDATE watermark SET position = ?2 WHERE level = ?1";
        connection.execute(sql, params![level, signed(reached)])?;
    }
    Ok(())
}

/// Notes what the relay above says of the levels above it, and the names it gives.
pub(crate) fn keep_end(
    connection: &Connection,
    watermarks: &[(LevelForm, u64)],
    names: &[(DocId, ChangeHash)],
    complete: bool,
) -> rusqlite::Result<()> {
    connection.execute("UPDATE upstream SET complete = ?1", [complete])?;
    connection.execute("DELETE FROM above_name", [])?;
    for (doc, hash) in names {
        let sql = "INSERT OR IGNORE INTO above_name (doc, hash) VALUES (?1, ?2)";
        connection
            .prepare_cached(sql)?
            .execute(params![doc.0, hash.0])?;
    }
    let told: Vec<i64> = watermarks.iter().map(|(level, _)| number(*level)).collect();
    connection.execute(
        "DELETE FROM watermark WHERE level NOT IN (SELECT value FROM json_each(?1))",
        [format!("{told:?}")],
    )?;
    for (level, above) in watermarks {
        // A mark that fell back is another log's: the own position is found anew.
        let sql = "INSERT INTO watermark (level, above) VALUES (?1, ?2)
                   ON CONFLICT (level) DO UPDATE SET
                     position = CASE WHEN ?2 < above THEN 0 ELSE position END, above = ?2";
        connection
            .prepare_cached(sql)?
            .execute(params![number(*level), signed(*above)])?;
    }
    advance(connection)
}

/// Returns per level above up to which own position all is durable there, the nearest first; none of it
/// while the log above is in doubt.
pub(crate) fn watermarks(connection: &Connection) -> rusqlite::Result<Vec<(LevelForm, u64)>> {
    let Some(upstream) = upstream(connection)? else {
        return Ok(Vec::new());
    };
    let through = if Sabotage::WatermarkAhead.is_on() {
        crate::log::head(connection)?.position
    } else {
        upstream.through
    };
    let mut marks = vec![(upstream.level, through)];
    let sql = "SELECT level, position FROM watermark ORDER BY level DESC";
    let mut rows = connection.prepare_cached(sql)?;
    let rows = rows.query_map([], |row| Ok((level(row.get(0)?)?, unsigned(row.get(1)?))))?;
    for row in rows {
        marks.push(row?);
    }
    if doubt::is_open(connection)? {
        marks.iter_mut().for_each(|(_, position)| *position = 0);
    }
    Ok(marks)
}

/// Returns the names of what no watermark covers although it was passed: what has no number above, was
/// refused there, or was named by the relay above. At most one more than may be told.
pub(crate) fn exceptions(connection: &Connection) -> rusqlite::Result<Vec<(DocId, ChangeHash)>> {
    let mut rows = connection.prepare_cached(
        // In this order: begun with the log, it would read all of it for each sync.
        "SELECT e.doc, e.hash FROM risen r INDEXED BY risen_exception
         CROSS JOIN entry e ON e.position = r.position WHERE r.state IN (1, 3)
         UNION SELECT doc, hash FROM above_name LIMIT ?1",
    )?;
    let limit = signed(ABOVE_NAMES_MAX as u64 + 1);
    let rows = rows.query_map([limit], |row| {
        Ok((DocId(row.get(0)?), ChangeHash(row.get(1)?)))
    })?;
    rows.collect()
}

/// Returns how many entries and parked items the relay above was not told.
pub(crate) fn untold(connection: &Connection) -> rusqlite::Result<u64> {
    let through = upstream(connection)?.map_or(0, |upstream| upstream.through);
    let entries: i64 = connection.query_row(
        "SELECT count(*) FROM entry e LEFT JOIN risen r ON r.position = e.position
         WHERE e.position > ?1 AND r.position IS NULL",
        [signed(through)],
        |row| row.get(0),
    )?;
    let parked: i64 =
        connection.query_row("SELECT count(*) FROM parked WHERE above = 0", [], |row| {
            row.get(0)
        })?;
    if Sabotage::InboxStaysBelow.is_on() {
        return Ok(unsigned(entries));
    }
    Ok(unsigned(entries) + unsigned(parked))
}

fn number(level: LevelForm) -> i64 {
    match level {
        LevelForm::County => 0,
        LevelForm::Township => 1,
        LevelForm::Village => 2,
    }
}

fn level(number: i64) -> rusqlite::Result<LevelForm> {
    match number {
        0 => Ok(LevelForm::County),
        1 => Ok(LevelForm::Township),
        2 => Ok(LevelForm::Village),
        other => Err(rusqlite::Error::IntegralValueOutOfRange(0, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::Relay;
    use crate::settings::Settings;
    use wangge_wire::Day;
    use wangge_wire::order::LevelForm::{County, Township, Village};

    const DAY: Day = Day(20_000);

    /// A village's relay below a township, with some entries, one of them a named exception.
    fn village(dir: &std::path::Path, entries: i64) -> Connection {
        let relay = Relay::open(dir, &Settings::new("民主村", Village)).unwrap();
        let connection = crate::db::connect(&relay.place).unwrap();
        let key = PublicKey([7; 32]);
        join(&connection, "http://127.0.0.1:1", &key, "镇", Township).unwrap();
        for position in 2..=entries {
            let hash = [u8::try_from(position).unwrap(); 32];
            let sql = "INSERT INTO entry (position, kind, doc, hash, chain, body)
                       VALUES (?1, 1, ?2, ?2, x'0000000000000000', x'')";
            connection.execute(sql, params![position, hash]).unwrap();
        }
        connection
    }

    fn marks(connection: &Connection) -> Vec<u64> {
        let marks = watermarks(connection).unwrap();
        marks.iter().map(|(_, position)| *position).collect()
    }

    #[test]
    fn a_number_that_comes_late_takes_the_mark_further_up_back_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let connection = village(dir.path(), 4);
        note(&connection, 1, Above::Unnumbered).unwrap();
        for position in 2..=4 {
            note(&connection, position, Above::At(position + 10)).unwrap();
        }
        advance(&connection).unwrap();
        keep_end(&connection, &[(County, 50)], &[], true).unwrap();
        assert_eq!(marks(&connection), [4, 4]);
        assert_eq!(exceptions(&connection).unwrap().len(), 1);
        note(&connection, 1, Above::At(60)).unwrap();
        advance(&connection).unwrap();
        assert!(exceptions(&connection).unwrap().is_empty());
        assert_eq!(marks(&connection), [4, 0], "it is not at the county yet");
        keep_end(&connection, &[(County, 60)], &[], true).unwrap();
        assert_eq!(marks(&connection), [4, 4]);
    }

    #[test]
    fn nothing_is_said_to_be_above_while_the_log_there_is_in_doubt() {
        let dir = tempfile::tempdir().unwrap();
        let connection = village(dir.path(), 3);
        for position in 1..=3 {
            note(&connection, position, Above::At(position)).unwrap();
        }
        keep_end(&connection, &[(County, 50)], &[], true).unwrap();
        assert_eq!(marks(&connection), [3, 3]);
        doubt::begin(&connection).unwrap();
        assert_eq!(marks(&connection), [0, 0]);
        doubt::judge(&connection, &[], DAY).unwrap();
        assert_eq!(marks(&connection), [3, 3], "the digests explain it");
    }

    #[test]
    fn digests_that_differ_for_no_reason_are_told_again_then_read_again_and_no_mark_is_given() {
        let dir = tempfile::tempdir().unwrap();
        let connection = village(dir.path(), 3);
        let area = wangge_wire::AreaCode::parse("511724103202").unwrap();
        let other = wangge_wire::Digest::of(&DocId([1; 16]), &ChangeHash([1; 32]));
        let theirs = [(wangge_wire::Audience::Area(area), other)];
        let tell = || {
            for position in 1..=3 {
                note(&connection, position, Above::At(position)).unwrap();
            }
            advance(&connection).unwrap();
        };
        let cursor = Cursor {
            relay: wangge_wire::RelayId([1; 16]),
            incarnation: Incarnation([2; 16]),
            position: 60,
            chain: 3,
            covers: None,
            granted: None,
        };
        let judge = |day: Day| doubt::judge(&connection, &theirs, day).unwrap();
        let stands = || upstream(&connection).unwrap().unwrap().cursor.is_some();
        tell();
        let later = Day(DAY.0 + doubt::READ_AGAIN_DAYS);
        for (day, before) in [(DAY, Day(DAY.0 - 1)), (later, Day(later.0 - 1))] {
            move_cursor(&connection, &cursor).unwrap();
            judge(day);
            assert_eq!(untold(&connection).unwrap(), 3, "all is told again");
            judge(day);
            tell();
            assert_eq!(marks(&connection), [0]);
            assert!(stands());
            judge(day);
            assert_eq!(untold(&connection).unwrap(), 0, "once");
            assert!(!stands(), "and the log above is read again");
            move_cursor(&connection, &cursor).unwrap();
            for day in [day, Day(before.0 + doubt::READ_AGAIN_DAYS)] {
                judge(day);
                assert!(stands(), "once");
                assert_eq!(untold(&connection).unwrap(), 0);
            }
            assert_eq!(marks(&connection), [0]);
        }
    }
}
