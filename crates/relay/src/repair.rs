//! The relay's half of a repair: symbols of what it has, and the entries a device lacks.
//!
//! **Only of what the device reads**, asked of the same function as every page; a question about
//! anything else is answered like one about an empty place.

use std::collections::BTreeSet;

use rusqlite::Connection;
use wangge_sync::riblt;
use wangge_trust::{Action, What, allowed};
use wangge_wire::message::PageEntry;
use wangge_wire::repair::{EntriesAnswer, RepairAsk, Subject, SymbolsAnswer, fingerprint};
use wangge_wire::{AreaCode, Audience, ChangeHash, Day, DeviceId, DocId, EntryKind, packing};

use crate::frames::{self, Fetched};
use crate::log::unsigned;
use crate::orders::{self, Standing};
use crate::places;
use crate::pull::StepError;
use crate::settlements;

/// Bytes of bodies in one answer.
const BODIES_MAX: usize = 512 * 1024;

/// An entry that the device reads.
struct Named {
    position: u64,
    doc: DocId,
    hash: ChangeHash,
}

/// Returns symbols of the changes that live where the question says.
pub(crate) fn symbols(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
    day: Day,
    ask: &RepairAsk,
    (from, until): (usize, usize),
) -> Result<SymbolsAnswer, StepError> {
    let names = names(connection, standing, device, day, &ask.about)?;
    let set = names
        .iter()
        .map(|name| fingerprint(ask.key, &name.doc, &name.hash));
    let row = riblt::symbols(set, until);
    Ok(SymbolsAnswer {
        symbols: riblt::to_bytes(row.get(from..).unwrap_or_default()),
        changes: names.len() as u64,
    })
}

/// Returns the entries with these fingerprints, as many as fit, each with the places of its document
/// and the grants of those who signed.
pub(crate) fn entries(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
    day: Day,
    ask: &RepairAsk,
    wanted: &[u64],
) -> Result<EntriesAnswer, StepError> {
    let wanted: BTreeSet<u64> = wanted.iter().copied().collect();
    let mut positions = BTreeSet::new();
    let mut placed = BTreeSet::new();
    let mut bytes = 0;
    for name in names(connection, standing, device, day, &ask.about)? {
        if !wanted.contains(&fingerprint(ask.key, &name.doc, &name.hash)) {
            continue;
        }
        bytes += body_bytes(connection, name.position)?;
        if bytes > BODIES_MAX && !positions.is_empty() {
            break;
        }
        positions.insert(name.position);
        for doc in places::with_owners(connection, &name.doc)? {
            let lives = places::document(connection, &doc)?.map(|document| document.placed);
            let reads =
                lives.is_some_and(|it| reads(standing, device, day, &it.home, &it.audiences));
            // What it belongs to may live elsewhere: not even where is this device's to know.
            if reads && placed.insert(doc) {
                positions.extend(places_of(connection, &doc)?);
            }
        }
    }
    let fetched = positions
        .into_iter()
        .map(|position| frames::fetch(connection, position))
        .collect::<rusqlite::Result<Vec<Fetched>>>()?;
    let mut entries = grants(connection, standing, &fetched)?;
    entries.extend(frames::entries(connection, &fetched, true)?);
    Ok(EntriesAnswer { entries })
}

/// Returns what the question is about.
fn names(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
    day: Day,
    about: &Subject,
) -> Result<Vec<Named>, StepError> {
    match about {
        Subject::Changes(audience) => changes(connection, standing, device, day, audience),
        Subject::Decisions => {
            let told = settlements::concerning(connection, standing.roster(), device)?;
            let named = told.into_iter().map(|one| Named {
                position: one.position,
                doc: one.doc,
                hash: one.hash,
            });
            Ok(named.collect())
        }
    }
}

/// Returns the changes of all documents that live there and that the device reads.
fn changes(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
    day: Day,
    audience: &Audience,
) -> Result<Vec<Named>, StepError> {
    let mut docs = connection.prepare_cached("SELECT doc, home, audiences FROM document")?;
    let mut docs = docs.query([])?;
    let mut changes = connection
        .prepare_cached("SELECT position, hash FROM entry WHERE doc = ?1 AND kind = ?2")?;
    let mut found = Vec::new();
    while let Some(row) = docs.next()? {
        let (home, audiences) = (places::area(row, 1)?, places::audiences(row, 2)?);
        let lives = match audience {
            Audience::Area(area) => area.covers(&home),
            other => audiences.contains(other),
        };
        if !lives || !reads(standing, device, day, &home, &audiences) {
            continue;
        }
        let doc = DocId(row.get(0)?);
        let rows = changes.query_map((doc.0, EntryKind::CHANGE.0), |row| {
            Ok(Named {
                position: unsigned(row.get(0)?),
                doc,
                hash: ChangeHash(row.get(1)?),
            })
        })?;
        for named in rows {
            found.push(named?);
        }
    }
    found.sort_by_key(|named| named.position);
    Ok(found)
}

fn reads(
    standing: &Standing,
    device: &DeviceId,
    day: Day,
    home: &AreaCode,
    audiences: &[Audience],
) -> bool {
    let what = What { home, audiences };
    allowed(standing.roster(), device, Action::Read, &what, day).is_allowed()
}

fn places_of(connection: &Connection, doc: &DocId) -> rusqlite::Result<Vec<u64>> {
    let sql = "SELECT position FROM entry WHERE doc = ?1 AND kind = ?2";
    let mut rows = connection.prepare_cached(sql)?;
    let rows = rows.query_map((doc.0, EntryKind::PLACE.0), |row| row.get(0).map(unsigned))?;
    rows.collect()
}

fn body_bytes(connection: &Connection, position: u64) -> rusqlite::Result<usize> {
    let sql = "SELECT length(body) FROM entry WHERE position = ?1";
    connection
        .prepare_cached(sql)?
        .query_row([crate::log::signed(position)], |row| {
            row.get::<_, i64>(0)
                .map(|bytes| usize::try_from(bytes).unwrap_or(0))
        })
}

/// Returns the grants of those who signed: without them a device cannot tell a signature.
fn grants(
    connection: &Connection,
    standing: &Standing,
    fetched: &[Fetched],
) -> Result<Vec<PageEntry>, StepError> {
    let mut entries = Vec::new();
    for author in frames::signers(connection, fetched)? {
        entries.extend(orders::introduction(connection, standing, &author)?);
    }
    Ok(entries)
}

/// Returns an answer as it travels.
pub(crate) fn packed(answer: &EntriesAnswer) -> Result<Vec<u8>, StepError> {
    Ok(packing::Packer::new()?.pack(&packing::encode(answer))?)
}
