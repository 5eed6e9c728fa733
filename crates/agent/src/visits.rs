//! Visits at a device: thirty seconds, durable before the screen says so.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use wangge_model::clock::{ClockFlag, flag};
use wangge_model::visit::{self, Met, Mode, Visit};
use wangge_model::{kind, mask, tables, text};
use wangge_store::{Draft, VisitRow};
use wangge_wire::DocId;

use crate::bulk::{BulkReport, Line};
use crate::clocks::is_beyond;
use crate::error::AgentError;
use crate::households::visit_flags;
use crate::replica::{Replica, WrittenBy};
use crate::tickets::TicketInput;

/// A visit as it is typed or stands in a JSON line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VisitInput {
    /// What names the household: id, initials, name, door, tail of a phone.
    pub household: String,
    /// The day, `2026-11-23`; today if it is not said.
    pub on: Option<String>,
    /// `door phone video deputy` or the Chinese word.
    pub mode: Option<String>,
    /// `person family nobody declined` or the Chinese word.
    pub met: Option<String>,
    /// Codes or names of `fixtures/duties.csv`.
    pub purposes: Vec<String>,
    /// What is worth remembering.
    pub note: String,
    /// 无变化.
    pub no_change: bool,
    /// When to come back, `2026-11-30`.
    pub follow_up_on: Option<String>,
    /// Where it comes from when it was not typed at the door.
    pub source: Option<String>,
    /// What names that source: a form's number, a hotline's ticket.
    pub reference: Option<String>,
    /// Who visited, by name or id, when somebody else types it.
    pub by: Option<String>,
    /// The ticket to open in the same action; the household is the visit's.
    pub ticket: Option<TicketInput>,
}

/// A visit as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct VisitView {
    /// 16 hex digits.
    pub id: String,
    /// The household.
    pub household: DocId,
    /// The household's door.
    pub door: String,
    /// The household's head.
    pub head: String,
    /// Who recorded it.
    pub by: WrittenBy,
    /// `met_after_death`; only where one visit or household is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<&'static str>,
    /// What is wrong with the clock of whoever recorded it, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockFlag>,
    /// Who visited, where that is somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visited_by: Option<String>,
    /// The ticket it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<LedTo>,
    /// The visit: `happened_on mode met purposes note no_change follow_up_on source at_ms`.
    #[serde(flatten)]
    pub content: serde_json::Map<String, serde_json::Value>,
}

/// A ticket that a visit led to.
#[derive(Debug, Clone, Serialize)]
pub struct LedTo {
    /// The document.
    pub id: DocId,
    /// `0412-0127-1`.
    pub code: String,
    /// In a line.
    pub subject: String,
}

impl Replica {
    /// Records a visit.
    pub fn add_visit(&mut self, input: VisitInput) -> Result<VisitView, AgentError> {
        let (visit, drafts) = self.visit_drafts(input)?;
        self.record(&drafts)?;
        self.visit(&visit)
    }

