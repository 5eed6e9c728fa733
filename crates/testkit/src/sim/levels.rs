//! The promises about levels: what is told to be further up is there, and every level has the same.
//!
//! **What is told is looked up in the log of the relay it is told of**, at the moment it is told. A
//! relay that was put back may have lost what was rightly told before; once the links are up it must
//! have it again.

use std::collections::{BTreeMap, BTreeSet};

use wangge_relay::LevelForm;
use wangge_wire::{AreaCode, Audience, ChangeHash, Cursor, DeviceId, DocId, PersonId, packing};

use super::look;
use super::station::Name;
use super::weather::Weather;
use super::world::World;

/// What a relay has of others' work.
const HELD: &str = "SELECT doc, hash FROM entry WHERE kind = 1";
/// The same with what lies in its inbox: a desk's word gives it a number, and nobody was given anything.
const HELD_OR_PARKED: &str = "SELECT doc, hash FROM entry WHERE kind = 1
                              UNION SELECT doc, hash FROM parked WHERE kind = 1";

impl World {
    /// Returns the relays from one up.
    fn path_up(&self, from: usize) -> Vec<usize> {
        std::iter::successors(Some(from), |at| self.stations[*at].seat.above).collect()
    }

    /// Returns what is in a relay's log, with what was in one that was put back; if `strict`, only as far as
    /// that came back and lies before the desk.
    fn logged(&self, at: usize, strict: bool) -> BTreeSet<Name> {
        let station = &self.stations[at];
        let mut names = look::names(&station.look(), "SELECT doc, hash FROM entry");
        let ever = station.ever.lock().unwrap();
        let parked = look::names(
            &station.look(),
            "SELECT doc, hash FROM parked WHERE state = 2",
        );
        names.extend(ever.iter().filter(|name| !strict || parked.contains(name)));
        names
    }

    /// What a device says of its own work is so: at which levels it is, and whether all is safe.
    pub(super) fn claims_hold(&mut self, index: usize, strict: bool) -> Result<(), String> {
        if !self.is_tree() {
            return Ok(());
        }
        let path = self.path_up(self.devices[index].home);
        let logs: Vec<_> = path.iter().map(|at| self.logged(*at, strict)).collect();
        let ids: Vec<_> = path.iter().map(|at| self.stations[*at].id()).collect();
        let own = "SELECT doc, hash FROM change WHERE own = 1
                   UNION SELECT p.doc, p.hash FROM place p JOIN batch b ON b.hash = p.batch
                   WHERE b.own = 1";
        let device = &mut self.devices[index];
        let own = look::names(&device.look(), own);
        let store = device.replica().store();
        for (doc, hash) in &own {
            for ((at, log), relay) in path.iter().zip(&logs).zip(&ids) {
                let level = self.stations[*at].seat.level;
                let told = store.is_at(relay, level, doc, hash).unwrap();
                if told && !log.contains(&(*doc, *hash)) {
                    let what = format!("{hash} of {doc} is told to be at {level:?}");
                    return Err(format!("{}: {what}, and is not", device.name));
                }
            }
        }
        let top = logs.last().unwrap();
        // What a desk discarded is in no log: it stays with its author and in the inbox.
        let discarded = device.replica().store().discards_kept().unwrap();
        let counts = |name: &&Name| !discarded.contains(name);
        if device.replica().status().unwrap().all_safe
            && let Some((doc, hash)) = own.difference(top).find(counts)
        {
            let what = format!("{hash} of {doc} is not at the top");
            return Err(format!("{}: all is safe, and {what}", device.name));
        }
        Ok(())
    }

    /// What a relay's watermarks pass without naming it is where they say.
    pub(super) fn watermarks_hold(&mut self, at: usize, strict: bool) -> Result<(), String> {
        let Some(inline) = self.stations[at].inline() else {
            return Ok(());
        };
        let Some(view) = inline.relay().upstream().unwrap() else {
            return Ok(());
        };
        let connection = self.stations[at].look();
        self.numbers_are_read(at)?;
        let named = "SELECT e.doc, e.hash FROM risen r JOIN entry e ON e.position = r.position
                     WHERE r.state IN (1, 3) UNION SELECT doc, hash FROM above_name";
        let named = look::names(&connection, named);
        let levels: BTreeMap<u8, usize> = self
            .path_up(at)
            .into_iter()
            .map(|up| (number(self.stations[up].seat.level), up))
            .collect();
        for (level, position) in view.watermarks {
            let up = levels[&number(level)];
            let sql = format!(
                "SELECT doc, hash FROM entry WHERE kind IN (1, 2) AND position <= {position}"
            );
            let passed = look::names(&connection, &sql);
            let there = self.logged(up, strict);
            let lost = passed
                .iter()
                .find(|name| !named.contains(name) && !there.contains(name));
            if let Some((doc, hash)) = lost {
                let what = format!("{hash} of {doc}");
                return Err(format!(
                    "{at} tells that {what} is at {level:?}, and it is not"
                ));
            }
        }
        Ok(())
    }

