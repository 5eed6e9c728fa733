//! The promises, looked up in the databases themselves when a seed is over.
//!
//! Each is written down here a second time, naively: **a check that asked the program it checks would
//! say what the program says**.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use wangge_store::outbox::{OutboxRow, Pending};
use wangge_wire::receipt::ItemState;
use wangge_wire::{AreaCode, Audience, ChangeHash, DeviceId, DocId, EntryKind, PersonId, packing};

use super::device::Device;
use super::look;
use super::weather::Weather;
use super::world::World;

/// Tables of what is derived of documents, and where the document stands in them.
const DERIVED: [(&str, &str); 4] = [
    ("household", "doc"),
    ("visit", "book"),
    ("report", "doc"),
    ("ticket", "doc"),
];

impl World {
    /// Looks whether a device got hold of what is not for it.
    pub(super) fn look_at_scope(&mut self, index: usize, at: usize) -> Result<(), String> {
        let device = &mut self.devices[index];
        let own = device.replica().device();
        let person = device.replica().person();
        let held = look::held(&device.look(), "WHERE own = 0");
        let news: Vec<_> = held.difference(&device.seen).copied().collect();
        device.seen.extend(held);
        if news.is_empty() {
            return Ok(());
        }
        let areas = self.granted.get(&own).cloned().unwrap_or_default();
        let places: BTreeMap<_, _> = look::places(
            &self.stations[at].look(),
            "SELECT doc, home, audiences FROM document",
        )
        .into_iter()
        .map(|(doc, home, audiences)| (doc, (home, audiences)))
        .collect();
        let name = self.devices[index].name.clone();
        for (doc, _) in news {
            let Some(place) = places.get(&doc) else {
                continue;
            };
            if !in_scope(&areas, &person, place) {
                return Err(format!("{name} was given {doc} of {}", place.0));
            }
        }
        Ok(())
    }

