//! Documents in the file: loading from the cache, from the changes when the cache is damaged, saving.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wangge_crdt::Document;
use wangge_model::kind;
use wangge_wire::{AreaCode, Audience, ChangeHash, Digest, DocId, DocKind, Place};

use crate::counted::{Seat, Told};
use crate::error::StoreError;
use crate::packed::{self, Packed};

/// A document's row.
#[derive(Debug, Clone)]
pub(crate) struct DocumentRow {
    pub(crate) kind: DocKind,
    pub(crate) owner: Option<DocId>,
    pub(crate) place_n: i64,
    pub(crate) place_hash: Vec<u8>,
    pub(crate) digest: Digest,
    saved: Vec<u8>,
}

/// A document and where it lives.
pub(crate) struct Lives {
    pub(crate) doc: DocId,
    pub(crate) kind: DocKind,
    pub(crate) owner: Option<DocId>,
    pub(crate) home: AreaCode,
    pub(crate) audiences: Vec<Audience>,
}

pub(crate) fn row(conn: &Connection, doc: &DocId) -> Result<Option<DocumentRow>, StoreError> {
    let sql = "SELECT kind, owner, place_n, place_hash, changes, sum, saved
               FROM document WHERE doc = ?1";
    let found = conn
        .prepare_cached(sql)?
        .query_row([doc.as_bytes()], |row| {
            let owner: Option<Vec<u8>> = row.get(1)?;
            let sum: [u8; 16] = row.get(5)?;
            Ok(DocumentRow {
                kind: DocKind(row.get(0)?),
                owner: owner.and_then(|bytes| DocId::from_slice(&bytes)),
                place_n: row.get(2)?,
                place_hash: row.get(3)?,
                digest: Digest::from_parts(row.get::<_, i64>(4)?.unsigned_abs(), sum),
                saved: row.get(6)?,
            })
        });
    Ok(found.optional()?)
}

/// Makes sure the document has a row.
pub(crate) fn ensure(
    conn: &Connection,
    doc: &DocId,
    kind: DocKind,
    schema: u8,
    owner: Option<&DocId>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO document (doc, kind, schema, owner) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (doc) DO UPDATE SET owner = coalesce(owner, excluded.owner)";
    let owner = owner.map(DocId::as_bytes);
    conn.prepare_cached(sql)?
        .execute(params![doc.as_bytes(), kind.0, schema, owner])?;
    Ok(())
}

/// Returns the document of a row; none for a kind of a newer program, whose changes are only kept.
///
/// A damaged cache costs time, not data: the document is built again from what a pack brought of it and
/// its changes since.
pub(crate) fn load(
    conn: &Connection,
    doc: &DocId,
    row: &DocumentRow,
) -> Result<Option<Document>, StoreError> {
    let Some(shape) = kind::shape(row.kind) else {
        return Ok(None);
    };
    if !row.saved.is_empty()
        && let Ok(document) = Document::load(&shape, &row.saved)
        && document.id() == Some(*doc)
    {
        return Ok(Some(document));
    }
    let packed = packed::form(conn, doc)?;
    let mut names: Vec<ChangeHash> = match Packed::of(conn, doc)? {
        Some(packed) => packed.names().collect(),
        None => Vec::new(),
    };
    let packed = packed.and_then(|form| Document::load(&shape, &form).ok());
    let mut document = match packed.filter(|document| document.id() == Some(*doc)) {
        Some(document) => document,
        None => Document::begin(&shape, doc)?,
    };
    let mut statement =
        conn.prepare_cached("SELECT hash, raw FROM change WHERE doc = ?1 AND state = 0")?;
    let rows = statement
        .query_map([doc.as_bytes()], |row| {
            Ok((ChangeHash(row.get(0)?), row.get(1)?))
        })?
        .collect::<Result<Vec<(ChangeHash, Vec<u8>)>, _>>()?;
    let (later, raws): (Vec<ChangeHash>, Vec<Vec<u8>>) = rows.into_iter().unzip();
    names.extend(later);
    document.apply(&raws);
    // All of it was part of the document once: what is not any more was damaged, and half a family must
    // not be shown as a whole one.
    match names.iter().all(|name| document.contains(name)) {
        true => Ok(Some(document)),
        false => Err(StoreError::Unreadable { doc: *doc }),
    }
}

/// Keeps the saved form of a document.
pub(crate) fn save(conn: &Connection, doc: &DocId, document: &Document) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached("UPDATE document SET saved = ?2 WHERE doc = ?1")?;
    statement.execute(params![doc.as_bytes(), document.save()])?;
    Ok(())
}

