//! The roster: people, devices, roles and areas, as signed orders say.
//!
//! Each order rests on the one before it, down to the root that enrolment pinned; in a tree of relays
//! others sign too, as far as their word reaches (`tree`). **An order that does not rest on what is
//! known changes nothing**; revocation beats grant, whatever comes first.

mod revoked;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use wangge_wire::{
    AreaCode, BatchHead, ChangeHash, Cover, CoverId, Day, DeviceId, DocId, Grant, Level, Order,
    OrderBody, PersonId, PublicKey, Recovery, RelayId, Role, Unit, packing,
};

use crate::key::verify_order;
pub use revoked::Revocation;
pub use tree::{KnownRelay, Reach};

/// What the orders say so far.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    root: Option<(PublicKey, String, Level)>,
    last: ChangeHashOrNone,
    members: BTreeMap<DeviceId, Member>,
    revoked: BTreeMap<DeviceId, Revocation>,
    devices: BTreeMap<PersonId, BTreeSet<DeviceId>>,
    covers: BTreeMap<CoverId, Cover>,
    /// Covers that ever named somebody as the substitute: what a scope asks at every document.
    stood_in: BTreeMap<PersonId, BTreeSet<CoverId>>,
    units: BTreeMap<DocId, Unit>,
    recovery: Option<Recovery>,
    /// The root, those above it, and those below any of them.
    relays: BTreeMap<RelayId, KnownRelay>,
    /// The relay that took a person in first.
    taken_in_by: BTreeMap<PersonId, RelayId>,
    /// Device numbers ever given out: tickets go on having them.
    numbers: BTreeSet<u32>,
}

type ChangeHashOrNone = Option<ChangeHash>;

/// A device and its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The device's key.
    pub key: PublicKey,
    /// Who holds it.
    pub person: PersonId,
    /// The person's name as colleagues read it.
    pub name: String,
    /// What the person works as.
    pub role: Role,
    /// The areas the person sees.
    pub areas: Vec<AreaCode>,
    /// The device part of ticket numbers.
    pub device_number: u32,
    /// The unit the person works for; none for those who work for areas.
    pub unit: Option<DocId>,
    /// The number of the grant; 0 for the one an enrolment made.
    pub n: u64,
    /// The day of the grant.
    pub since: Day,
    /// Areas the person had by earlier grants and has no more, each until a day.
    pub past: Vec<(AreaCode, Day)>,
    /// Every area the device was ever granted: whoever was told of it there must hear the rest.
    pub been: BTreeSet<AreaCode>,
}

/// Why an order was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadOrder {
    /// The signature is not the root's.
    #[error("an order with a wrong signature")]
    Signature,
    /// It rests on an order that is not the last one known here.
    #[error("an order that does not follow the last one")]
    OutOfOrder,
    /// The first order is not a root, or a second root came.
    #[error("an order without its root")]
    NoRoot,
    /// Its signer is no relay of the tree, or not any more.
    #[error("an order of an unknown relay")]
    UnknownRelay,
    /// What it says lies outside what its signer may order.
    #[error("an order past its signer's reach")]
    Reach,
}

impl Roster {
    /// Takes an order whose signature and predecessor are right.
    pub fn take(&mut self, order: &Order) -> Result<(), BadOrder> {
        let key = match (&self.root, &order.body) {
            (Some((key, ..)), body) if !matches!(body, OrderBody::Root { .. }) => *key,
            (None, OrderBody::Root { key, .. }) => *key,
            _ => return Err(BadOrder::NoRoot),
        };
        if !verify_order(&key, order) {
            return Err(BadOrder::Signature);
        }
        if order.rests_on != self.last.unwrap_or(ChangeHash([0; 32])) {
            return Err(BadOrder::OutOfOrder);
        }
        self.accept(order);
        self.last = Some(order.hash());
        Ok(())
    }

    /// Takes orders a device was sent: only those that concern its areas, so not each follows the last.
    ///
    /// The signature of each is still checked, and whether its signer's word reaches so far; that none
    /// was left out is the relay's word, which the digest of its log backs.
    pub fn take_some(&mut self, order: &Order) -> Result<(), BadOrder> {
        match (&self.root, &order.body) {
            (None, OrderBody::Root { key, .. }) if verify_order(key, order) => {}
            (Some((key, ..)), OrderBody::Root { key: again, .. }) if key == again => return Ok(()),
            (None, _) | (Some(_), OrderBody::Root { .. }) => return Err(BadOrder::NoRoot),
            (Some(_), _) => self.judge(order)?,
        }
        self.accept(order);
        if self.is_own(order) {
            self.last = Some(order.hash());
        }
        Ok(())
    }