    /// A relay believes no number of the log above that it has never read up to: were that log put back to
    /// before it, no cursor would tell.
    fn numbers_are_read(&self, at: usize) -> Result<(), String> {
        let sql = "SELECT cursor, (SELECT ifnull(max(above), 0) FROM risen WHERE state = 0)
                   FROM upstream WHERE cursor <> x''";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?));
        for (cursor, believed) in look::all(&self.stations[at].look(), sql, read) {
            let cursor: Cursor = packing::decode(&cursor, "cursor").unwrap();
            // It may read something again from before.
            let mut furthest = self.stations[at].furthest.lock().unwrap();
            *furthest = cursor.position.max(*furthest);
            if *furthest < believed.unsigned_abs() {
                return Err(format!("{at} believes {believed} and has read {furthest}"));
            }
        }
        Ok(())
    }

    /// Notes what a relay below has before it meets the one above.
    pub(super) fn note_held(&self, at: usize) {
        let held = look::names(&self.stations[at].look(), HELD_OR_PARKED);
        *self.stations[at].seen.lock().unwrap() = held;
    }

    /// Looks whether a relay below got hold of what is not for it.
    pub(super) fn look_below(&mut self, at: usize) -> Result<(), String> {
        let Some(above) = self.stations[at].seat.above else {
            return Ok(());
        };
        let held = look::names(&self.stations[at].look(), HELD);
        let seen = self.stations[at].seen.lock().unwrap().clone();
        let news: BTreeSet<DocId> = held.difference(&seen).map(|(doc, _)| *doc).collect();
        let own = AreaCode::parse(self.stations[at].seat.area).unwrap();
        let sql = "SELECT doc, home, audiences FROM document";
        for (doc, home, audiences) in look::places(&self.stations[above].look(), sql) {
            let named = |audience: &Audience| match audience {
                Audience::Area(area) => own.covers(area) || area.covers(&own),
                Audience::Person(person) => self.works_in(person, &own),
                Audience::Unit(_) => false,
            };
            if news.contains(&doc) && !own.covers(&home) && !audiences.iter().any(named) {
                return Err(format!("{at} was given {doc} of {home}"));
            }
        }
        Ok(())
    }

    fn works_in(&self, person: &PersonId, area: &AreaCode) -> bool {
        let of = |device: &DeviceId| self.people.get(device) == Some(person);
        let mut areas = self.granted.iter().filter(|(device, _)| of(device));
        areas.any(|(_, areas)| areas.iter().any(|it| area.covers(it)))
    }

    /// Returns the documents of which something waits for a person at any level, with those that
    /// belong to them: levels may differ in them until somebody decides.
    pub(super) fn disputed(&self) -> BTreeSet<DocId> {
        let mut disputed = BTreeSet::new();
        for station in &self.stations {
            let connection = station.look();
            let parked = look::names(&connection, "SELECT doc, hash FROM parked");
            disputed.extend(parked.into_iter().map(|(doc, _)| doc));
        }
        for station in &self.stations {
            let sql = "SELECT doc, owner FROM document WHERE owner <> x''";
            let owned = look::all(&station.look(), sql, |row| {
                Ok((DocId(row.get(0)?), DocId(row.get(1)?)))
            });
            for (doc, owner) in owned {
                if disputed.contains(&owner) {
                    disputed.insert(doc);
                }
            }
        }
        disputed
    }

    /// Every device knows what it was granted, and every relay of its way up says the same.
    pub(super) fn grants_agree(&mut self) -> Result<(), String> {
        for index in 0..self.devices.len() {
            let path = self.path_up(self.devices[index].home);
            let device = &mut self.devices[index];
            if device.revoked {
                continue;
            }
            let (id, own) = (
                device.replica().device(),
                device.replica().own_areas().to_vec(),
            );
            for at in path {
                let inline = self.stations[at].inline().unwrap();
                let rows = inline.relay().devices().unwrap();
                let granted = rows.into_iter().find(|row| row.device == id);
                let granted = granted.map(|row| row.areas);
                if granted.as_ref() != Some(&own) {
                    let name = &self.devices[index].name;
                    return Err(format!("{name} has {own:?}, and by {at} {granted:?}"));
                }
            }
        }
        Ok(())
    }

