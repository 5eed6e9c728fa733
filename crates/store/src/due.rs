//! What the due list and the clocks read.
//!
//! Rows of households that may be due, with their tags and what their visits say up to a day; who is
//! due is decided by `model::due`. A visit and a tag stand under the household that their rows name:
//! after a merge that is the family's one row.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rusqlite::{OptionalExtension, Row, params};
use wangge_model::care::Interval;
use wangge_model::clock::flag;
use wangge_model::due::{Cared, Seen};
use wangge_wire::{ActorId, AreaCode, ChangeHash, DocId};

use crate::error::StoreError;
use crate::open::Store;

/// A household that may be due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// The document.
    pub id: DocId,
    /// The grid.
    pub area: String,
    /// 组; 0 where it is not known.
    pub group: u16,
    /// 门牌.
    pub door: String,
    /// 户主.
    pub head: String,
    /// `resident away empty moved_out`.
    pub residence: String,
    /// Members with a care tag.
    pub cared: Vec<Cared>,
    /// What its visits say.
    pub seen: Seen,
    /// The last day somebody came and met nobody, or was sent away.
    pub tried_on: Option<NaiveDate>,
}

/// The condition is for the index of visits that asked to come back.
const ASKED: &str = "next_on <> '' AND void = 0";

impl Store {
    /// Returns the households of an area that may be due on a day, in the order of their doors.
    ///
    /// Those with a care tag or an open follow-up, or all of them.
    pub fn due_rows(
        &self,
        area: Option<&AreaCode>,
        day: NaiveDate,
        all: bool,
    ) -> Result<Vec<DueRow>, StoreError> {
        let sql = format!(
            "SELECT h.doc, h.area, h.village_group, h.door, h.head_name, h.residence,
               (SELECT max(v.happened_on) FROM visit v WHERE v.household = h.doc AND v.counts = 1
                  AND v.void = 0 AND v.happened_on <= ?3),
               (SELECT max(v.happened_on) FROM visit v WHERE v.household = h.doc AND v.counts = 0
                  AND v.void = 0 AND v.happened_on <= ?3)
             FROM household h WHERE h.area >= ?1 AND h.area < ?2 AND (?4
               OR h.doc IN (SELECT doc FROM care)
               OR h.doc IN (SELECT household FROM visit WHERE {ASKED}))
             ORDER BY h.area, h.village_group, h.door_number, h.door, h.doc"
        );
        let low = area.map_or("", AreaCode::as_str);
        let mut statement = self.conn.prepare_cached(&sql)?;
        let values = params![low, format!("{low}:"), day.to_string(), all];
        let rows = statement.query_map(values, due_row)?;
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        let (mut cared, mut asked) = (self.cared()?, self.asked(day)?);
        for row in &mut rows {
            row.cared = cared.remove(&row.id).unwrap_or_default();
            row.seen.asked = asked.remove(&row.id).unwrap_or_default();
        }
        Ok(rows)
    }

