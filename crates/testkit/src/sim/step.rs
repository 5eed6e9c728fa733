//! One step of a simulated district: somebody works, somebody syncs, or something goes wrong.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::deeds;
use super::intruder::Mischief;
use super::link::Fate;
use super::look;
use super::seats::GRIDS;
use super::weather::Weather;
use super::world::{World, word};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// In a tree a step is more than one act: one for so many devices.
const DEVICES_PER_ACT: usize = 5;

impl World {
    /// Lives through one step.
    pub(super) fn step(&mut self, number: usize) -> Result<(), String> {
        self.say(format!("step {number}"));
        let acts = if self.is_tree() {
            self.devices.len().div_ceil(DEVICES_PER_ACT)
        } else {
            1
        };
        (0..acts).try_for_each(|_| self.act(number))
    }

    fn act(&mut self, number: usize) -> Result<(), String> {
        for at in 0..self.stations.len() {
            if !self.stations[at].is_on() && self.dice.below(3) > 0 {
                self.switch_on(at, None);
            }
        }
        if self.is_tree() && self.dice.below(4) == 0 {
            return self.climb();
        }
        self.desk_decides(number)?;
        self.make_packs_now_and_then(number)?;
        match self.dice.below(100) {
            0..=37 => self.work(),
            38..=69 => self.sync_somehow(),
            70..=71 => self.work_and_lose_power(),
            72..=73 => self.wrong_clock(),
            74..=75 => self.full_disk(),
            76..=77 => self.relay_trouble(),
            78..=79 => self.late_arrivals(),
            80..=82 => self.mischief(),
            _ => match self.weather {
                Weather::Links => self.work(),
                Weather::Copies => self.copies(),
                Weather::Rollback => self.rollback(),
                Weather::Orders => self.orders(),
            },
        }
    }

    fn switch_on(&mut self, at: usize, pages_max: Option<u32>) {
        let _guard = self.runtime.enter();
        self.stations[at].start(pages_max);
        self.trace
            .push(format!("relay {at} is on, pages {pages_max:?}"));
    }

    fn work(&mut self) -> Result<(), String> {
        let index = self.pick_device();
        let (device, dice) = (&mut self.devices[index], &mut self.dice);
        let (what, result) = deeds::something(device.replica(), dice);
        let ended = result.as_ref().err().map(word);
        let line = format!("{} {what}: {ended:?}", device.name);
        self.say(line);
        self.nothing_internal(result.as_ref().err())
    }

    fn work_and_lose_power(&mut self) -> Result<(), String> {
        let index = self.pick_device();
        let (device, dice) = (&mut self.devices[index], &mut self.dice);
        let before = device.wal_length();
        let (what, result) = deeds::something(device.replica(), dice);
        let within = device.power_cut_within(before, dice.below(1 << 20) as u64);
        let line = format!("{} {what}, power cut within: {within}", device.name);
        self.say(line);
        self.nothing_internal(result.as_ref().err())
    }

    fn fate(&mut self) -> Fate {
        let at = self.dice.below(65_536) as u16;
        let hostile = self.weather == Weather::Rollback;
        match self.dice.below(if hostile { 14 } else { 12 }) {
            0..=2 => Fate::Whole,
            3 => Fate::Lost,
            4 => Fate::Late,
            5 => Fate::CutUp(at),
            6 | 7 => Fate::CutDown(at),
            8 => Fate::Twice,
            9 => Fate::Newer,
            10 => Fate::DeviceOff(at),
            11 => Fate::RelayOff(at),
            12 => Fate::FlipUp(at),
            _ => Fate::FlipDown(at),
        }
    }

    /// Returns fates for a few requests.
    pub(super) fn some_fates(&mut self) -> Vec<Fate> {
        let mut fates = vec![Fate::Whole; usize::from(self.dice.below(4) == 0)];
        fates.push(self.fate());
        fates
    }

    fn sync_somehow(&mut self) -> Result<(), String> {
        let index = self.pick_device();
        let fates = self.some_fates();
        self.sync(index, &fates).map(drop)
    }

