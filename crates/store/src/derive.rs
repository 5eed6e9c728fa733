//! Derived rows: what lists and searches read, made anew from a document each time it changes.
//!
//! **Nothing is stored here that the document does not say**; all of it can be thrown away and made
//! again. It happens in the transaction of the change.

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;
use wangge_crdt::{Document, Fields};
use wangge_model::care::Interval;
use wangge_model::door::Door;
use wangge_model::due::Cared;
use wangge_model::find::{self, SearchKeys};
use wangge_model::household::Household;
use wangge_model::household::alias::ALIAS_OF;
use wangge_model::household::united::Other;
use wangge_model::ticket::document as ticket;
use wangge_model::visit::Visit;
use wangge_model::{attachment, due, household, kind, report, round, visit};
use wangge_wire::{ActorId, DocId, DocKind};

use crate::error::StoreError;
use crate::open::set_meta;
use crate::{alias, blobs, document};

/// What the rows are made by; raised whenever this file, or what it reads with, makes others.
const VERSION: u32 = 3;

/// Makes the rows of every document anew, if an older program made them.
pub(crate) fn renew(conn: &Connection) -> Result<(), StoreError> {
    if made_by(conn)? >= VERSION {
        return Ok(());
    }
    let transaction = conn.unchecked_transaction()?;
    // Another program may have done it while this one waited for the file.
    if made_by(conn)? < VERSION {
        let docs = conn
            .prepare("SELECT doc FROM document ORDER BY owner IS NOT NULL, doc")?
            .query_map([], |row| row.get(0).map(DocId))?
            .collect::<Result<Vec<DocId>, _>>()?;
        for doc in docs {
            again(conn, &doc)?;
        }
        set_meta(conn, "derived", &VERSION.to_be_bytes())?;
    }
    Ok(transaction.commit()?)
}

/// Makes the rows of a document anew from its saved form, if it is here. One that is damaged keeps those it
/// has, and so does a family of which one is.
pub(crate) fn again(conn: &Connection, doc: &DocId) -> Result<(), StoreError> {
    let Some(row) = document::row(conn, doc)? else {
        return Ok(());
    };
    let made = match document::load(conn, doc, &row) {
        Ok(Some(loaded)) => rows(conn, doc, row.kind, row.owner.as_ref(), &loaded),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    unless_unreadable(made)
}

/// Lets one damaged document stand in nobody's way.
pub(crate) fn unless_unreadable(made: Result<(), StoreError>) -> Result<(), StoreError> {
    match made {
        Err(StoreError::Unreadable { .. }) => Ok(()),
        made => made,
    }
}

/// Returns the version of what made the rows; 0 where none is written down.
fn made_by(conn: &Connection) -> Result<u32, StoreError> {
    let sql = "SELECT value FROM meta WHERE name = 'derived'";
    let bytes: Option<[u8; 4]> = conn.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(bytes.map_or(0, u32::from_be_bytes))
}

/// What the rows of a document are made of: read from it alone, so that no database waits meanwhile.
pub(crate) struct Reading {
    fields: Fields,
    household: Option<HouseholdRows>,
    visits: Vec<VisitRow>,
}

impl Reading {
    /// Reads a document.
    pub(crate) fn of(doc: &DocId, kind: DocKind, document: &Document) -> Self {
        let fields = document.fields();
        let household = kind == kind::HOUSEHOLD && alias::stands_alone(doc, &fields);
        let visits = match kind {
            kind::VISIT_BOOK => read_visits(&fields, document),
            _ => Vec::new(),
        };
        Self {
            household: household.then(|| HouseholdRows::of(doc, &fields, &[])),
            fields,
            visits,
        }
    }
}

/// Whether rows of a document may be here already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// They may: they are taken away first.
    Some,
    /// Nothing of the document was here.
    Nothing,
}

/// Makes the rows of a document anew.
pub(crate) fn rows(
    conn: &Connection,
    doc: &DocId,
    kind: DocKind,
    owner: Option<&DocId>,
    document: &Document,
) -> Result<(), StoreError> {
    let reading = Reading::of(doc, kind, document);
    rows_of(conn, doc, kind, owner, document, &reading, Before::Some)
}

