//! One step on a ticket: what was typed becomes an event, judged before it is written.
//!
//! **Whoever has several areas, or stands in for somebody, need not say for which they act**: the
//! first way that is legal is taken, and if none is, the plainest way's refusal is told.

use std::collections::{BTreeMap, BTreeSet};

use wangge_model::clock::china_day;
use wangge_model::kind;
use wangge_model::report::Urgency;
use wangge_model::ticket::document as ticket;
use wangge_model::ticket::{EventId, Handler, Kind, Progress, Refusal, TicketEvent};
use wangge_store::Draft;
use wangge_wire::{AreaCode, DocId, Level, Role};

use super::{Folded, TicketDetail, event_put, words};
use crate::error::{AgentError, Sought};
use crate::replica::Replica;
use crate::visits::date;

/// A step on a ticket, as typed; each kind takes what it needs.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The kind of event: `submit accept assign …`.
    pub kind: String,
    /// Assign: a person's name or id, an area's code. Escalate: `township`, `county` or a code; the
    /// next level up if it is not said. Hand over: a person.
    pub to: Option<String>,
    /// Assign: who works along 协办.
    pub with: Vec<String>,
    /// Assign: who is told and does nothing 抄告.
    pub copies: Vec<String>,
    /// The unit whose paper slip is typed.
    pub for_unit: Option<String>,
    /// What was done, said or remarked.
    pub text: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Done: `substantive interim procedural` or 实质 阶段 程序.
    pub done_kind: Option<String>,
    /// Answer: by which way the resident was told.
    pub how: Option<String>,
    /// Answer: who was told. Decline: where the resident is guided to.
    pub whom: Option<String>,
    /// Suspend: until which day. Interim finish: when it is looked at again. `2026-12-01`.
    pub on: Option<String>,
    /// Extend, grant: until the end of which day, `2026-12-01`.
    pub due: Option<String>,
    /// Follow-up: 5 to 1, or the words.
    pub grade: Option<String>,
    /// Supervise: `ordinary yellow red` or 普通 黄牌 红牌.
    pub card: Option<String>,
    /// Merge: the ticket that goes on.
    pub into: Option<String>,
    /// Settle: ids or beginnings of ids of the contested events, the one that stands first.
    /// Retract: the event; this person's last one if it is not said.
    pub names: Vec<String>,
}

impl Replica {
    /// Takes a step on a ticket.
    pub fn ticket_step(&mut self, name: &str, step: &Step) -> Result<TicketDetail, AgentError> {
        let id = self.name_ticket(name)?;
        let folded = self.folded(&id)?;
        let event = self.step_event(&id, step, &folded)?;
        let given = event.to.iter().chain(&event.with).chain(&event.copies);
        self.keep_from_subject(&folded.ticket, given)?;
        let told = self.told(&event, &folded.state.progress);
        let mut puts = vec![event_put(&event)?];
        puts.extend(self.contact_for(&id, &event, &folded.ticket)?);
        let draft = Draft {
            doc: id,
            kind: kind::TICKET,
            owner: folded.ticket.household,
            puts,
            place: self.place_for(&id, &folded.ticket, &told)?,
            urgent: folded.ticket.urgency == Urgency::P0,
        };
        self.record(&[draft])?;
        self.ticket(&id.to_string())
    }

