//! One living replica: a home with its roster, and what every action on it needs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wangge_model::clock::ClockFlag;
use wangge_model::ticket::Stamp;
use wangge_store::{Draft, Recorded, Store};
use wangge_trust::vault::RecoveryKey;
use wangge_trust::{Member, Roster};
use wangge_wire::{
    ActionId, ActorId, AreaCode, Day, DeviceId, DocId, LifeNonce, PersonId, Place, Role,
};

use crate::error::AgentError;
use crate::home::{Home, Profile};
use crate::keys;
use crate::link::{Clients, SharedCarrier};
use crate::machine::{Machine, china_day};
use crate::purge::{self, Purged};

/// A device with everything on it.
pub struct Replica {
    pub(crate) home: Home,
    pub(crate) machine: Machine,
    /// What carries requests instead of the network.
    pub(crate) carrier: Option<SharedCarrier>,
    /// What connects to relays; its connections outlive a sync.
    pub(crate) clients: Clients,
    pub(crate) roster: Roster,
    pub(crate) roster_position: u64,
    /// What was wrong with the clock at the last thing recorded in this run.
    pub(crate) wrong_clock: Option<ClockFlag>,
    /// Whether what was pointed out in notes is to be saved.
    pub(crate) keep: bool,
    /// Records whose hidden fields were asked for in this run, with a reason that is written down.
    pub(crate) revealed: BTreeSet<DocId>,
    /// Who is told how far a first download is.
    pub(crate) watcher: Option<Watcher>,
    /// What became of the home, if its device was revoked and something of it is only here.
    pub(crate) purged: Option<Purged>,
}

/// Is told how many bytes of packs are here, and how many there are.
pub type Watcher = Box<dyn Fn(u64, u64) + Send + Sync>;

/// Who wrote something, as far as this device knows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WrittenBy {
    /// The person's name; empty where the roster does not say.
    pub name: String,
    /// The device, 32 hex digits; none where no batch of this writer is here.
    pub device: Option<DeviceId>,
    /// Whether it was this device.
    pub here: bool,
}

impl Replica {
    /// Has somebody told how far a first download is, each time something of it was written.
    pub fn watch(&mut self, watcher: Watcher) {
        self.watcher = Some(watcher);
    }

    /// Makes a home that records without any relay.
    pub fn init(
        dir: &Path,
        name: &str,
        areas: Vec<AreaCode>,
        machine: Machine,
    ) -> Result<Self, AgentError> {
        let profile = Profile {
            name: name.to_owned(),
            areas,
            relay: None,
        };
        Self::over(Home::make(dir, &profile, &machine)?, machine)
    }

    /// Opens a home.
    pub fn open(dir: &Path, machine: Machine) -> Result<Self, AgentError> {
        Self::over(Home::open(dir, &machine)?, machine)
    }

    /// Looks at every page of a home's database where something of it did not read: a damaged one is set aside
    /// and a new one begun. Returns where it is now; none where its pages are sound and only some record is
    /// not.
    pub fn check(dir: &Path, machine: &Machine) -> Result<Option<PathBuf>, AgentError> {
        let mut home = Home::open(dir, machine)?;
        match home.set_aside.take() {
            Some(aside) => Ok(Some(aside)),
            None => home.check(machine),
        }
    }

    pub(crate) fn over(home: Home, machine: Machine) -> Result<Self, AgentError> {
        let purged = purge::look(&home.dir);
        let mut replica = Self {
            home,
            machine,
            carrier: None,
            clients: Clients::default(),
            roster: Roster::default(),
            roster_position: 0,
            wrong_clock: None,
            keep: false,
            revealed: BTreeSet::new(),
            watcher: None,
            purged,
        };
        replica.load_roster()?;
        Ok(replica)
    }

    /// Lets `carrier` carry every request of this replica instead of the network.
    pub fn carry_by(&mut self, carrier: SharedCarrier) {
        self.carrier = Some(carrier);
    }

    /// Returns whose home it is.
    pub fn profile(&self) -> &Profile {
        &self.home.profile
    }

    /// Returns the folder.
    pub fn dir(&self) -> &Path {
        &self.home.dir
    }

    /// Returns where a damaged database was put when this home was opened.
    pub fn set_aside(&self) -> Option<&Path> {
        self.home.set_aside.as_deref()
    }

    /// Returns whether there was no database any more when this home was opened, though there had been one.
    pub fn is_lost(&self) -> bool {
        self.home.lost
    }

    /// Notes that somebody has seen that the database before this one was gone.
    pub fn loss_seen(&self) -> Result<(), AgentError> {
        self.home.loss_seen()
    }

    /// Returns whether this home was found to be a copy, or put back, when it was opened.
    pub fn is_copied(&self) -> bool {
        self.home.copied
    }

    /// Returns the database, for reading.
    pub fn store(&self) -> &Store {
        &self.home.store
    }

    /// Returns this device.
    pub fn device(&self) -> DeviceId {
        self.home.key.public().device()
    }

    /// Returns the actor this life of the database writes as.
    pub fn actor(&self) -> ActorId {
        self.home.key.public().actor(&self.home.life)
    }

    /// Returns the actor that something is recorded as. What is recorded in a home that is about to be removed
    /// would be removed with it.
    pub(crate) fn writing_as(&self) -> Result<ActorId, AgentError> {
        match self.purged.as_ref().filter(|purged| purged.is_clear()) {
            Some(purged) => Err(AgentError::Purged(Box::new(purged.clone()))),
            None => Ok(self.actor()),
        }
    }

    /// Returns the life of the database.
    pub fn life(&self) -> LifeNonce {
        self.home.life
    }

    /// Returns this device's member in the roster; none while it is not enrolled.
    pub fn member(&self) -> Option<&Member> {
        self.roster.member(&self.device())
    }