    fn wrong_clock(&mut self) -> Result<(), String> {
        let index = self.pick_device();
        let days = self.dice.below(800) as i64 - 400;
        let device = &self.devices[index];
        device.skew.store(days * DAY_MS, Ordering::SeqCst);
        self.say(format!("{}'s clock is {days} days off", device.name));
        Ok(())
    }

    fn full_disk(&mut self) -> Result<(), String> {
        let index = self.pick_device();
        let more = (self.dice.below(2) > 0).then(|| self.dice.below(12) as u32);
        let device = &mut self.devices[index];
        device.limit_disk(more);
        let line = format!("{} has room for {more:?} pages", device.name);
        self.say(line);
        Ok(())
    }

    fn relay_trouble(&mut self) -> Result<(), String> {
        let torn: Vec<u8> = (0..self.dice.below(3_000)).map(|n| n as u8).collect();
        let at = self.pick_station();
        let station = Arc::clone(&self.stations[at]);
        if self.dice.below(2) > 0 && station.is_on() {
            station.power_off(&torn);
            self.say(format!("relay {at} lost its power"));
            return Ok(());
        }
        station.stop();
        let pages: u32 = station
            .look()
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let room = pages + self.dice.below(8) as u32;
        self.switch_on(at, Some(room));
        Ok(())
    }

    fn late_arrivals(&mut self) -> Result<(), String> {
        let at = self.pick_station();
        let station = Arc::clone(&self.stations[at]);
        let late = std::mem::take(&mut *station.limbo.lock().unwrap());
        // The last one first: what was late overtakes what was later.
        for request in late.into_iter().rev() {
            let length = request.body().len();
            let answer = self.runtime.block_on(station.answer(request, length));
            let status = answer.map(|answer| answer.status().as_u16());
            self.say(format!("a late request: {status:?}"));
            if status == Some(500) {
                return Err("the relay failed".to_owned());
            }
        }
        Ok(())
    }

    fn mischief(&mut self) -> Result<(), String> {
        let mischief = match self.dice.below(4) {
            0 => Mischief::ForeignGrid,
            1 => Mischief::Poison,
            2 => Mischief::FromTheFuture,
            _ => Mischief::Noise,
        };
        let now_ms = self.now.load(Ordering::SeqCst);
        let (request, poison) = self.intruder.request(mischief, now_ms, &mut self.dice);
        self.poison.extend(poison);
        let length = request.body().len();
        let answer = self
            .runtime
            .block_on(self.stations[0].answer(request, length));
        let status = answer.map(|answer| answer.status().as_u16());
        self.say(format!("an intruder, {mischief:?}: {status:?}"));
        let expected: &[u16] = match mischief {
            Mischief::FromTheFuture => &[426],
            // It may not even say how many batches it is.
            Mischief::Noise => &[200, 400, 507],
            _ => &[200, 507],
        };
        match status {
            Some(status) if !expected.contains(&status) => {
                Err(format!("{mischief:?} was answered {status}"))
            }
            _ => Ok(()),
        }
    }

    fn copies(&mut self) -> Result<(), String> {
        let index = self.pick_device();
        let what = self.dice.below(8);
        let room = self.devices.len() < 48;
        let device = &mut self.devices[index];
        let line = match what {
            0..=3 => {
                device.keep_copy();
                format!("{} is copied", device.name)
            }
            4..=6 => {
                let back = device.put_back(what != 6);
                device.seen.clear();
                format!(
                    "{} is put back: {back}, database alone: {}",
                    device.name,
                    what == 6
                )
            }
            _ if room && index > 0 => {
                let name = format!("{}-{}", device.name, self.trace.len());
                let cloned = device.cloned(name.clone());
                self.devices.push(cloned);
                format!("cloned as {name}")
            }
            _ => "nothing".to_owned(),
        };
        self.say(line);
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), String> {
        let at = self.pick_station();
        let station = Arc::clone(&self.stations[at]);
        if self.dice.below(2) > 0 {
            // Half of them by the tool; no dice, so that kept seeds keep their run up to here.
            if self.trace.len().is_multiple_of(2) {
                station.back_up();
                self.say(format!("relay {at} is backed up"));
            } else {
                station.keep_copy();
                self.say(format!("relay {at} is copied"));
            }
        } else if station.put_back() {
            self.say(format!("relay {at} is put back"));
            self.switch_on(at, None);
        }
        Ok(())
    }

