//! A simulated district under way: who is there, what time it is, and what has happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use wangge_agent::AgentError;
use wangge_agent::link::SyncReport;
use wangge_wire::{AreaCode, ChangeHash, DeviceId, DocId};

use super::device::Device;
use super::intruder::Intruder;
use super::link::{Fate, Ledger, Link};
use super::station::{Station, settings};
use super::template::{INTRUDER, RELAY, Template, folder, member, runtime};
use super::weather::Weather;
use crate::town::MORNING_MS;
use crate::working_days::Dice;

/// Rounds of syncs in which everybody must have become quiet.
const ROUNDS_MAX: usize = 8;

/// A district under way.
pub(super) struct World {
    pub(super) weather: Weather,
    pub(super) dice: Dice,
    pub(super) now: Arc<AtomicI64>,
    pub(super) station: Arc<Station>,
    pub(super) devices: Vec<Device>,
    pub(super) intruder: Intruder,
    pub(super) fates: Arc<Mutex<VecDeque<Fate>>>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    /// Areas that a device was ever granted.
    pub(super) granted: BTreeMap<DeviceId, BTreeSet<AreaCode>>,
    /// What every device must keep back.
    pub(super) poison: BTreeSet<(DocId, ChangeHash)>,
    pub(super) trace: Vec<String>,
    pub(super) runtime: Runtime,
    device_off: Arc<Notify>,
    _dir: TempDir,
}

impl World {
    pub(super) fn new(template: &Template, seed: u64) -> Self {
        let dir = folder();
        let now = Arc::new(AtomicI64::new(MORNING_MS + 60_000));
        let (fates, ledger) = (Arc::default(), Arc::default());
        let device_off = Arc::new(Notify::new());
        let relay = template.copy(RELAY, dir.path());
        let station = Arc::new(Station::new(relay, settings(&now, seed)));
        let runtime = runtime();
        {
            let _guard = runtime.enter();
            station.start(None);
        }
        let mut devices = Vec::new();
        for index in 0..template.shape().devices {
            let (name, ..) = member(index);
            let carrier = Arc::new(Link {
                station: Arc::clone(&station),
                fates: Arc::clone(&fates),
                ledger: Arc::clone(&ledger),
                device_off: Arc::clone(&device_off),
            });
            let folder = template.copy(&name, dir.path());
            let own = seed.wrapping_mul(31).wrapping_add(index as u64 * 101);
            devices.push(Device::new(name, folder, own, &now, carrier));
        }
        let intruder = Intruder::new(&template.copy(INTRUDER, dir.path()));
        Self {
            weather: Weather::of(seed),
            dice: Dice::new(seed ^ 0x5eed),
            now,
            station,
            devices,
            intruder,
            fates,
            ledger,
            granted: BTreeMap::new(),
            poison: BTreeSet::new(),
            trace: Vec::new(),
            runtime,
            device_off,
            _dir: dir,
        }
    }

    /// Lives through so many steps, lets everybody sync, and looks whether every promise was kept.
    pub(super) fn live(&mut self, steps: usize) -> Result<(), String> {
        self.note_grants();
        if self.weather == Weather::Rollback {
            self.station.keep_copy();
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

    /// Syncs a device, with these fates for its requests; its power may be cut within.
    pub(super) fn sync(
        &mut self,
        index: usize,
        fates: &[Fate],
    ) -> Result<Option<Result<SyncReport, AgentError>>, String> {
        *self.fates.lock().unwrap() = fates.iter().copied().collect();
        let off = Arc::clone(&self.device_off);
        let replica = self.devices[index].replica();
        let result = self.runtime.block_on(async {
            // A power cut that came after the last byte was none.
            tokio::select! {
                biased;
                () = off.notified() => {}
                () = std::future::ready(()) => {}
            }
            tokio::select! {
                biased;
                result = replica.sync() => Some(result),
                () = off.notified() => None,
            }
        });
        self.fates.lock().unwrap().clear();
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
        self.say(format!("sync {name} {fates:?}: {line}"));
        self.nothing_internal(result.as_ref().and_then(|result| result.as_ref().err()))?;
        if let Some(Ok(report)) = &result
            && report.repair.is_some()
            && !self.weather.may_repair()
        {
            return Err(format!("{name} needed a repair"));
        }
        self.name_receipts(index);
        self.look_at_scope(index)?;
        Ok(result)
    }

    /// Complains of an error that no misfortune explains.
    pub(super) fn nothing_internal(&self, error: Option<&AgentError>) -> Result<(), String> {
        match error {
            Some(AgentError::Internal(what)) => Err(format!("internal: {what}")),
            Some(AgentError::Damaged { .. }) => Err("damaged".to_owned()),
            _ => Ok(()),
        }
    }

    fn nothing_broken(&self) -> Result<(), String> {
        let broken = &self.ledger.lock().unwrap().broken;
        broken.first().map_or(Ok(()), |first| Err(first.clone()))
    }

    /// Notes what everybody was granted up to now.
    pub(super) fn note_grants(&mut self) {
        let inline = self.station.inline().unwrap();
        for row in inline.relay().devices().unwrap() {
            self.granted
                .entry(row.device)
                .or_default()
                .extend(row.areas);
        }
    }

    /// Ends every misfortune and lets all sync until nothing moves.
    fn settle(&mut self) -> Result<(), String> {
        self.say("the links are up".to_owned());
        self.station.stop();
        {
            let _guard = self.runtime.enter();
            self.station.start(None);
        }
        self.station.limbo.lock().unwrap().clear();
        for device in &mut self.devices {
            device.limit_disk(None);
            device.skew.store(0, Ordering::SeqCst);
        }
        for _ in 0..ROUNDS_MAX {
            let mut quiet = true;
            for index in 0..self.devices.len() {
                self.now.fetch_add(60_000, Ordering::SeqCst);
                let result = self.sync(index, &[])?.expect("no power cut was asked for");
                match result {
                    Ok(report) => {
                        quiet &= report.sent == 0 && report.received == 0;
                        quiet &= report.repair.is_none() && report.handed_over == 0;
                    }
                    Err(AgentError::Refused { .. }) if self.devices[index].revoked => {}
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
        Err(format!("not quiet after {ROUNDS_MAX} rounds"))
    }
}

/// Returns an error's name alone: its words may have a folder of this machine.
pub(super) fn word(error: &AgentError) -> String {
    let text = format!("{error:?}");
    let end = text.find([' ', '{']).unwrap_or(text.len());
    text.get(..end).unwrap_or(&text).to_owned()
}