    /// Returns a visit's id and the writes that record it and open the ticket it led to.
    pub(crate) fn visit_drafts(
        &mut self,
        input: VisitInput,
    ) -> Result<(String, Vec<Draft>), AgentError> {
        let household = self.name_household(&input.household)?;
        let on = match input.on.as_deref() {
            Some(typed) => self.day_of_the_past("on", date("on", typed)?)?,
            None => self.today(),
        };
        let mut visit = Visit {
            ticket: None,
            id: hex(&self.machine.random::<8>()?),
            happened_on: on.to_string(),
            at_ms: self.now_ms(),
            mode: word(
                "mode",
                input.mode.as_deref(),
                Mode::of,
                "door, phone, video or deputy",
            )?,
            met: word(
                "met",
                input.met.as_deref(),
                Met::of,
                "person, family, nobody or declined",
            )?,
            purposes: purposes(&input.purposes)?,
            note: text::note(&input.note),
            no_change: input.no_change,
            follow_up_on: match input.follow_up_on.as_deref() {
                Some(typed) => Some(date("follow_up_on", typed)?.to_string()),
                None => None,
            },
            by: match input.by.as_deref() {
                Some(name) => Some(self.name_person(name)?.to_string()),
                None => None,
            },
            source: said(input.source),
            reference: said(input.reference),
            void: false,
            clock: self.clock_now()?.filter(|flag| *flag == ClockFlag::Back),
        };
        if visit.no_change && !visit.met.counts() {
            // Nobody can say that all is well where nobody was met.
            return Err(AgentError::BadValue {
                field: "no_change",
                value: visit.met.code().to_owned(),
                expected: "somebody who was met",
            });
        }
        if visit
            .follow_up_on
            .as_deref()
            .is_some_and(|next| *next < *visit.happened_on)
        {
            return Err(AgentError::BadValue {
                field: "follow_up_on",
                value: visit.follow_up_on.unwrap_or_default(),
                expected: "a day after the visit",
            });
        }
        if let Some(next) = &visit.follow_up_on {
            self.not_far_ahead("follow_up_on", next)?;
        }
        visit::check(&visit)?;
        let mut drafts = Vec::new();
        if let Some(ticket) = input.ticket {
            // A text that must not be saved uses up no number.
            self.look(&[("note", &visit.note)])?;
            let ticket = self.ticket_of_visit(&household, ticket)?;
            visit.ticket = Some(ticket.doc);
            drafts.push(ticket);
        }
        let draft = Draft {
            doc: visit::book_id(&household, on.year()),
            kind: kind::VISIT_BOOK,
            owner: Some(household),
            puts: visit::puts(&visit),
            place: None,
            urgent: false,
        };
        drafts.insert(0, draft);
        Ok((visit.id, drafts))
    }

    /// Records visits from JSON lines.
    pub fn bulk_visits(&mut self, text: &str) -> Result<BulkReport, AgentError> {
        self.bulk(text, |replica, input: VisitInput| {
            Ok(Line {
                id: replica.add_visit(input)?.id,
                changed: true,
            })
        })
    }

    /// Returns visits, the latest first: of a household, or of all.
    pub fn visits(
        &self,
        household: Option<&DocId>,
        limit: usize,
    ) -> Result<Vec<VisitView>, AgentError> {
        let rows = self.home.store.visits(household, limit)?;
        rows.into_iter()
            .map(|row| {
                let at_ms = row.content.get("at_ms").and_then(serde_json::Value::as_i64);
                // Only what says it is still to come is asked for in a list.
                let clock = match at_ms.is_some_and(|at_ms| at_ms > self.now_ms()) {
                    true => self.clock_of_visit(&row)?,
                    false => None,
                };
                let mut view = self.visit_view(row)?;
                view.clock = clock.or(view.clock);
                Ok(view)
            })
            .collect()
    }

    /// Returns a visit by its id or the beginning of it.
    pub fn visit(&self, name: &str) -> Result<VisitView, AgentError> {
        let row = self.name_visit(name)?;
        let clock = self.clock_of_visit(&row)?;
        let mut view = self.visit_view(row)?;
        view.clock = clock.or(view.clock);
        if let Ok((household, _)) = self.read_household(&view.household) {
            view.flags = visit_flags(&household, &view);
        }
        Ok(view)
    }

    /// Returns what is wrong with the clock a visit was recorded by; it costs a look into the book.
    fn clock_of_visit(&self, row: &VisitRow) -> Result<Option<ClockFlag>, AgentError> {
        match self.home.store.visit_change(row)? {
            Some(change) => self.clock_of_change(&row.book, &change),
            None => Ok(None),
        }
    }

    /// Returns the ticket a visit led to; none where it is not on this device.
    fn led_to(&self, id: DocId) -> Result<Option<LedTo>, AgentError> {
        let document = self.home.store.document(&id)?;
        Ok(document.map(|document| {
            let fields = document.fields();
            LedTo {
                id,
                code: fields.root_text("code").to_owned(),
                subject: fields.root_text("subject").to_owned(),
            }
        }))
    }

