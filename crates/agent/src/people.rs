//! People 人员 and units 部门: who works here, who is on leave, who stands in, which offices there are.
//!
//! All of it is what the relay signed. **A desk asks, the relay orders**: a wish without a link is no
//! order and is not kept.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_model::limits::{LINE_CHARS_MAX, at_most};
use wangge_model::text;
use wangge_trust::Member;
use wangge_trust::roster::may_stand_in;
use wangge_wire::{AreaCode, Cover, CoverId, Day, DocId, OrderBody, PersonId, Role, Unit};

use crate::error::{AgentError, Sought};
use crate::replica::Replica;
use crate::visits::date;

/// Somebody who works here.
#[derive(Debug, Clone, Serialize)]
pub struct PersonView {
    /// The person, 32 hex digits.
    pub person: PersonId,
    /// The name as colleagues read it.
    pub name: String,
    /// `worker station township county unit auditor`.
    pub role: Role,
    /// The areas of the grants.
    pub areas: Vec<AreaCode>,
    /// The unit the person works for, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether it is the person at this device.
    pub me: bool,
    /// Leaves and covers of this person that are not over, the first to begin first.
    pub leaves: Vec<LeaveView>,
    /// Those this person stands in for today.
    pub covering: Vec<Covering>,
}

/// A leave, with or without somebody who stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaveView {
    /// 16 hex digits.
    pub id: CoverId,
    /// Who is away.
    pub absent: PersonId,
    /// Their name.
    pub absent_name: String,
    /// Who stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substitute: Option<PersonId>,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substitute_name: Option<String>,
    /// The areas it is about.
    pub areas: Vec<AreaCode>,
    /// The first day, `2026-12-01`.
    pub from: String,
    /// The last day.
    pub until: String,
    /// `now coming over`.
    pub state: &'static str,
    /// What colleagues should know.
    pub note: String,
}

/// Somebody this person stands in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covering {
    /// Who is away.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// The areas.
    pub areas: Vec<AreaCode>,
    /// The last day, `2026-12-01`.
    pub until: String,
}

/// A leave or cover as typed.
#[derive(Debug, Clone, Default)]
pub struct LeaveInput {
    /// Who is away: a name or a person's id.
    pub absent: String,
    /// Who stands in; none for a leave.
    pub substitute: Option<String>,
    /// The areas; all of the absent person's if there is none.
    pub areas: Vec<String>,
    /// The first day; today if it is not said.
    pub from: Option<String>,
    /// The last day; that of the leave known already if it is not said.
    pub until: Option<String>,
    /// What colleagues should know; never why somebody is away.
    pub note: String,
}

/// A unit as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitView {
    /// The unit, 32 hex digits.
    pub id: DocId,
    /// What people call it.
    pub name: String,
    /// The township or county it serves.
    pub area: AreaCode,
    /// How to reach it.
    pub phone: String,
    /// Whether it handles nothing any more.
    pub closed: bool,
    /// People whose devices this roster shows to work for it: none: it works from paper slips.
    pub people: Vec<String>,
}

impl Replica {
    /// Returns everybody this device knows to work here, by role and name.
    pub fn people_list(&self) -> Vec<PersonView> {
        let mut people: BTreeMap<PersonId, PersonView> = BTreeMap::new();
        for (_, member) in self.working() {
            let view = people
                .entry(member.person)
                .or_insert_with(|| self.person_view(member));
            for area in &member.areas {
                if !view.areas.contains(area) {
                    view.areas.push(area.clone());
                }
            }
        }
        let mut people: Vec<PersonView> = people.into_values().collect();
        people.sort_by(|a, b| (a.role, &a.name, a.person).cmp(&(b.role, &b.name, b.person)));
        people
    }

    /// Returns the leaves and covers that are not over, the first to begin first.
    pub fn leaves(&self) -> Vec<LeaveView> {
        let mut covers: Vec<&Cover> = self.roster.covers().filter(|c| !self.is_over(c)).collect();
        covers.sort_by_key(|cover| (cover.from, cover.until, cover.id));
        covers
            .into_iter()
            .map(|cover| self.leave_view(cover))
            .collect()
    }