    /// Looks whether every promise was kept.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.receipts_hold()?;
        for at in 0..self.stations.len() {
            self.nobody_wrote_elsewhere(at)?;
        }
        self.only_desks_decided()?;
        self.all_hold_the_same()?;
        self.grants_agree()?;
        self.levels_agree()?;
        self.nothing_is_stuck()?;
        self.poison_is_held()?;
        self.no_two_write_as_one()?;
        self.inbox_has_readers()
    }

    /// Notes of each new receipt what it is about, while whoever was told still knows.
    pub(super) fn name_receipts(&self, connection: &Connection, reader: Option<usize>) {
        let mut named = connection
            .prepare("SELECT names FROM batch WHERE hash = ?1")
            .unwrap();
        let mut ledger = self.net.ledger.lock().unwrap();
        for told in ledger.receipts.iter_mut().rev() {
            if told.names.is_some() {
                break;
            }
            let bytes: Vec<u8> = named
                .query_row([told.receipt.batch.0], |row| row.get(0))
                .expect("a receipt of a batch that its reader does not know");
            told.reader = reader;
            told.names = Some(packing::decode(&bytes, "names").unwrap());
        }
    }

    /// What was receipted is there, under the number that was told.
    fn receipts_hold(&mut self) -> Result<(), String> {
        (0..self.stations.len()).try_for_each(|at| self.receipts_hold_at(at))
    }

    fn receipts_hold_at(&mut self, at: usize) -> Result<(), String> {
        let relay = self.stations[at].look();
        let rollbacks = *self.stations[at].rollbacks.lock().unwrap();
        let mut numbered = relay
            .prepare("SELECT position FROM entry WHERE doc = ?1 AND hash = ?2")
            .unwrap();
        let mut parked = relay
            .prepare("SELECT 1 FROM parked WHERE doc = ?1 AND hash = ?2")
            .unwrap();
        let sql = "SELECT 1 FROM parked WHERE doc = ?1 AND hash = ?2 AND (state = 3 OR kind = 8)";
        let mut settled = relay.prepare(sql).unwrap();
        let sql =
            "SELECT 1 FROM parked WHERE doc = ?1 AND hash = ?2 AND (state IN (2, 3) OR kind = 8)";
        let mut before_a_desk = relay.prepare(sql).unwrap();
        let ledger = self.net.ledger.lock().unwrap();
        for told in ledger.receipts.iter().filter(|told| told.station == at) {
            let names = told.names.iter().flatten();
            let reader = told.reader.map(|at| self.stations[at].look());
            for (name, state) in names.zip(&told.receipt.items) {
                let key = (name.doc.0, name.hash.0);
                // A relay that was put back itself may have lost what nobody else ever had.
                if reader.as_ref().is_some_and(|reader| !has(reader, key)) {
                    continue;
                }
                let found: Result<i64, _> = numbered.query_row(key, |row| row.get(0));
                let found = found.ok().map(i64::unsigned_abs);
                let kept = match state {
                    // A relay that was put back gives what it got back another number. It may have lost an
                    // accept for good or for a while, and a desk may discard the item then; a decision
                    // whose item nobody has any more waits for it. In a tree a level may have judged it
                    // otherwise, and a place that came before it there sends it to the desk.
                    ItemState::At(at) => match found {
                        Some(it) => it == *at || told.rollbacks < rollbacks,
                        None if self.is_tree() => {
                            told.rollbacks < rollbacks && before_a_desk.exists(key).unwrap()
                        }
                        None => told.rollbacks < rollbacks && settled.exists(key).unwrap(),
                    },
                    ItemState::Waiting | ItemState::Inbox(_) => {
                        found.is_some() || parked.exists(key).unwrap()
                    }
                    ItemState::Refused(_) => true,
                };
                if !kept {
                    let what = format!("{} of {}", name.hash, name.doc);
                    return Err(format!("{what} at {at} is at {found:?}, not {state:?}"));
                }
            }
        }
        Ok(())
    }

    /// Every numbered change lives where its author was once let.
    fn nobody_wrote_elsewhere(&mut self, at: usize) -> Result<(), String> {
        let relay = self.stations[at].look();
        let mut before: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let now = "SELECT doc, home, audiences FROM document";
        let then = "SELECT doc, home, audiences FROM place_before";
        // It was judged where it was numbered first.
        for (station, sql) in self.stations.iter().flat_map(|it| [(it, now), (it, then)]) {
            for (doc, home, audiences) in look::places(&station.look(), sql) {
                before.entry(doc).or_default().push((home, audiences));
            }
        }
        let owners: BTreeMap<_, _> = look::all(&relay, "SELECT doc, owner FROM document", |row| {
            let owner: Vec<u8> = row.get(1)?;
            Ok((DocId(row.get(0)?), DocId::from_slice(&owner)))
        })
        .into_iter()
        .collect();
        let sql = "SELECT DISTINCT e.doc, b.device FROM entry e JOIN batch b ON b.id = e.batch";
        let written = look::all(&relay, sql, |row| {
            Ok((DocId(row.get(0)?), DeviceId(row.get(1)?)))
        });
        let let_in = self.decided_about();
        for (doc, device) in written {
            if let_in.contains(&doc) {
                continue;
            }
            let areas = self.granted.get(&device).cloned().unwrap_or_default();
            let person = self.people[&device];
            let owner = owners.get(&doc).copied().flatten();
            let docs = [Some(doc), owner];
            let mut places = docs
                .iter()
                .flatten()
                .filter_map(|doc| before.get(doc))
                .flatten();
            if !places.any(|place| in_scope(&areas, &person, place)) {
                return Err(format!("{device} wrote {doc}, which was never theirs"));
            }
        }
        Ok(())
    }

    /// All devices of an area, and the relay, have the same of it.
    fn all_hold_the_same(&mut self) -> Result<(), String> {
        let logs: Vec<_> = self
            .stations
            .iter()
            .map(|station| {
                let relay = station.look();
                let places = look::places(&relay, "SELECT doc, home, audiences FROM document");
                let names = look::names(&relay, "SELECT doc, hash FROM entry WHERE kind = 1");
                (places, names)
            })
            .collect();
        let lost = self.lost_behind_packs();
        // Of one relay its devices have the same even of what waits for a person, unless it was put back:
        // who read what was accepted keeps it, though a desk discards it then.
        let put_back = |station: &std::sync::Arc<super::station::Station>| {
            *station.rollbacks.lock().unwrap() > 0
        };
        let disputed = if self.is_tree() || self.stations.iter().any(put_back) {
            self.disputed()
        } else {
            BTreeSet::new()
        };
        let mut views: BTreeMap<DocId, (String, Vec<String>)> = BTreeMap::new();
        for device in self.devices.iter_mut().filter(|device| !device.revoked) {
            let (places, names) = &logs[device.home];
            let name = device.name.clone();
            let connection = device.look();
            let held = look::held(&connection, "");
            let areas = device.replica().own_areas().to_vec();
            // What waits for a decision is its author's alone.
            let apart = look::names(&connection, "SELECT doc, hash FROM outbox");
            let apart: BTreeSet<DocId> = apart.into_iter().map(|(doc, _)| doc).collect();
            let homes = "SELECT doc, home, audiences FROM document WHERE home <> ''";
            let homes: BTreeMap<_, _> = look::places(&connection, homes)
                .into_iter()
                .map(|(doc, home, _)| (doc, home))
                .collect();
            let mut lives = BTreeSet::new();
            for (doc, home, _) in places {
                if !areas.iter().any(|own| own.covers(home)) {
                    continue;
                }
                lives.insert(*doc);
                let elsewhere = homes.get(doc).is_some_and(|here| here != home);
                if elsewhere && !apart.contains(doc) {
                    return Err(format!("{name} has {doc} elsewhere than {home}"));
                }
            }
            let lacks = |(doc, hash): &&(DocId, ChangeHash)| {
                lives.contains(doc) && !held.contains(&(*doc, *hash))
            };
            if let Some((doc, hash)) = names.iter().find(lacks) {
                return Err(format!("{name} lacks {hash} of {doc}"));
            }
            for (doc, view) in seen(device, &areas) {
                let known = [&apart, &disputed, &lost]
                    .iter()
                    .any(|set| set.contains(&doc));
                if known || !lives.contains(&doc) {
                    continue;
                }
                let first = views
                    .entry(doc)
                    .or_insert_with(|| (name.clone(), view.clone()));
                if first.1 != view {
                    let apart = (&first.1, &view);
                    return Err(format!("{name} and {} differ in {doc}: {apart:?}", first.0));
                }
            }
        }
        Ok(())
    }

    /// Returns the documents of which a log lost what only packs had brought to devices: its author is
    /// gone, and a pack has no author's word by which it could be given back.
    fn lost_behind_packs(&self) -> BTreeSet<DocId> {
        let logged = |station: &std::sync::Arc<super::station::Station>| {
            let sql = "SELECT doc, hash FROM entry UNION SELECT doc, hash FROM parked";
            look::names(&station.look(), sql)
        };
        let logged: BTreeSet<_> = self.stations.iter().flat_map(logged).collect();
        let packed = |device: &Device| look::packed(&device.look());
        let packed: BTreeSet<_> = self.devices.iter().flat_map(packed).collect();
        packed.difference(&logged).map(|(doc, _)| *doc).collect()
    }

    /// Nothing waits to be sent, and what left a device's scope has left the device.
    fn nothing_is_stuck(&mut self) -> Result<(), String> {
        let lost = self.lost_behind_packs();
        let parked = "SELECT doc, hash FROM parked WHERE state = 2";
        let parked: Vec<_> = self
            .stations
            .iter()
            .map(|station| look::names(&station.look(), parked))
            .collect();
        for device in &mut self.devices {
            if device.revoked {
                continue;
            }
            let name = device.name.clone();
            let rows = device.replica().store().outbox().unwrap();
            // What rests on something in an inbox waits with it for a person, and a decision for an item
            // that a log lost with its only copy.
            let decided = |row: &&OutboxRow| match row.state {
                Pending::Inbox | Pending::Discarded => true,
                Pending::Waiting => {
                    let decision = row.entry == EntryKind::SETTLEMENT;
                    let lacks = lost.contains(&row.doc);
                    decision || lacks || parked[device.home].iter().any(|(doc, _)| *doc == row.doc)
                }
                _ => false,
            };
            let stuck = rows.iter().find(|row| !decided(row));
            if let Some(row) = stuck {
                return Err(format!(
                    "{name}: {} of {} is stuck: {:?}",
                    row.hash, row.doc, row.state
                ));
            }
            let waits: BTreeSet<_> = rows.iter().map(|row| row.doc).collect();
            let person = device.replica().person();
            let areas: BTreeSet<_> = device.replica().own_areas().iter().cloned().collect();
            let connection = device.look();
            // What a relay above has in its inbox waits there for a person too.
            let above = look::names(&connection, "SELECT doc, hash FROM above_name");
            let owes = !waits.is_empty() || !above.is_empty();
            let sql = "SELECT doc, home, audiences FROM document WHERE home <> ''";
            for (doc, home, audiences) in look::places(&connection, sql) {
                let kept = in_scope(&areas, &person, &(home.clone(), audiences));
                if !kept && !owes && self.weather == Weather::Orders {
                    return Err(format!("{name} still has {doc} of {home}"));
                }
            }
        }
        Ok(())
    }

    /// What would damage a document is part of none.
    fn poison_is_held(&mut self) -> Result<(), String> {
        for device in &self.devices {
            let connection = device.look();
            let applied = look::held(&connection, "WHERE state = 0");
            if let Some((doc, _)) = self.poison.intersection(&applied).next() {
                return Err(format!("{} let poison into {doc}", device.name));
            }
        }
        Ok(())
    }

    /// Copies of a device that have both written go on as two writers.
    fn no_two_write_as_one(&mut self) -> Result<(), String> {
        let mut last = BTreeMap::new();
        for device in &mut self.devices {
            let replica = device.replica();
            let actor = replica.actor();
            let batch = replica.store().last_batch(&actor).unwrap();
            let first = last
                .entry(actor)
                .or_insert_with(|| (batch, device.name.clone()));
            if first.0 != batch {
                return Err(format!("{} and {} write as one", first.1, device.name));
            }
        }
        Ok(())
    }

    /// What lies in an inbox is shown to somebody: by its author's device, or at a desk that asks.
    fn inbox_has_readers(&mut self) -> Result<(), String> {
        let mut shown = BTreeSet::new();
        for at in 0..self.devices.len() {
            if self.devices[at].revoked {
                continue;
            }
            let rows = self.devices[at].replica().store().outbox().unwrap();
            shown.extend(rows.iter().map(|row| (row.doc, row.hash)));
        }
        for at in self.desk_indices().iter().copied() {
            let desk = self.devices[at].replica();
            for settled in [false, true] {
                let listed = self.runtime.block_on(desk.inbox(settled));
                let listed = listed.map_err(|error| format!("a desk reads no inbox: {error}"))?;
                shown.extend(listed.iter().map(|item| (item.doc, item.hash)));
            }
        }
        // An intruder reads their own on a device that is no part of this.
        let ours = |device: &mut Device| format!("x'{}'", device.replica().device());
        let ours: Vec<String> = self.devices.iter_mut().map(ours).collect();
        let lying = format!(
            "SELECT doc, hash FROM parked WHERE state = 2 AND device IN ({})",
            ours.join(", ")
        );
        for station in &self.stations {
            let lying = look::names(&station.look(), &lying);
            if let Some((doc, hash)) = lying.iter().find(|item| !shown.contains(item)) {
                return Err(format!("nobody reads {hash} of {doc} in the inbox"));
            }
        }
        Ok(())
    }
}