    /// Returns the kinds of steps that this person can take on a ticket as it stands, for whoever was refused
    /// one; remarks and taking back are always there and not among them.
    pub fn possible_steps(&self, name: &str) -> Result<Vec<&'static str>, AgentError> {
        let folded = self.folded(&self.name_ticket(name)?)?;
        let is_asked = folded.state.progress.extension.is_some();
        let settles = !folded.state.contested.is_empty();
        let mut possible = Vec::new();
        for kind in Kind::ALL {
            let told = match kind {
                Kind::Comment | Kind::Retract | Kind::HandledOnSpot => false,
                // What they lack is judged before whether there is anything to do.
                Kind::Extend => !is_asked,
                Kind::Settle => settles,
                _ => true,
            };
            if !told {
                continue;
            }
            let event = self.event(kind, &folded.ticket, Some(&folded.state))?;
            match self.legal(event, &folded) {
                Ok(_) | Err(AgentError::Ticket(Refusal::Missing { .. })) => {
                    possible.push(kind.as_str());
                }
                Err(AgentError::Ticket(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(possible)
    }

    /// Returns the event of a step, which is legal here and now.
    pub(crate) fn step_event(
        &self,
        id: &DocId,
        step: &Step,
        folded: &Folded,
    ) -> Result<TicketEvent, AgentError> {
        self.legal(self.written(id, step, folded)?, folded)
    }

    /// Returns who must have the ticket after a step.
    ///
    /// Two desks may have placed it at one time, and one place won: whoever lost it is brought back
    /// with the next step of a desk. The desks above see its home already.
    fn told(&self, event: &TicketEvent, progress: &Progress) -> Vec<Handler> {
        let named = event.to.iter().chain(&event.with).chain(&event.copies);
        let named = named.filter(|_| event.kind.known() != Some(Kind::Escalate));
        let held = progress
            .handlers
            .iter()
            .chain(&progress.helpers)
            .chain(&progress.copies)
            .filter(|_| self.role().is_desk());
        named.chain(held).cloned().collect()
    }

    /// Returns the event that was typed, for the first own area that covers the matter.
    fn written(&self, id: &DocId, step: &Step, folded: &Folded) -> Result<TicketEvent, AgentError> {
        let kind = words::step_kind(&step.kind)?;
        let mut event = self.event(kind, &folded.ticket, Some(&folded.state))?;
        event.to = self.step_target(kind, step, folded)?;
        event.with = self.handlers(&step.with)?;
        event.copies = self.handlers(&step.copies)?;
        event.for_unit = step
            .for_unit
            .as_deref()
            .map(|unit| self.unit(unit))
            .transpose()?;
        event.text = words::said(step.text.as_ref());
        event.reason = words::said(step.reason.as_ref());
        event.how = words::said(step.how.as_ref());
        event.whom = words::said(step.whom.as_ref());
        event.done_kind = step
            .done_kind
            .as_deref()
            .map(words::done_kind)
            .transpose()?;
        event.on = match step.on.as_deref() {
            Some(day) => Some(date("on", day)?.to_string()),
            None => None,
        };
        event.grade = step.grade.as_deref().map(words::grade).transpose()?;
        event.card = step.card.as_deref().map(words::card).transpose()?;
        event.into = step
            .into
            .as_deref()
            .map(|into| self.merge_target(id, into))
            .transpose()?;
        event.names = match (kind, step.names.as_slice()) {
            (Kind::Retract, []) => self.last_own(folded).into_iter().collect(),
            (_, names) => names
                .iter()
                .map(|name| event_named(name, &folded.events))
                .collect::<Result<Vec<_>, _>>()?,
        };
        event.due = match step.due.as_deref() {
            Some(day) => Some(self.due_day(day)?),
            None => {
                let progress = Some(&folded.state.progress);
                // A level has its time from when the ticket reached it.
                let reached = match kind {
                    Kind::Accept => self.ticket_clock(id)?.and_then(|clock| clock.level),
                    _ => None,
                };
                let from_ms = reached.map_or(event.stamp.at_ms, |level| level.from_ms);
                // A content resident takes nothing up again.
                let is_content = kind == Kind::FollowUp && event.grade > Some(2);
                if is_content {
                    None
                } else {
                    self.due_for(kind, folded.ticket.urgency, from_ms, progress)?
                }
            }
        };
        self.is_within_first_limit(&event, folded)?;
        lengths(&event)?;
        Ok(event)
    }

    /// Returns the last moment of a day that is to come, or of today: what is due on a day that is over
    /// would be overdue the moment it is given.
    fn due_day(&self, typed: &str) -> Result<i64, AgentError> {
        let due_ms = words::end_of_day("due", typed)?;
        if due_ms < self.now_ms() {
            return Err(AgentError::BadValue {
                field: "due",
                value: typed.to_owned(),
                expected: "today or a day to come, like 2026-12-23",
            });
        }
        Ok(due_ms)
    }

    /// Returns the event in the first form that is legal: for another of the own areas, for the unit
    /// the ticket is with, or in the place of somebody.
    fn legal(&self, event: TicketEvent, folded: &Folded) -> Result<TicketEvent, AgentError> {
        let opened = ticket::opened(&folded.ticket)
            .ok_or_else(|| AgentError::Internal("ticket without first-asked".into()))?;
        let refusal = match folded.state.check(&opened, &event) {
            Ok(()) => return Ok(event),
            Err(refusal) => refusal,
        };
        let unit = match folded.state.progress.handler() {
            Some(Handler::Unit(unit)) if event.role == Role::Unit => Some(*unit),
            _ => None,
        };
        let others = self.answers_as().into_iter().map(Some).collect::<Vec<_>>();
        for area in self.areas().iter() {
            for instead_of in std::iter::once(None).chain(others.iter().copied()) {
                let tried = TicketEvent {
                    area: area.clone(),
                    for_unit: event.for_unit.or(unit),
                    instead_of: instead_of.filter(|other| *other != event.by),
                    ..event.clone()
                };
                if folded.state.check(&opened, &tried).is_ok() {
                    return Ok(tried);
                }
            }
        }
        Err(AgentError::Ticket(refusal))
    }

    fn step_target(
        &self,
        kind: Kind,
        step: &Step,
        folded: &Folded,
    ) -> Result<Option<Handler>, AgentError> {
        match (kind, step.to.as_deref()) {
            (Kind::Escalate, to) => self.level_above(to, folded).map(Some),
            (Kind::HandOver, Some(to)) => {
                self.person_called(to).map(|who| Some(Handler::Person(who)))
            }
            (_, to) => to.map(|to| self.handler(to)).transpose(),
        }
    }

    /// Returns the area of the level a ticket is raised to: the named one, or the next above the desk
    /// it is with.
    fn level_above(&self, typed: Option<&str>, folded: &Folded) -> Result<Handler, AgentError> {
        let bad = |value: &str| AgentError::BadValue {
            field: "to",
            value: value.to_owned(),
            expected: "township, county or the area's code",
        };
        let matter = folded.ticket.area.as_ref().ok_or_else(|| bad(""))?;
        let level = match typed.map(str::trim).filter(|typed| !typed.is_empty()) {
            Some("township" | "乡镇" | "镇" | "乡" | "街道") => Level::Township,
            Some("county" | "县") => Level::County,
            Some(code) => {
                let area = AreaCode::parse(&wangge_model::text::half_width(code));
                return area.map(Handler::Area).map_err(|_| bad(code));
            }
            None => {
                let desk = folded.state.progress.desk().map(|desk| desk.area.level());
                match desk {
                    Some(Level::Township | Level::County) => Level::County,
                    _ => Level::Township,
                }
            }
        };
        let area = matter
            .at(level)
            .ok_or_else(|| bad(typed.unwrap_or_default()))?;
        Ok(Handler::Area(area))
    }

    /// Returns the ticket that goes on: the named one, or the one that goes on for it. It must be
    /// open and another one, so that somebody still owes a step.
    fn merge_target(&self, id: &DocId, into: &str) -> Result<DocId, AgentError> {
        let mut target = self.name_ticket(into)?;
        let mut passed = BTreeSet::from([*id]);
        loop {
            let progress = self.folded(&target)?.state.progress;
            let is_new = passed.insert(target);
            match progress.merged_into {
                Some(next) if is_new => target = next,
                None if is_new && progress.status.is_open() => return Ok(target),
                _ => {
                    return Err(AgentError::BadValue {
                        field: "into",
                        value: into.to_owned(),
                        expected: "another ticket that is open",
                    });
                }
            }
        }
    }

    /// Returns an error where more time is asked for or given than the first limit again.
    fn is_within_first_limit(
        &self,
        event: &TicketEvent,
        folded: &Folded,
    ) -> Result<(), AgentError> {
        let asks = matches!(event.kind.known(), Some(Kind::Extend | Kind::Grant));
        let (Some(due), true) = (event.due, asks) else {
            return Ok(());
        };
        let progress = Some(&folded.state.progress);
        let urgency = folded.ticket.urgency;
        let most = self.due_for(Kind::Extend, urgency, event.stamp.at_ms, progress)?;
        match most {
            // Days are asked for: the whole of the last one counts.
            Some(most) if china_day(due) > china_day(most) => Err(AgentError::BadValue {
                field: "due",
                value: china_day(due).to_string(),
                expected: "at most as long again as the first time",
            }),
            _ => Ok(()),
        }
    }

    /// Returns this person's last event that is applied.
    fn last_own(&self, folded: &Folded) -> Option<EventId> {
        let mine = self.myself();
        folded
            .state
            .history
            .iter()
            .rev()
            .filter(|id| !folded.state.parked.contains_key(id))
            .find(|id| {
                let event = folded.events.get(id);
                event.is_some_and(|event| mine.contains(&event.by))
            })
            .copied()
    }
}

fn lengths(event: &TicketEvent) -> Result<(), AgentError> {
    for (field, text) in [("text", &event.text), ("reason", &event.reason)] {
        words::in_note(field, text.as_deref().unwrap_or_default())?;
    }
    for (field, text) in [("how", &event.how), ("whom", &event.whom)] {
        words::in_line(field, text.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn event_named(name: &str, events: &BTreeMap<EventId, TicketEvent>) -> Result<EventId, AgentError> {
    let fitting: Vec<EventId> = events
        .keys()
        .filter(|id| id.to_string().starts_with(name))
        .copied()
        .collect();
    match fitting.as_slice() {
        [only] if name.len() >= 4 => Ok(*only),
        _ => Err(AgentError::NotFound {
            what: Sought::Step,
            name: name.to_owned(),
        }),
    }
}