    /// Returns those this person stands in for today.
    pub fn covering(&self) -> Vec<Covering> {
        self.member()
            .map_or_else(Vec::new, |me| self.covering_of(me))
    }

    /// Returns whether this person stands in for another today.
    pub fn stands_in_for(&self, person: &PersonId) -> bool {
        self.covering()
            .iter()
            .any(|covering| covering.person == *person)
    }

    /// Says that somebody is on leave; nobody stands in by it.
    pub async fn leave(&mut self, input: LeaveInput) -> Result<LeaveView, AgentError> {
        let input = LeaveInput {
            substitute: None,
            ..input
        };
        self.order_leave(&input).await
    }

    /// Lets somebody stand in for another, for areas and days.
    pub async fn cover(&mut self, input: LeaveInput) -> Result<LeaveView, AgentError> {
        if input.substitute.is_none() {
            return Err(bad("by", "", "who stands in"));
        }
        self.order_leave(&input).await
    }

    /// Ends every leave and cover of a person; from now on they are over. Returns those it ended.
    pub async fn end_leave(&mut self, absent: &str) -> Result<Vec<LeaveView>, AgentError> {
        let absent = self.person_called(absent)?;
        let day = self.day();
        let running = |cover: &&Cover| cover.absent == absent && !self.is_over(cover);
        let covers: Vec<Cover> = self.roster.covers().filter(running).cloned().collect();
        for cover in &covers {
            // One that has begun keeps its first day: what was done in it stays done.
            let until = if cover.from < day { day } else { cover.from }.before();
            let ended = Cover {
                n: cover.n.saturating_add(1),
                until,
                ..cover.clone()
            };
            self.order(OrderBody::Cover(ended)).await?;
        }
        let ended = covers
            .iter()
            .filter_map(|cover| self.roster.cover(&cover.id));
        Ok(ended.map(|cover| self.leave_view(cover)).collect())
    }

    /// Returns the units this device knows, the closed ones last.
    pub fn units(&self) -> Vec<UnitView> {
        let mut units: Vec<UnitView> = self
            .roster
            .units()
            .map(|unit| self.unit_view(unit))
            .collect();
        units.sort_by(|a, b| (a.closed, &a.area, &a.name).cmp(&(b.closed, &b.area, &b.name)));
        units
    }

    /// Adds a unit under a township or county.
    pub async fn add_unit(
        &mut self,
        name: &str,
        area: &str,
        phone: &str,
    ) -> Result<UnitView, AgentError> {
        let (name, phone) = (text::tidy(name), text::tidy(phone));
        if name.is_empty() {
            return Err(bad("unit_name", "", "what people call the unit"));
        }
        at_most("unit_name", &name, LINE_CHARS_MAX)?;
        let unit = Unit {
            id: self.new_doc()?,
            n: 0,
            name,
            area: area_code("unit_area", area)?,
            phone,
            closed: false,
        };
        if unit.area.level() > wangge_wire::Level::Township {
            return Err(bad("unit_area", area, "the code of a township or county"));
        }
        let view = self.unit_view(&unit);
        self.order(OrderBody::Unit(unit)).await?;
        Ok(view)
    }

    /// Closes a unit: nothing is given to it any more, and its devices receive nothing new.
    pub async fn close_unit(&mut self, name: &str) -> Result<UnitView, AgentError> {
        let id = self.unit_named(name)?;
        let known = self.roster.unit(&id).cloned();
        let known = known.ok_or_else(|| not_found(Sought::Unit, name))?;
        let closed = Unit {
            n: known.n.saturating_add(1),
            closed: true,
            ..known
        };
        let view = self.unit_view(&closed);
        self.order(OrderBody::Unit(closed)).await?;
        Ok(view)
    }