/// Returns whether a relay has something, with or without a number.
fn has(relay: &Connection, key: ([u8; 16], [u8; 32])) -> bool {
    let sql = "SELECT 1 FROM entry WHERE doc = ?1 AND hash = ?2
               UNION ALL SELECT 1 FROM parked WHERE doc = ?1 AND hash = ?2";
    relay.prepare(sql).unwrap().exists(key).unwrap()
}

fn in_scope(
    areas: &BTreeSet<AreaCode>,
    person: &PersonId,
    (home, audiences): &(AreaCode, Vec<Audience>),
) -> bool {
    let covers = |area: &AreaCode| areas.iter().any(|own| own.covers(area));
    let named = |audience: &Audience| match audience {
        Audience::Area(area) => covers(area),
        Audience::Person(named) => named == person,
        Audience::Unit(_) => false,
    };
    covers(home) || audiences.iter().any(named)
}

/// Returns what a device shows of each document of its areas: heads, and what is derived.
fn seen(device: &mut Device, areas: &[AreaCode]) -> BTreeMap<DocId, Vec<String>> {
    let mut views: BTreeMap<DocId, Vec<String>> = BTreeMap::new();
    for area in areas {
        for (doc, heads) in device.replica().store().heads(area).unwrap() {
            views.insert(doc, vec![format!("{heads:?}")]);
        }
    }
    let connection = device.look();
    for (table, doc) in DERIVED {
        let sql = format!("SELECT {doc}, * FROM {table} ORDER BY 1, 2, 3");
        for line in look::lines(&connection, &sql) {
            let doc = line.split('|').next().unwrap_or_default().parse();
            if let Some(view) = doc.ok().and_then(|doc| views.get_mut(&doc)) {
                view.push(line);
            }
        }
    }
    views
}
