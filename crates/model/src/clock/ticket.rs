//! The two clocks of a ticket: the promise to the resident, and the level's own.
//!
//! The promise runs from when the worker saved the ticket, through everything. The level's clock runs
//! from when the ticket **reached** that level, as the relay's receipts say, and stands still while
//! the ticket is suspended or the county has paused its clocks: nobody is blamed for hours without
//! signal, and no resident is told that their clock did not run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ClockFlag, Lamp, Limit, Span, day_start_ms, due, flag, lamp, missing_year};
use crate::report::Urgency;
use crate::settings::Settings;
use crate::ticket::{EventId, Kind, TicketEvent, TicketState, is_bad};

/// The clocks of a ticket at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TicketClock {
    /// The promise to the resident; none before it is submitted.
    pub promise: Option<Lamp>,
    /// The clock of whoever has it now; none where nobody owes a step.
    pub level: Option<Lamp>,
    /// Whether an extension was granted; there is one.
    pub extended: bool,
    /// What a person must know before they trust the clocks.
    pub warnings: Vec<Warning>,
}

/// Why a clock may not be what it seems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "warning", rename_all = "snake_case")]
pub enum Warning {
    /// The holidays of this year are not known: Monday to Friday are taken as working days.
    NoTable {
        /// The year.
        year: i32,
    },
    /// The clock of the device that made this event was wrong; its arrival is taken instead, where
    /// it is known.
    Clock {
        /// The event.
        event: EventId,
        /// What is wrong.
        flag: ClockFlag,
    },
}

/// Returns the clocks of a ticket.
///
/// `arrived` says when events reached the relay this device knows, by the relay's clock; an event
/// that is not in it counts from its own stamp.
pub fn ticket_clock(
    settings: &Settings,
    urgency: Urgency,
    events: &BTreeMap<EventId, TicketEvent>,
    state: &TicketState,
    arrived: &BTreeMap<EventId, i64>,
    now_ms: i64,
) -> TicketClock {
    let mut course = Course::default();
    for id in &state.history {
        if let Some(event) = events.get(id).filter(|_| !state.parked.contains_key(id)) {
            // What its writer's clock said at the step before, where they made that too.
            let own = |parent: &TicketEvent| {
                (parent.by, parent.recorded_by) == (event.by, event.recorded_by)
            };
            let parents = event.after.iter().filter_map(|parent| events.get(parent));
            let before = parents.filter(|parent| own(parent)).map(moment_of).max();
            course.take(*id, event, (arrived.get(id).copied(), before));
        }
    }
    course.read(settings, urgency, now_ms)
}

/// What the standing events say about time.
#[derive(Default)]
struct Course {
    saved_ms: Option<i64>,
    promised_ms: Option<i64>,
    /// When the level that has it received it; none while nobody owes a step.
    reached_ms: Option<i64>,
    accepted: bool,
    level_due_ms: Option<i64>,
    stopped_ms: Option<i64>,
    asked: Option<Asked>,
    granted: Option<Asked>,
    suspended: Option<Span>,
    suspensions: Vec<Span>,
    flagged: Vec<Warning>,
}

/// Until when an extension was asked or granted; none for as long as the first limit.
#[derive(Clone, Copy)]
struct Asked(Option<i64>);