/// Adds a change to the document's digest.
pub(crate) fn count(conn: &Connection, doc: &DocId, hash: &ChangeHash) -> Result<(), StoreError> {
    count_all(conn, doc, Digest::of(doc, hash))
}

/// Adds changes to the document's digest.
pub(crate) fn count_all(conn: &Connection, doc: &DocId, more: Digest) -> Result<(), StoreError> {
    let digest = row(conn, doc)?.map(|row| row.digest).unwrap_or_default();
    let digest = digest.plus(more);
    let sql = "UPDATE document SET changes = ?2, sum = ?3 WHERE doc = ?1";
    let changes = i64::try_from(digest.changes).unwrap_or(i64::MAX);
    conn.prepare_cached(sql)?
        .execute(params![doc.as_bytes(), changes, digest.sum_bytes()])?;
    Ok(())
}

/// Takes the greatest of the places of a document that are here. Returns whether it was another one.
pub(crate) fn take_places(conn: &Connection, doc: &DocId) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached("SELECT bytes FROM place WHERE doc = ?1")?;
    let places = statement
        .query_map([doc.as_bytes()], |row| row.get(0))?
        .collect::<Result<Vec<Vec<u8>>, _>>()?;
    let mut moved = false;
    for bytes in places {
        moved |= take_place(conn, &Place::read(&bytes)?)?;
    }
    Ok(moved)
}

/// Takes a place if it is greater than the document's own: (n, hash) decides. Returns whether it was.
pub(crate) fn take_place(conn: &Connection, place: &Place) -> Result<bool, StoreError> {
    let Some(row) = row(conn, &place.doc)? else {
        return Ok(false);
    };
    let (n, hash) = (i64::try_from(place.n).unwrap_or(i64::MAX), place.hash());
    if (n, hash.as_bytes()) <= (row.place_n, row.place_hash.as_slice()) {
        return Ok(false);
    }
    let sql = "UPDATE document SET home = ?2, audiences = ?3, place_n = ?4, place_hash = ?5
               WHERE doc = ?1";
    let audiences = wangge_wire::packing::encode(&place.audiences);
    let (doc, home) = (place.doc.as_bytes(), place.home.as_str());
    conn.prepare_cached(sql)?
        .execute(params![doc, home, audiences, n, hash.as_bytes()])?;
    Ok(true)
}

/// Returns where a document lives: its own place, else its owner's.
pub(crate) fn home(conn: &Connection, doc: &DocId) -> Result<Option<AreaCode>, StoreError> {
    let sql = "SELECT coalesce(nullif(d.home, ''), o.home, '')
               FROM document d LEFT JOIN document o ON o.doc = d.owner WHERE d.doc = ?1";
    let found = conn
        .prepare_cached(sql)?
        .query_row([doc.as_bytes()], |row| row.get(0));
    let home: Option<String> = found.optional()?;
    Ok(home.and_then(|code| AreaCode::parse(&code).ok()))
}

/// Returns every document of which it is known where it lives: by its own place, or where `told` says
/// instead, else by its owner's.
pub(crate) fn all(conn: &Connection, told: &Told) -> Result<Vec<Lives>, StoreError> {
    let sql = "SELECT d.doc, d.kind, d.owner, d.home, d.audiences, o.doc, coalesce(o.home, ''),
                      coalesce(o.audiences, x'80')
               FROM document d LEFT JOIN document o ON o.doc = d.owner";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    let seat = |row: &Row<'_>, doc: &DocId, at: usize| match told.get(doc) {
        Some(seat) => Ok(seat.clone()),
        None => Ok::<_, StoreError>(Some(Seat {
            home: row.get(at)?,
            audiences: row.get(at + 1)?,
        })),
    };
    let has_home = |seat: &Seat| !seat.home.is_empty();
    while let Some(row) = rows.next()? {
        let doc = DocId(row.get(0)?);
        let mut lives = seat(row, &doc, 3)?.filter(has_home);
        if let (None, Some(owner)) = (&lives, row.get(5)?) {
            lives = seat(row, &DocId(owner), 6)?;
        }
        // Where nothing says where it lives, nothing says that it is somebody else's.
        let Some((Ok(home), audiences)) =
            lives.map(|seat| (AreaCode::parse(&seat.home), seat.audiences))
        else {
            continue;
        };
        let owner: Option<Vec<u8>> = row.get(2)?;
        found.push(Lives {
            doc,
            kind: DocKind(row.get(1)?),
            owner: owner.and_then(|bytes| DocId::from_slice(&bytes)),
            home,
            audiences: wangge_wire::packing::decode(&audiences, "audiences")?,
        });
    }
    Ok(found)
}
