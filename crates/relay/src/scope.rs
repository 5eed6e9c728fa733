//! What one device may have of a log, entry by entry.
//!
//! **One question, asked of `trust::allowed` alone**, with the place an entry's document has at that
//! moment; the default is no.

use rusqlite::{Connection, Row, params};
use wangge_sync::admit::concerns;
use wangge_trust::{Action, Member, Roster, What, allowed};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{AreaCode, Audience, Day, DeviceId, DocId, EntryKind, Order, Role};

use crate::log::{signed, unsigned};
use crate::orders::{self, Standing};
use crate::places;
use crate::pull::StepError;
use crate::settlements;

/// What a scan reads of an entry.
pub(crate) struct Light {
    pub(crate) position: u64,
    pub(crate) kind: EntryKind,
    pub(crate) doc: DocId,
    pub(crate) bytes: usize,
    /// Where its document lives.
    pub(crate) lives: Option<(AreaCode, Vec<Audience>)>,
    /// Where it lived until this entry, which is a place.
    pub(crate) lived: Option<(AreaCode, Vec<Audience>)>,
}

/// Who asks, and what the roster says.
pub(crate) struct Scope<'a> {
    pub(crate) device: DeviceId,
    pub(crate) me: &'a Member,
    pub(crate) roster: &'a Roster,
    pub(crate) standing: &'a Standing,
    /// The relay's day: what covers add.
    pub(crate) day: Day,
}

impl Scope<'_> {
    pub(crate) fn covers(&self, (home, audiences): &(AreaCode, Vec<Audience>)) -> bool {
        let what = What { home, audiences };
        Sabotage::ScopeUncheckedOnPull.is_on()
            || (Sabotage::ScopeUncheckedBelow.is_on() && self.me.role == Role::Relay)
            || allowed(self.roster, &self.device, Action::Read, &what, self.day).is_allowed()
    }

    /// Returns whether the entry's document lives where the device reads.
    pub(crate) fn has(&self, row: &Light) -> bool {
        row.lives.as_ref().is_some_and(|lives| self.covers(lives))
    }

    /// Returns the last place that brought a document into the device's scope from outside, by itself
    /// or by what it belongs to; 0 if it was never outside.
    pub(crate) fn moved_in(&self, connection: &Connection, doc: &DocId) -> Result<u64, StepError> {
        let mut last = 0;
        for doc in places::with_owners(connection, doc)? {
            let moves = places::before(connection, &doc)?;
            let outside = moves
                .into_iter()
                .find(|b| !self.covers(&(b.home.clone(), b.audiences.clone())));
            last = last.max(outside.map_or(0, |before| before.position));
        }
        Ok(last)
    }

    /// Returns whether the device may have the order at this position.
    pub(crate) fn reads_order(
        &self,
        connection: &Connection,
        position: u64,
    ) -> Result<bool, StepError> {
        let order = Order::read(&orders::bytes_at(connection, position)?)?;
        let (roster, me) = (self.roster, self.me);
        Ok(orders::may_read(roster, &self.device, me, &order, self.day))
    }

    /// Returns whether the device may have a desk's decision: the author of the item, who decided, the
    /// desks that work where it lies, and the relays below that serve one of them.
    fn sees_settlement(&self, connection: &Connection, row: &Light) -> Result<bool, StepError> {
        let desk = self.me.role == Role::Relay || self.me.role.is_desk();
        if desk && self.has(row) {
            return Ok(true);
        }
        let named = settlements::named_at(connection, row.position)?;
        let concerns = |(author, by)| concerns(self.roster, &self.device, &author, &by);
        Ok(named.is_some_and(concerns))
    }

    /// Returns whether the device may have the entry.
    pub(crate) fn sees(&self, connection: &Connection, row: &Light) -> Result<bool, StepError> {
        if row.kind == EntryKind::ORDER {
            return self.reads_order(connection, row.position);
        }
        if row.kind == EntryKind::SETTLEMENT {
            return self.sees_settlement(connection, row);
        }
        // Those who had a document learn that it went.
        let had = row.lived.as_ref().is_some_and(|lived| self.covers(lived));
        Ok(self.has(row) || had)
    }
}

/// Returns the entries after a position, without their bodies.
pub(crate) fn light(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<Light>, StepError> {
    let mut rows = connection.prepare_cached(
        "SELECT e.position, e.kind, e.doc, length(e.body), d.home, d.audiences, b.home, b.audiences
         FROM entry e
         LEFT JOIN document d ON d.doc = e.doc
         LEFT JOIN place_before b ON b.position = e.position
         WHERE e.position > ?1 ORDER BY e.position LIMIT ?2",
    )?;
    let rows = rows.query_map(params![signed(after), signed(limit as u64)], |row| {
        Ok(Light {
            position: unsigned(row.get(0)?),
            kind: EntryKind(row.get(1)?),
            doc: DocId(row.get(2)?),
            bytes: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            lives: living(row, 4)?,
            lived: living(row, 6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn living(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<(AreaCode, Vec<Audience>)>> {
    if row.get_ref(index)? == rusqlite::types::ValueRef::Null {
        return Ok(None);
    }
    Ok(Some((
        places::area(row, index)?,
        places::audiences(row, index + 1)?,
    )))
}