    /// Returns whether the root signed the order.
    pub fn is_own(&self, order: &Order) -> bool {
        let root = self.root.as_ref();
        root.is_some_and(|(key, ..)| key.relay() == order.signer)
    }

    /// Returns the hash the next order rests on; zeros before the root.
    pub fn last(&self) -> ChangeHash {
        self.last.unwrap_or(ChangeHash([0; 32]))
    }

    /// Returns the root's key, name and level.
    pub fn root(&self) -> Option<(&PublicKey, &str, Level)> {
        self.root
            .as_ref()
            .map(|(key, name, level)| (key, &**name, *level))
    }

    /// Returns a device, or a relay below, that may take part.
    pub fn member(&self, device: &DeviceId) -> Option<&Member> {
        self.known(device)
            .filter(|_| !self.revoked.contains_key(device))
    }

    /// Returns the author of a batch, if what it wrote there counts: that of a revoked device does up to
    /// its last good batch, and where a relay of this tree received it before the revocation.
    ///
    /// Without that a relay would drop what another one numbered, and the two would differ for good.
    pub fn author(&self, head: &BatchHead, received_ms: Option<i64>) -> Option<&Member> {
        let revoked = self.revoked.get(&head.device);
        let counts = revoked.is_none_or(|revoked| revoked.is_good(head, received_ms));
        self.known(&head.device).filter(|_| counts)
    }

    /// Returns a device whether or not it still may: what it wrote before stays its own.
    pub fn known(&self, device: &DeviceId) -> Option<&Member> {
        self.members.get(device).or_else(|| self.below(device))
    }

    /// Returns every device ever granted, by id.
    pub fn members(&self) -> impl Iterator<Item = (&DeviceId, &Member)> {
        self.members.iter()
    }

    /// Returns whether the device may no longer take part.
    pub fn is_revoked(&self, device: &DeviceId) -> bool {
        self.revoked.contains_key(device)
    }

    /// Returns what the revocations of a device say; none for one that was not revoked.
    pub fn revocation(&self, device: &DeviceId) -> Option<&Revocation> {
        self.revoked.get(device)
    }

    /// Returns the members of a person's devices that may take part.
    pub fn devices_of(&self, person: &PersonId) -> impl Iterator<Item = &Member> {
        let devices = self.devices.get(person).into_iter().flatten();
        devices.filter_map(|device| {
            // A device that was granted anew to somebody else is not this person's any more.
            self.member(device).filter(|m| m.person == *person)
        })
    }

    /// Returns whether a device number was ever given out, as far as is known here.
    pub fn is_number_used(&self, number: u32) -> bool {
        self.numbers.contains(&number)
    }

    /// Returns every leave and cover, also those that are over.
    pub fn covers(&self) -> impl Iterator<Item = &Cover> {
        self.covers.values()
    }

    /// Returns a leave or cover.
    pub fn cover(&self, id: &CoverId) -> Option<&Cover> {
        self.covers.get(id)
    }

    /// Returns the covers by which the member stands in for somebody on a day, or did at most `late`
    /// days before.
    pub fn covering(&self, member: &Member, day: Day, late: u32) -> impl Iterator<Item = &Cover> {
        let ids = self.stood_in.get(&member.person).into_iter().flatten();
        let covers = ids.filter_map(|id| self.covers.get(id));
        // A relay reads for all who stand in below it.
        let for_all = (member.role == Role::Relay).then(|| self.covers.values());
        let covers = covers.chain(for_all.into_iter().flatten());
        let member = member.clone();
        covers.filter(move |cover| {
            cover.runs(day, late)
                && self
                    .standing_in(cover, &member)
                    .any(|role| self.lenders(cover, role).next().is_some())
        })
    }

