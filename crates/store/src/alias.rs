//! Households that are one family: which document stands for it, kept up as merges come and go.
//!
//! **A family has one row**, its survivor's, made of all its documents; an alias has none, so that no
//! list counts a family twice. All of it is derived, in the transaction of the change that says so.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use wangge_crdt::{Document, Fields};
use wangge_model::duplicates::Traits;
use wangge_model::household::alias::{self, Edges};
use wangge_model::household::united::{self, Late, United};
use wangge_model::kind;
use wangge_wire::{AreaCode, DocId, Level};

use crate::derive::{Before, HouseholdRows};
use crate::error::StoreError;
use crate::open::Store;
use crate::{derive, document};

/// The documents of a family, the survivor first, and what they say together.
#[derive(Debug, Default)]
pub struct Family {
    /// Every document that is here.
    pub documents: BTreeMap<DocId, Document>,
    /// What they say together.
    pub united: United,
}

impl Family {
    fn of(documents: BTreeMap<DocId, Document>) -> Self {
        let fields: Vec<(DocId, Fields)> = documents
            .iter()
            .map(|(doc, document)| (*doc, document.fields()))
            .collect();
        Self {
            united: united::unite(&fields),
            documents,
        }
    }

    /// Returns the documents behind the survivor.
    pub fn aliases(&self) -> impl Iterator<Item = (&DocId, &Document)> {
        self.documents.iter().skip(1)
    }

    /// Returns the values whose writers could not know of the merge.
    pub fn late(&self) -> Vec<Late> {
        united::late(&self.united, &self.documents)
    }
}

impl Store {
    /// Returns the household that stands for this one: itself, unless it is an alias.
    pub fn survivor(&self, doc: &DocId) -> Result<DocId, StoreError> {
        survivor(&self.conn, doc)
    }

    /// Returns the aliases of a household.
    pub fn aliases(&self, survivor: &DocId) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT doc FROM alias WHERE survivor = ?1 ORDER BY doc";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([survivor.as_bytes()], |row| row.get(0).map(DocId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns all documents of the family that a household belongs to; empty where none is here.
    pub fn family(&self, doc: &DocId) -> Result<Family, StoreError> {
        let survivor = self.survivor(doc)?;
        let mut documents = BTreeMap::new();
        for doc in std::iter::once(survivor).chain(self.aliases(&survivor)?) {
            documents.extend(load(&self.conn, &doc)?.map(|document| (doc, document)));
        }
        Ok(Family::of(documents))
    }

