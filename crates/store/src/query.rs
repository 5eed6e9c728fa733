//! What screens and commands read.
//!
//! Rows as they are derived; a list is bounded by its caller, a search by its probes.

mod tickets;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use wangge_crdt::ChangeFacts;
use wangge_model::care::Care;
use wangge_model::door::Door;
use wangge_model::find::{Closeness, Match, Query, Rank, SearchKeys};
use wangge_model::household::Residence;
use wangge_model::kind;
use wangge_wire::{ActorId, AreaCode, DeviceId, DocId, DocKind};

use crate::error::StoreError;
use crate::open::Store;
use crate::outbox::Pending;
use crate::packed::{self, Packed};
use crate::settled;

pub use tickets::TicketRow;

/// A household in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HouseholdRow {
    /// The document.
    pub id: DocId,
    /// The grid.
    pub area: String,
    /// 组; 0 where it is not known.
    pub group: u16,
    /// 门牌.
    pub door: String,
    /// 户编号.
    pub number: String,
    /// 户主.
    pub head: String,
    /// The household's telephone.
    pub phone: String,
    /// `resident away empty moved_out`.
    pub residence: String,
    /// People who live here.
    pub people: u32,
    /// Care tags of the household's members.
    pub care: Vec<String>,
    /// The day of the last visit; none where none is here.
    pub last_visit: Option<String>,
    /// Households this one stands for since they were merged.
    pub also: Vec<DocId>,
}

/// Which households a list holds; what is none lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HouseholdFilter {
    /// Only under this area.
    pub area: Option<AreaCode>,
    /// Only of this 组.
    pub group: Option<u16>,
    /// Only with somebody who has this tag.
    pub care: Option<Care>,
    /// Only those that live this way.
    pub residence: Option<Residence>,
}

/// A visit in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitRow {
    /// 16 hex digits.
    pub id: String,
    /// The household.
    pub household: DocId,
    /// The book it stands in.
    pub book: DocId,
    /// Who wrote it.
    pub writer: ActorId,
    /// The visit, as JSON.
    pub content: serde_json::Value,
}

/// A report in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// The document.
    pub id: DocId,
    /// Who wrote it.
    pub writer: ActorId,
    /// The report, as JSON.
    pub content: serde_json::Value,
}

/// Where one change of a document stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The change.
    pub hash: wangge_wire::ChangeHash,
    /// Who wrote it.
    pub writer: ActorId,
    /// The writer's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// Each relay that has it: relay, position, the relay's clock. Of what a pack brought, up to which
    /// position it is there, and when it was.
    pub relays: Vec<(wangge_wire::RelayId, u64, i64)>,
    /// Where it stands in the outbox; none once it left.
    pub pending: Option<(Pending, String)>,
}

impl ReceiptRow {
    fn of(facts: ChangeFacts) -> Self {
        Self {
            hash: facts.hash,
            writer: facts.actor,
            at_ms: facts.at_ms,
            relays: Vec::new(),
            pending: None,
        }
    }
}

/// How many documents of each kind, and visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Households.
    pub households: u64,
    /// Visits.
    pub visits: u64,
    /// Reports.
    pub reports: u64,
    /// Tickets.
    pub tickets: u64,
    /// Registers in conflict.
    pub conflicts: u64,
    /// Entries without a receipt.
    pub unsent: u64,
}

const HOUSEHOLD: &str =
    "SELECT h.doc, h.area, h.village_group, h.door, h.number, h.head_name, h.phone,
    h.residence, h.present, h.care,
    (SELECT max(v.happened_on) FROM visit v WHERE v.household = h.doc AND v.void = 0),
    coalesce((SELECT group_concat(lower(hex(a.doc)), ',' ORDER BY a.doc) FROM alias a
              WHERE a.survivor = h.doc), '') FROM household h";

/// Which households a filter lets through.
const FILTERED: &str = "WHERE h.area >= ?1 AND h.area < ?2
    AND (?3 IS NULL OR h.village_group = ?3)
    AND (?4 IS NULL OR instr(',' || h.care || ',', ',' || ?4 || ',') > 0)
    AND (?5 IS NULL OR h.residence = ?5)";

