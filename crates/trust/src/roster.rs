//! The roster: people, devices, roles and areas, as signed orders say.
//!
//! Each order rests on the one before it, down to the root that enrolment pinned. **An order that
//! does not rest on what is known changes nothing**; revocation beats grant, whatever comes first.

use std::collections::{BTreeMap, BTreeSet};

use wangge_wire::{
    AreaCode, ChangeHash, DeviceId, Grant, Level, Order, OrderBody, PersonId, PublicKey, Role,
};

use crate::key::verify_order;

/// What the orders say so far.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    root: Option<(PublicKey, String, Level)>,
    last: ChangeHashOrNone,
    members: BTreeMap<DeviceId, Member>,
    revoked: BTreeSet<DeviceId>,
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
        self.apply(&order.body);
        self.last = Some(order.hash());
        Ok(())
    }

    /// Takes orders a device was sent: only those that concern its areas, so not each follows the last.
    ///
    /// The signature of each is still checked; that none was left out is the relay's word, which the
    /// digest of its log backs.
    pub fn take_some(&mut self, order: &Order) -> Result<(), BadOrder> {
        match (&self.root, &order.body) {
            (None, OrderBody::Root { key, .. }) if verify_order(key, order) => {}
            (Some((key, ..)), OrderBody::Root { key: again, .. }) if key == again => return Ok(()),
            (None, _) | (Some(_), OrderBody::Root { .. }) => return Err(BadOrder::NoRoot),
            (Some((key, ..)), _) if verify_order(key, order) => {}
            (Some(_), _) => return Err(BadOrder::Signature),
        }
        self.apply(&order.body);
        self.last = Some(order.hash());
        Ok(())
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

    /// Returns a device that may take part.
    pub fn member(&self, device: &DeviceId) -> Option<&Member> {
        self.members
            .get(device)
            .filter(|_| !self.revoked.contains(device))
    }

    /// Returns a device whether or not it still may: what it wrote before stays its own.
    pub fn known(&self, device: &DeviceId) -> Option<&Member> {
        self.members.get(device)
    }

    /// Returns every device ever granted, by id.
    pub fn members(&self) -> impl Iterator<Item = (&DeviceId, &Member)> {
        self.members.iter()
    }

    /// Returns whether the device may no longer take part.
    pub fn is_revoked(&self, device: &DeviceId) -> bool {
        self.revoked.contains(device)
    }

    fn apply(&mut self, body: &OrderBody) {
        match body {
            OrderBody::Root { key, name, level } => {
                self.root = Some((*key, name.clone(), (*level).into()));
            }
            OrderBody::Grant(grant) => {
                self.members
                    .insert(grant.device_key.device(), Member::from(grant));
            }
            OrderBody::Revoke { device, .. } => {
                self.revoked.insert(*device);
            }
        }
    }
}

impl From<&Grant> for Member {
    fn from(grant: &Grant) -> Self {
        Self {
            key: grant.device_key,
            person: grant.person,
            name: grant.name.clone(),
            role: grant.role,
            areas: grant.areas.clone(),
            device_number: grant.device_number,
        }
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
    fn an_order_with_a_wrong_signature_or_predecessor_changes_nothing() {
        let (evil, li) = (
            KeyPair::from_secret(&[66; 32]),
            KeyPair::from_secret(&[1; 32]),
        );
        let mut roster = rooted();
        let body = grant(&li, Role::County, &["511724"]);
        let forged = evil.sign_order(body.clone(), roster.last(), 2);
        assert_eq!(roster.take(&forged), Err(BadOrder::Signature));
        assert_eq!(roster.take_some(&forged), Err(BadOrder::Signature));
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
