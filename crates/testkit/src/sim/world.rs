//! A simulated district under way: who is there, what time it is, and what has happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use wangge_agent::AgentError;
use wangge_agent::link::SyncReport;
use wangge_wire::{AreaCode, DeviceId, PersonId};

use super::device::Device;
use super::intruder::Intruder;
use super::link::{Fate, Link, Net};
use super::seats::{member, url};
use super::station::{Name, Station};
use super::template::{INTRUDER, Template, folder, runtime};
use super::weather::Weather;
use crate::town::MORNING_MS;
use crate::working_days::Dice;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Rounds of syncs in which everybody must have become quiet.
const ROUNDS_MAX: usize = 8;
/// The same where what is said climbs a tree and comes down again.
const TREE_ROUNDS_MAX: usize = 14;

/// A district under way.
pub(super) struct World {
    pub(super) weather: Weather,
    pub(super) dice: Dice,
    pub(super) now: Arc<AtomicI64>,
    /// The relays; who is below another comes before it.
    pub(super) stations: Vec<Arc<Station>>,
    pub(super) devices: Vec<Device>,
    pub(super) intruder: Intruder,
    pub(super) net: Arc<Net>,
    /// Areas that a device was ever granted.
    pub(super) granted: BTreeMap<DeviceId, BTreeSet<AreaCode>>,
    /// Who has a device.
    pub(super) people: BTreeMap<DeviceId, PersonId>,
    /// What every device must keep back.
    pub(super) poison: BTreeSet<Name>,
    pub(super) trace: Vec<String>,
    pub(super) runtime: Runtime,
    _dir: TempDir,
}

impl World {
    pub(super) fn new(template: &Template, seed: u64) -> Self {
        let dir = folder();
        let now = Arc::new(AtomicI64::new(MORNING_MS + 60_000));
        let (net, shape) = (Arc::new(Net::default()), template.shape());
        template.copy_relays(dir.path());
        let stations = Station::all(shape, dir.path(), &now, seed, &net);
        let runtime = runtime();
        {
            let _guard = runtime.enter();
            stations.iter().for_each(|station| station.start(None));
        }
        let mut devices = Vec::new();
        for index in 0..shape.devices {
            let member = member(shape, index);
            let carrier = Arc::new(Link(Arc::clone(&net)));
            let folder = template.copy(&member.name, dir.path());
            let own = seed.wrapping_mul(31).wrapping_add(index as u64 * 101);
            let who = (member.name, member.home);
            devices.push(Device::new(who, folder, own, &now, carrier));
        }
        let intruder = Intruder::new(&template.copy(INTRUDER, dir.path()));
        Self {
            weather: Weather::of(seed),
            dice: Dice::new(seed ^ 0x5eed),
            now,
            stations,
            devices,
            intruder,
            net,
            granted: BTreeMap::new(),
            people: BTreeMap::new(),
            poison: BTreeSet::new(),
            trace: Vec::new(),
            runtime,
            _dir: dir,
        }
    }

    /// Lives through so many steps, lets everybody sync, and looks whether every promise was kept.
    pub(super) fn live(&mut self, steps: usize) -> Result<(), String> {
        self.note_grants();
        if self.weather == Weather::Rollback {
            self.stations.iter().for_each(|station| station.keep_copy());
        }
        for number in 0..steps {
            self.now
                .fetch_add(self.dice.below(7_200_000) as i64, Ordering::SeqCst);
            self.step(number)?;
            self.nothing_broken()?;
        }
        self.settle()?;
        self.nothing_broken()?;
        self.check()
    }

    pub(super) fn say(&mut self, line: String) {
        self.trace.push(line);
    }

    pub(super) fn pick_device(&mut self) -> usize {
        self.dice.below(self.devices.len())
    }

    pub(super) fn is_tree(&self) -> bool {
        self.stations.len() > 1
    }

    /// Returns one of the relays; the only one without a throw.
    pub(super) fn pick_station(&mut self) -> usize {
        match self.stations.len() {
            1 => 0,
            many => self.dice.below(many),
        }
    }

    /// Syncs a device with its own relay.
    pub(super) fn sync(
        &mut self,
        index: usize,
        fates: &[Fate],
    ) -> Result<Option<Result<SyncReport, AgentError>>, String> {
        let home = self.devices[index].home;
        self.sync_at(index, home, fates)
    }