    /// Returns the open unit a person means: its name or id, also as events write it.
    ///
    /// A unit of other areas is known where its people wrote on a ticket; by its name it is meant only
    /// where no unit of here has that name.
    pub fn unit_named(&self, typed: &str) -> Result<DocId, AgentError> {
        let typed = typed.trim();
        let bare = typed.strip_prefix("unit:").unwrap_or(typed);
        let id = bare.parse::<DocId>().ok();
        let open = self.roster.units().filter(|unit| !unit.closed);
        let fits = |unit: &&Unit| unit.name == typed || Some(unit.id) == id;
        let mut fitting: Vec<&Unit> = open.filter(fits).collect();
        let own = self.areas();
        let is_near = |unit: &&Unit| {
            own.iter()
                .any(|own| own.covers(&unit.area) || unit.area.covers(own))
        };
        if fitting.iter().any(is_near) {
            fitting.retain(is_near);
        }
        let rows = fitting.into_iter();
        one_of(
            Sought::Unit,
            typed,
            rows.map(|unit| (unit.id, unit.area.to_string())),
        )
    }

    /// Returns a unit's name; its id where the roster does not say.
    pub fn unit_name(&self, id: &DocId) -> String {
        let known = self.roster.unit(id);
        known.map_or_else(|| id.to_string(), |unit| unit.name.clone())
    }

    /// Returns the person who works here whom somebody means: a name or a person's id.
    pub fn person_called(&self, typed: &str) -> Result<PersonId, AgentError> {
        let typed = typed.trim();
        let id = typed.parse::<PersonId>().ok();
        let people = self.people_list();
        let fits = |view: &&PersonView| view.name == typed || Some(view.person) == id;
        let line = |view: &PersonView| {
            let areas: Vec<&str> = view.areas.iter().map(AreaCode::as_str).collect();
            (
                view.person,
                format!("{} {}", view.role.as_str(), areas.join(" ")),
            )
        };
        one_of(Sought::Person, typed, people.iter().filter(fits).map(line))
    }

    async fn order_leave(&mut self, input: &LeaveInput) -> Result<LeaveView, AgentError> {
        let absent = self.person_called(&input.absent)?;
        let substitute = match &input.substitute {
            Some(name) => Some(self.stand_in(name, &absent)?),
            None => None,
        };
        at_most("note", &input.note, LINE_CHARS_MAX)?;
        let known = self
            .roster
            .covers()
            .find(|c| c.absent == absent && !self.is_over(c));
        let (from, until) = match (&input.from, &input.until, known) {
            // Who stands in is usually said after the leave is known.
            (None, None, Some(known)) => (known.from.max(self.day()), known.until),
            (from, Some(until), _) => {
                let first = from
                    .as_deref()
                    .map(|typed| day("from_day", typed))
                    .transpose()?;
                (first.unwrap_or(self.day()), day("until_day", until)?)
            }
            (_, None, _) => return Err(bad("until_day", "", "the last day, like 2026-11-23")),
        };
        if until < from {
            return Err(bad(
                "until_day",
                input.until.as_deref().unwrap_or_default(),
                "a day not before the first",
            ));
        }
        let cover = Cover {
            id: CoverId(self.machine.random()?),
            n: 0,
            absent,
            substitute,
            areas: self.areas_lent(&absent, &input.areas)?,
            from,
            until,
            note: text::line(&input.note),
        };
        self.order(OrderBody::Cover(cover.clone())).await?;
        Ok(self.leave_view(&cover))
    }

    /// Returns who is to stand in, if they may: nobody sees a desk's area who is at no desk.
    fn stand_in(&self, name: &str, absent: &PersonId) -> Result<PersonId, AgentError> {
        let person = self.person_called(name)?;
        let may = self.roster.devices_of(absent).any(|absent| {
            let mut devices = self.roster.devices_of(&person);
            devices.any(|device| may_stand_in(device.role, absent.role))
        });
        if person == *absent || !may {
            return Err(bad("by", name, "a colleague of the same kind of work"));
        }
        Ok(person)
    }

