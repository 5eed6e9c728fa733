//! The one function that says who may do what: deny by default.
//!
//! A scope is checked where the data is, on every push, pull and page, by this function alone. It is
//! pure, so that it can be tested against a second, naive one.

use wangge_wire::{AreaCode, Audience, Day, DeviceId};

use crate::roster::{Member, Roster};

/// How long after a cover's last day, or after an area or a document was given to somebody else, what
/// its holder made without knowing still takes its place: a village may be without signal. Nothing is
/// sent by it.
pub const COVER_LATE_DAYS_MAX: u32 = 30;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Receive a document's entries.
    Read,
    /// Add a change to a document.
    Write,
    /// Say where a new document lives.
    PlaceNew,
    /// Move a document that has a place.
    PlaceAgain,
    /// Invite people, see devices.
    Administer,
}

/// What it is done to: a document by its place, or an area.
#[derive(Debug, Clone, Copy)]
pub struct What<'a> {
    /// The area the document lives in.
    pub home: &'a AreaCode,
    /// Those who receive it beside.
    pub audiences: &'a [Audience],
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No: the device is not a member, or not any more.
    NotAMember,
    /// No: the document or area lies outside what the person sees.
    OutOfScope,
    /// No: the role does not do this.
    NotThisRole,
}

impl Decision {
    /// Returns whether the answer is yes.
    pub fn is_allowed(self) -> bool {
        self == Decision::Allowed
    }
}

/// Returns whether `who` may do `action` to `what` on a day, which decides what covers add.
pub fn allowed(
    roster: &Roster,
    who: &DeviceId,
    action: Action,
    what: &What<'_>,
    day: Day,
) -> Decision {
    match roster.member(who) {
        Some(member) => allowed_as(roster, member, action, what, day),
        None => Decision::NotAMember,
    }
}

/// Returns whether somebody whom [`Roster::author`] found may do `action` to `what` on a day.
pub fn allowed_as(
    roster: &Roster,
    member: &Member,
    action: Action,
    what: &What<'_>,
    day: Day,
) -> Decision {
    if !role_does(member, action) {
        return Decision::NotThisRole;
    }
    if in_scope(roster, member, action, what, day) {
        Decision::Allowed
    } else {
        Decision::OutOfScope
    }
}

/// Returns whether the member's areas, unit or person receive the document.
pub fn in_scope(
    roster: &Roster,
    member: &Member,
    action: Action,
    what: &What<'_>,
    day: Day,
) -> bool {
    use wangge_wire::Role::{Auditor, County, Relay, Station, Township, Unit, Worker};
    let by_area = |area: &AreaCode| {
        member.areas.iter().any(|own| own.covers(area))
            || (forgives(action) && had(member, area, day))
            || late_days(action)
                .is_some_and(|late| roster.lent(member, day, late).any(|own| own.covers(area)))
    };
    let (works_for_areas, unit) = match member.role {
        Worker | Station | Township | County | Relay => (true, None),
        Unit => (false, member.unit),
        Auditor => (false, None),
    };
    let named = |audience: &Audience| match audience {
        Audience::Area(area) => works_for_areas && by_area(area),
        Audience::Person(person) => {
            *person == member.person || (member.role == Relay && roster.works_below(member, person))
        }
        // A closed unit gets nothing more; what it did before may still arrive.
        Audience::Unit(named) => {
            let open = roster.unit(named).is_some_and(|unit| !unit.closed);
            let below = member.role == Relay
                && roster
                    .unit(named)
                    .is_some_and(|unit| member.areas.iter().any(|own| own.covers(&unit.area)));
            (unit == Some(*named) && (open || action == Action::Write)) || below
        }
    };
    (works_for_areas && by_area(what.home)) || what.audiences.iter().any(named)
}

/// Returns whether the member was granted the area until a short while ago.
fn had(member: &Member, area: &AreaCode, day: Day) -> bool {
    let mut past = member.past.iter();
    past.any(|(own, until)| {
        own.covers(area) && day.0 <= until.0.saturating_add(COVER_LATE_DAYS_MAX)
    })
}

/// Returns whether an action may come late from somebody who has been relieved: what they met and
/// wrote, never where a known document lives or who else may come.
fn forgives(action: Action) -> bool {
    matches!(action, Action::Write | Action::PlaceNew)
}

/// Returns how long after its last day a cover counts for an action; none if it never does.
fn late_days(action: Action) -> Option<u32> {
    match action {
        Action::Read => Some(0),
        Action::Write | Action::PlaceNew | Action::PlaceAgain => Some(COVER_LATE_DAYS_MAX),
        // Else a substitute could prolong the own cover.
        Action::Administer => None,
    }
}