/// Makes the rows of a document that was read.
pub(crate) fn rows_of(
    conn: &Connection,
    doc: &DocId,
    kind: DocKind,
    owner: Option<&DocId>,
    document: &Document,
    reading: &Reading,
    before: Before,
) -> Result<(), StoreError> {
    let fields = &reading.fields;
    if before == Before::Some || fields.conflicts().next().is_some() {
        conflicts(conn, doc, fields, |_, _| true)?;
    }
    if attachment::has_container(kind) {
        blobs::rows(conn, doc, fields)?;
    }
    match kind {
        kind::HOUSEHOLD => alias::household(conn, doc, fields, reading.household.as_ref(), before),
        kind::VISIT_BOOK => visit_rows(conn, doc, owner, &reading.visits, before),
        kind::REPORT => report_row(conn, doc, fields, document),
        kind::TICKET => ticket_row(conn, doc, fields, document),
        kind::ROUND_BOOK => round_rows(conn, doc, fields, document),
        _ => Ok(()),
    }
}

/// Makes the rows of the conflicts of a document in those registers that `counts`.
pub(crate) fn conflicts(
    conn: &Connection,
    doc: &DocId,
    fields: &Fields,
    counts: impl Fn(&str, &str) -> bool,
) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM conflict WHERE doc = ?1")?
        .execute([doc.as_bytes()])?;
    let mut insert =
        conn.prepare_cached("INSERT INTO conflict (doc, container, key) VALUES (?1, ?2, ?3)")?;
    for (container, key, register) in fields.conflicts() {
        // Two merges at once are both true.
        let both_true = container.is_empty()
            && (key.starts_with("distinct.")
                || key == ALIAS_OF && !wangge_model::household::alias::is_disputed(register));
        // Who adds and who takes back at once are both heard: it is there.
        let heard = both_true || wangge_crdt::is_void_key(key);
        if !heard && counts(container, key) {
            insert.execute(params![doc.as_bytes(), container, key])?;
        }
    }
    Ok(())
}

/// What the rows of a household are made of.
pub(crate) struct HouseholdRows {
    is_void: bool,
    household: Household,
    cared: Vec<Cared>,
    keys: Vec<find::Row>,
    /// Keyed hashes of id numbers, and whose.
    ids: Vec<(String, String)>,
}

impl HouseholdRows {
    /// Reads a household; `others` are values beside the shown ones, by which it is found too.
    pub(crate) fn of(doc: &DocId, fields: &Fields, others: &[Other]) -> Self {
        let household = household::read(*doc, fields);
        Self {
            is_void: fields.is_void(),
            cared: due::cared(&household, fields),
            keys: search_keys(&household, others),
            ids: id_hashes(fields),
            household,
        }
    }
}

/// Makes the rows of a household.
pub(crate) fn household_rows(
    conn: &Connection,
    doc: &DocId,
    rows: &HouseholdRows,
    before: Before,
) -> Result<(), StoreError> {
    if rows.is_void {
        // Taken back by who added it: no list, search, count or roster knows it.
        return alias::forget(conn, doc);
    }
    let household = &rows.household;
    // Where it is placed goes before what its text says: a desk may move it without a change.
    let area = document::home(conn, doc)?.or_else(|| household.area.clone());
    let head = household.head_member();
    let mut care: Vec<&str> = household
        .present()
        .flat_map(|member| &member.care)
        .map(|care| care.code())
        .collect();
    care.sort_unstable();
    care.dedup();
    let sql =
        "INSERT OR REPLACE INTO household (doc, area, village_group, door, door_number, number,
                 head_name, phone, residence, members, present, care)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let digits: String = household
        .door
        .number
        .chars()
        .take_while(char::is_ascii_digit)
        .take(9)
        .collect();
    conn.prepare_cached(sql)?.execute(params![
        doc.as_bytes(),
        area.as_ref().map_or("", |area| area.as_str()),
        household.door.group.unwrap_or_default(),
        household.door.number,
        digits.parse::<i64>().unwrap_or_default(),
        household.number,
        head.map(|head| head.name.as_str()).unwrap_or_default(),
        household.phone.as_deref().unwrap_or_default(),
        household.residence.code(),
        household.members.len() as i64,
        household.present().count() as i64,
        care.join(","),
    ])?;
    if before == Before::Some {
        for sql in [
            "DELETE FROM care WHERE doc = ?1",
            "DELETE FROM id_hash WHERE doc = ?1",
        ] {
            conn.prepare_cached(sql)?.execute([doc.as_bytes()])?;
        }
        forget_keys(conn, doc)?;
    }
    care_rows(conn, doc, &rows.cared)?;
    search_rows(conn, doc, &rows.keys)?;
    let sql = "INSERT OR IGNORE INTO id_hash (hash, doc, member) VALUES (?1, ?2, ?3)";
    let mut insert = conn.prepare_cached(sql)?;
    for (hash, member) in &rows.ids {
        insert.execute(params![hash, doc.as_bytes(), member])?;
    }
    Ok(())
}