    /// Returns the values of a household's aliases whose writers could not know of the merge.
    pub fn late(&self, survivor: &DocId) -> Result<Vec<Late>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT 1 FROM late WHERE doc = ?1")?;
        if !statement.exists([survivor.as_bytes()])? {
            return Ok(Vec::new());
        }
        Ok(self.family(survivor)?.late())
    }

    /// Returns every merge that reaches a household, as edges.
    pub fn alias_edges(&self, doc: &DocId) -> Result<Edges, StoreError> {
        edges_around(&self.conn, doc)
    }

    /// Returns what the households under an area are compared by.
    pub fn traits(&self, area: Option<&AreaCode>) -> Result<Vec<Traits>, StoreError> {
        let low = area.map_or("", AreaCode::as_str);
        let sql = "SELECT doc, area, village_group, door FROM household
                   WHERE area >= ?1 AND area < ?2 ORDER BY doc";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![low, format!("{low}:")])?;
        let mut found = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let id = DocId(row.get(0)?);
            let area: String = row.get(1)?;
            let village = AreaCode::parse(&area)
                .ok()
                .and_then(|area| area.at(Level::Village));
            let traits = Traits {
                id,
                village: village.map_or(area, |village| village.to_string()),
                group: row.get(2)?,
                door: row.get(3)?,
                names: Vec::new(),
                phones: BTreeSet::new(),
                id_hashes: BTreeSet::new(),
                told_apart: BTreeSet::new(),
            };
            found.insert(id, traits);
        }
        self.add_traits(&mut found)?;
        Ok(found.into_values().collect())
    }

    fn add_traits(&self, found: &mut BTreeMap<DocId, Traits>) -> Result<(), StoreError> {
        let mut each = |sql: &str, add: &mut dyn FnMut(&mut Traits, String)| {
            let mut statement = self.conn.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Some(traits) = found.get_mut(&DocId(row.get(0)?)) {
                    add(traits, row.get(1)?);
                }
            }
            Ok::<_, StoreError>(())
        };
        let names = "SELECT doc, key FROM search WHERE kind = 'name' ORDER BY doc, place, key";
        each(names, &mut |traits, name| traits.names.push(name))?;
        let phones = "SELECT doc, key FROM search WHERE kind = 'phone'";
        each(phones, &mut |traits, phone| {
            traits.phones.insert(phone);
        })?;
        each("SELECT doc, hash FROM id_hash", &mut |traits, hash| {
            traits.id_hashes.insert(hash);
        })?;
        let apart = "SELECT t.doc, lower(hex(coalesce(a.survivor, t.other))) FROM told_apart t
                     LEFT JOIN alias a ON a.doc = t.other";
        each(apart, &mut |traits, other| {
            traits.told_apart.extend(other.parse::<DocId>());
        })
    }
}

pub(crate) fn survivor(conn: &Connection, doc: &DocId) -> Result<DocId, StoreError> {
    let mut statement = conn.prepare_cached("SELECT survivor FROM alias WHERE doc = ?1")?;
    let found = statement.query_row([doc.as_bytes()], |row| row.get(0).map(DocId));
    Ok(found.optional()?.unwrap_or(*doc))
}

/// Returns whether a household says of itself that it is one family with no other.
pub(crate) fn stands_alone(doc: &DocId, fields: &Fields) -> bool {
    alias::edges(doc, fields).is_empty()
}

/// Makes the rows of a household anew, and of all whose family changed with it; `alone` are its rows if no
/// other one is of its family.
pub(crate) fn household(
    conn: &Connection,
    doc: &DocId,
    fields: &Fields,
    alone: Option<&HouseholdRows>,
    before: Before,
) -> Result<(), StoreError> {
    let edges = edges_around(conn, doc)?;
    if let Some(rows) = alone.filter(|_| edges.is_empty()) {
        return own_rows(conn, doc, fields, rows, before);
    }
    let before = edges;
    let named = alias::edges(doc, fields);
    conn.prepare_cached("DELETE FROM alias_edge WHERE doc = ?1")?
        .execute([doc.as_bytes()])?;
    let mut insert = conn.prepare_cached("INSERT INTO alias_edge (doc, other) VALUES (?1, ?2)")?;
    for other in named {
        insert.execute(params![doc.as_bytes(), other.as_bytes()])?;
    }
    let mut open = alias::connected(&before, *doc);
    open.extend(alias::connected(&edges_around(conn, doc)?, *doc));
    while let Some(first) = open.first().copied() {
        let set = alias::connected(&edges_around(conn, &first)?, first);
        open.retain(|doc| !set.contains(doc));
        family_rows(conn, &set)?;
    }
    Ok(())
}

