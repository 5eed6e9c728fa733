//! Clocks at a device: how pressing a ticket is, and whether this device's own clock can be right.
//!
//! A wrong clock stops nobody from recording: what is recorded is saved, flagged, and the person is
//! told how to say the day.

use std::collections::BTreeMap;

use chrono::{Days, Months, NaiveDate};
use wangge_crdt::Document;
use wangge_model::clock::{ClockFlag, TicketClock, china_day, flag, ticket_clock};
use wangge_model::settings::Settings;
use wangge_model::ticket::document as ticket;
use wangge_model::ticket::{EventId, TicketEvent};
use wangge_wire::{ChangeHash, DocId};

use crate::error::AgentError;
use crate::households::birth_text;
use crate::replica::Replica;

/// Nothing of this service happened before.
const FIRST_YEAR: i32 = 2000;
/// How many months ahead a day to come back may be.
const AHEAD_MONTHS: u32 = 24;
/// How many years past the last calendar a clock may be before it is called wrong.
const YEARS_BEYOND: i32 = 5;

impl Replica {
    /// Returns the clocks of a ticket now; none for one that does not read yet.
    pub fn ticket_clock(&self, id: &DocId) -> Result<Option<TicketClock>, AgentError> {
        self.ticket_clock_by(id, &self.settings()?)
    }

    /// Returns the clocks of a ticket now by settings that were read before, for lists.
    pub fn ticket_clock_by(
        &self,
        id: &DocId,
        settings: &Settings,
    ) -> Result<Option<TicketClock>, AgentError> {
        let Some(document) = self.home.store.document(id)? else {
            return Ok(None);
        };
        let Some((ticket, events, state)) = ticket::state(&document.fields()) else {
            return Ok(None);
        };
        let arrived = self.event_arrivals(id, &document, &events)?;
        Ok(Some(ticket_clock(
            settings,
            ticket.urgency,
            &events,
            &state,
            &arrived,
            self.now_ms(),
        )))
    }

    /// Returns what was wrong with this device's clock at the last thing it recorded in this run.
    pub fn wrong_clock(&self) -> Option<ClockFlag> {
        self.wrong_clock
    }

    /// Returns what is wrong with this device's clock now: it was never set, or it went back behind
    /// what it said at the last thing recorded here.
    pub(crate) fn clock_now(&self) -> Result<Option<ClockFlag>, AgentError> {
        let last = self.home.store.last_moment(&self.actor())?;
        Ok(flag(self.now_ms(), None, last).or_else(|| is_beyond(self.now_ms())))
    }

    /// Refuses a day so far ahead that nobody means it: a slip of the year makes a family due never.
    pub(crate) fn not_far_ahead(&self, field: &'static str, day: &str) -> Result<(), AgentError> {
        let farthest = self
            .latest_day()?
            .checked_add_months(Months::new(AHEAD_MONTHS));
        let is_far = farthest.is_some_and(|farthest| *day > *farthest.to_string());
        if is_far && self.clock_now()? != Some(ClockFlag::Unset) {
            return Err(AgentError::BadValue {
                field,
                value: day.to_owned(),
                expected: "a day within the next two years",
            });
        }
        Ok(())
    }

    /// Returns the day if something can have happened on it, by the best this device knows of today.
    pub(crate) fn day_of_the_past(
        &self,
        field: &'static str,
        day: NaiveDate,
    ) -> Result<NaiveDate, AgentError> {
        use chrono::Datelike as _;
        let latest = self.latest_day()?;
        // A clock that was never set cannot tell which days are to come.
        let unset = self.clock_now()? == Some(ClockFlag::Unset);
        let tomorrow = latest.checked_add_days(Days::new(1)).unwrap_or(latest);
        if day.year() < FIRST_YEAR || (day > tomorrow && !unset) {
            return Err(AgentError::BadValue {
                field,
                value: day.to_string(),
                expected: "a day from 2000 on that is not to come",
            });
        }
        Ok(day)
    }

    /// Returns an error for a month of birth that is to come.
    pub(crate) fn born_by_now(&self, birth: Option<(u16, u8)>) -> Result<(), AgentError> {
        use chrono::Datelike as _;
        let Some(birth) = birth else { return Ok(()) };
        let latest = self.latest_day()?;
        let (year, month) = (latest.year(), latest.month());
        let is_to_come = (i32::from(birth.0), u32::from(birth.1)) > (year, month);
        if is_to_come && self.clock_now()? != Some(ClockFlag::Unset) {
            return Err(AgentError::BadValue {
                field: "birth",
                value: birth_text(birth),
                expected: "a month that is not to come, 1967-09 or 1967",
            });
        }
        Ok(())
    }

    /// Returns today by the best this device knows: its clock, or what it said at its last record.
    fn latest_day(&self) -> Result<NaiveDate, AgentError> {
        let last = self.home.store.last_moment(&self.actor())?;
        Ok(china_day(self.now_ms().max(last.unwrap_or_default())))
    }

    /// Returns what is wrong with the clock of a change.
    pub(crate) fn clock_of_change(
        &self,
        doc: &DocId,
        hash: &ChangeHash,
    ) -> Result<Option<ClockFlag>, AgentError> {
        let Some((at_ms, before)) = self.home.store.clock_of_change(doc, hash)? else {
            return Ok(None);
        };
        let arrived = self.home.store.first_arrivals(doc)?.get(hash).copied();
        Ok(flag(at_ms, arrived, before))
    }

    fn event_arrivals(
        &self,
        id: &DocId,
        document: &Document,
        events: &BTreeMap<EventId, TicketEvent>,
    ) -> Result<BTreeMap<EventId, i64>, AgentError> {
        let arrivals = self.home.store.first_arrivals(id)?;
        let arrived = |event: &EventId| {
            let change = change_of(document, event)?;
            Some((*event, *arrivals.get(&change)?))
        };
        Ok(events.keys().filter_map(arrived).collect())
    }
}

/// Says that a clock is ahead where it is years past the last calendar this program was built with:
/// without any relay nothing else can tell. A program is not used that long without being renewed.
pub(crate) fn is_beyond(at_ms: i64) -> Option<ClockFlag> {
    use chrono::Datelike as _;
    let last = wangge_model::tables::last_known_year()?;
    (china_day(at_ms).year() > last.saturating_add(YEARS_BEYOND)).then_some(ClockFlag::Ahead)
}

/// Returns the change that brought an event into its document.
fn change_of(document: &Document, event: &EventId) -> Option<ChangeHash> {
    let versions = document.versions("events", &event.to_string());
    versions.first().map(|version| version.change)
}