fn care_rows(conn: &Connection, doc: &DocId, cared: &[Cared]) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO care (doc, member, tag, name, birth, since, until, every)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = conn.prepare_cached(sql)?;
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    for one in cared {
        insert.execute(params![
            doc.as_bytes(),
            one.member,
            one.tag.code(),
            one.name,
            one.birth.as_deref().unwrap_or_default(),
            day(one.since),
            day(one.until),
            one.every.map_or("", Interval::code),
        ])?;
    }
    Ok(())
}

fn search_rows(conn: &Connection, doc: &DocId, rows: &[find::Row]) -> Result<(), StoreError> {
    let sql = "INSERT INTO search (kind, key, doc, place) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = conn.prepare_cached(sql)?;
    for row in rows {
        let (kind, doc) = (row.kind.as_str(), doc.as_bytes());
        insert.execute(params![kind, row.key, doc, row.place])?;
    }
    let keys: Vec<_> = rows
        .iter()
        .map(|row| (row.kind.as_str(), &row.key))
        .collect();
    let sql = "INSERT OR REPLACE INTO search_of (doc, keys) VALUES (?1, ?2)";
    conn.prepare_cached(sql)?
        .execute(params![doc.as_bytes(), json!(keys).to_string()])?;
    Ok(())
}

/// Takes away what a household is found by.
pub(crate) fn forget_keys(conn: &Connection, doc: &DocId) -> Result<(), StoreError> {
    let mut keys = conn.prepare_cached("DELETE FROM search_of WHERE doc = ?1 RETURNING keys")?;
    let keys = keys.query_row([doc.as_bytes()], |row| row.get::<_, String>(0));
    let keys: Vec<(String, String)> = match keys.optional()? {
        // It was written by this program.
        Some(keys) => serde_json::from_str(&keys).unwrap_or_default(),
        None => Vec::new(),
    };
    let sql = "DELETE FROM search WHERE kind = ?1 AND key = ?2 AND doc = ?3";
    let mut delete = conn.prepare_cached(sql)?;
    for (kind, key) in keys {
        delete.execute(params![kind, key, doc.as_bytes()])?;
    }
    Ok(())
}

fn search_keys(household: &Household, others: &[Other]) -> Vec<find::Row> {
    let mut keys = SearchKeys::new();
    keys.add_door(&household.door);
    keys.add_number(&household.number);
    if let Some(phone) = &household.phone {
        keys.add_phone(phone);
    }
    for contact in &household.contacts {
        keys.add_phone(&contact.phone);
    }
    // A household keeps its head's name until another is chosen: it is found by it, too.
    for member in household.present().chain(household.departed_head()) {
        keys.add_person(&member.name);
        if let Some(phone) = &member.phone {
            keys.add_phone(phone);
        }
    }
    add_others(&mut keys, household, others);
    keys.rows().collect()
}

/// What an alias says otherwise finds the family as well: somebody knows them by it.
fn add_others(keys: &mut SearchKeys, household: &Household, others: &[Other]) {
    for other in others {
        let Some(value) = other.value.as_text() else {
            continue;
        };
        match other.key.rsplit('/').next() {
            Some("phone") => keys.add_phone(value),
            Some("name") => keys.add_person(value),
            Some("number") => keys.add_number(value),
            Some("door") => {
                let group = others
                    .iter()
                    .find(|group| group.doc == other.doc && group.key == "group");
                let group = group.and_then(|group| group.value.as_int());
                let group = group.and_then(|group| u16::try_from(group).ok());
                keys.add_door(&Door {
                    // A group that is not listed is the one that is shown.
                    group: group.or(household.door.group),
                    number: value.to_owned(),
                });
            }
            _ => {}
        }
    }
}

fn id_hashes(fields: &Fields) -> Vec<(String, String)> {
    let mut hashes = Vec::new();
    for (member, entry) in fields.entries("members") {
        for (field, value) in entry {
            if let (Some(key), Some(hash)) = (field.strip_prefix("id_hash."), value.as_text()) {
                hashes.push((format!("{key}:{hash}"), member.to_owned()));
            }
        }
    }
    hashes
}

/// A visit as its row has it.
struct VisitRow {
    visit: Visit,
    writer: ActorId,
    content: String,
}

fn read_visits(fields: &Fields, document: &Document) -> Vec<VisitRow> {
    let writers = document.writers(visit::VISITS, |key| key.ends_with("/on"));
    let at_ms = |key: &str| writers.get(key).map_or(0, |(_, at_ms)| *at_ms);
    let visits = visit::read(fields, at_ms).into_iter().map(|visit| {
        let writer = writers.get(&format!("{}/on", visit.id));
        VisitRow {
            writer: writer.map_or(ActorId([0; 8]), |(actor, _)| *actor),
            content: serde_json::to_string(&visit).unwrap_or_default(),
            visit,
        }
    });
    visits.collect()
}

