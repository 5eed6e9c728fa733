//! Where documents live, and the digests that follow them.
//!
//! A document's row says where it lives *in effect*: by its own place, or its owner's. **Every change
//! of place moves the document's digest with it**, in the same transaction, so that an area's digest
//! is always the sum over what lives there.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use wangge_sync::admit::{OWNERS_DEPTH_MAX, Placed};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{AreaCode, Audience, Change, ChangeHash, Digest, DocId, Place, packing};

use crate::log::{signed, unsigned};

/// A document's row.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) owner: Option<DocId>,
    pub(crate) placed: Placed,
    pub(crate) digest: Digest,
}

/// Returns a document that lives somewhere.
pub(crate) fn document(connection: &Connection, doc: &DocId) -> rusqlite::Result<Option<Document>> {
    connection
        .prepare_cached(
            "SELECT owner, home, audiences, place_n, place_hash, own_place, changes, sum
             FROM document WHERE doc = ?1",
        )?
        .query_row([doc.0], |row| {
            let owner: Vec<u8> = row.get(0)?;
            let hash: Vec<u8> = row.get(4)?;
            Ok(Document {
                owner: DocId::from_slice(&owner),
                placed: Placed {
                    home: area(row, 1)?,
                    audiences: audiences(row, 2)?,
                    n: unsigned(row.get(3)?),
                    hash: ChangeHash::from_slice(&hash).unwrap_or(ChangeHash([0; 32])),
                    own: row.get(5)?,
                },
                digest: digest(row, 6, 7)?,
            })
        })
        .optional()
}

/// Counts a change just numbered; the document begins to live where its owner does if it is new.
pub(crate) fn add_change(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let one = Digest::of(&change.doc, &change.hash);
    let known = match document(connection, &change.doc)? {
        Some(known) => known,
        None => begin_at_owner(connection, change)?,
    };
    let owner = match (known.owner, known.digest.changes) {
        (None, 0) => change.owner.filter(|owner| *owner != change.doc),
        (owner, _) => owner,
    };
    let digest = known.digest.plus(one);
    connection
        .prepare_cached("UPDATE document SET owner = ?2, changes = ?3, sum = ?4 WHERE doc = ?1")?
        .execute(params![
            change.doc.0,
            owner
                .as_ref()
                .map_or(&[] as &[u8], |owner| owner.as_bytes()),
            signed(digest.changes),
            digest.sum_bytes(),
        ])?;
    count(connection, &known.placed, |documents, digest| {
        (documents, digest.plus(one))
    })
}

fn begin_at_owner(connection: &Connection, change: &Change) -> rusqlite::Result<Document> {
    let owner = match change.owner {
        Some(owner) => document(connection, &owner)?,
        None => None,
    };
    let placed = match owner {
        Some(owner) => Placed {
            own: false,
            ..owner.placed
        },
        None => return Err(rusqlite::Error::QueryReturnedNoRows),
    };
    insert(connection, &change.doc, &placed)?;
    Ok(Document {
        owner: None,
        placed,
        digest: Digest::default(),
    })
}

/// Lets a place just numbered have its effect, if it is the greatest (n, hash) of its document.
pub(crate) fn apply_place(
    connection: &Connection,
    place: &Place,
    position: u64,
) -> rusqlite::Result<()> {
    let new = Placed {
        home: place.home.clone(),
        audiences: place.audiences.clone(),
        n: place.n,
        hash: place.hash(),
        own: true,
    };
    let Some(known) = document(connection, &place.doc)? else {
        return insert(connection, &place.doc, &new);
    };
    if Sabotage::PlaceIgnored.is_on() {
        return Ok(());
    }
    let before = &known.placed;
    connection
        .prepare_cached(
            "INSERT INTO place_before (position, doc, home, audiences) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            signed(position),
            place.doc.0,
            before.home.as_str(),
            packing::encode(&before.audiences)
        ])?;
    if !before.own || (before.n, before.hash) < (new.n, new.hash) {
        move_to(connection, &place.doc, &known, &new, 0)?;
    }
    Ok(())
}

/// Returns a document and all that it owns, wherever that lives.
pub(crate) fn with_owned(
    connection: &Connection,
    doc: &DocId,
) -> rusqlite::Result<BTreeSet<DocId>> {
    let mut found = BTreeSet::from([*doc]);
    let mut level = vec![*doc];
    for _ in 0..OWNERS_DEPTH_MAX {
        let mut next = Vec::new();
        for owner in &level {
            let mut rows = connection
                .prepare_cached("SELECT doc FROM document WHERE owner = ?1 AND owner <> x''")?;
            let rows = rows.query_map([owner.0], |row| row.get(0).map(DocId))?;
            next.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
        }
        next.retain(|doc| found.insert(*doc));
        level = next;
    }
    Ok(found)
}

/// Returns a document and those it belongs to, the nearest first.
pub(crate) fn with_owners(connection: &Connection, doc: &DocId) -> rusqlite::Result<Vec<DocId>> {
    let mut found = vec![*doc];
    let mut next = document(connection, doc)?.and_then(|document| document.owner);
    while let Some(owner) = next.filter(|_| found.len() <= OWNERS_DEPTH_MAX) {
        found.push(owner);
        next = document(connection, &owner)?.and_then(|document| document.owner);
    }
    Ok(found)
}

/// Where a document lived until the place at this position.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) position: u64,
    pub(crate) home: AreaCode,
    pub(crate) audiences: Vec<Audience>,
}