impl Store {
    /// Returns how many households a filter lets through.
    pub fn count_households(&self, filter: &HouseholdFilter) -> Result<usize, StoreError> {
        let sql = format!("SELECT count(*) FROM household h {FILTERED}");
        let low = filter.area.as_ref().map_or("", AreaCode::as_str);
        let values = params![
            low,
            format!("{low}:"),
            filter.group,
            filter.care.map(Care::code),
            filter.residence.map(Residence::code),
        ];
        let mut statement = self.conn.prepare_cached(&sql)?;
        let count: u32 = statement.query_row(values, |row| row.get(0))?;
        Ok(count as usize)
    }

    /// Returns the households that a filter lets through, by group and door.
    pub fn households(
        &self,
        filter: &HouseholdFilter,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<HouseholdRow>, StoreError> {
        // The order is the index's: a page costs what it holds, whatever the village's size.
        let sql = format!(
            "{HOUSEHOLD} {FILTERED}
             ORDER BY h.area, h.village_group, h.door_number, h.door, h.doc LIMIT ?6 OFFSET ?7"
        );
        let low = filter.area.as_ref().map_or("", AreaCode::as_str);
        let values = params![
            low,
            format!("{low}:"),
            filter.group,
            filter.care.map(Care::code),
            filter.residence.map(Residence::code),
            limit as i64,
            offset as i64,
        ];
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(values, household_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the row of one household, or of the one that stands for it.
    pub fn household(&self, doc: &DocId) -> Result<Option<HouseholdRow>, StoreError> {
        let doc = self.survivor(doc)?;
        let sql = format!("{HOUSEHOLD} WHERE h.doc = ?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        Ok(statement
            .query_row([doc.as_bytes()], household_row)
            .optional()?)
    }

    /// Returns the households a query finds, best first.
    pub fn find(&self, query: &Query, limit: usize) -> Result<Vec<HouseholdRow>, StoreError> {
        self.find_near(query, &[], limit)
    }

    /// Returns the households a query finds, best first; of equally close ones those of `own` areas
    /// before the others.
    pub fn find_near(
        &self,
        query: &Query,
        own: &[AreaCode],
        limit: usize,
    ) -> Result<Vec<HouseholdRow>, StoreError> {
        let mut best: BTreeMap<DocId, Rank> = BTreeMap::new();
        for (probe, position) in query.probes().iter().zip(0u16..) {
            // A scan finds nothing better than what is there, and there is enough.
            if probe.how == Match::Contains && best.len() >= limit {
                continue;
            }
            let (clause, low, high) = match probe.how {
                Match::Exact => ("key = ?2 AND ?3 <> ''", probe.key.clone(), "x".to_owned()),
                Match::Prefix => (
                    "key >= ?2 AND key < ?3",
                    probe.key.clone(),
                    probe.prefix_end(),
                ),
                Match::Contains => (
                    "instr(key, ?2) > 0 AND ?3 <> ''",
                    probe.key.clone(),
                    "x".to_owned(),
                ),
            };
            let sql =
                format!("SELECT doc, place FROM search WHERE kind = ?1 AND {clause} LIMIT 1000");
            let mut statement = self.conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params![probe.kind.as_str(), low, high])?;
            while let Some(row) = rows.next()? {
                let rank = probe.rank(position, row.get(1)?);
                let kept = best.entry(DocId(row.get(0)?)).or_insert(rank);
                *kept = rank.min(*kept);
            }
        }
        if let Some(prefix) = query.id_prefix() {
            for doc in self.documents_with_prefix(prefix, Some(kind::HOUSEHOLD))? {
                best.entry(self.survivor(&doc)?).or_insert(Rank {
                    closeness: Closeness::Prefix,
                    place: 0,
                    probe: u16::MAX,
                });
            }
        }
        let far = self.households_outside(own)?;
        let mut ranked: Vec<(Closeness, bool, Rank, DocId)> = best
            .into_iter()
            .map(|(doc, rank)| (rank.closeness, far.contains(&doc), rank, doc))
            .collect();
        ranked.sort();
        let mut found = Vec::new();
        for (_, _, _, doc) in ranked.into_iter().take(limit) {
            found.extend(self.household(&doc)?);
        }
        Ok(found)
    }

    /// Returns the households outside these areas; none where no area is given.
    fn households_outside(&self, own: &[AreaCode]) -> Result<BTreeSet<DocId>, StoreError> {
        if own.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut statement = self
            .conn
            .prepare_cached("SELECT doc, area FROM household")?;
        let mut rows = statement.query([])?;
        let mut outside = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let area = row.get_ref(1)?.as_str().unwrap_or_default();
            if !own.iter().any(|own| area.starts_with(own.as_str())) {
                outside.insert(DocId(row.get(0)?));
            }
        }
        Ok(outside)
    }

    /// Returns whether a household is found by this whole door, `3-12` or `12`.
    pub fn is_door_of(&self, door: &str, household: &DocId) -> Result<bool, StoreError> {
        let mut keys = SearchKeys::new();
        keys.add_door(&Door::parse(door, ""));
        let mut statement = self
            .conn
            .prepare_cached("SELECT 1 FROM search WHERE kind = 'door' AND key = ?1 AND doc = ?2")?;
        // Of a door with its group the whole key counts, not the number alone.
        let whole = keys.rows().map(|row| row.key).max_by_key(String::len);
        match whole {
            Some(key) => Ok(statement.exists(params![key, household.as_bytes()])?),
            None => Ok(false),
        }
    }

    /// Returns the documents whose id begins with these hex digits.
    pub fn documents_with_prefix(
        &self,
        prefix: &str,
        kind: Option<DocKind>,
    ) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT doc FROM document
                   WHERE lower(hex(doc)) >= ?1 AND lower(hex(doc)) < ?1 || 'g'
                     AND (?2 IS NULL OR kind = ?2) ORDER BY doc LIMIT 20";
        let mut statement = self.conn.prepare_cached(sql)?;
        let values = params![prefix.to_ascii_lowercase(), kind.map(|kind| kind.0)];
        let rows = statement.query_map(values, |row| row.get(0).map(DocId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns a document's kind and owner.
    pub fn kind_of(&self, doc: &DocId) -> Result<Option<(DocKind, Option<DocId>)>, StoreError> {
        Ok(crate::document::row(&self.conn, doc)?.map(|row| (row.kind, row.owner)))
    }

    /// Returns the documents of a kind that belong to a household.
    pub fn owned(&self, household: &DocId, kind: DocKind) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT doc FROM document WHERE owner = ?1 AND kind = ?2 ORDER BY doc";
        let mut statement = self.conn.prepare_cached(sql)?;
        let values = params![household.as_bytes(), kind.0];
        let rows = statement.query_map(values, |row| row.get(0).map(DocId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns where a document lives.
    pub fn home(&self, doc: &DocId) -> Result<Option<AreaCode>, StoreError> {
        crate::document::home(&self.conn, doc)
    }

    /// Returns a document's own place; none where its owner's counts.
    pub fn place_of(&self, doc: &DocId) -> Result<Option<wangge_wire::Place>, StoreError> {
        let sql =
            "SELECT p.bytes FROM document d JOIN place p ON p.doc = d.doc AND p.hash = d.place_hash
                   WHERE d.doc = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let bytes: Option<Vec<u8>> = statement
            .query_row([doc.as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(bytes
            .map(|bytes| wangge_wire::Place::read(&bytes))
            .transpose()?)
    }

    /// Returns the members with this id hash: (household, member id).
    pub fn members_with_hash(
        &self,
        key: &str,
        hash: &str,
    ) -> Result<Vec<(DocId, String)>, StoreError> {
        let sql = "SELECT doc, member FROM id_hash WHERE hash = ?1 ORDER BY doc, member";
        let mut statement = self.conn.prepare_cached(sql)?;
        let hash = format!("{key}:{hash}");
        let rows = statement.query_map([hash], |row| Ok((DocId(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns visits, the latest first: of a household, or of all.
    pub fn visits(
        &self,
        household: Option<&DocId>,
        limit: usize,
    ) -> Result<Vec<VisitRow>, StoreError> {
        // Apart, for a question about all of them finds no household's by its index.
        let of = household.map_or("", |_| "AND household = ?2");
        let sql = format!(
            "SELECT id, household, book, writer, content FROM visit WHERE void = 0 {of}
             ORDER BY happened_on DESC, at_ms DESC, id LIMIT ?1"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = match household {
            Some(household) => {
                let household = self.survivor(household)?;
                statement.query_map(params![limit as i64, household.as_bytes()], visit_row)?
            }
            None => statement.query_map([limit as i64], visit_row)?,
        };
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the visits whose id begins with these hex digits.
    pub fn visits_with_prefix(&self, prefix: &str) -> Result<Vec<VisitRow>, StoreError> {
        let sql = "SELECT id, household, book, writer, content FROM visit
                   WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 20";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([prefix.to_ascii_lowercase()], visit_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns reports, the latest first.
    pub fn reports(&self, limit: usize) -> Result<Vec<ReportRow>, StoreError> {
        let sql = "SELECT doc, writer, content FROM report WHERE void = 0
                   ORDER BY happened_on DESC, at_ms DESC, doc LIMIT ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([limit as i64], |row| {
            Ok(ReportRow {
                id: DocId(row.get(0)?),
                writer: ActorId(row.get(1)?),
                content: json(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the visit books of a household.
    pub fn visit_books(&self, household: &DocId) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT doc FROM document WHERE owner = ?1 AND kind = ?2 ORDER BY doc";
        let mut statement = self.conn.prepare_cached(sql)?;
        let values = params![household.as_bytes(), kind::VISIT_BOOK.0];
        let rows = statement.query_map(values, |row| row.get(0).map(DocId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns where each change of a document stands, oldest first.
    pub fn receipts(&self, doc: &DocId) -> Result<Vec<ReceiptRow>, StoreError> {
        let sql = "SELECT c.hash, c.actor, c.at_ms, o.state, coalesce(o.reason, '') FROM change c
                   LEFT JOIN outbox o ON o.doc = c.doc AND o.hash = c.hash AND o.entry = 1
                   WHERE c.doc = ?1 ORDER BY c.at_ms, c.actor, c.seq";
        let mut statement = self.conn.prepare_cached(sql)?;
        let discarded = settled::discarded(&self.conn)?;
        let rows = statement.query_map([doc.as_bytes()], |row| {
            let state: Option<i64> = row.get(3)?;
            let reason: String = row.get(4)?;
            let hash = wangge_wire::ChangeHash(row.get(0)?);
            let discarded = discarded.contains(&(*doc, hash));
            let state = state.map(|state| Pending::of(state, discarded));
            Ok(ReceiptRow {
                hash,
                writer: ActorId(row.get(1)?),
                at_ms: row.get(2)?,
                relays: Vec::new(),
                pending: state.map(|state| (state, reason)),
            })
        })?;
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        let packed = Packed::of(&self.conn, doc)?;
        if packed.is_some() {
            let facts = packed::facts(&self.conn, doc)?;
            let kept: BTreeSet<_> = rows.iter().map(|row| row.hash).collect();
            let facts = facts.into_iter().filter(|it| !kept.contains(&it.hash));
            let facts: Vec<_> = facts.map(ReceiptRow::of).collect();
            rows.splice(0..0, facts);
        }
        for row in &mut rows {
            row.relays = self.arrivals(doc, &row.hash)?;
            if let Some(packed) = packed.as_ref().filter(|packed| packed.holds(&row.hash))
                && row.relays.is_empty()
            {
                let position = packed.position.unsigned_abs();
                row.relays.push((packed.relay, position, packed.at_ms));
            }
        }
        Ok(rows)
    }

    /// Returns the change that wrote a visit.
    pub fn visit_change(
        &self,
        visit: &VisitRow,
    ) -> Result<Option<wangge_wire::ChangeHash>, StoreError> {
        let document = self.document(&visit.book)?.ok_or(StoreError::Missing)?;
        let versions = document.versions("visits", &format!("{}/on", visit.id));
        Ok(versions.first().map(|version| version.change))
    }

    /// Returns the device an actor belongs to.
    pub fn device_of(&self, actor: &ActorId) -> Result<Option<DeviceId>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT device FROM writer WHERE actor = ?1")?;
        let found = statement.query_row([actor.as_bytes()], |row| row.get(0).map(DeviceId));
        Ok(found.optional()?)
    }

    /// Returns whether no change and no document is here.
    pub fn holds_nothing(&self) -> Result<bool, StoreError> {
        let sql =
            "SELECT NOT EXISTS (SELECT 1 FROM change) AND NOT EXISTS (SELECT 1 FROM document)";
        Ok(self.conn.query_row(sql, [], |row| row.get(0))?)
    }

    /// Returns how much of everything is here.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let count = |sql: &str| -> Result<u64, StoreError> {
            Ok(self
                .conn
                .prepare_cached(sql)?
                .query_row([], |row| row.get::<_, i64>(0))?
                .unsigned_abs())
        };
        Ok(Counts {
            households: count("SELECT count(*) FROM household")?,
            visits: count("SELECT count(*) FROM visit WHERE void = 0")?,
            reports: count("SELECT count(*) FROM report WHERE void = 0")?,
            tickets: count("SELECT count(*) FROM ticket")?,
            conflicts: count(
                "SELECT count(*) FROM (SELECT doc, container, key FROM conflict
                                       UNION SELECT doc, container, key FROM late)",
            )?,
            unsent: count("SELECT count(*) FROM outbox")?
                .saturating_sub(self.discards_kept()?.len() as u64),
        })
    }

    /// Returns the heads of every document placed under an area, by document.
    pub fn heads(
        &self,
        area: &AreaCode,
    ) -> Result<BTreeMap<DocId, Vec<wangge_wire::ChangeHash>>, StoreError> {
        let mut heads = BTreeMap::new();
        for doc in self.documents_in(area)? {
            if let Some(document) = self.document(&doc)? {
                let mut own = document.heads();
                own.sort();
                heads.insert(doc, own);
            }
        }
        Ok(heads)
    }

    fn documents_in(&self, area: &AreaCode) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT d.doc FROM document d LEFT JOIN document o ON o.doc = d.owner
                   WHERE coalesce(nullif(d.home, ''), o.home, '') >= ?1
                     AND coalesce(nullif(d.home, ''), o.home, '') < ?2 ORDER BY d.doc";
        let mut statement = self.conn.prepare_cached(sql)?;
        let values = params![area.as_str(), format!("{area}:")];
        let rows = statement.query_map(values, |row| row.get(0).map(DocId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn arrivals(
        &self,
        doc: &DocId,
        hash: &wangge_wire::ChangeHash,
    ) -> Result<Vec<(wangge_wire::RelayId, u64, i64)>, StoreError> {
        let sql = "SELECT relay, position, at_ms FROM arrival WHERE doc = ?1 AND hash = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params![doc.as_bytes(), hash.as_bytes()], |row| {
            let relay = wangge_wire::RelayId(row.get(0)?);
            Ok((relay, row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn household_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<HouseholdRow> {
    let care: String = row.get(9)?;
    let also: String = row.get(11)?;
    Ok(HouseholdRow {
        id: DocId(row.get(0)?),
        area: row.get(1)?,
        group: row.get(2)?,
        door: row.get(3)?,
        number: row.get(4)?,
        head: row.get(5)?,
        phone: row.get(6)?,
        residence: row.get(7)?,
        people: row.get(8)?,
        care: care
            .split(',')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        last_visit: row.get(10)?,
        also: also.split(',').filter_map(|id| id.parse().ok()).collect(),
    })
}

fn visit_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<VisitRow> {
    Ok(VisitRow {
        id: row.get(0)?,
        household: DocId(row.get(1)?),
        book: DocId(row.get(2)?),
        writer: ActorId(row.get(3)?),
        content: json(row.get(4)?),
    })
}

fn json(text: String) -> serde_json::Value {
    serde_json::from_str(&text).unwrap_or_default()
}