impl Course {
    fn take(
        &mut self,
        id: EventId,
        event: &TicketEvent,
        (arrived, before): (Option<i64>, Option<i64>),
    ) {
        let Some(kind) = event.kind.known() else {
            return;
        };
        let (at, is_right) = self.moment(id, event, (arrived, before));
        // What a wrong clock counted from itself promises nothing.
        let due = event.due.filter(|_| is_right);
        let reached = arrived.unwrap_or(at);
        match kind {
            Kind::Submit => {
                self.saved_ms.get_or_insert(at);
                self.promised_ms = self.promised_ms.or(due);
                self.comes_to(reached, false);
            }
            Kind::HandledOnSpot => {
                self.saved_ms.get_or_insert(at);
                self.stop(at);
            }
            Kind::Escalate => self.comes_to(reached, false),
            Kind::Accept => {
                self.accepted = true;
                self.level_due_ms = due.or(self.level_due_ms);
            }
            Kind::Assign => self.level_due_ms = due.or(self.level_due_ms),
            Kind::AskBack => self.reached_ms = None,
            Kind::Done | Kind::Decline | Kind::Withdraw | Kind::Merge | Kind::Close => {
                self.stop(at);
            }
            Kind::SendBack => self.stopped_ms = None,
            Kind::Reopen | Kind::FollowUp if kind == Kind::Reopen || is_bad(event) => {
                // A new promise: the old one was kept or broken long ago.
                (self.saved_ms, self.promised_ms, self.granted) = (Some(at), due, None);
                self.stopped_ms = None;
                self.comes_to(reached, true);
            }
            Kind::Suspend => {
                let until = event.on.as_deref().and_then(|day| day.parse().ok());
                self.suspended = Some(Span {
                    from_ms: at,
                    until_ms: until.map_or(i64::MAX, day_start_ms),
                });
            }
            Kind::Resume => self.resume(at),
            Kind::Extend => self.asked = Some(Asked(due)),
            Kind::Refuse => self.asked = None,
            Kind::Grant => {
                let asked = self.asked.take().unwrap_or(Asked(None));
                self.granted.get_or_insert(Asked(due.or(asked.0)));
            }
            _ => {}
        }
    }

    /// Returns when an event was made, as far as its device's clock can be believed, and whether it
    /// can.
    fn moment(
        &mut self,
        id: EventId,
        event: &TicketEvent,
        (arrived, before): (Option<i64>, Option<i64>),
    ) -> (i64, bool) {
        let at = moment_of(event);
        let Some(flag) = flag(at, arrived, before) else {
            return (at, true);
        };
        self.flagged.push(Warning::Clock { event: id, flag });
        match flag {
            // Which of the two clocks was wrong nobody knows.
            ClockFlag::Back => (at, true),
            ClockFlag::Unset | ClockFlag::Ahead => (arrived.unwrap_or(at), false),
        }
    }

    fn comes_to(&mut self, reached_ms: i64, accepted: bool) {
        self.reached_ms = Some(reached_ms);
        self.accepted = accepted;
        self.level_due_ms = None;
        // Whoever suspended it no longer has it.
        self.resume(reached_ms);
    }

    fn stop(&mut self, at: i64) {
        self.stopped_ms.get_or_insert(at);
        self.resume(at);
    }

    fn resume(&mut self, at: i64) {
        if let Some(span) = self.suspended.take() {
            self.suspensions.push(Span {
                until_ms: span.until_ms.min(at),
                ..span
            });
        }
    }

    fn read(self, settings: &Settings, urgency: Urgency, now_ms: i64) -> TicketClock {
        let limits = settings.limits(urgency);
        let mut warnings = self.flagged.clone();
        let until_ms = self.stopped_ms.unwrap_or(now_ms);
        let mut read = |limit: Limit, from: i64, set: Option<i64>, pauses: &[Span]| {
            let first = set.unwrap_or_else(|| due(limit, from).at_ms);
            let over = self.granted.map_or(first, |asked| {
                let most = limit.unit().after(first, limit.length_ms());
                asked.0.map_or(most, |until| until.clamp(first, most))
            });
            if limit.unit() == super::Unit::WorkingDays {
                let year = missing_year(super::china_day(from), super::china_day(over));
                let warning = year.map(|year| Warning::NoTable { year });
                warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
            }
            let clock = (from, over);
            Lamp {
                stopped_ms: self.stopped_ms,
                ..lamp(limit.unit(), clock, pauses, until_ms, settings.warn_percent)
            }
        };
        let promise = self
            .saved_ms
            .map(|saved| read(limits.done, saved, self.promised_ms, &[]));
        let mut pauses = self.suspensions.clone();
        pauses.extend(self.suspended);
        pauses.extend(settings.pauses.iter().map(|pause| pause.span()));
        let level = self.reached_ms.filter(|_| self.stopped_ms.is_none());
        let level = level.map(|reached| match self.accepted {
            false => read(limits.accept, reached, self.level_due_ms, &pauses),
            true => read(limits.done, reached, self.level_due_ms, &pauses),
        });
        TicketClock {
            promise,
            level,
            extended: self.granted.is_some(),
            warnings,
        }
    }
}

