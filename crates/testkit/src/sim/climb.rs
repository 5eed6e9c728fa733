//! What climbs the tree: meetings of a relay with the one above it, and evenings at another level.
//!
//! A meeting has the same misfortunes as a sync: **its line is cut at any byte, what it sends comes
//! late, twice or never, and either relay may lose its power in the middle**.

use std::sync::Arc;

use wangge_relay::{Inline, Met, RelayError, UpstreamTrouble};

use super::link::Fate;
use super::weather::Weather;
use super::world::World;

/// Steps from one making of packs everywhere to the next.
const PACKS_EVERY: usize = 4;

impl World {
    /// Something that only a tree has.
    pub(super) fn climb(&mut self) -> Result<(), String> {
        match self.dice.below(10) {
            // Where nobody may need a repair, nobody learns elsewhere what the own relay lacks.
            0 | 1 if self.weather != Weather::Links => self.evening(),
            2 => self.make_packs(),
            3 => self.meet_twice(),
            _ => {
                let at = self.pick_below();
                let fates = self.some_fates();
                self.meet(at, &fates).map(drop)
            }
        }
    }

    /// Returns a relay that has one above it.
    fn pick_below(&mut self) -> usize {
        let below = |at: &usize| self.stations[*at].seat.above.is_some();
        let below: Vec<usize> = (0..self.stations.len()).filter(below).collect();
        below[self.dice.below(below.len())]
    }

    /// A device syncs with the township or the county instead of its own relay.
    fn evening(&mut self) -> Result<(), String> {
        let index = self.pick_device();
        let mut above = Vec::new();
        let mut at = self.devices[index].home;
        while let Some(next) = self.stations[at].seat.above {
            above.push(next);
            at = next;
        }
        if above.is_empty() {
            return Ok(());
        }
        let at = above[self.dice.below(above.len())];
        let fates = self.some_fates();
        self.sync_at(index, at, &fates).map(drop)
    }

    /// Lets every relay make its packs once in so many steps, so that whoever begins to read, or reads a
    /// log that was put back, meets some. No dice, so that a kept seed keeps its run.
    pub(super) fn make_packs_now_and_then(&mut self, number: usize) -> Result<(), String> {
        if number % PACKS_EVERY != PACKS_EVERY - 1 {
            return Ok(());
        }
        for at in 0..self.stations.len() {
            // Without a line in the trace, whose length other steps throw their dice by.
            let inline = self.stations[at].inline();
            let failed = inline.and_then(|inline| inline.make_packs().err());
            sound(at, failed.as_ref())?;
        }
        Ok(())
    }

    /// Lets a relay make its packs, as the background thread of one that serves does.
    fn make_packs(&mut self) -> Result<(), String> {
        let at = self.pick_station();
        let Some(inline) = self.stations[at].inline() else {
            return Ok(());
        };
        let made = inline.make_packs();
        self.say(format!("packs at {at}: {:?}", made.as_ref().ok()));
        sound(at, made.err().as_ref())
    }

    /// A relay meets the one above twice at once.
    fn meet_twice(&mut self) -> Result<(), String> {
        let at = self.pick_below();
        let Some(inline) = self.stations[at].inline() else {
            return Ok(());
        };
        let fates = self.some_fates();
        let relay = inline.relay();
        let two = async { tokio::join!(relay.meet_upstream(), relay.meet_upstream()) };
        self.note_held(at);
        let both = self.hold(&inline, &fates, two);
        drop(inline);
        let line = both.as_ref().map(|(one, two)| (told(one), told(two)));
        self.say(format!("{at} meets twice {fates:?}: {line:?}"));
        if let Some((one, two)) = &both {
            sound(at, one.as_ref().err())?;
            sound(at, two.as_ref().err())?;
        }
        self.after_meeting(at, both.is_none())
    }

    /// Lets a relay meet the one above it, with these fates for its requests; its power may be cut
    /// within. None if it was, or is off.
    pub(super) fn meet(&mut self, at: usize, fates: &[Fate]) -> Result<Option<Met>, String> {
        let Some(inline) = self.stations[at].inline() else {
            return Ok(None);
        };
        self.note_held(at);
        let met = self.hold(&inline, fates, inline.relay().meet_upstream());
        drop(inline);
        let line = met.as_ref().map(told);
        self.say(format!("{at} meets {fates:?}: {line:?}"));
        if let Some(met) = &met {
            sound(at, met.as_ref().err())?;
        }
        self.after_meeting(at, met.is_none())?;
        Ok(met.and_then(Result::ok))
    }

    /// Runs a meeting until it ends or the relay's power does.
    fn hold<T>(
        &self,
        _on: &Arc<Inline>,
        fates: &[Fate],
        meeting: impl Future<Output = T>,
    ) -> Option<T> {
        *self.net.fates.lock().unwrap() = fates.iter().copied().collect();
        let off = &self.net.off;
        let met = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = off.notified() => {}
                () = std::future::ready(()) => {}
            }
            tokio::select! {
                biased;
                met = meeting => Some(met),
                () = off.notified() => None,
            }
        });
        self.net.fates.lock().unwrap().clear();
        met
    }

    fn after_meeting(&mut self, at: usize, cut: bool) -> Result<(), String> {
        if cut {
            let torn: Vec<u8> = (0..self.dice.below(3_000)).map(|n| n as u8).collect();
            self.stations[at].power_off(&torn);
        }
        self.name_receipts(&self.stations[at].look(), Some(at));
        self.look_below(at)?;
        self.watermarks_hold(at, false)
    }

    /// Lets every relay meet the one above it, up and down again; returns whether nothing moved.
    pub(super) fn all_meet(&mut self) -> Result<bool, String> {
        let below: Vec<usize> = (0..self.stations.len())
            .filter(|at| self.stations[*at].seat.above.is_some())
            .collect();
        let mut quiet = true;
        for at in below.iter().chain(below.iter().rev().skip(1)) {
            let met = self.meet(*at, &[])?;
            let met = met.ok_or_else(|| format!("{at} cannot meet the relay above"))?;
            quiet &= (met.orders, met.received, met.waiting) == (0, 0, 0);
        }
        Ok(quiet)
    }
}

/// Returns how a meeting ended, without a folder of this machine.
fn told(met: &Result<Met, RelayError>) -> String {
    match met {
        Ok(met) => format!(
            "orders {} batches {} received {} complete {} waiting {}",
            met.orders, met.batches, met.received, met.complete, met.waiting
        ),
        Err(RelayError::Upstream(trouble)) => format!("{trouble:?}"),
        Err(error) => error.to_string(),
    }
}

/// Complains of an error that no misfortune explains.
fn sound(at: usize, error: Option<&RelayError>) -> Result<(), String> {
    match error {
        None | Some(RelayError::Full) => Ok(()),
        Some(RelayError::Upstream(
            UpstreamTrouble::NoLink { .. }
            | UpstreamTrouble::Refused
            // A bit of the answer changed on the way.
            | UpstreamTrouble::WrongRelay
            | UpstreamTrouble::Strange { .. },
        )) => Ok(()),
        Some(error) => Err(format!("{at}: {error:?}")),
    }
}