    /// Every level has the same of what lives below both, and has told the one above everything.
    pub(super) fn levels_agree(&mut self) -> Result<(), String> {
        let disputed = self.disputed();
        for at in 0..self.stations.len() {
            let Some(above) = self.stations[at].seat.above else {
                continue;
            };
            self.watermarks_hold(at, true)?;
            let inline = self.stations[at].inline().unwrap();
            let view = inline.relay().upstream().unwrap().unwrap();
            if view.waiting > 0 || !view.failure.is_empty() {
                return Err(format!("{at} has not told everything: {view:?}"));
            }
            self.inbox_rises(at, above)?;
            if self.weather == Weather::Links {
                self.origins_hold(at, above)?;
            }
            let own = AreaCode::parse(self.stations[at].seat.area).unwrap();
            let (here, there) = (self.lives(at, &own), self.lives(above, &own));
            for (doc, homes) in there.iter().filter(|(doc, _)| !disputed.contains(doc)) {
                if here.get(doc) != Some(homes) {
                    let found = here.get(doc);
                    return Err(format!("{doc}: {found:?} at {at}, {homes:?} at {above}"));
                }
            }
            let more = here
                .keys()
                .find(|doc| !there.contains_key(doc) && !disputed.contains(doc));
            if let Some(doc) = more {
                return Err(format!("{doc} lives at {at} and not at {above}"));
            }
            if disputed.is_empty() && !view.complete {
                return Err(format!("{at} is not complete"));
            }
        }
        for index in 0..self.devices.len() {
            self.claims_hold(index, true)?;
        }
        Ok(())
    }

    /// What lies in an inbox is at the relay above too, so that a desk there can see it.
    fn inbox_rises(&self, at: usize, above: usize) -> Result<(), String> {
        let parked = look::names(&self.stations[at].look(), "SELECT doc, hash FROM parked");
        let sql = "SELECT doc, hash FROM parked UNION SELECT doc, hash FROM entry";
        let there = look::names(&self.stations[above].look(), sql);
        match parked.difference(&there).next() {
            Some((doc, hash)) => Err(format!("{hash} of {doc} waits at {at} and not at {above}")),
            None => Ok(()),
        }
    }

    /// An entry keeps the time at which the first relay received it. Asked where nobody carries
    /// anything to two relays by themselves.
    fn origins_hold(&self, at: usize, above: usize) -> Result<(), String> {
        // Two who place a household in the same way sign the same: each has an origin of their own.
        let sql = "SELECT e.doc, e.hash, b.device, e.first_received_ms FROM entry e
                   JOIN batch b ON b.id = e.batch WHERE e.kind IN (1, 2)";
        let times = |at: usize| -> BTreeMap<(Name, DeviceId), i64> {
            let read = |row: &rusqlite::Row<'_>| {
                let name = (DocId(row.get(0)?), ChangeHash(row.get(1)?));
                Ok(((name, DeviceId(row.get(2)?)), row.get(3)?))
            };
            look::all(&self.stations[at].look(), sql, read)
                .into_iter()
                .collect()
        };
        let there = times(above);
        for (((doc, hash), author), first) in times(at) {
            let other = there.get(&((doc, hash), author)).copied();
            if other.is_some_and(|other| other != first) {
                let what = format!("{hash} of {doc} came first at {first} by {at}");
                return Err(format!("{what}, at {other:?} by {above}"));
            }
        }
        Ok(())
    }

    /// Returns where the documents of an area live by a relay's log, and what it has of each.
    fn lives(&self, at: usize, area: &AreaCode) -> BTreeMap<DocId, (AreaCode, BTreeSet<Name>)> {
        let connection = self.stations[at].look();
        let places = look::places(&connection, "SELECT doc, home, audiences FROM document");
        let mut lives: BTreeMap<_, _> = places
            .into_iter()
            .filter(|(_, home, _)| area.covers(home))
            .map(|(doc, home, _)| (doc, (home, BTreeSet::new())))
            .collect();
        for name in look::names(&connection, "SELECT doc, hash FROM entry WHERE kind = 1") {
            if let Some((_, names)) = lives.get_mut(&name.0) {
                names.insert(name);
            }
        }
        lives
    }
}

fn number(level: LevelForm) -> u8 {
    level as u8
}