    fn areas_lent(&self, absent: &PersonId, typed: &[String]) -> Result<Vec<AreaCode>, AgentError> {
        let mut own: Vec<AreaCode> = Vec::new();
        for member in self.roster.devices_of(absent) {
            own.extend(
                member
                    .areas
                    .iter()
                    .filter(|area| !own.contains(area))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        if typed.is_empty() {
            return Ok(own);
        }
        let mut areas = Vec::new();
        for typed in typed {
            let area = area_code("cover_area", typed)?;
            if !own.iter().any(|own| own.covers(&area)) {
                return Err(bad(
                    "cover_area",
                    typed,
                    "an area of the person who is away",
                ));
            }
            areas.push(area);
        }
        Ok(areas)
    }

    /// Returns the members that may take part.
    fn working(&self) -> impl Iterator<Item = (&wangge_wire::DeviceId, &Member)> {
        let members = self.roster.members();
        members.filter(|(device, _)| !self.roster.is_revoked(device))
    }

    fn person_view(&self, member: &Member) -> PersonView {
        let leaves = self.leaves().into_iter();
        PersonView {
            person: member.person,
            name: member.name.clone(),
            role: member.role,
            areas: Vec::new(),
            unit: member.unit.map(|unit| self.unit_name(&unit)),
            me: member.person == self.person(),
            leaves: leaves
                .filter(|leave| leave.absent == member.person)
                .collect(),
            covering: self.covering_of(member),
        }
    }

    fn covering_of(&self, member: &Member) -> Vec<Covering> {
        let covers = self.roster.covering(member, self.day(), 0);
        covers
            .map(|cover| Covering {
                person: cover.absent,
                name: self.name_of(&cover.absent),
                areas: cover.areas.clone(),
                until: shown(cover.until),
            })
            .collect()
    }

    fn is_over(&self, cover: &Cover) -> bool {
        cover.until < self.day() || cover.until < cover.from
    }

    fn leave_view(&self, cover: &Cover) -> LeaveView {
        let state = if self.is_over(cover) {
            "over"
        } else if cover.from > self.day() {
            "coming"
        } else {
            "now"
        };
        LeaveView {
            id: cover.id,
            absent: cover.absent,
            absent_name: self.name_of(&cover.absent),
            substitute: cover.substitute,
            substitute_name: cover.substitute.map(|person| self.name_of(&person)),
            areas: cover.areas.clone(),
            from: shown(cover.from),
            until: shown(cover.until),
            state,
            note: cover.note.clone(),
        }
    }

    fn unit_view(&self, unit: &Unit) -> UnitView {
        let staff = self
            .working()
            .filter(|(_, member)| member.unit == Some(unit.id));
        let mut people: Vec<String> = staff.map(|(_, member)| member.name.clone()).collect();
        people.sort();
        people.dedup();
        UnitView {
            id: unit.id,
            name: unit.name.clone(),
            area: unit.area.clone(),
            phone: unit.phone.clone(),
            closed: unit.closed,
            people,
        }
    }
}

/// Returns the only one of those a name fits.
fn one_of<T: Copy + ToString>(
    what: Sought,
    typed: &str,
    fitting: impl Iterator<Item = (T, String)>,
) -> Result<T, AgentError> {
    let fitting: Vec<(T, String)> = fitting.collect();
    match fitting.as_slice() {
        [(only, _)] => Ok(*only),
        [] => Err(not_found(what, typed)),
        several => Err(AgentError::Ambiguous {
            name: typed.to_owned(),
            candidates: several
                .iter()
                .map(|(id, line)| (id.to_string(), line.clone()))
                .collect(),
        }),
    }
}

fn not_found(what: Sought, typed: &str) -> AgentError {
    AgentError::NotFound {
        what,
        name: typed.to_owned(),
    }
}

fn bad(field: &'static str, value: &str, expected: &'static str) -> AgentError {
    AgentError::BadValue {
        field,
        value: value.to_owned(),
        expected,
    }
}

fn area_code(field: &'static str, typed: &str) -> Result<AreaCode, AgentError> {
    AreaCode::parse(&text::half_width(typed.trim()))
        .map_err(|_| bad(field, typed, "a code of 6, 9, 12 or 15 digits"))
}

fn day(field: &'static str, typed: &str) -> Result<Day, AgentError> {
    let days = (date(field, typed)? - chrono::NaiveDate::default()).num_days();
    let days = u32::try_from(days);
    days.map(Day)
        .map_err(|_| bad(field, typed, "a day like 2026-11-23"))
}

pub(crate) fn shown(day: Day) -> String {
    let date = chrono::NaiveDate::default().checked_add_days(chrono::Days::new(day.0.into()));
    date.map(|date| date.to_string()).unwrap_or_default()
}