    /// Returns the areas that covers add to the member's own on a day, or did at most `late` days
    /// before.
    ///
    /// **A cover lends what the absent person was granted, and never more**: not what they cover
    /// themselves, and nothing once their devices are revoked.
    pub fn lent(&self, member: &Member, day: Day, late: u32) -> impl Iterator<Item = &AreaCode> {
        let covers = self.covering(member, day, late);
        let member = member.clone();
        covers.flat_map(move |cover| {
            let roles: Vec<Role> = self.standing_in(cover, &member).collect();
            cover.areas.iter().filter(move |area| {
                let owns = |lender: &Member| lender.areas.iter().any(|own| own.covers(area));
                let lends = |role: &Role| self.lenders(cover, *role).any(owns);
                roles.iter().any(lends)
            })
        })
    }

    /// Returns the member's own areas and those that covers add on a day.
    pub fn areas_on(&self, member: &Member, day: Day) -> Vec<AreaCode> {
        let mut areas = member.areas.clone();
        for area in self.lent(member, day, 0) {
            if !areas.iter().any(|known| known.covers(area)) {
                areas.push(area.clone());
            }
        }
        areas
    }

    /// Returns the recovery key that homes are to be wrapped for; none where nobody ordered one.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_ref()
    }

    /// Returns every unit, also those that are closed.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// Returns a unit.
    pub fn unit(&self, id: &DocId) -> Option<&Unit> {
        self.units.get(id)
    }

    /// Returns the absent person's devices whose areas a substitute of this role may be lent.
    fn lenders(&self, cover: &Cover, substitute: Role) -> impl Iterator<Item = &Member> {
        let devices = self.devices_of(&cover.absent);
        devices.filter(move |absent| may_stand_in(substitute, absent.role))
    }

    fn accept(&mut self, order: &Order) {
        if let OrderBody::Grant(grant) = &order.body {
            self.taken_in_by.entry(grant.person).or_insert(order.signer);
            self.numbers.insert(grant.device_number);
        }
        self.apply(&order.body, order.at_ms);
        if let OrderBody::Below(below) = &order.body {
            self.note_giver(below, &order.signer);
        }
    }

    pub(crate) fn apply(&mut self, body: &OrderBody, at_ms: i64) {
        match body {
            OrderBody::Root { key, name, level } => {
                self.root = Some((*key, name.clone(), (*level).into()));
                self.take_root(*key, name, (*level).into());
            }
            OrderBody::Below(below) => self.take_below(below, Day::of_ms(at_ms)),
            OrderBody::Above(above) => self.take_above(above),
            OrderBody::Recovery(new) => {
                let stands = self.recovery.map(|known| (known.n, known.key));
                if stands < Some((new.n, new.key)) {
                    self.recovery = Some(*new);
                }
            }
            OrderBody::Grant(grant) => {
                let device = grant.device_key.device();
                self.devices.entry(grant.person).or_default().insert(device);
                let new = Member::of(grant, Day::of_ms(at_ms));
                let known = self.members.remove(&device);
                let standing = match known {
                    Some(known) if known.stands_before(&new) => known.after(new),
                    Some(known) => new.after(known),
                    None => new,
                };
                self.members.insert(device, standing);
            }
            OrderBody::Revoke {
                device,
                last_good_batch,
                lives,
            } => {
                let new = Revocation::of(*last_good_batch, lives.as_deref(), at_ms);
                match self.revoked.get_mut(device) {
                    Some(known) => known.and(new),
                    None => drop(self.revoked.insert(*device, new)),
                }
            }
            OrderBody::Cover(cover) => {
                let known = self.covers.get(&cover.id);
                // Two relays may have used one number: which stands must not hang on which came first.
                let new = (cover.n, packing::encode(cover));
                if known.is_none_or(|known| (known.n, packing::encode(known)) < new) {
                    self.covers.insert(cover.id, cover.clone());
                }
                if let Some(substitute) = cover.substitute {
                    self.stood_in
                        .entry(substitute)
                        .or_default()
                        .insert(cover.id);
                }
            }
            OrderBody::Unit(unit) => {
                let known = self.units.get(&unit.id);
                let new = (unit.n, packing::encode(unit));
                if known.is_none_or(|known| (known.n, packing::encode(known)) < new) {
                    self.units.insert(unit.id, unit.clone());
                }
            }
        }
    }
}