    /// Returns the person who holds this device.
    ///
    /// Before enrolment it is the device itself: whoever reads a ticket later finds the person by the
    /// grant of that device.
    pub fn person(&self) -> PersonId {
        self.member()
            .map_or(PersonId(self.device().0), |member| member.person)
    }

    /// Returns what the person works as; a home without a relay is a worker's.
    pub fn role(&self) -> Role {
        self.member().map_or(Role::Worker, |member| member.role)
    }

    /// Returns the areas the person works for today: the own ones, then those of whom they stand in
    /// for.
    pub fn areas(&self) -> Cow<'_, [AreaCode]> {
        let covering = self
            .member()
            .is_some_and(|member| self.roster.covering(member, self.day(), 0).next().is_some());
        match self.member().filter(|_| covering) {
            Some(member) => Cow::Owned(self.roster.areas_on(member, self.day())),
            None => Cow::Borrowed(self.own_areas()),
        }
    }

    /// Returns the areas the person was granted, or chose before enrolment; no cover adds to them.
    pub fn own_areas(&self) -> &[AreaCode] {
        self.member()
            .map_or(&self.home.profile.areas, |member| &member.areas)
    }

    /// Returns the day in China, as orders count it.
    pub fn day(&self) -> Day {
        Day::of_ms(self.now_ms())
    }

    /// Returns the moment, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        (self.machine.now_ms)()
    }

    /// Returns the day in China.
    pub fn today(&self) -> chrono::NaiveDate {
        china_day(self.now_ms())
    }

    /// Returns people by the name colleagues read, with their person id; each person once.
    pub fn people(&self) -> Vec<(PersonId, &Member)> {
        let mut people: Vec<(PersonId, &Member)> = self
            .roster
            .members()
            .map(|(_, member)| (member.person, member))
            .collect();
        people.sort_by_key(|(person, _)| *person);
        people.dedup_by_key(|(person, _)| *person);
        people
    }

    /// Returns a person's name; empty where the roster does not say.
    pub fn name_of(&self, person: &PersonId) -> String {
        if *person == self.person() {
            return self.home.profile.name.clone();
        }
        let by_person = self
            .roster
            .members()
            .find(|(_, member)| member.person == *person);
        let by_device = || self.roster.known(&DeviceId(person.0)).cloned();
        by_person
            .map(|(_, member)| member.name.clone())
            .or_else(|| by_device().map(|m| m.name))
            .unwrap_or_default()
    }

    /// Returns who wrote as this actor.
    pub fn written_by(&self, actor: &ActorId) -> Result<WrittenBy, AgentError> {
        if *actor == self.actor() {
            let name = self.home.profile.name.clone();
            return Ok(WrittenBy {
                name,
                device: Some(self.device()),
                here: true,
            });
        }
        let device = self.home.store.device_of(actor)?;
        let here = device == Some(self.device());
        let member = device.and_then(|device| self.roster.known(&device));
        let name = match member {
            Some(member) => member.name.clone(),
            None if here => self.home.profile.name.clone(),
            None => String::new(),
        };
        Ok(WrittenBy { name, device, here })
    }

    /// Returns the stamp of a moment on this device.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            at_ms: self.now_ms(),
            offset_ms: None,
        }
    }

    /// Records drafts of one action, durably; every text in them is looked at first.
    pub(crate) fn record(&mut self, drafts: &[Draft]) -> Result<Vec<Recorded>, AgentError> {
        self.look_at_drafts(drafts)?;
        let (at_ms, action) = (self.now_ms(), ActionId(self.machine.random()?));
        let actor = self.writing_as()?;
        self.wrong_clock = self.clock_now()?;
        self.home
            .store
            .write(actor, |writer| Ok(writer.record(at_ms, action, drafts)?))
    }

    /// Returns a new document id; its time part makes ids of one day neighbours on the disk.
    pub(crate) fn new_doc(&self) -> Result<DocId, AgentError> {
        let mut random = [0u8; 10];
        (self.machine.fill)(&mut random)?;
        let millis = u64::try_from(self.now_ms()).unwrap_or(0);
        Ok(DocId(
            *uuid::Builder::from_unix_timestamp_millis(millis, &random)
                .into_uuid()
                .as_bytes(),
        ))
    }

    /// Returns the place of a new document in an area; outside the own areas the author receives it too.
    pub(crate) fn place(&self, doc: DocId, home: AreaCode) -> Place {
        let own = self.areas().iter().any(|area| area.covers(&home));
        let audiences = if own {
            Vec::new()
        } else {
            vec![wangge_wire::Audience::Person(self.person())]
        };
        Place {
            doc,
            home,
            audiences,
            n: 0,
        }
    }

    /// Returns the grid that new documents go to when none is named: the only one of this home.
    pub(crate) fn usual_area(&self) -> Option<AreaCode> {
        match self.own_areas() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    pub(crate) fn load_roster(&mut self) -> Result<(), AgentError> {
        let (orders, position) = self.home.store.orders()?;
        let mut roster = Roster::default();
        for order in &orders {
            // What was kept was judged when it came; a later program may judge an order unknown here.
            if let Err(error) = roster.take_some(order) {
                tracing::warn!(%error, "an order of the roster was not taken");
            }
        }
        self.roster = roster;
        self.roster_position = position;
        if let Some(recovery) = self.roster.recovery() {
            let (dir, to) = (&self.home.dir, RecoveryKey(recovery.key));
            // Looked for again at the next opening; nothing of the person's has to wait for it.
            if let Err(error) = keys::wrap_for(&self.home.keys, dir, &to, &self.machine) {
                tracing::warn!(%error, "the home is not wrapped for the recovery key yet");
            }
        }
        Ok(())
    }
}