/// Makes the rows of one family: its survivor's, of all its documents; none of its aliases.
fn family_rows(conn: &Connection, set: &BTreeSet<DocId>) -> Result<(), StoreError> {
    let mut documents = BTreeMap::new();
    for doc in set {
        documents.extend(load(conn, doc)?.map(|document| (*doc, document)));
    }
    let family = Family::of(documents);
    let Some((survivor, own)) = family.documents.first_key_value() else {
        return Ok(());
    };
    forget(conn, survivor)?;
    derive::conflicts(conn, survivor, &own.fields(), |_, _| true)?;
    let rows = HouseholdRows::of(survivor, &family.united.fields, &family.united.others);
    own_rows(conn, survivor, &family.united.fields, &rows, Before::Some)?;
    stands_for(conn, survivor, survivor)?;
    let sql = "INSERT OR IGNORE INTO late (doc, container, key) VALUES (?1, ?2, ?3)";
    for late in family.late() {
        let (container, key) = (late.other.container, late.other.key);
        conn.prepare_cached(sql)?
            .execute(params![survivor.as_bytes(), container, key])?;
    }
    for (alias, document) in family.aliases() {
        forget(conn, alias)?;
        // What is listed as another value is no conflict of its own.
        derive::conflicts(conn, alias, &document.fields(), |container, key| {
            let own = (*alias, container.to_owned(), key.to_owned());
            family.united.filled.contains(&own)
        })?;
        let sql = "INSERT INTO alias (doc, survivor) VALUES (?1, ?2)";
        conn.prepare_cached(sql)?
            .execute(params![alias.as_bytes(), survivor.as_bytes()])?;
        stands_for(conn, alias, survivor)?;
    }
    Ok(())
}

/// Gives the visits in a household's books to the one that stands for it.
fn stands_for(conn: &Connection, doc: &DocId, survivor: &DocId) -> Result<(), StoreError> {
    let sql = "UPDATE visit SET household = ?2
               WHERE book IN (SELECT doc FROM document WHERE owner = ?1 AND kind = ?3)";
    conn.prepare_cached(sql)?.execute(params![
        doc.as_bytes(),
        survivor.as_bytes(),
        kind::VISIT_BOOK.0
    ])?;
    Ok(())
}

/// Takes away every row of a household.
pub(crate) fn forget(conn: &Connection, doc: &DocId) -> Result<(), StoreError> {
    derive::forget_keys(conn, doc)?;
    for table in [
        "household",
        "id_hash",
        "care",
        "told_apart",
        "late",
        "alias",
    ] {
        conn.prepare_cached(&format!("DELETE FROM {table} WHERE doc = ?1"))?
            .execute([doc.as_bytes()])?;
    }
    Ok(())
}

fn own_rows(
    conn: &Connection,
    doc: &DocId,
    fields: &Fields,
    rows: &HouseholdRows,
    before: Before,
) -> Result<(), StoreError> {
    derive::household_rows(conn, doc, rows, before)?;
    if before == Before::Some {
        conn.prepare_cached("DELETE FROM told_apart WHERE doc = ?1")?
            .execute([doc.as_bytes()])?;
    }
    let sql = "INSERT INTO told_apart (doc, other) VALUES (?1, ?2)";
    for other in alias::told_apart(fields) {
        conn.prepare_cached(sql)?
            .execute(params![doc.as_bytes(), other.as_bytes()])?;
    }
    Ok(())
}

/// Returns every edge of the set a household is in.
fn edges_around(conn: &Connection, doc: &DocId) -> Result<Edges, StoreError> {
    let mut edges = Edges::new();
    let (mut open, mut known) = (vec![*doc], BTreeSet::from([*doc]));
    while let Some(next) = open.pop() {
        let sql = "SELECT doc, other FROM alias_edge WHERE doc = ?1
                   UNION ALL SELECT doc, other FROM alias_edge WHERE other = ?1";
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([next.as_bytes()])?;
        while let Some(row) = rows.next()? {
            let (a, b) = (DocId(row.get(0)?), DocId(row.get(1)?));
            edges.insert((a, b));
            open.extend([a, b].into_iter().filter(|doc| known.insert(*doc)));
        }
    }
    Ok(edges)
}

fn load(conn: &Connection, doc: &DocId) -> Result<Option<Document>, StoreError> {
    match document::row(conn, doc)? {
        Some(row) if row.kind == kind::HOUSEHOLD => document::load(conn, doc, &row),
        _ => Ok(None),
    }
}