/// Returns whether somebody of one role may stand in for somebody of another: nobody sees a desk's
/// area by a cover who is at no desk, and units and auditors neither lend nor borrow.
pub fn may_stand_in(substitute: Role, absent: Role) -> bool {
    match absent {
        Role::Worker => substitute == Role::Worker || substitute.is_desk(),
        Role::Station | Role::Township | Role::County => substitute.is_desk(),
        Role::Unit | Role::Auditor | Role::Relay => false,
    }
}

impl Member {
    fn of(grant: &Grant, since: Day) -> Self {
        Self {
            key: grant.device_key,
            person: grant.person,
            name: grant.name.clone(),
            role: grant.role,
            areas: grant.areas.clone(),
            device_number: grant.device_number,
            unit: grant.unit,
            n: grant.n.unwrap_or(0),
            since,
            past: Vec::new(),
            been: grant.areas.iter().cloned().collect(),
        }
    }

    /// Returns whether this grant stands although the other one has come: two desks of different relays
    /// may have given out the same number, and everybody must end with the same one of them.
    fn stands_before(&self, other: &Member) -> bool {
        let rank = |member: &Member| (member.n, packing::encode(&member.grant()));
        rank(self) > rank(other)
    }

    /// Returns the grant that made the member.
    pub fn grant(&self) -> Grant {
        Grant {
            device_key: self.key,
            person: self.person,
            name: self.name.clone(),
            role: self.role,
            areas: self.areas.clone(),
            device_number: self.device_number,
            unit: self.unit,
            n: (self.n > 0).then_some(self.n),
        }
    }