/// Returns where a document lived before each place that followed its first, the last first.
pub(crate) fn before(connection: &Connection, doc: &DocId) -> rusqlite::Result<Vec<Before>> {
    let mut rows = connection.prepare_cached(
        "SELECT position, home, audiences FROM place_before WHERE doc = ?1 ORDER BY position DESC",
    )?;
    let rows = rows.query_map([doc.0], |row| {
        Ok(Before {
            position: unsigned(row.get(0)?),
            home: area(row, 1)?,
            audiences: audiences(row, 2)?,
        })
    })?;
    rows.collect()
}

/// Returns the digest of all that lives in an area.
pub(crate) fn area_digest(connection: &Connection, area: &AreaCode) -> rusqlite::Result<Digest> {
    // A colon follows the digits; a person's or unit's id is longer than any area.
    let end = format!("{area}:");
    let mut rows = connection.prepare_cached(
        "SELECT changes, sum FROM digest
         WHERE audience >= ?1 AND audience < ?2 AND length(audience) <> 16",
    )?;
    rows.query_map(params![area.as_str().as_bytes(), end.as_bytes()], |row| {
        digest(row, 0, 1)
    })?
    .sum()
}

/// Returns the digest of what a person or unit receives by name; none if no document names it.
pub(crate) fn named_digest(
    connection: &Connection,
    id: &[u8; 16],
) -> rusqlite::Result<Option<Digest>> {
    connection
        .prepare_cached("SELECT changes, sum FROM digest WHERE audience = ?1 AND documents > 0")?
        .query_row([id], |row| digest(row, 0, 1))
        .optional()
}

/// Returns how many documents name a person or unit.
pub(crate) fn named_documents(connection: &Connection, id: &[u8; 16]) -> rusqlite::Result<u64> {
    let found = connection
        .prepare_cached("SELECT documents FROM digest WHERE audience = ?1")?
        .query_row([id], |row| row.get(0).map(unsigned))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Returns the area in a column; what is not one was not written by this program.
pub(crate) fn area(row: &Row<'_>, index: usize) -> rusqlite::Result<AreaCode> {
    let text: String = row.get(index)?;
    AreaCode::parse(&text).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, 0))
}

/// Returns the audiences in a column.
pub(crate) fn audiences(row: &Row<'_>, index: usize) -> rusqlite::Result<Vec<Audience>> {
    let bytes: Vec<u8> = row.get(index)?;
    packing::decode(&bytes, "audiences")
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, 0))
}

fn digest(row: &Row<'_>, changes: usize, sum: usize) -> rusqlite::Result<Digest> {
    Ok(Digest::from_parts(
        unsigned(row.get(changes)?),
        row.get(sum)?,
    ))
}

fn owned_directly(connection: &Connection, owner: &DocId) -> rusqlite::Result<Vec<DocId>> {
    let mut rows = connection.prepare_cached(
        "SELECT doc FROM document WHERE owner = ?1 AND owner <> x'' AND own_place = 0",
    )?;
    rows.query_map([owner.0], |row| row.get(0).map(DocId))?
        .collect()
}

fn insert(connection: &Connection, doc: &DocId, placed: &Placed) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO document (doc, home, audiences, place_n, place_hash, own_place)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            doc.0,
            placed.home.as_str(),
            packing::encode(&placed.audiences),
            signed(placed.n),
            placed.hash.0,
            placed.own,
        ])?;
    count(connection, placed, |documents, digest| {
        (documents + 1, digest)
    })
}

fn move_to(
    connection: &Connection,
    doc: &DocId,
    known: &Document,
    new: &Placed,
    depth: usize,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE document SET home = ?2, audiences = ?3, place_n = ?4, place_hash = ?5, own_place = ?6
             WHERE doc = ?1",
        )?
        .execute(params![
            doc.0,
            new.home.as_str(),
            packing::encode(&new.audiences),
            signed(new.n),
            new.hash.0,
            new.own,
        ])?;
    let moved = known.digest;
    count(connection, &known.placed, |documents, digest| {
        (documents - 1, digest.minus(moved))
    })?;
    count(connection, new, |documents, digest| {
        (documents + 1, digest.plus(moved))
    })?;
    if depth >= OWNERS_DEPTH_MAX {
        return Ok(());
    }
    let inherited = Placed {
        own: false,
        ..new.clone()
    };
    for child in owned_directly(connection, doc)? {
        if let Some(known) = document(connection, &child)? {
            move_to(connection, &child, &known, &inherited, depth + 1)?;
        }
    }
    Ok(())
}

/// Changes the digests of a place's home, persons and units.
fn count(
    connection: &Connection,
    placed: &Placed,
    change: impl Fn(i64, Digest) -> (i64, Digest),
) -> rusqlite::Result<()> {
    let named = placed
        .audiences
        .iter()
        .filter_map(|audience| match audience {
            Audience::Person(person) => Some(person.0.to_vec()),
            Audience::Unit(unit) => Some(unit.0.to_vec()),
            Audience::Area(_) => None,
        });
    let keys: BTreeSet<Vec<u8>> = named
        .chain([placed.home.as_str().as_bytes().to_vec()])
        .collect();
    for key in keys {
        let now = connection
            .prepare_cached("SELECT documents, changes, sum FROM digest WHERE audience = ?1")?
            .query_row([&key], |row| Ok((row.get(0)?, digest(row, 1, 2)?)))
            .optional()?;
        let (documents, digest) = now.unwrap_or_default();
        let (documents, digest) = change(documents, digest);
        connection
            .prepare_cached(
                "INSERT INTO digest (audience, documents, changes, sum) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (audience) DO UPDATE SET documents = ?2, changes = ?3, sum = ?4",
            )?
            .execute(params![
                key,
                documents,
                signed(digest.changes),
                digest.sum_bytes()
            ])?;
    }
    Ok(())
}