    fn visit_view(&self, row: VisitRow) -> Result<VisitView, AgentError> {
        let household = self.home.store.household(&row.household)?;
        let mut content = match row.content {
            serde_json::Value::Object(content) => content,
            _ => serde_json::Map::new(),
        };
        content.remove("id");
        let said = content.remove("clock");
        let said = said.and_then(|said| serde_json::from_value(said).ok());
        let at_ms = content.get("at_ms").and_then(serde_json::Value::as_i64);
        let area = household.as_ref().map_or("", |household| &household.area);
        let mut door = household.as_ref().map(short_door).unwrap_or_default();
        let mut head = household
            .as_ref()
            .map(|household| household.head.clone())
            .unwrap_or_default();
        if self.sight(area).is_masked() && !self.revealed.contains(&row.household) {
            let group = household.as_ref().map_or(0, |household| household.group);
            (door, head) = (mask::address(group), mask::name(&head));
            if let Some(serde_json::Value::String(note)) = content.get_mut("note") {
                *note = mask::note(note);
            }
        }
        let visited_by = content
            .remove("by")
            .and_then(|id| id.as_str().and_then(|id| id.parse().ok()))
            .map(|person| self.name_of(&person));
        let led_to = content
            .remove("ticket")
            .and_then(|id| id.as_str().and_then(|id| id.parse::<DocId>().ok()));
        Ok(VisitView {
            ticket: match led_to {
                Some(id) => self.led_to(id)?,
                None => None,
            },
            // Whether it arrived before it happened is asked for by who shows it: it costs a look into
            // the book.
            clock: at_ms
                .and_then(|at_ms| flag(at_ms, None, None).or_else(|| is_beyond(at_ms)))
                .or(said),
            id: row.id,
            household: row.household,
            door,
            head,
            by: self.written_by(&row.writer)?,
            flags: Vec::new(),
            visited_by,
            content,
        })
    }
}

pub(crate) fn short_door(row: &wangge_store::HouseholdRow) -> String {
    door_of(row.group, &row.door)
}

/// Returns `3-12` for house 12 of group 3; a group of 0 is not known.
pub(crate) fn door_of(group: u16, door: &str) -> String {
    let group = if group > 0 {
        format!("{group}-")
    } else {
        String::new()
    };
    format!("{group}{door}")
}

/// Returns the day of `2026-11-23`, also in full-width digits.
pub(crate) fn date(field: &'static str, typed: &str) -> Result<NaiveDate, AgentError> {
    NaiveDate::parse_from_str(text::half_width(typed.trim()).as_str(), "%Y-%m-%d").map_err(|_| {
        AgentError::BadValue {
            field,
            value: typed.to_owned(),
            expected: "a day like 2026-11-23",
        }
    })
}

/// Returns what a word stands for; the usual value if nothing was typed.
pub(crate) fn word<T: Default>(
    field: &'static str,
    typed: Option<&str>,
    read: impl Fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<T, AgentError> {
    match typed.map(str::trim).filter(|typed| !typed.is_empty()) {
        None => Ok(T::default()),
        Some(typed) => read(typed).ok_or_else(|| AgentError::BadValue {
            field,
            value: typed.to_owned(),
            expected,
        }),
    }
}

/// Returns the tidied text, none where there is nothing in it.
pub(crate) fn said(typed: Option<String>) -> Option<String> {
    typed
        .map(|typed| text::tidy(&typed))
        .filter(|text| !text.is_empty())
}

pub(crate) fn purposes(typed: &[String]) -> Result<Vec<String>, AgentError> {
    typed
        .iter()
        .map(|word| {
            let duty = tables::duty(word).or_else(|| tables::duty_named(word));
            duty.map(|duty| duty.code.to_owned())
                .ok_or_else(|| AgentError::BadValue {
                    field: "purposes",
                    value: word.clone(),
                    expected: "a code or name of the duties",
                })
        })
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
