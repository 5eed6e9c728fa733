//! A second, naive model of who may do what, with covers and units, and many random rosters.
//!
//! It keeps the orders as they came and reads all of them at each question. **It shares no code with
//! the roster**, only its words.

use wangge_wire::packing;
use wangge_wire::{
    AreaCode, Audience, Cover, CoverId, Day, DeviceId, DocId, Grant, OrderBody, PersonId,
    PublicKey, Role, Unit,
};

use super::{Action, COVER_LATE_DAYS_MAX, Decision, What, allowed};
use crate::roster::Roster;

const AREAS: [&str; 8] = [
    "511724",
    "511724103",
    "511724104",
    "511724103202",
    "511724103203",
    "511724103202001",
    "511724103202002",
    "511724104202001",
];
const ROLES: [Role; 9] = [
    Role::Worker,
    Role::Worker,
    Role::Worker,
    Role::Worker,
    Role::Station,
    Role::Township,
    Role::County,
    Role::Unit,
    Role::Auditor,
];
const ACTIONS: [Action; 5] = [
    Action::Read,
    Action::Write,
    Action::PlaceNew,
    Action::PlaceAgain,
    Action::Administer,
];

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }

    fn byte(&mut self, end: u64) -> u8 {
        u8::try_from(self.below(end)).unwrap()
    }

    fn area(&mut self) -> AreaCode {
        AreaCode::parse(self.one(&AREAS)).unwrap()
    }

    fn areas(&mut self) -> Vec<AreaCode> {
        (0..=self.below(3)).map(|_| self.area()).collect()
    }

    fn day(&mut self) -> Day {
        Day(u32::try_from(100 + self.below(40)).unwrap())
    }

    fn moment(&mut self) -> i64 {
        i64::from(self.day().0 - 60) * 24 * 60 * 60 * 1000
    }

    fn person(&mut self) -> PersonId {
        PersonId([self.byte(4); 16])
    }

    fn order(&mut self) -> OrderBody {
        match self.below(10) {
            0..4 => {
                let key = PublicKey([self.byte(6); 32]);
                OrderBody::Grant(Grant {
                    device_key: key,
                    person: self.person(),
                    name: String::new(),
                    role: self.one(&ROLES),
                    areas: self.areas(),
                    device_number: 1,
                    unit: (self.below(2) == 0).then(|| DocId([self.byte(2); 16])),
                    n: None,
                })
            }
            4 => OrderBody::Revoke {
                device: PublicKey([self.byte(6); 32]).device(),
                last_good_batch: 0,
                lives: None,
            },
            5..9 => {
                let from = self.day();
                OrderBody::Cover(Cover {
                    id: CoverId([self.byte(4); 8]),
                    n: self.below(3),
                    absent: self.person(),
                    substitute: (self.below(6) > 0).then(|| self.person()),
                    areas: self.areas(),
                    from,
                    // Now and then one that was ended before it began.
                    until: Day(from.0 - 2 + u32::from(self.byte(50))),
                    note: String::new(),
                })
            }
            _ => OrderBody::Unit(Unit {
                id: DocId([self.byte(2); 16]),
                n: self.below(3),
                name: String::new(),
                area: self.area(),
                phone: String::new(),
                closed: self.below(3) == 0,
            }),
        }
    }

    fn audience(&mut self) -> Audience {
        match self.below(3) {
            0 => Audience::Area(self.area()),
            1 => Audience::Person(self.person()),
            _ => Audience::Unit(DocId([self.byte(2); 16])),
        }
    }
}

/// The orders as they came.
struct Naive(Vec<(OrderBody, i64)>);

impl Naive {
    fn grant(&self, device: &DeviceId) -> Option<&Grant> {
        let mut last = None;
        for (order, _) in &self.0 {
            match order {
                OrderBody::Grant(grant) if grant.device_key.device() == *device => {
                    last = Some(grant);
                }
                _ => {}
            }
        }
        let revoked = |(order, _): &(OrderBody, i64)| matches!(order, OrderBody::Revoke { device: other, .. } if other == device);
        last.filter(|_| !self.0.iter().any(revoked))
    }

    fn people(&self) -> Vec<&Grant> {
        (0..6)
            .filter_map(|n| self.grant(&PublicKey([n; 32]).device()))
            .collect()
    }

