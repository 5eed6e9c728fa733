//! The tree of relays: whose word counts, and how far.
//!
//! Trust begins at the relay that enrolment pinned. It goes **up by that relay's own signed word**: who
//! is above it counts for everything, and who is above that one too. It goes **down by an order of the
//! relay above**: who is below counts within the areas it was given, and no order of it reaches past
//! them, its own orders about relays further down included. All of it is checked without a link.

use std::collections::BTreeSet;

use wangge_wire::limits::NUMBER_RANGES_MAX;
use wangge_wire::{
    AreaCode, Cover, Day, DeviceId, Grant, Level, NumberRange, Order, OrderBody, PersonId,
    PublicKey, RelayAbove, RelayBelow, RelayId, Role,
};

use super::{BadOrder, Member, Roster};
use crate::key::verify_order;

/// How far a relay's orders count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere: the relay that was pinned, and those above it.
    Everywhere,
    /// In the areas it was given.
    ItsAreas,
}

/// A relay of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRelay {
    /// What it is as a member of a relay above: key, name, areas.
    pub member: Member,
    /// Where in the tree it stands.
    pub level: Level,
    /// How far its orders count.
    pub reach: Reach,
    /// Where the relay below it reaches it; empty where nobody said.
    pub url: String,
    /// The device numbers it gives out; none where nobody said.
    pub numbers: Vec<NumberRange>,
    /// The relay that it is directly below, by that one's last order about it.
    pub above: Option<RelayId>,
}

impl Roster {
    /// Returns a relay of the tree that may take part.
    pub fn relay(&self, relay: &RelayId) -> Option<&KnownRelay> {
        self.relays
            .get(relay)
            .filter(|_| !self.revoked.contains_key(&DeviceId(relay.0)))
    }

    /// Returns the relays of the tree that may take part.
    pub fn relays(&self) -> impl Iterator<Item = &KnownRelay> {
        let part = |id: &RelayId| !self.revoked.contains_key(&DeviceId(id.0));
        let known = self.relays.iter().filter(move |(id, _)| part(id));
        known.map(|(_, relay)| relay)
    }

    /// Returns the relay that was pinned and those above it, the lowest first.
    pub fn path_up(&self) -> Vec<(RelayId, &KnownRelay)> {
        let mut path: Vec<(RelayId, &KnownRelay)> = self
            .relays
            .iter()
            .filter(|(_, relay)| relay.reach == Reach::Everywhere)
            .map(|(id, relay)| (*id, relay))
            .collect();
        path.sort_by_key(|(id, relay)| (std::cmp::Reverse(relay.level), *id));
        path
    }

    /// Returns the relays below, each with its id.
    pub fn relays_below(&self) -> impl Iterator<Item = (&RelayId, &KnownRelay)> {
        let below = |relay: &KnownRelay| relay.reach == Reach::ItsAreas;
        self.relays.iter().filter(move |(_, relay)| below(relay))
    }

    /// Returns the member that a relay below is.
    pub(super) fn below(&self, device: &DeviceId) -> Option<&Member> {
        let known = self.relays.get(&RelayId(device.0))?;
        (known.reach == Reach::ItsAreas).then_some(&known.member)
    }

    /// Returns whether one of a person's devices works in the relay's areas.
    pub(crate) fn works_below(&self, relay: &Member, person: &PersonId) -> bool {
        let inside = |member: &Member| member.areas.iter().any(|area| within(relay, area));
        self.devices_of(person).any(inside)
    }

    /// Returns the roles in which the member stands in by a cover: its own, or for a relay those of the
    /// people below it.
    pub(super) fn standing_in(&self, cover: &Cover, member: &Member) -> impl Iterator<Item = Role> {
        let own = cover.substitute == Some(member.person);
        let roles: Vec<Role> = match cover.substitute {
            _ if own => vec![member.role],
            Some(person) if member.role == Role::Relay && self.works_below(member, &person) => {
                self.devices_of(&person).map(|device| device.role).collect()
            }
            _ => Vec::new(),
        };
        roles.into_iter()
    }

    /// Returns why an order that is no root must not be taken.
    pub(super) fn judge(&self, order: &Order) -> Result<(), BadOrder> {
        let own = self.root.as_ref().filter(|_| self.is_own(order));
        if let Some((key, ..)) = own
            && !verify_order(key, order)
        {
            return Err(BadOrder::Signature);
        }
        let signer = match own {
            // The relay that was pinned counts whatever those above it say of it.
            Some(_) => self.relays.get(&order.signer),
            None => self.relay(&order.signer),
        };
        let signer = signer.ok_or(BadOrder::UnknownRelay)?;
        if !verify_order(&signer.member.key, order) {
            return Err(BadOrder::Signature);
        }
        let reaches = match signer.reach {
            Reach::Everywhere => true,
            Reach::ItsAreas => self.reaches(signer, &order.signer, &order.body),
        };
        let in_order = match &order.body {
            OrderBody::Below(below) => Level::from(below.level) > signer.level,
            OrderBody::Above(above) => Level::from(above.level) < signer.level,
            OrderBody::Grant(grant) => grant.role != Role::Relay,
            _ => true,
        };
        if reaches && in_order {
            Ok(())
        } else {
            Err(BadOrder::Reach)
        }
    }

