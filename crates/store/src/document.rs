//! Documents in the file: loading from the cache, from the changes when the cache is damaged, saving.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, params};
use wangge_crdt::Document;
use wangge_model::kind;
use wangge_wire::{AreaCode, Audience, ChangeHash, Digest, DocId, DocKind, EntryKind, Place};

use crate::error::StoreError;
use crate::packed;

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
    let packed = packed.and_then(|form| Document::load(&shape, &form).ok());
    let mut document = match packed.filter(|document| document.id() == Some(*doc)) {
        Some(document) => document,
        None => Document::begin(&shape, doc)?,
    };
    let mut statement =
        conn.prepare_cached("SELECT raw FROM change WHERE doc = ?1 AND state = 0")?;
    let raws = statement
        .query_map([doc.as_bytes()], |row| row.get(0))?
        .collect::<Result<Vec<Vec<u8>>, _>>()?;
    document.apply(&raws);
    Ok(Some(document))
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

/// Returns every document of which it is known where it lives: by its own place, else by its owner's.
pub(crate) fn all(conn: &Connection) -> Result<Vec<Lives>, StoreError> {
    let sql = "SELECT d.doc, d.kind, d.owner, coalesce(nullif(d.home, ''), o.home, ''),
                      CASE WHEN d.home <> '' THEN d.audiences ELSE coalesce(o.audiences, x'80') END
               FROM document d LEFT JOIN document o ON o.doc = d.owner";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (home, audiences): (String, Vec<u8>) = (row.get(3)?, row.get(4)?);
        // Where nothing says where it lives, nothing says that it is somebody else's.
        let Ok(home) = AreaCode::parse(&home) else {
            continue;
        };
        let owner: Option<Vec<u8>> = row.get(2)?;
        found.push(Lives {
            doc: DocId(row.get(0)?),
            kind: DocKind(row.get(1)?),
            owner: owner.and_then(|bytes| DocId::from_slice(&bytes)),
            home,
            audiences: wangge_wire::packing::decode(&audiences, "audiences")?,
        });
    }
    Ok(found)
}

/// Returns own changes that a relay keeps without a number, or refused, and those of others that it was
/// given back and keeps so: its digests do not count them, and only a person's decision can bring them
/// there.
pub(crate) fn unnumbered(conn: &Connection) -> Result<BTreeSet<(DocId, ChangeHash)>, StoreError> {
    let sql = "SELECT doc, hash FROM outbox WHERE entry = ?1 AND state <> 0
               UNION SELECT doc, hash FROM unnumbered";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([EntryKind::CHANGE.0], |row| {
        Ok((DocId(row.get(0)?), ChangeHash(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the digest of what is placed in each of these audiences, as a relay counts it.
///
/// One walk over all documents: to look up where the one that each belongs to lives takes three times as
/// long among a hundred thousand.
pub(crate) fn digests(
    conn: &Connection,
    audiences: &[Audience],
) -> Result<Vec<(Audience, Digest)>, StoreError> {
    let mut apart: BTreeMap<DocId, Vec<Digest>> = BTreeMap::new();
    for (doc, hash) in unnumbered(conn)? {
        apart.entry(doc).or_default().push(Digest::of(&doc, &hash));
    }
    let mut seats = Seats::default();
    let mut lives: HashMap<DocId, usize> = HashMap::new();
    let mut owned: Vec<(DocId, Digest)> = Vec::new();
    let sql = "SELECT doc, home, audiences, owner, changes, sum FROM document";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let doc = DocId(row.get(0)?);
        let digest = Digest::from_parts(row.get::<_, i64>(4)?.unsigned_abs(), row.get(5)?);
        let apart = apart.get(&doc).into_iter().flatten();
        let digest = apart.fold(digest, |digest, one| digest.minus(*one));
        let (home, named) = (row.get_ref(1)?, row.get_ref(2)?);
        let home = home.as_str().unwrap_or_default();
        if home.is_empty() {
            if let Some(owner) = row.get(3)? {
                owned.push((DocId(owner), digest));
            }
            continue;
        }
        let seat = seats.of(home, named.as_blob().unwrap_or_default());
        seats.add(seat, digest);
        lives.insert(doc, seat);
    }
    for (owner, digest) in owned {
        if let Some(seat) = lives.get(&owner) {
            seats.add(*seat, digest);
        }
    }
    Ok(seats.among(audiences))
}

/// Where documents live, and the digest of each such seat.
#[derive(Default)]
struct Seats {
    numbers: HashMap<String, HashMap<Vec<u8>, usize>>,
    seats: Vec<(String, Vec<u8>, Digest)>,
}

impl Seats {
    /// Returns the number of a home with these audiences.
    fn of(&mut self, home: &str, audiences: &[u8]) -> usize {
        let known = self.numbers.get(home).and_then(|it| it.get(audiences));
        if let Some(number) = known {
            return *number;
        }
        let number = self.seats.len();
        let of_home = self.numbers.entry(home.to_owned()).or_default();
        of_home.insert(audiences.to_owned(), number);
        let seat = (home.to_owned(), audiences.to_owned(), Digest::default());
        self.seats.push(seat);
        number
    }

    fn add(&mut self, number: usize, digest: Digest) {
        if let Some((_, _, sum)) = self.seats.get_mut(number) {
            *sum = sum.plus(digest);
        }
    }

    fn among(&self, audiences: &[Audience]) -> Vec<(Audience, Digest)> {
        let mut sums: Vec<_> = audiences
            .iter()
            .map(|audience| (audience.clone(), Digest::default()))
            .collect();
        for (home, named, digest) in &self.seats {
            let Ok(home) = AreaCode::parse(home) else {
                continue;
            };
            let named = wangge_wire::packing::decode::<Vec<Audience>>(named, "audiences");
            let named = named.unwrap_or_default();
            for (audience, sum) in &mut sums {
                let belongs = match audience {
                    Audience::Area(area) => area.covers(&home),
                    other => named.contains(other),
                };
                if belongs {
                    *sum = sum.plus(*digest);
                }
            }
        }
        sums
    }
}