    /// Syncs a device with a relay, with these fates for its requests; its power may be cut within.
    pub(super) fn sync_at(
        &mut self,
        index: usize,
        at: usize,
        fates: &[Fate],
    ) -> Result<Option<Result<SyncReport, AgentError>>, String> {
        let elsewhere = (self.devices[index].home != at).then(|| url(at));
        self.devices[index].roamed |= elsewhere.is_some();
        *self.net.fates.lock().unwrap() = fates.iter().copied().collect();
        let off = &self.net.off;
        let replica = self.devices[index].replica();
        let result = self.runtime.block_on(async {
            // A power cut that came after the last byte was none.
            tokio::select! {
                biased;
                () = off.notified() => {}
                () = std::future::ready(()) => {}
            }
            let synced = async {
                match &elsewhere {
                    Some(url) => replica.sync_at(url).await,
                    None => replica.sync().await,
                }
            };
            tokio::select! {
                biased;
                result = synced => Some(result),
                () = off.notified() => None,
            }
        });
        self.net.fates.lock().unwrap().clear();
        if let Some(Err(AgentError::Purged(_))) = &result {
            self.devices[index].start_anyway();
        }
        if result.is_none() {
            let torn: Vec<u8> = (0..self.dice.below(5_000)).map(|n| n as u8).collect();
            self.devices[index].power_cut(&torn);
        }
        let name = self.devices[index].name.clone();
        let line = match &result {
            None => "power cut".to_owned(),
            Some(Err(error)) => word(error),
            Some(Ok(report)) => format!(
                "sent {} received {} receipts {} inbox {} unsent {} held {} repair {:?}",
                report.sent,
                report.received,
                report.receipts,
                report.inbox,
                report.unsent,
                report.held,
                report.repair
            ),
        };
        let place = elsewhere.map_or(String::new(), |_| format!(" at {at}"));
        self.say(format!("sync {name}{place} {fates:?}: {line}"));
        self.nothing_internal(result.as_ref().and_then(|result| result.as_ref().err()))?;
        if let Some(Ok(report)) = &result
            && report.repair.is_some()
            && !self.weather.may_repair()
            && !self.devices[index].roamed
        {
            return Err(format!("{name} needed a repair"));
        }
        self.name_receipts(&self.devices[index].look(), None);
        self.look_at_scope(index, at)?;
        self.claims_hold(index, false)?;
        Ok(result)
    }

    /// Complains of an error that no misfortune explains.
    pub(super) fn nothing_internal(&self, error: Option<&AgentError>) -> Result<(), String> {
        match error {
            Some(AgentError::Internal(what)) => Err(format!("internal: {what}")),
            Some(AgentError::Damaged { .. }) => Err("damaged".to_owned()),
            Some(
                error @ (AgentError::HomeUnwritable { .. }
                | AgentError::HomeUnreadable { .. }
                | AgentError::HomeFile { .. }),
            ) => Err(format!("a home: {error}")),
            _ => Ok(()),
        }
    }

    fn nothing_broken(&self) -> Result<(), String> {
        let broken = &self.net.ledger.lock().unwrap().broken;
        broken.first().map_or(Ok(()), |first| Err(first.clone()))
    }

    /// Notes what everybody was granted up to now.
    pub(super) fn note_grants(&mut self) {
        for station in &self.stations {
            let Some(inline) = station.inline() else {
                continue;
            };
            for row in inline.relay().devices().unwrap() {
                self.people.insert(row.device, row.person);
                let areas = self.granted.entry(row.device).or_default();
                areas.extend(row.areas);
            }
        }
    }

    /// Ends every misfortune and lets all sync until nothing moves.
    fn settle(&mut self) -> Result<(), String> {
        self.say("the links are up".to_owned());
        for station in &self.stations {
            let _guard = self.runtime.enter();
            station.stop();
            station.start(None);
            station.limbo.lock().unwrap().clear();
        }
        for device in &mut self.devices {
            device.limit_disk(None);
            device.skew.store(0, Ordering::SeqCst);
        }
        let rounds = if self.is_tree() {
            TREE_ROUNDS_MAX
        } else {
            ROUNDS_MAX
        };
        let mut unsent = BTreeMap::new();
        for round in 0..rounds {
            let mut quiet = self.all_meet()?;
            if round == 1 {
                // Some things are asked for again once a day.
                self.now.fetch_add(DAY_MS, Ordering::SeqCst);
                quiet = false;
            }
            for index in 0..self.devices.len() {
                self.now.fetch_add(60_000, Ordering::SeqCst);
                let result = self.sync(index, &[])?.expect("no power cut was asked for");
                match result {
                    Ok(report) => {
                        quiet &= report.sent == 0 && report.received == 0;
                        // What is to be sent once more goes with the next sync.
                        let before = unsent.insert(index, report.unsent).unwrap_or(0);
                        quiet &= report.unsent <= before;
                        // What nobody can prove any more stays where it is, and is told each time.
                        let repaired = report
                            .repair
                            .is_some_and(|it| it.given_back + it.fetched > 0);
                        quiet &= !repaired && report.handed_over == 0;
                    }
                    Err(AgentError::Purged(_)) if self.devices[index].revoked => {}
                    Err(error) => {
                        let name = &self.devices[index].name;
                        return Err(format!("{name} cannot sync: {}", word(&error)));
                    }
                }
            }
            if quiet {
                return Ok(());
            }
        }
        self.grants_agree()?;
        Err(format!("not quiet after {rounds} rounds"))
    }
}

/// Returns an error's name alone: its words may have a folder of this machine.
pub(super) fn word(error: &AgentError) -> String {
    let text = format!("{error:?}");
    let end = text.find([' ', '{']).unwrap_or(text.len());
    text.get(..end).unwrap_or(&text).to_owned()
}
