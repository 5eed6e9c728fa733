//! What this device knows of relays: the cursor, the roster, completeness.

use rusqlite::{Connection, OptionalExtension, params};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    AreaCode, Audience, BatchHash, CoversRead, Cursor, Day, Digest, End, Incarnation, Order,
    RelayId,
};

use crate::apply::keep_order;
use crate::counted;
use crate::error::StoreError;
use crate::levels;
use crate::open::Store;
use crate::outbox::last_batch;
use crate::settled;

/// Whether a relay's log was found to be another one than was read, and nothing was let go since.
pub(crate) const DOUBTED: &str = "doubted";
/// Whether receipts came of a meeting whose end did not: until then nobody knows where in the log they are.
pub(crate) const UNENDED: &str = "unended";

/// A relay this device has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayRow {
    /// Where the device stands in its log; none before the first page.
    pub cursor: Option<Cursor>,
    /// When the last sync ended, milliseconds since 1970 by the device; 0 for never.
    pub last_sync_ms: i64,
    /// How many of this device's entries its inbox held then.
    pub inbox: u32,
    /// How much of its inbox waited for this desk then.
    pub undecided: u32,
}

/// An area, what the relay says is there, what is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// The area.
    pub area: AreaCode,
    /// The relay's digest.
    pub relay: Digest,
    /// This device's digest.
    pub here: Digest,
}

/// How a sync ended here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Each area, and whether it is complete.
    pub areas: Vec<Completeness>,
    /// This device's digest of each audience that the relay told one of.
    pub here: Vec<(Audience, Digest)>,
}

impl Completeness {
    /// Returns whether this device holds exactly what the relay holds.
    pub fn is_equal(&self) -> bool {
        self.relay == self.here
    }
}

impl Store {
    /// Returns what is known of a relay.
    pub fn relay(&self, relay: &RelayId) -> Result<RelayRow, StoreError> {
        let sql =
            "SELECT incarnation, position, chain, last_sync_ms, inbox, covers_day, covers_orders, granted, undecided
                   FROM relay WHERE relay = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_row([relay.as_bytes()], |row| {
            let incarnation: Vec<u8> = row.get(0)?;
            let incarnation = Incarnation::from_slice(&incarnation);
            let position: i64 = row.get(1)?;
            let chain: i64 = row.get(2)?;
            let (day, orders): (u32, i64) = (row.get(5)?, row.get(6)?);
            let granted: i64 = row.get(7)?;
            Ok(RelayRow {
                cursor: incarnation.map(|incarnation| Cursor {
                    relay: *relay,
                    incarnation,
                    position: position.unsigned_abs(),
                    chain: u64::from_ne_bytes(chain.to_ne_bytes()),
                    covers: (day > 0).then(|| CoversRead {
                        day: Day(day),
                        orders: orders.unsigned_abs(),
                    }),
                    granted: (granted > 0).then_some(granted.unsigned_abs()),
                }),
                last_sync_ms: row.get(3)?,
                inbox: row.get(4)?,
                undecided: row.get(8)?,
            })
        });
        let none = RelayRow {
            cursor: None,
            last_sync_ms: 0,
            inbox: 0,
            undecided: 0,
        };
        Ok(found.optional()?.unwrap_or(none))
    }

    /// Begins a sync. Where the last one was cut between its receipts and its end, the cursor stands before
    /// what was receipted, and a relay that was put back to between the two could not be told by it.
    pub fn begin_sync(&mut self) -> Result<(), StoreError> {
        if !is_marked(&self.conn, UNENDED)? {
            return Ok(());
        }
        let transaction = self.conn.transaction()?;
        crate::open::set_meta(&transaction, UNENDED, &[0])?;
        crate::open::set_meta(&transaction, DOUBTED, &[1])?;
        Ok(transaction.commit()?)
    }

    /// Ends a sync: cursor, inbox, time, and whether each area is complete. Returns the comparison.
    pub fn end_sync(&mut self, end: &End, now_ms: i64) -> Result<Ended, StoreError> {
        let transaction = self.conn.transaction()?;
        move_cursor(&transaction, &end.cursor)?;
        let relay = end.cursor.relay;
        let sql = "UPDATE relay SET last_sync_ms = ?2, inbox = ?3, undecided = ?4 WHERE relay = ?1";
        transaction.prepare_cached(sql)?.execute(params![
            relay.as_bytes(),
            now_ms,
            end.inbox,
            end.undecided.unwrap_or_default()
        ])?;
        let audiences: Vec<Audience> = end.digests.iter().map(|(who, _)| who.clone()).collect();
        let here = counted::digests(&transaction, &audiences)?;
        let same_log = end
            .digests
            .iter()
            .zip(&here)
            .all(|((_, relay), (_, here))| relay == here);
        levels::keep_end(&transaction, end, same_log)?;
        // A relay that was put back from a copy may have lost what has no number too, and no digest tells.
        let unsent = settled::send_again(&transaction, end)?;
        transaction.execute("DELETE FROM complete", [])?;
        let mut areas = Vec::new();
        for ((audience, relay), (_, here)) in end.digests.iter().zip(&here) {
            let here = *here;
            let Audience::Area(area) = audience else {
                continue;
            };
            let sql = "INSERT OR REPLACE INTO complete (area, changes, sum, equal, at_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let changes = i64::try_from(relay.changes).unwrap_or(i64::MAX);
            transaction.prepare_cached(sql)?.execute(params![
                area.as_str(),
                changes,
                relay.sum_bytes(),
                *relay == here,
                now_ms
            ])?;
            areas.push(Completeness {
                area: area.clone(),
                relay: *relay,
                here,
            });
        }
        if is_marked(&transaction, UNENDED)? {
            crate::open::set_meta(&transaction, UNENDED, &[0])?;
        }
        // What is unsent now counts again: the relay lacks it, and a repair sends it at once.
        let here = match unsent {
            true => counted::digests(&transaction, &audiences)?,
            false => here,
        };
        transaction.commit()?;
        Ok(Ended { areas, here })
    }