/// Returns what the clock of an event's device said, corrected by what a relay said of that clock.
fn moment_of(event: &TicketEvent) -> i64 {
    let offset = event.stamp.offset_ms.unwrap_or_default();
    event.stamp.at_ms.saturating_add(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY_MS, HOUR_MS, Light, Unit};
    use crate::ticket::{Opened, Stamp, fold};
    use wangge_wire::{AreaCode, PersonId, Role};

    /// The events of a ticket, each after the one before, all standing.
    struct Case {
        settings: Settings,
        urgency: Urgency,
        events: BTreeMap<EventId, TicketEvent>,
        history: Vec<EventId>,
        arrived: BTreeMap<EventId, i64>,
    }

    impl Case {
        fn new(urgency: Urgency) -> Self {
            Self {
                settings: Settings::default(),
                urgency,
                events: BTreeMap::new(),
                history: Vec::new(),
                arrived: BTreeMap::new(),
            }
        }

        fn step(mut self, kind: Kind, at: &str) -> Self {
            self.add(kind, ms(at), |_| {});
            self
        }

        fn with(mut self, kind: Kind, at: &str, say: impl FnOnce(&mut TicketEvent)) -> Self {
            self.add(kind, ms(at), say);
            self
        }

        /// The last event reached the relay then.
        fn arrives(mut self, at: &str) -> Self {
            let last = *self.history.last().unwrap();
            self.arrived.insert(last, ms(at));
            self
        }

        fn add(&mut self, kind: Kind, at_ms: i64, say: impl FnOnce(&mut TicketEvent)) {
            let area = AreaCode::parse("511724101201").unwrap();
            let stamp = Stamp {
                at_ms,
                offset_ms: None,
            };
            let mut event = TicketEvent::new(kind, PersonId([1; 16]), Role::Station, area, stamp);
            event.after = self.history.last().copied().into_iter().collect();
            say(&mut event);
            let (id, _) = event.write().unwrap();
            self.events.insert(id, event);
            self.history.push(id);
        }

        fn at(&self, now: &str) -> TicketClock {
            let area = AreaCode::parse("511724101201001").unwrap();
            let mut state = fold(&Opened::new(PersonId([1; 16]), area), &BTreeMap::new());
            state.history.clone_from(&self.history);
            ticket_clock(
                &self.settings,
                self.urgency,
                &self.events,
                &state,
                &self.arrived,
                ms(now),
            )
        }
    }

    fn ms(text: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(&format!("{text}:00+08:00"))
            .unwrap()
            .timestamp_millis()
    }

    fn due_ms(lamp: Option<Lamp>) -> i64 {
        lamp.unwrap().due_ms
    }

    #[test]
    fn a_draft_has_no_clock() {
        let clock = Case::new(Urgency::P1).at("2026-11-23T09:00");
        assert_eq!((clock.promise, clock.level), (None, None));
    }

    #[test]
    fn the_promise_runs_from_when_it_was_saved_and_the_levels_from_when_it_arrived() {
        let case = Case::new(Urgency::P2)
            .step(Kind::Submit, "2026-11-16T09:00")
            .arrives("2026-11-18T16:00");
        let clock = case.at("2026-11-18T16:00");
        assert_eq!(due_ms(clock.promise), ms("2026-11-23T09:00"));
        assert_eq!(due_ms(clock.level), ms("2026-11-19T16:00"));
        assert_eq!(clock.level.unwrap().light, Light::Green);
        let accepted = case.step(Kind::Accept, "2026-11-19T10:00");
        let clock = accepted.at("2026-11-19T10:00");
        assert_eq!(
            due_ms(clock.level),
            ms("2026-11-25T16:00"),
            "five working days"
        );
    }

    #[test]
    fn a_level_above_has_its_own_time_from_when_it_got_the_ticket() {
        let clock = Case::new(Urgency::P2)
            .step(Kind::Submit, "2026-11-16T09:00")
            .step(Kind::Accept, "2026-11-16T10:00")
            .step(Kind::Escalate, "2026-11-19T09:00")
            .arrives("2026-11-19T11:00")
            .at("2026-11-19T12:00");
        assert_eq!(due_ms(clock.level), ms("2026-11-20T11:00"));
        assert_eq!(due_ms(clock.promise), ms("2026-11-23T09:00"));
    }

    #[test]
    fn a_time_that_an_event_carries_stands() {
        let clock = Case::new(Urgency::P2)
            .with(Kind::Submit, "2026-11-16T09:00", |event| {
                event.due = Some(ms("2026-11-30T18:00"));
            })
            .step(Kind::Accept, "2026-11-16T10:00")
            .with(Kind::Assign, "2026-11-16T11:00", |event| {
                event.due = Some(ms("2026-11-20T18:00"));
            })
            .at("2026-11-17T09:00");
        assert_eq!(due_ms(clock.promise), ms("2026-11-30T18:00"));
        assert_eq!(due_ms(clock.level), ms("2026-11-20T18:00"));
    }

    #[test]
    fn one_extension_is_granted_and_at_most_the_first_limit() {
        let asked = Case::new(Urgency::P2)
            .step(Kind::Submit, "2026-11-16T09:00")
            .step(Kind::Accept, "2026-11-16T09:00")
            .with(Kind::Extend, "2026-11-17T09:00", |event| {
                event.due = Some(ms("2027-06-30T09:00"));
            });
        assert!(
            !asked.at("2026-11-18T09:00").extended,
            "asked is not granted"
        );
        let granted = asked.step(Kind::Grant, "2026-11-18T09:00");
        let clock = granted.at("2026-11-18T09:00");
        let later = granted.at("2026-11-27T10:00");
        assert!(clock.extended);
        assert_eq!(due_ms(clock.level), ms("2026-11-30T09:00"), "five and five");
        assert_eq!(due_ms(clock.promise), ms("2026-11-30T09:00"));
        let again = granted
            .step(Kind::Extend, "2026-11-27T09:00")
            .step(Kind::Grant, "2026-11-27T10:00");
        assert_eq!(again.at("2026-11-27T10:00"), later);
    }

    #[test]
    fn a_refused_extension_moves_nothing() {
        let clock = Case::new(Urgency::P2)
            .step(Kind::Submit, "2026-11-16T09:00")
            .step(Kind::Extend, "2026-11-17T09:00")
            .step(Kind::Refuse, "2026-11-17T10:00")
            .at("2026-11-18T09:00");
        assert!(!clock.extended);
        assert_eq!(due_ms(clock.promise), ms("2026-11-23T09:00"));
    }

    #[test]
    fn while_suspended_the_levels_clock_stands_still_and_the_promise_runs() {
        let case = Case::new(Urgency::P2)
            .step(Kind::Submit, "2026-11-16T09:00")
            .step(Kind::Accept, "2026-11-16T09:00")
            .with(Kind::Suspend, "2026-11-17T09:00", |event| {
                event.on = Some("2026-11-20".to_owned());
            });
        let clock = case.at("2026-11-18T09:00");
        assert!(clock.level.unwrap().paused && !clock.promise.unwrap().paused);
        assert_eq!(due_ms(clock.promise), ms("2026-11-23T09:00"));
        // Nobody resumed: on its day it runs again by itself.
        let after = case.at("2026-11-20T09:00");
        assert!(!after.level.unwrap().paused);
        assert_eq!(due_ms(after.level), ms("2026-11-26T00:00"));
        let resumed = case.step(Kind::Resume, "2026-11-18T09:00");
        assert_eq!(
            due_ms(resumed.at("2026-11-20T09:00").level),
            ms("2026-11-24T09:00")
        );
    }

    #[test]
    fn a_county_pauses_the_levels_clocks_in_an_emergency_and_no_promise() {
        let mut case = Case::new(Urgency::P1).step(Kind::Submit, "2026-11-16T09:00");
        case.settings
            .set("pauses", "2026-11-16..2026-11-17 洪水")
            .unwrap();
        let clock = case.at("2026-11-17T20:00");
        let level = clock.level.unwrap();
        assert!(level.paused);
        assert_eq!((level.percent, level.unit), (0, Unit::Hours));
        assert_eq!(clock.promise.unwrap().light, Light::Yellow);
        assert_eq!(
            due_ms(case.at("2026-11-18T00:00").level),
            ms("2026-11-18T04:00")
        );
    }

    #[test]
    fn what_is_done_stops_the_clocks_and_what_is_sent_back_runs_on() {
        let done = Case::new(Urgency::P1)
            .step(Kind::Submit, "2026-11-16T09:00")
            .step(Kind::Accept, "2026-11-16T09:30")
            .step(Kind::Done, "2026-11-16T12:00");
        let clock = done.at("2026-12-16T12:00");
        assert_eq!(clock.level, None);
        let promise = clock.promise.unwrap();
        assert_eq!(promise.light, Light::Green, "kept, however long ago");
        assert_eq!(promise.stopped_ms, Some(ms("2026-11-16T12:00")));
        let back = done.step(Kind::SendBack, "2026-11-17T10:00");
        assert_eq!(
            back.at("2026-11-17T10:00").promise.unwrap().light,
            Light::Yellow
        );
    }

    #[test]
    fn a_ticket_taken_up_again_has_a_new_promise() {
        let clock = Case::new(Urgency::P1)
            .step(Kind::Submit, "2026-10-12T09:00")
            .step(Kind::Done, "2026-10-12T12:00")
            .step(Kind::Close, "2026-10-13T12:00")
            .step(Kind::Reopen, "2026-11-16T09:00")
            .at("2026-11-16T10:00");
        assert_eq!(due_ms(clock.promise), ms("2026-11-17T09:00"));
        assert_eq!(due_ms(clock.level), ms("2026-11-17T09:00"));
    }

    #[test]
    fn a_ticket_that_is_asked_back_waits_for_whoever_submitted_it() {
        let back = Case::new(Urgency::P2)
            .step(Kind::Submit, "2026-11-16T09:00")
            .step(Kind::AskBack, "2026-11-16T15:00");
        assert_eq!(back.at("2026-11-17T09:00").level, None);
        let again = back.step(Kind::Submit, "2026-11-18T09:00");
        let clock = again.at("2026-11-18T09:00");
        assert_eq!(due_ms(clock.level), ms("2026-11-19T09:00"));
        assert_eq!(
            due_ms(clock.promise),
            ms("2026-11-23T09:00"),
            "the first saving counts"
        );
    }

    #[test]
    fn an_impossible_clock_is_flagged_and_its_arrival_taken_instead() {
        for (said, flag) in [
            ("1970-01-02T09:00", ClockFlag::Unset),
            ("2028-11-16T09:00", ClockFlag::Ahead),
        ] {
            let clock = Case::new(Urgency::P2)
                .with(Kind::Submit, said, |event| {
                    event.due = Some(event.stamp.at_ms + 5 * DAY_MS);
                })
                .arrives("2026-11-16T09:00")
                .at("2026-11-17T09:00");
            assert_eq!(due_ms(clock.promise), ms("2026-11-23T09:00"), "{said}");
            let [Warning::Clock { flag: found, .. }] = clock.warnings.as_slice() else {
                panic!("{:?}", clock.warnings);
            };
            assert_eq!(*found, flag);
        }
    }

    #[test]
    fn a_clock_that_went_back_between_two_steps_of_one_person_is_flagged() {
        let clock = Case::new(Urgency::P2)
            .step(Kind::Submit, "2026-11-16T09:00")
            .step(Kind::Accept, "2026-11-15T09:00")
            .at("2026-11-17T09:00");
        let [Warning::Clock { flag, .. }] = clock.warnings.as_slice() else {
            panic!("{:?}", clock.warnings);
        };
        assert_eq!(*flag, ClockFlag::Back);
        assert_eq!(due_ms(clock.promise), ms("2026-11-23T09:00"));
    }

    #[test]
    fn a_stamp_is_corrected_by_what_the_relay_said_of_that_clock() {
        let clock = Case::new(Urgency::P1)
            .with(Kind::Submit, "2026-11-16T09:00", |event| {
                event.stamp.offset_ms = Some(3 * HOUR_MS);
            })
            .at("2026-11-16T12:00");
        assert_eq!(due_ms(clock.level), ms("2026-11-16T16:00"));
        assert_eq!(due_ms(clock.promise), ms("2026-11-17T12:00"));
    }

    #[test]
    fn a_year_without_holidays_is_said_once() {
        let clock = Case::new(Urgency::P3)
            .step(Kind::Submit, "2026-12-28T09:00")
            .step(Kind::Accept, "2026-12-28T09:00")
            .at("2026-12-29T09:00");
        assert_eq!(clock.warnings, [Warning::NoTable { year: 2027 }]);
    }
}