    /// Returns what was noted at the visit of a household on a day that asked to come back on another.
    pub fn follow_up_note(
        &self,
        household: &DocId,
        asked_on: NaiveDate,
        due_on: NaiveDate,
    ) -> Result<String, StoreError> {
        let sql = format!(
            "SELECT content ->> 'note' FROM visit WHERE household = ?1 AND happened_on = ?2 AND next_on = ?3 AND {ASKED} ORDER BY id LIMIT 1"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let values = params![
            household.as_bytes(),
            asked_on.to_string(),
            due_on.to_string()
        ];
        let note: Option<Option<String>> =
            statement.query_row(values, |row| row.get(0)).optional()?;
        Ok(note.flatten().unwrap_or_default())
    }

    /// Returns the last day on which a household was found as it is known (无变化).
    pub fn confirmed_on(&self, household: &DocId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT max(happened_on) FROM visit
                   WHERE household = ?1 AND same = 1 AND void = 0";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([household.as_bytes()], |row| row.get(0))?)
    }

    /// Returns the areas that were complete at the last sync, proven by digests.
    pub fn complete_areas(&self) -> Result<Vec<AreaCode>, StoreError> {
        let sql = "SELECT area FROM complete WHERE equal = 1 ORDER BY area";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let codes = rows.collect::<Result<Vec<_>, _>>()?;
        let read = codes.iter().map(|code| AreaCode::parse(code));
        Ok(read.filter_map(Result::ok).collect())
    }

    /// Returns when changes of a document first reached a relay, by the relay's clock.
    pub fn first_arrivals(&self, doc: &DocId) -> Result<BTreeMap<ChangeHash, i64>, StoreError> {
        let sql = "SELECT hash, min(at_ms) FROM arrival WHERE doc = ?1 GROUP BY hash";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([doc.as_bytes()], |row| {
            Ok((ChangeHash(row.get(0)?), row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns what a change's clock said, and what its writer's said at their change of the same
    /// document before; none where that clock was itself wrong, as far as is known here.
    pub fn clock_of_change(
        &self,
        doc: &DocId,
        hash: &ChangeHash,
    ) -> Result<Option<(i64, Option<i64>)>, StoreError> {
        let sql = "SELECT c.at_ms, b.at_ms, (SELECT min(a.at_ms) FROM arrival a
                     WHERE a.doc = b.doc AND a.hash = b.hash)
                   FROM change c LEFT JOIN change b ON b.doc = c.doc AND b.actor = c.actor
                     AND b.seq < c.seq
                   WHERE c.doc = ?1 AND c.hash = ?2 ORDER BY b.seq DESC LIMIT 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let values = params![doc.as_bytes(), hash.as_bytes()];
        let found = statement.query_row(values, |row| {
            let (before, arrived): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            let right = |before: &i64| flag(*before, arrived, None).is_none();
            Ok((row.get(0)?, before.filter(right)))
        });
        if let Some(found) = found.optional()? {
            return Ok(Some(found));
        }
        // What a pack brought has no row of its own.
        let facts = crate::packed::facts(&self.conn, doc)?;
        let Some(this) = facts.iter().find(|facts| facts.hash == *hash) else {
            return Ok(None);
        };
        let before = facts
            .iter()
            .filter(|facts| facts.actor == this.actor && facts.seq < this.seq);
        let before = before.max_by_key(|facts| facts.seq);
        Ok(Some((this.at_ms, before.map(|facts| facts.at_ms))))
    }

    /// Returns what an actor's clock said at the last thing it recorded here.
    pub fn last_moment(&self, actor: &ActorId) -> Result<Option<i64>, StoreError> {
        let bytes = self.meta(&last_moment_name(actor))?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok().map(i64::from_be_bytes)))
    }

    fn cared(&self) -> Result<BTreeMap<DocId, Vec<Cared>>, StoreError> {
        let sql = "SELECT doc, member, name, birth, tag, since, until, every FROM care";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut cared: BTreeMap<DocId, Vec<Cared>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (birth, tag, every): (String, String, String) =
                (row.get(3)?, row.get(4)?, row.get(7)?);
            let Ok(tag) = tag.parse() else { continue };
            cared.entry(DocId(row.get(0)?)).or_default().push(Cared {
                member: row.get(1)?,
                name: row.get(2)?,
                birth: Some(birth).filter(|birth| !birth.is_empty()),
                tag,
                since: day_at(row, 5)?,
                until: day_at(row, 6)?,
                every: Interval::of(&every),
            });
        }
        Ok(cared)
    }

    /// Returns the visits that asked to come back, by household; the index is named because by the
    /// day alone nearly every visit would be looked at.
    fn asked(
        &self,
        day: NaiveDate,
    ) -> Result<BTreeMap<DocId, Vec<(NaiveDate, NaiveDate)>>, StoreError> {
        let sql = format!(
            "SELECT household, happened_on, next_on FROM visit INDEXED BY visit_next
             WHERE {ASKED} AND happened_on <= ?1"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([day.to_string()])?;
        let mut asked: BTreeMap<DocId, Vec<(NaiveDate, NaiveDate)>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            if let (Some(on), Some(next)) = (day_at(row, 1)?, day_at(row, 2)?) {
                asked
                    .entry(DocId(row.get(0)?))
                    .or_default()
                    .push((on, next));
            }
        }
        Ok(asked)
    }
}

/// Under which name a database keeps what an actor's clock said last.
pub(crate) fn last_moment_name(actor: &ActorId) -> String {
    format!("clock.{actor}")
}

fn due_row(row: &Row<'_>) -> rusqlite::Result<DueRow> {
    Ok(DueRow {
        id: DocId(row.get(0)?),
        area: row.get(1)?,
        group: row.get(2)?,
        door: row.get(3)?,
        head: row.get(4)?,
        residence: row.get(5)?,
        cared: Vec::new(),
        seen: Seen {
            counted_on: day_at(row, 6)?,
            asked: Vec::new(),
        },
        tried_on: day_at(row, 7)?,
    })
}

fn day_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<NaiveDate>> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("wangge.db"), &[7; 32]).unwrap();
        (dir, store)
    }

    fn household(store: &Store, id: u8) {
        let sql = "INSERT INTO household (doc, area, door, door_number, residence)
                   VALUES (?1, '511724103202001', ?2, ?2, 'resident')";
        store.conn.execute(sql, params![[id; 16], id]).unwrap();
    }

    fn visit(store: &Store, household: u8, on: &str, (counts, void): (bool, bool), next: &str) {
        let sql = "INSERT INTO visit (id, book, household, happened_on, at_ms, writer, content,
                     counts, void, next_on)
                   VALUES (?1, x'00', ?2, ?1, 0, x'00', '{\"note\":\"n\"}', ?3, ?4, ?5)";
        let values = params![on, [household; 16], counts, void, next];
        store.conn.execute(sql, values).unwrap();
    }

    fn care(store: &Store, household: u8) {
        let sql = "INSERT INTO care (doc, member, tag, name, birth, since, until, every)
                   VALUES (?1, 'm', 'disability', '甲', '', '', '', '')";
        store.conn.execute(sql, params![[household; 16]]).unwrap();
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_in_the_rows_of_a_household_comes_with_it() {
        let (_dir, store) = store();
        household(&store, 1);
        household(&store, 2);
        care(&store, 1);
        visit(&store, 1, "2026-11-01", (true, false), "2026-11-20");
        visit(&store, 2, "2026-11-02", (true, false), "");
        let rows = store.due_rows(None, day("2026-11-23"), false).unwrap();
        let [row] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert_eq!(row.seen.counted_on, Some(day("2026-11-01")));
        let asked = (day("2026-11-01"), day("2026-11-20"));
        assert_eq!(row.seen.follow_up(), Some(asked));
        assert_eq!(row.cared.len(), 1);
        let note = store.follow_up_note(&row.id, asked.0, asked.1);
        assert_eq!(note.unwrap(), "n");
        let all = store.due_rows(None, day("2026-11-23"), true).unwrap();
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn a_visit_taken_back_and_one_of_a_later_day_count_for_nothing() {
        let (_dir, store) = store();
        household(&store, 1);
        care(&store, 1);
        visit(&store, 1, "2026-11-01", (true, true), "2026-11-20");
        visit(&store, 1, "2026-11-24", (true, false), "2026-11-25");
        visit(&store, 1, "2026-11-02", (false, false), "");
        let rows = store.due_rows(None, day("2026-11-23"), false).unwrap();
        assert_eq!(rows[0].seen, Seen::default());
        assert_eq!(rows[0].tried_on, Some(day("2026-11-02")));
    }
}