    /// Forgets where the device stands in a relay's log: the next page starts at the beginning, and
    /// what the log's relay kept without a number is sent again, since it may have lost it. What it said of
    /// the levels above it was said of positions in a log that may be another one now. Attachments are asked
    /// for again too, and what is to leave this device waits until the log is known to have it.
    pub fn forget_cursor(&mut self, relay: &RelayId) -> Result<(), StoreError> {
        let sql = "UPDATE relay SET incarnation = x'', position = 0, chain = 0 WHERE relay = ?1";
        let transaction = self.conn.transaction()?;
        transaction.execute(sql, [relay.as_bytes()])?;
        if !Sabotage::OldWatermarksKept.is_on() {
            levels::forget(&transaction, relay)?;
        }
        let sql = "UPDATE outbox SET state = 0 WHERE state IN (1, 2)";
        transaction.execute(sql, [])?;
        transaction.execute("DELETE FROM unnumbered", [])?;
        // What was proven was proven of that log.
        transaction.execute("DELETE FROM complete", [])?;
        transaction.execute("UPDATE blob_up SET incarnation = x''", [])?;
        crate::open::set_meta(&transaction, DOUBTED, &[1])?;
        Ok(transaction.commit()?)
    }

    /// Returns the digest of what is placed in each of these audiences.
    pub fn digests(&self, audiences: &[Audience]) -> Result<Vec<(Audience, Digest)>, StoreError> {
        counted::digests(&self.conn, audiences)
    }

    /// Returns the areas whose completeness was last found unequal.
    pub fn incomplete_areas(&self) -> Result<Vec<AreaCode>, StoreError> {
        let sql = "SELECT area FROM complete WHERE equal = 0 ORDER BY area";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let codes = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(codes
            .iter()
            .filter_map(|code| AreaCode::parse(code).ok())
            .collect())
    }

    /// Keeps orders that enrolment brought.
    pub fn keep_orders(&mut self, orders: &[Order]) -> Result<(), StoreError> {
        let transaction = self.conn.transaction()?;
        orders
            .iter()
            .try_for_each(|order| keep_order(&transaction, order, 0))?;
        Ok(transaction.commit()?)
    }

    /// Returns the orders in the order they came, and the position of the last.
    pub fn orders(&self) -> Result<(Vec<Order>, u64), StoreError> {
        let sql = "SELECT bytes, position FROM roster_order ORDER BY id";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let (mut orders, mut last) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get(0)?;
            orders.push(Order::read(&bytes)?);
            last = last.max(row.get::<_, i64>(1)?.unsigned_abs());
        }
        Ok((orders, last))
    }

    /// Returns the number and hash of an actor's last batch here; 0 before its first.
    pub fn last_batch(&self, actor: &wangge_wire::ActorId) -> Result<(u64, BatchHash), StoreError> {
        last_batch(&self.conn, actor)
    }
}

/// Says whether a mark of the database is set.
pub(crate) fn is_marked(conn: &Connection, mark: &str) -> Result<bool, StoreError> {
    Ok(crate::open::meta(conn, mark)?.is_some_and(|value| value == [1]))
}

pub(crate) fn move_cursor(conn: &Connection, cursor: &Cursor) -> Result<(), StoreError> {
    let sql = "INSERT INTO relay
                 (relay, incarnation, position, chain, covers_day, covers_orders, granted)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (relay) DO UPDATE SET incarnation = excluded.incarnation,
                 position = excluded.position, chain = excluded.chain,
                 covers_day = excluded.covers_day, covers_orders = excluded.covers_orders,
                 granted = excluded.granted";
    let covers = cursor.covers;
    conn.prepare_cached(sql)?.execute(params![
        cursor.relay.as_bytes(),
        cursor.incarnation.as_bytes(),
        i64::try_from(cursor.position).unwrap_or(i64::MAX),
        i64::from_ne_bytes(cursor.chain.to_ne_bytes()),
        covers.map_or(0, |read| read.day.0),
        covers.map_or(0, |read| i64::try_from(read.orders).unwrap_or(i64::MAX)),
        i64::try_from(cursor.granted.unwrap_or(0)).unwrap_or(i64::MAX),
    ])?;
    Ok(())
}