    /// Returns this grant as the one that follows `before`: what it no longer has is remembered, since
    /// its holder may not know yet and goes on writing there.
    fn after(mut self, before: Member) -> Self {
        self.been.extend(before.been);
        if before.person == self.person {
            let had = before.areas.into_iter().map(|area| (area, self.since));
            self.past.extend(had.chain(before.past));
            let has = |area: &AreaCode| self.areas.iter().any(|own| own.covers(area));
            self.past = std::mem::take(&mut self.past)
                .into_iter()
                .filter(|(area, _)| !has(area))
                .collect();
            self.past.sort();
            self.past.dedup();
        }
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::key::KeyPair;
    use wangge_wire::order::LevelForm;

    pub(crate) fn relay() -> KeyPair {
        KeyPair::from_secret(&[9; 32])
    }

    pub(crate) fn grant(device: &KeyPair, role: Role, areas: &[&str]) -> OrderBody {
        OrderBody::Grant(Grant {
            device_key: device.public(),
            person: PersonId([device.public().0[0]; 16]),
            name: "李梅".into(),
            role,
            areas: areas
                .iter()
                .map(|code| AreaCode::parse(code).unwrap())
                .collect(),
            device_number: 1,
            unit: None,
            n: None,
        })
    }

    pub(crate) fn rooted() -> Roster {
        let key = relay();
        let body = OrderBody::Root {
            key: key.public(),
            name: "杨家镇".into(),
            level: LevelForm::Township,
        };
        let mut roster = Roster::default();
        roster
            .take(&key.sign_order(body, ChangeHash([0; 32]), 1))
            .unwrap();
        roster
    }

    #[test]
    fn a_granted_device_is_a_member_until_it_is_revoked() {
        let (relay, li) = (relay(), KeyPair::from_secret(&[1; 32]));
        let mut roster = rooted();
        let order = relay.sign_order(grant(&li, Role::Worker, &["511724"]), roster.last(), 2);
        roster.take(&order).unwrap();
        let device = li.public().device();
        assert_eq!(roster.member(&device).unwrap().role, Role::Worker);

        let body = OrderBody::Revoke {
            device,
            last_good_batch: 3,
            lives: None,
        };
        roster
            .take(&relay.sign_order(body, roster.last(), 3))
            .unwrap();
        assert!(roster.member(&device).is_none());
        assert!(roster.known(&device).is_some());

        let again = relay.sign_order(grant(&li, Role::Worker, &["511724"]), roster.last(), 4);
        roster.take(&again).unwrap();
        assert!(roster.member(&device).is_none(), "revocation beats grant");
    }

    #[test]
    fn a_revoked_device_counts_up_to_its_last_good_batch_and_for_what_was_received_before() {
        let (relay, li) = (relay(), KeyPair::from_secret(&[1; 32]));
        let mut roster = rooted();
        let order = relay.sign_order(grant(&li, Role::Worker, &["511724"]), roster.last(), 2);
        roster.take(&order).unwrap();
        let device = li.public().device();
        for (last_good_batch, at_ms) in [(5, 900), (3, 1_000)] {
            let body = OrderBody::Revoke {
                device,
                last_good_batch,
                lives: None,
            };
            let order = relay.sign_order(body, roster.last(), at_ms);
            roster.take(&order).unwrap();
        }
        let head = |number| BatchHead {
            suite: 1,
            device,
            nonce: wangge_wire::LifeNonce([0; 8]),
            number,
            previous: wangge_wire::BatchHash([0; 32]),
            roster: 0,
            claimed_at_ms: 0,
            area: AreaCode::parse("511724").unwrap(),
        };
        for (number, received_ms, counts) in [
            (3, None, true),
            (4, None, false),
            (4, Some(899), true),
            (4, Some(900), false),
        ] {
            let author = roster.author(&head(number), received_ms);
            assert_eq!(author.is_some(), counts, "{number} {received_ms:?}");
        }
    }

    #[test]
    fn of_two_orders_of_one_number_the_same_stands_whichever_comes_first() {
        let (relay, li) = (relay(), KeyPair::from_secret(&[1; 32]));
        let numbered = |areas: &[&str]| match grant(&li, Role::Worker, areas) {
            OrderBody::Grant(grant) => OrderBody::Grant(Grant {
                n: Some(1),
                ..grant
            }),
            other => other,
        };
        let unit = |name: &str| {
            OrderBody::Unit(Unit {
                id: DocId([5; 16]),
                n: 1,
                name: name.into(),
                area: AreaCode::parse("511724103").unwrap(),
                phone: String::new(),
                closed: false,
            })
        };
        let cover = |day: u32| {
            OrderBody::Cover(Cover {
                id: CoverId([6; 8]),
                n: 1,
                absent: PersonId([1; 16]),
                substitute: None,
                areas: Vec::new(),
                from: Day(day),
                until: Day(day + 1),
                note: String::new(),
            })
        };
        let pairs = [
            (numbered(&["511724103202001"]), numbered(&[])),
            (unit("民政办"), unit("社保所")),
            (cover(20_000), cover(20_009)),
        ];
        for (one, other) in pairs {
            let end = |bodies: [&OrderBody; 2]| {
                let mut roster = rooted();
                for body in bodies {
                    let order = relay.sign_order(body.clone(), roster.last(), 2);
                    roster.take_some(&order).unwrap();
                }
                let areas = roster.members().map(|(_, member)| member.areas.clone());
                let units: Vec<Unit> = roster.units().cloned().collect();
                let covers: Vec<Cover> = roster.covers().cloned().collect();
                (areas.collect::<Vec<_>>(), units, covers)
            };
            assert_eq!(end([&one, &other]), end([&other, &one]));
        }
    }

    #[test]
    fn an_order_with_a_wrong_signature_or_predecessor_changes_nothing() {
        let (evil, li) = (
            KeyPair::from_secret(&[66; 32]),
            KeyPair::from_secret(&[1; 32]),
        );
        let mut roster = rooted();
        let body = grant(&li, Role::County, &["511724"]);
        let forged = evil.sign_order(body.clone(), roster.last(), 2);
        assert_eq!(roster.take(&forged), Err(BadOrder::Signature));
        assert_eq!(roster.take_some(&forged), Err(BadOrder::UnknownRelay));
        let skipped = relay().sign_order(body, ChangeHash([4; 32]), 2);
        assert_eq!(roster.take(&skipped), Err(BadOrder::OutOfOrder));
        assert_eq!(roster.members().count(), 0);
    }

    #[test]
    fn nothing_is_taken_before_the_root() {
        let li = KeyPair::from_secret(&[1; 32]);
        let order = relay().sign_order(
            grant(&li, Role::Worker, &["511724"]),
            ChangeHash([0; 32]),
            2,
        );
        assert_eq!(Roster::default().take(&order), Err(BadOrder::NoRoot));
        assert_eq!(Roster::default().take_some(&order), Err(BadOrder::NoRoot));
    }
}