fn visit_rows(
    conn: &Connection,
    doc: &DocId,
    owner: Option<&DocId>,
    visits: &[VisitRow],
    before: Before,
) -> Result<(), StoreError> {
    if before == Before::Some {
        conn.prepare_cached("DELETE FROM visit WHERE book = ?1")?
            .execute([doc.as_bytes()])?;
    }
    let sql = "INSERT INTO visit (id, book, household, happened_on, at_ms, writer, content,
                 counts, same, next_on, void)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut insert = conn.prepare_cached(sql)?;
    let owner = alias::survivor(conn, owner.unwrap_or(doc))?;
    for VisitRow {
        visit,
        writer,
        content,
    } in visits
    {
        insert.execute(params![
            visit.id,
            doc.as_bytes(),
            owner.as_bytes(),
            visit.happened_on,
            visit.at_ms,
            writer.as_bytes(),
            content,
            visit.met.counts(),
            visit.no_change,
            visit.follow_up_on.as_deref().unwrap_or_default(),
            visit.void,
        ])?;
    }
    Ok(())
}

fn report_row(
    conn: &Connection,
    doc: &DocId,
    fields: &Fields,
    document: &Document,
) -> Result<(), StoreError> {
    let report = report::read(fields);
    let sql =
        "INSERT OR REPLACE INTO report (doc, happened_on, at_ms, handled, writer, content, void)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    conn.prepare_cached(sql)?.execute(params![
        doc.as_bytes(),
        report.happened_on,
        report.at_ms,
        report.handled_on_spot.is_some(),
        document.author().unwrap_or(ActorId([0; 8])).as_bytes(),
        json!(report).to_string(),
        report.void,
    ])?;
    Ok(())
}

fn ticket_row(
    conn: &Connection,
    doc: &DocId,
    fields: &Fields,
    document: &Document,
) -> Result<(), StoreError> {
    let Some((opened, _, state)) = ticket::state(fields) else {
        return Ok(());
    };
    let handlers: Vec<String> = state
        .progress
        .handlers
        .iter()
        .map(|handler| String::from(handler.clone()))
        .collect();
    let sql = "INSERT OR REPLACE INTO ticket (doc, code, status, contested, parked, at_ms, writer,
                 content, handlers, answer_owner, answered, open, due)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    conn.prepare_cached(sql)?.execute(params![
        doc.as_bytes(),
        opened.code,
        state.progress.status.as_str(),
        !state.contested.is_empty(),
        state.parked.len() as i64,
        opened.at_ms,
        writer(document, "", "code").as_bytes(),
        json!(opened).to_string(),
        handlers.join(" "),
        state.answer_owner.to_string(),
        state.is_answered(),
        state.progress.status.is_open(),
        state.progress.due.unwrap_or_default(),
    ])?;
    conn.prepare_cached("DELETE FROM ticket_report WHERE ticket = ?1")?
        .execute([doc.as_bytes()])?;
    let sql = "INSERT OR IGNORE INTO ticket_report (report, ticket) VALUES (?1, ?2)";
    let mut insert = conn.prepare_cached(sql)?;
    for report in &opened.reports {
        insert.execute(params![report.as_bytes(), doc.as_bytes()])?;
    }
    Ok(())
}

fn round_rows(
    conn: &Connection,
    doc: &DocId,
    fields: &Fields,
    document: &Document,
) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM round WHERE book = ?1")?
        .execute([doc.as_bytes()])?;
    let sql = "INSERT INTO round (id, book, area, happened_on, at_ms, ended, writer, content)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = conn.prepare_cached(sql)?;
    let at_ms = |key: &str| {
        let versions = document.versions("rounds", key);
        versions.first().map_or(0, |version| version.at_ms)
    };
    for round in round::read(fields, at_ms) {
        let writer = writer(document, "rounds", &format!("{}/on", round.id));
        insert.execute(params![
            round.id,
            doc.as_bytes(),
            fields.root_text("area"),
            round.happened_on,
            round.at_ms,
            round.ended,
            writer.as_bytes(),
            json!(round).to_string(),
        ])?;
    }
    Ok(())
}

/// Returns who wrote a register's shown value; zeros where nobody did.
fn writer(document: &Document, container: &str, key: &str) -> ActorId {
    document
        .versions(container, key)
        .first()
        .map_or(ActorId([0; 8]), |version| version.actor)
}