    /// The order that stands of each id: the greatest n, and of several the greatest bytes.
    fn covers(&self) -> Vec<&Cover> {
        let mut standing: Vec<&Cover> = Vec::new();
        for (order, _) in &self.0 {
            let OrderBody::Cover(cover) = order else {
                continue;
            };
            match standing.iter().position(|known| known.id == cover.id) {
                Some(at)
                    if (standing[at].n, packing::encode(standing[at]))
                        >= (cover.n, packing::encode(cover)) => {}
                Some(at) => standing[at] = cover,
                None => standing.push(cover),
            }
        }
        standing
    }

    fn unit_is_open(&self, id: DocId) -> bool {
        let mut standing: Option<&Unit> = None;
        for (order, _) in &self.0 {
            if let OrderBody::Unit(unit) = order
                && unit.id == id
                && standing.is_none_or(|known| {
                    (known.n, packing::encode(known)) < (unit.n, packing::encode(unit))
                })
            {
                standing = Some(unit);
            }
        }
        standing.is_some_and(|unit| !unit.closed)
    }

    fn works_in(&self, me: &Grant, area: &AreaCode, action: Action, day: Day) -> bool {
        let inside =
            |outer: &AreaCode, inner: &AreaCode| inner.as_str().starts_with(outer.as_str());
        if me.areas.iter().any(|own| inside(own, area)) {
            return true;
        }
        let writes = matches!(action, Action::Write | Action::PlaceNew);
        if writes && self.had(me, area, day) {
            return true;
        }
        let desk = |role| matches!(role, Role::Station | Role::Township | Role::County);
        for cover in self.covers() {
            let late = match action {
                Action::Administer => continue,
                Action::Read => 0,
                _ => COVER_LATE_DAYS_MAX,
            };
            let runs =
                cover.from <= cover.until && (cover.from.0..=cover.until.0 + late).contains(&day.0);
            if cover.substitute != Some(me.person) || !runs {
                continue;
            }
            for lent in cover.areas.iter().filter(|lent| inside(lent, area)) {
                for absent in self.people() {
                    let fits = match (me.role, absent.role) {
                        (mine, Role::Worker) => mine == Role::Worker || desk(mine),
                        (mine, other) => desk(mine) && desk(other),
                    };
                    if absent.person == cover.absent
                        && fits
                        && absent.areas.iter().any(|own| inside(own, lent))
                    {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Whether an earlier grant of this device to this person had the area, and one that followed
    /// without a break of the person took it away at most so many days ago.
    fn had(&self, me: &Grant, area: &AreaCode, day: Day) -> bool {
        let grants: Vec<(&Grant, i64)> = self
            .0
            .iter()
            .filter_map(|(order, at_ms)| match order {
                OrderBody::Grant(grant) if grant.device_key == me.device_key => {
                    Some((grant, *at_ms))
                }
                _ => None,
            })
            .collect();
        let others = grants
            .iter()
            .rposition(|(grant, _)| grant.person != me.person);
        let own = &grants[others.map_or(0, |at| at + 1)..];
        own.windows(2).enumerate().any(|(index, pair)| {
            let before = &pair[0].0.areas;
            let lost = before.iter().filter(|had| {
                area.as_str().starts_with(had.as_str())
                    && own[index + 1..].iter().all(|(later, _)| {
                        !later
                            .areas
                            .iter()
                            .any(|has| had.as_str().starts_with(has.as_str()))
                    })
            });
            lost.count() > 0 && day.0 <= Day::of_ms(pair[1].1).0 + COVER_LATE_DAYS_MAX
        })
    }

    fn allowed(&self, who: &DeviceId, action: Action, what: &What<'_>, day: Day) -> bool {
        let Some(me) = self.grant(who) else {
            return false;
        };
        let may = match action {
            Action::Read | Action::Write => me.role != Role::Auditor,
            Action::PlaceNew => !matches!(me.role, Role::Auditor | Role::Unit),
            _ => matches!(me.role, Role::Station | Role::Township | Role::County),
        };
        let for_areas = !matches!(me.role, Role::Unit | Role::Auditor);
        let mut receives = for_areas && self.works_in(me, what.home, action, day);
        for audience in what.audiences {
            receives |= match audience {
                Audience::Area(area) => for_areas && self.works_in(me, area, action, day),
                Audience::Person(person) => *person == me.person,
                Audience::Unit(unit) => {
                    let late = action == Action::Write;
                    me.role == Role::Unit
                        && me.unit == Some(*unit)
                        && (late || self.unit_is_open(*unit))
                }
            };
        }
        may && receives
    }
}

/// Rosters of one of the tests below, and what each of them is asked.
const ROSTERS: u64 = 2_500;
const QUESTIONS: u64 = 100;

/// Asks the roster and the naive model the same, a quarter of a million times.
fn ask_both(seed: u64) {
    let mut chance = Chance(seed);
    let (mut asked, mut yes, mut by_cover, mut no_role) = (0, 0, 0, 0);
    for _ in 0..ROSTERS {
        // A desk numbers the grants of a device one after the other.
        let numbered = |order, n| match order {
            OrderBody::Grant(grant) => OrderBody::Grant(Grant {
                n: Some(n),
                ..grant
            }),
            other => other,
        };
        let orders: Vec<(OrderBody, i64)> = (0..10 + chance.below(24))
            .map(|n| (numbered(chance.order(), n), chance.moment()))
            .collect();
        let (mut roster, mut plain) = (Roster::default(), Roster::default());
        for (order, at_ms) in &orders {
            roster.apply(order, *at_ms);
            if !matches!(order, OrderBody::Cover(_)) {
                plain.apply(order, *at_ms);
            }
        }
        let naive = Naive(orders);
        for _ in 0..QUESTIONS {
            let who = PublicKey([chance.byte(6); 32]).device();
            let (action, home, day) = (chance.one(&ACTIONS), chance.area(), chance.day());
            let audiences: Vec<Audience> =
                (0..chance.below(3)).map(|_| chance.audience()).collect();
            let what = What {
                home: &home,
                audiences: &audiences,
            };
            let decision = allowed(&roster, &who, action, &what, day);
            let got = decision.is_allowed();
            let expected = naive.allowed(&who, action, &what, day);
            assert_eq!(
                got, expected,
                "{who} {action:?} {what:?} {day:?} {:?}",
                naive.0
            );
            asked += 1;
            yes += u32::from(got);
            no_role += u32::from(decision == Decision::NotThisRole);
            by_cover += u32::from(got && !allowed(&plain, &who, action, &what, day).is_allowed());
        }
    }
    // A test that hardly ever meets a cover, or a role that may not, would prove nothing of them.
    assert!(
        asked == 250_000 && yes > 25_000 && by_cover > 500 && no_role > 25_000,
        "{asked} {yes} {by_cover} {no_role}"
    );
}

// A million in four parts, which a machine with several cores asks side by side.

#[test]
fn the_first_quarter_of_a_million_questions_has_the_answer_of_the_naive_model() {
    ask_both(0x5eed_cafe_f00d);
}

#[test]
fn the_second_quarter_of_a_million_questions_has_the_answer_of_the_naive_model() {
    ask_both(0x0bad_5eed_0002);
}

#[test]
fn the_third_quarter_of_a_million_questions_has_the_answer_of_the_naive_model() {
    ask_both(0x0bad_5eed_0003);
}

#[test]
fn the_fourth_quarter_of_a_million_questions_has_the_answer_of_the_naive_model() {
    ask_both(0x0bad_5eed_0004);
}

/// What orders about covers and units come to does not depend on the order they come in.
#[test]
fn covers_and_units_stand_the_same_in_whatever_order_they_come() {
    let mut chance = Chance(77);
    for _ in 0..500 {
        let mut orders: Vec<OrderBody> = Vec::new();
        while orders.len() < 8 {
            let order = chance.order();
            let same = |known: &OrderBody| match (known, &order) {
                (OrderBody::Cover(known), OrderBody::Cover(new)) => {
                    (known.id, known.n) == (new.id, new.n)
                }
                (OrderBody::Unit(known), OrderBody::Unit(new)) => {
                    (known.id, known.n) == (new.id, new.n)
                }
                _ => false,
            };
            // A relay never gives one number twice.
            let kept = matches!(order, OrderBody::Cover(_) | OrderBody::Unit(_));
            if kept && !orders.iter().any(same) {
                orders.push(order);
            }
        }
        let (mut forth, mut back) = (Roster::default(), Roster::default());
        orders.iter().for_each(|order| forth.apply(order, 0));
        orders.iter().rev().for_each(|order| back.apply(order, 0));
        assert!(forth.covers().eq(back.covers()));
        assert!(forth.units().eq(back.units()));
    }
}
