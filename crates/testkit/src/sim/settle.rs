//! Desks of a simulated district decide about what lies in the inbox, and one who is no desk tries to.
//!
//! **What was discarded is looked up in the database at once**, and no decision of anybody but a desk
//! may ever stand in the log.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use wangge_agent::inbox::{InboxItem, Settle};
use wangge_wire::{Decision, DeviceId, DocId, Settlement};

use super::look;
use super::seats::GRIDS;
use super::world::{World, word};
use crate::working_days::Dice;

/// A desk looks at the inbox once in so many steps.
const EVERY: usize = 10;

impl World {
    /// Lets the desk decide about one item, and the intruder about one of their own.
    pub(super) fn desk_decides(&mut self, number: usize) -> Result<(), String> {
        // Dice of its own, so that a kept seed keeps its run.
        let mut dice = Dice::new(self.trace.len() as u64);
        let desks = self.desk_indices();
        let at = desks[dice.below(desks.len())];
        let home = self.devices[at].home;
        if number % EVERY != EVERY - 1 || !self.stations[home].is_on() {
            return Ok(());
        }
        self.intruder_decides(&mut dice)?;
        let desk = self.devices[at].replica();
        let listed = self.runtime.block_on(desk.inbox(false));
        let items = match listed {
            Ok(items) => items,
            Err(error) => {
                self.say(format!("the desk reads no inbox: {}", word(&error)));
                return self.nothing_internal(Some(&error));
            }
        };
        let Some(item) = items.get(dice.below(items.len())) else {
            return Ok(());
        };
        let settle = match dice.below(4) {
            0 => Settle::Accept,
            1 => Settle::Rehome {
                to: GRIDS[dice.below(2)].to_owned(),
            },
            _ => Settle::Discard {
                reason: "查过了".to_owned(),
            },
        };
        let desk = self.devices[at].replica();
        let result =
            self.runtime
                .block_on(desk.inbox_settle(&item.hash.to_string(), &settle, false));
        let ended = match &result {
            Ok(done) => done.item.state.to_owned(),
            Err(error) => word(error),
        };
        self.name_receipts(&self.devices[at].look(), None);
        self.say(format!("the desk decides {settle:?}: {ended}"));
        self.nothing_internal(result.as_ref().err())?;
        self.is_still_there(home, item)
    }

    /// Only desks decide, whatever the log took from whom.
    pub(super) fn only_desks_decided(&mut self) -> Result<(), String> {
        let desks = self.desks();
        let sql = "SELECT e.doc, b.device FROM entry e JOIN batch b ON b.id = e.batch
                   WHERE e.kind = 8";
        let mut decided = Vec::new();
        for station in &self.stations {
            decided.extend(look::all(&station.look(), sql, |row| {
                Ok((DocId(row.get(0)?), DeviceId(row.get(1)?)))
            }));
        }
        match decided.iter().find(|(_, by)| !desks.contains(by)) {
            Some((doc, by)) => Err(format!("{by} is no desk and decided about {doc}")),
            None => Ok(()),
        }
    }

    /// Returns the documents about which a desk decided: what it let in its author might not.
    pub(super) fn decided_about(&mut self) -> BTreeSet<DocId> {
        let sql = "SELECT DISTINCT doc FROM entry WHERE kind = 8";
        let docs = |station: &std::sync::Arc<super::station::Station>| {
            look::all(&station.look(), sql, |row| row.get(0).map(DocId))
        };
        self.stations.iter().flat_map(docs).collect()
    }

    fn desks(&mut self) -> BTreeSet<DeviceId> {
        let mut desks = BTreeSet::new();
        for station in &self.stations {
            let inline = station.inline().unwrap();
            let rows = inline.relay().devices().unwrap();
            let here = rows.into_iter().filter(|row| row.role.is_desk());
            desks.extend(here.map(|row| row.device));
        }
        desks
    }

    fn is_still_there(&self, at: usize, item: &InboxItem) -> Result<(), String> {
        let relay = self.stations[at].look();
        for table in ["parked", "entry"] {
            let sql = format!("SELECT 1 FROM {table} WHERE doc = ?1 AND hash = ?2");
            let mut there = relay.prepare(&sql).unwrap();
            if there.exists((item.doc.0, item.hash.0)).unwrap() {
                return Ok(());
            }
        }
        Err(format!(
            "{} of {} is gone from the inbox",
            item.hash, item.doc
        ))
    }

    fn intruder_decides(&mut self, dice: &mut Dice) -> Result<(), String> {
        if !self.stations[0].is_on() {
            return Ok(());
        }
        let relay = self.stations[0].look();
        let sql = "SELECT doc, hash FROM parked WHERE state = 2 ORDER BY id";
        let own = look::all(&relay, sql, |row| {
            Ok((DocId(row.get(0)?), wangge_wire::ChangeHash(row.get(1)?)))
        });
        let Some((doc, item)) = own.get(dice.below(own.len())).copied() else {
            return Ok(());
        };
        let now_ms = self.now.load(Ordering::SeqCst);
        let settlement = Settlement {
            doc,
            item,
            author: self.intruder.device(),
            decision: Decision::Accept,
            to: None,
            reason: String::new(),
            over: Vec::new(),
            at_ms: now_ms,
            // Anybody can copy what a desk signed.
            by: None,
        };
        let request = self.intruder.decision(&settlement, now_ms, dice);
        let length = request.body().len();
        let answer = self
            .runtime
            .block_on(self.stations[0].answer(request, length));
        let status = answer.map(|answer| answer.status().as_u16());
        self.say(format!("an intruder decides: {status:?}"));
        match status {
            Some(200 | 507) | None => Ok(()),
            Some(status) => Err(format!("an intruder's decision was answered {status}")),
        }
    }
}
