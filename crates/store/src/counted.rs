//! What this device has, counted as a relay counts it: the digests of areas, units and people.
//!
//! A relay counts what has a number in its log, and where the places that have a number say that it lives.
//! **What it keeps without one waits for a person and is left out here too**: a change, and a place of this
//! device, which somebody else may have been first to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use wangge_wire::{AreaCode, Audience, ChangeHash, Digest, DocId, EntryKind, Place};

use crate::error::StoreError;

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

/// Where a document lives: its home, and its audiences as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) home: String,
    pub(crate) audiences: Vec<u8>,
}

/// Where those documents live for a relay that keeps the place they have here without a number.
pub(crate) type Told = BTreeMap<DocId, Option<Seat>>;

impl Seat {
    fn parts(&self) -> (&str, &[u8]) {
        (&self.home, &self.audiences)
    }
}

/// Returns where those documents live for a relay whose place here it keeps without a number: where the
/// greatest of the other places says, or, none, nowhere that is known here.
pub(crate) fn told(conn: &Connection) -> Result<Told, StoreError> {
    let sql = "SELECT DISTINCT doc FROM outbox WHERE entry = ?1 AND state <> 0";
    let mut statement = conn.prepare_cached(sql)?;
    let docs = statement.query_map([EntryKind::PLACE.0], |row| row.get(0).map(DocId))?;
    let mut found = BTreeMap::new();
    let sql = "SELECT p.bytes FROM place p WHERE p.doc = ?1 AND NOT EXISTS (
                 SELECT 1 FROM outbox o WHERE o.entry = ?2 AND o.doc = p.doc AND o.hash = p.hash
                   AND o.state <> 0)";
    let mut numbered = conn.prepare_cached(sql)?;
    for doc in docs {
        let doc = doc?;
        let values = (doc.as_bytes(), EntryKind::PLACE.0);
        let places = numbered.query_map(values, |row| row.get::<_, Vec<u8>>(0))?;
        let mut greatest: Option<Place> = None;
        for bytes in places {
            let place = Place::read(&bytes?)?;
            let rank = |place: &Place| (place.n, place.hash());
            if greatest
                .as_ref()
                .is_none_or(|known| rank(known) < rank(&place))
            {
                greatest = Some(place);
            }
        }
        let seat = greatest.map(|place| Seat {
            home: place.home.as_str().to_owned(),
            audiences: wangge_wire::packing::encode(&place.audiences),
        });
        found.insert(doc, seat);
    }
    Ok(found)
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
    let told = told(conn)?;
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
        let (mut home, mut named) = (
            home.as_str().unwrap_or_default(),
            named.as_blob().unwrap_or_default(),
        );
        if let Some(seat) = told.get(&doc) {
            (home, named) = seat.as_ref().map_or(("", &[] as &[u8]), Seat::parts);
        }
        if home.is_empty() {
            if let Some(owner) = row.get(3)? {
                owned.push((DocId(owner), digest));
            }
            continue;
        }
        let seat = seats.of(home, named);
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