    fn orders(&mut self) -> Result<(), String> {
        match self.dice.below(6) {
            0..=2 => self.move_household(),
            3 | 4 => self.hand_over(),
            _ if self.devices.len() > 3 && self.dice.below(3) == 0 => self.revoke(),
            _ => {
                self.now.fetch_add(35 * DAY_MS, Ordering::SeqCst);
                self.say("35 days pass".to_owned());
                Ok(())
            }
        }
    }

    /// Returns which devices are desks: the station of a small district; in a tree those of either
    /// village, the township and the county.
    pub(super) fn desk_indices(&self) -> &'static [usize] {
        if self.is_tree() { &[0, 3, 5, 6] } else { &[0] }
    }

    fn pick_desk(&mut self) -> usize {
        let desks = self.desk_indices();
        match desks {
            [only] => *only,
            _ => desks[self.dice.below(desks.len())],
        }
    }

    fn move_household(&mut self) -> Result<(), String> {
        let desk = self.pick_desk();
        let device = self.devices[desk].replica();
        // A village's desk moves within the village, those above across villages.
        let within = device.own_areas()[0].to_string();
        let to: Vec<&str> = GRIDS
            .iter()
            .copied()
            .filter(|it| it.starts_with(&within))
            .collect();
        let to = to[self.dice.below(to.len())];
        let households = look::households(self.devices[desk].replica());
        let which = self.dice.below(households.len());
        let Some(household) = households.get(which) else {
            return Ok(());
        };
        let result = self.devices[desk]
            .replica()
            .move_household(household, to, false);
        let line = format!(
            "desk {desk} moves one to {to}: {:?}",
            result.as_ref().err().map(word)
        );
        self.say(line);
        self.nothing_internal(result.as_ref().err())
    }

    fn hand_over(&mut self) -> Result<(), String> {
        let desk = self.pick_desk();
        let (one, other) = match desk {
            5 => (4, 8),
            _ => (1, 2),
        };
        let (from, to) = if self.dice.below(2) > 0 {
            (one, other)
        } else {
            (other, one)
        };
        if self.devices.len() <= from.max(to) {
            return Ok(());
        }
        let (from, to) = (
            self.devices[from].name.clone(),
            self.devices[to].name.clone(),
        );
        let grid = GRIDS[self.dice.below(2) + if desk == 5 { 2 } else { 0 }].to_owned();
        let desk = self.devices[desk].replica();
        let result = self
            .runtime
            .block_on(desk.hand_over(&from, &to, &[grid], false));
        self.note_grants();
        let line = format!(
            "{from} hands over to {to}: {:?}",
            result.as_ref().err().map(word)
        );
        self.say(line);
        self.nothing_internal(result.as_ref().err())
    }

    fn revoke(&mut self) -> Result<(), String> {
        let index = self.devices.len() - 1;
        // Its own relay takes it out, or in a tree maybe the township's.
        let home = self.devices[index].home;
        let at = match self.stations[home].seat.above {
            Some(above) if self.dice.below(2) > 0 => above,
            _ => home,
        };
        let Some(inline) = self.stations[at].inline() else {
            return Ok(());
        };
        let device = &mut self.devices[index];
        if !device.revoked {
            let id = device.replica().device();
            let now_ms = self.now.load(Ordering::SeqCst);
            // A full disk revokes nobody.
            device.revoked = inline.relay().revoke(&id, u64::MAX, now_ms).is_ok();
            let line = format!("{} is revoked at {at}: {}", device.name, device.revoked);
            self.say(line);
        }
        Ok(())
    }
}