    /// Whether the word of a relay below reaches so far.
    fn reaches(&self, signer: &KnownRelay, id: &RelayId, body: &OrderBody) -> bool {
        let inside = |area: &AreaCode| within(&signer.member, area);
        match body {
            OrderBody::Root { .. } | OrderBody::Above(_) | OrderBody::Recovery(_) => false,
            OrderBody::Grant(grant) => self.reaches_grant(signer, id, grant),
            OrderBody::Revoke { device, .. } => {
                match (self.members.get(device), self.below(device)) {
                    (Some(member), _) => self.is_of(signer, id, &member.person),
                    (None, Some(relay)) => {
                        relay.key != signer.member.key && relay.areas.iter().all(inside)
                    }
                    (None, None) => false,
                }
            }
            OrderBody::Cover(cover) => {
                let before = self.covers.get(&cover.id);
                let before = before.map(|known| known.areas.as_slice());
                let mut areas = cover.areas.iter().chain(before.unwrap_or_default());
                areas.all(inside)
            }
            OrderBody::Unit(unit) => {
                let before = self.units.get(&unit.id);
                inside(&unit.area) && before.is_none_or(|known| inside(&known.area))
            }
            OrderBody::Below(below) => {
                let known = self.relays.get(&below.key.relay());
                !below.areas.is_empty()
                    && below.areas.iter().all(inside)
                    && known.is_none_or(|known| {
                        known.reach == Reach::ItsAreas && known.member.areas.iter().all(inside)
                    })
            }
        }
    }

    /// Whether a relay below may grant this: areas and unit inside its own, and to its own people.
    ///
    /// Somebody else's person id would bring what names that person.
    fn reaches_grant(&self, signer: &KnownRelay, id: &RelayId, grant: &Grant) -> bool {
        let inside = |area: &AreaCode| within(&signer.member, area);
        let device = self.members.get(&grant.device_key.device());
        let unit = |unit| {
            self.units
                .get(unit)
                .is_some_and(|known| inside(&known.area))
        };
        grant.areas.iter().all(inside)
            && grant.unit.as_ref().is_none_or(unit)
            && self.is_of(signer, id, &grant.person)
            && device.is_none_or(|known| self.is_of(signer, id, &known.person))
    }

    /// Whether a person is nobody's yet, or was taken in by this relay or one below it.
    fn is_of(&self, signer: &KnownRelay, id: &RelayId, person: &PersonId) -> bool {
        let Some(by) = self.taken_in_by.get(person) else {
            return true;
        };
        let further_down = |relay: &KnownRelay| {
            let inside = |area: &AreaCode| within(&signer.member, area);
            relay.reach == Reach::ItsAreas
                && relay.level > signer.level
                && relay.member.areas.iter().all(inside)
        };
        by == id || self.relays.get(by).is_some_and(further_down)
    }

    pub(super) fn take_root(&mut self, key: PublicKey, name: &str, level: Level) {
        let root = KnownRelay {
            member: relay_member(key, name, Vec::new(), Day(0)),
            level,
            reach: Reach::Everywhere,
            url: String::new(),
            numbers: Vec::new(),
            above: None,
        };
        self.relays.insert(key.relay(), root);
    }

    pub(super) fn take_below(&mut self, below: &RelayBelow, since: Day) {
        let member = relay_member(below.key, &below.name, below.areas.clone(), since);
        let new = KnownRelay {
            member: member.clone(),
            level: below.level.into(),
            reach: Reach::ItsAreas,
            url: String::new(),
            numbers: Vec::new(),
            above: None,
        };
        // One that counts everywhere here goes on to; what is above it says which areas are its own.
        let known = self.relays.entry(below.key.relay()).or_insert(new);
        known.member = member;
        let numbers = below.numbers.iter().flatten().copied();
        known.numbers = numbers.take(NUMBER_RANGES_MAX).collect();
    }

    pub(super) fn note_giver(&mut self, below: &RelayBelow, by: &RelayId) {
        if let Some(known) = self.relays.get_mut(&below.key.relay()) {
            known.above = Some(*by);
        }
    }

    pub(super) fn take_above(&mut self, above: &RelayAbove) {
        let new = KnownRelay {
            member: relay_member(above.key, &above.name, Vec::new(), Day(0)),
            level: above.level.into(),
            reach: Reach::Everywhere,
            url: String::new(),
            numbers: Vec::new(),
            above: None,
        };
        let known = self.relays.entry(above.key.relay()).or_insert(new);
        known.reach = Reach::Everywhere;
        known.url.clone_from(&above.url);
    }
}

fn within(relay: &Member, area: &AreaCode) -> bool {
    relay.areas.iter().any(|own| own.covers(area))
}

fn relay_member(key: PublicKey, name: &str, areas: Vec<AreaCode>, since: Day) -> Member {
    Member {
        key,
        // Nobody has this id: a relay is no person.
        person: PersonId(key.relay().0),
        name: name.to_owned(),
        role: Role::Relay,
        areas,
        device_number: 0,
        unit: None,
        n: 0,
        since,
        past: Vec::new(),
        been: BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests;
