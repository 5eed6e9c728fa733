//! What a desk may order: leaves, covers, units, workers' areas and revocations, all within its own.
//!
//! **A desk orders only over what it works for itself**: no cover counts here, and what replaces an
//! order must be of areas the asker may order over before and after.

use std::collections::BTreeSet;

use wangge_wire::limits::GRANT_AREAS_MAX;
use wangge_wire::{AreaCode, Cover, Day, DeviceId, Grant, OrderBody, OrderRefusal, Role, Unit};

use crate::allow::{Action, What, allowed};
use crate::roster::{Member, Roster, may_stand_in};

/// What becomes of an order that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It may be signed.
    New,
    /// It stands already: an answer was lost on its way.
    Stands,
}

/// Returns whether `who` may have this order, and whether it stands already.
pub fn ask(
    roster: &Roster,
    who: &DeviceId,
    body: &OrderBody,
    day: Day,
) -> Result<Asked, OrderRefusal> {
    let may = |area: &AreaCode| {
        let what = What {
            home: area,
            audiences: &[],
        };
        allowed(roster, who, Action::Administer, &what, day).is_allowed()
    };
    match body {
        OrderBody::Cover(new) => cover(roster, new, &may),
        OrderBody::Unit(new) => unit(roster, new, &may),
        OrderBody::Grant(new) => areas(roster, new, &may),
        OrderBody::Revoke {
            device,
            last_good_batch,
            lives,
        } => match lives {
            None => revoke(roster, who, device, *last_good_batch, &may),
            // Which lives there are is the relay's to say.
            Some(_) => Err(OrderRefusal::Malformed),
        },
        OrderBody::Root { .. }
        | OrderBody::Below(_)
        | OrderBody::Above(_)
        | OrderBody::Recovery(_) => Err(OrderRefusal::NotAllowed),
    }
}

fn cover(
    roster: &Roster,
    new: &Cover,
    may: &dyn Fn(&AreaCode) -> bool,
) -> Result<Asked, OrderRefusal> {
    if !new.is_sound() {
        return Err(OrderRefusal::Malformed);
    }
    let known = roster.cover(&new.id);
    let before = known.map(|known| &*known.areas).unwrap_or_default();
    if !new.areas.iter().chain(before).all(may) {
        return Err(OrderRefusal::NotAllowed);
    }
    let lends = |area: &AreaCode| {
        let owns = |absent: &Member| absent.areas.iter().any(|own| own.covers(area));
        roster.devices_of(&new.absent).any(owns)
    };
    if !new.areas.iter().all(lends) {
        return Err(OrderRefusal::UnknownPerson);
    }
    let stands_in = |substitute| {
        roster.devices_of(&new.absent).any(|absent| {
            let mut devices = roster.devices_of(substitute);
            devices.any(|substitute| may_stand_in(substitute.role, absent.role))
        })
    };
    if !new.substitute.as_ref().is_none_or(stands_in) {
        return Err(OrderRefusal::UnknownPerson);
    }
    // Another person's leave under an old id would take the old one's cover with it.
    if known.is_some_and(|known| known.absent != new.absent) {
        return Err(OrderRefusal::Malformed);
    }
    follows(known, new, known.map(|known| known.n), new.n)
}

/// Gives a worker's device other areas; who the person is and what they work as stays as it was.
fn areas(
    roster: &Roster,
    new: &Grant,
    may: &dyn Fn(&AreaCode) -> bool,
) -> Result<Asked, OrderRefusal> {
    let device = new.device_key.device();
    let known = roster.member(&device).ok_or(OrderRefusal::UnknownPerson)?;
    if known.role != Role::Worker || !new.areas.iter().chain(&known.areas).all(may) {
        return Err(OrderRefusal::NotAllowed);
    }
    let same = Grant {
        areas: new.areas.clone(),
        n: new.n,
        ..known.grant()
    };
    let distinct: BTreeSet<&AreaCode> = new.areas.iter().collect();
    let sound = new.areas.len() <= GRANT_AREAS_MAX && distinct.len() == new.areas.len();
    if same != *new || !sound {
        return Err(OrderRefusal::Malformed);
    }
    let (before, n) = (known.grant(), new.n.unwrap_or(0));
    follows(Some(&before), new, Some(known.n), n)
}

/// Returns whether `who` may administer a device: it works for nothing, and never did, that `who` may not
/// order over. Nobody administers the own one.
pub fn may_administer(roster: &Roster, who: &DeviceId, device: &DeviceId, day: Day) -> bool {
    let may = |area: &AreaCode| {
        let what = What {
            home: area,
            audiences: &[],
        };
        allowed(roster, who, Action::Administer, &what, day).is_allowed()
    };
    administers(roster, who, device, &may)
}

fn administers(
    roster: &Roster,
    who: &DeviceId,
    device: &DeviceId,
    may: &dyn Fn(&AreaCode) -> bool,
) -> bool {
    let known = roster
        .known(device)
        .filter(|known| known.role != Role::Relay && who != device);
    known.is_some_and(|known| {
        let mut areas = known.areas.iter().chain(&known.been).peekable();
        areas.peek().is_some() && areas.all(may)
    })
}

/// Takes a device out. What it wrote before stays; a stricter revocation may follow one that stands.
fn revoke(
    roster: &Roster,
    who: &DeviceId,
    device: &DeviceId,
    last_good_batch: u64,
    may: &dyn Fn(&AreaCode) -> bool,
) -> Result<Asked, OrderRefusal> {
    let known = roster.known(device).ok_or(OrderRefusal::UnknownPerson)?;
    if known.role == Role::Relay || !administers(roster, who, device, may) {
        return Err(OrderRefusal::NotAllowed);
    }
    match roster.revocation(device) {
        Some(said) if said.last_good_batch <= last_good_batch => Ok(Asked::Stands),
        _ => Ok(Asked::New),
    }
}

fn unit(
    roster: &Roster,
    new: &Unit,
    may: &dyn Fn(&AreaCode) -> bool,
) -> Result<Asked, OrderRefusal> {
    if !new.is_sound() {
        return Err(OrderRefusal::Malformed);
    }
    let known = roster.unit(&new.id);
    let before = known.map(|known| &known.area);
    if ![Some(&new.area), before].into_iter().flatten().all(may) {
        return Err(OrderRefusal::NotAllowed);
    }
    let asked = follows(known, new, known.map(|known| known.n), new.n)?;
    let namesake = |other: &Unit| {
        other.id != new.id && other.name == new.name && other.area == new.area && !other.closed
    };
    if !new.closed && roster.units().any(namesake) {
        return Err(OrderRefusal::NameTaken);
    }
    Ok(asked)
}

fn follows<T: PartialEq>(
    known: Option<&T>,
    new: &T,
    last: Option<u64>,
    n: u64,
) -> Result<Asked, OrderRefusal> {
    if known == Some(new) {
        return Ok(Asked::Stands);
    }
    if n == last.map_or(0, |last| last.saturating_add(1)) {
        Ok(Asked::New)
    } else {
        Err(OrderRefusal::Changed)
    }
}