fn role_does(member: &Member, action: Action) -> bool {
    use wangge_wire::Role::{Auditor, County, Relay, Station, Township, Unit, Worker};
    match (member.role, action) {
        (Auditor, _) => false,
        (Relay, action) => action == Action::Read,
        (_, Action::Read | Action::Write) => true,
        (Worker | Station | Township | County, Action::PlaceNew) => true,
        (Station | Township | County, Action::PlaceAgain | Action::Administer) => true,
        (Worker, Action::PlaceAgain | Action::Administer) => false,
        (Unit, Action::PlaceNew | Action::PlaceAgain | Action::Administer) => false,
    }
}

#[cfg(test)]
mod naive;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyPair;
    use crate::roster::tests::{grant, relay, rooted};
    use wangge_wire::{PersonId, Role};

    const DAY: Day = Day(20_000);

    fn with(role: Role, areas: &[&str]) -> (Roster, DeviceId, PersonId) {
        let device = KeyPair::from_secret(&[1; 32]);
        let mut roster = rooted();
        roster
            .take(&relay().sign_order(grant(&device, role, areas), roster.last(), 2))
            .unwrap();
        let id = device.public().device();
        let person = roster.member(&id).unwrap().person;
        (roster, id, person)
    }

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    #[test]
    fn a_worker_reads_and_writes_in_the_own_grids_only() {
        let (roster, li, _) = with(Role::Worker, &["511724103202001", "511724103202002"]);
        for (home, expected) in [
            ("511724103202001", Decision::Allowed),
            ("511724103202002", Decision::Allowed),
            ("511724103202003", Decision::OutOfScope),
            ("511724104202001", Decision::OutOfScope),
        ] {
            let home = area(home);
            let what = What {
                home: &home,
                audiences: &[],
            };
            assert_eq!(allowed(&roster, &li, Action::Read, &what, DAY), expected);
            assert_eq!(allowed(&roster, &li, Action::Write, &what, DAY), expected);
        }
    }

    #[test]
    fn a_person_among_the_audiences_receives_a_document_of_another_area() {
        let (roster, li, person) = with(Role::Worker, &["511724103202001"]);
        let home = area("511724104202001");
        let audiences = [Audience::Person(person)];
        let what = What {
            home: &home,
            audiences: &audiences,
        };
        assert_eq!(
            allowed(&roster, &li, Action::Read, &what, DAY),
            Decision::Allowed
        );
        assert_eq!(
            allowed(&roster, &li, Action::PlaceNew, &what, DAY),
            Decision::Allowed
        );
        assert_eq!(
            allowed(&roster, &li, Action::PlaceAgain, &what, DAY),
            Decision::NotThisRole
        );
    }

    #[test]
    fn the_default_is_no() {
        let (roster, li, _) = with(Role::Auditor, &["511724"]);
        let home = area("511724104202001");
        let what = What {
            home: &home,
            audiences: &[],
        };
        assert_eq!(
            allowed(&roster, &li, Action::Read, &what, DAY),
            Decision::NotThisRole
        );
        let stranger = DeviceId([8; 16]);
        assert_eq!(
            allowed(&roster, &stranger, Action::Read, &what, DAY),
            Decision::NotAMember
        );
        let (roster, unit, _) = with(Role::Unit, &["511724"]);
        assert_eq!(
            allowed(&roster, &unit, Action::Read, &what, DAY),
            Decision::OutOfScope
        );
    }

    /// Every role, action and relation of areas, against the table of `docs/protocol.md`.
    #[test]
    fn every_role_and_action_has_its_cell() {
        let roles = [
            Role::Worker,
            Role::Station,
            Role::Township,
            Role::County,
            Role::Unit,
            Role::Auditor,
        ];
        let actions = [
            Action::Read,
            Action::Write,
            Action::PlaceNew,
            Action::PlaceAgain,
            Action::Administer,
        ];
        let table = ["yyynn", "yyyyy", "yyyyy", "yyyyy", "ssnnn", "nnnnn"];
        for (role, row) in roles.into_iter().zip(table) {
            for (action, cell) in actions.into_iter().zip(row.chars()) {
                let (roster, device, _) = with(role, &["511724103"]);
                for (home, inside) in [("511724103202001", true), ("511724104202001", false)] {
                    let home = area(home);
                    let got = allowed(
                        &roster,
                        &device,
                        action,
                        &What {
                            home: &home,
                            audiences: &[],
                        },
                        DAY,
                    );
                    let expected = match (cell, inside) {
                        ('y', true) => Decision::Allowed,
                        ('y' | 's', _) => Decision::OutOfScope,
                        _ => Decision::NotThisRole,
                    };
                    assert_eq!(got, expected, "{role:?} {action:?} inside: {inside}");
                }
            }
        }
    }
}
