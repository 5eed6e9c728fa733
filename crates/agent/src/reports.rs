//! Reports 民情 at a device.

mod show;

use serde::{Deserialize, Serialize};
use wangge_model::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, at_most};
use wangge_model::report::{self, Identity, Report, Urgency};
use wangge_model::{kind, tables, text};
use wangge_store::{Draft, ReportRow};
use wangge_wire::{AreaCode, DocId};

use crate::bulk::{BulkReport, Line};
use crate::error::AgentError;
use crate::replica::{Replica, WrittenBy};
use crate::tickets::TicketInput;
use crate::visits::{date, hex, word};

pub use show::{CommentView, ReportDetail, TicketLine};
pub use wangge_model::report::Phoned;

/// The category of a report that names none.
const OTHER: &str = "Z99";

/// A report as it is typed or stands in a JSON line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportInput {
    /// What names the household it came from.
    pub household: Option<String>,
    /// The area it is about; the household's, or the home's only one.
    pub area: Option<String>,
    /// A code, a subtype or `domain/subtype` of `fixtures/events.csv`.
    pub category: Option<String>,
    /// What was told.
    pub text: String,
    /// Where it is.
    pub place: String,
    /// Who told it, when they belong to no household here.
    pub requester: String,
    /// How to reach them.
    pub contact: String,
    /// `named confidential anonymous` or the Chinese word.
    pub identity: Option<String>,
    /// 群体性.
    pub collective: bool,
    /// `P0` to `P3`.
    pub urgency: Option<String>,
    /// 走访 来访 电话 12345 上级交办 巡查 纸质补录.
    pub source: Option<String>,
    /// The day, `2026-11-23`; today if it is not said.
    pub on: Option<String>,
    /// What was done at once.
    pub handled_on_spot: Option<String>,
    /// Who was told by telephone first, and when.
    pub phoned: Option<Phoned>,
    /// How many people it concerns.
    pub affected: i64,
    /// The kind of ticket to open from it in the same action: `help`, 求助 …; none opens none.
    pub ticket: Option<String>,
}

/// A report as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct ReportView {
    /// The document.
    pub id: DocId,
    /// Who recorded it.
    pub by: WrittenBy,
    /// The category in words.
    pub category_name: String,
    /// The report.
    #[serde(flatten)]
    pub content: serde_json::Map<String, serde_json::Value>,
}

/// Where a report or ticket belongs.
pub(crate) struct Belongs {
    pub(crate) household: Option<DocId>,
    pub(crate) area: AreaCode,
}

impl Replica {
    /// Records a report, and the ticket made from it where one is asked for, in one action.
    pub fn add_report(&mut self, input: ReportInput) -> Result<ReportDetail, AgentError> {
        let belongs = self.belongs(input.household.as_deref(), input.area.as_deref())?;
        let wanted = input.ticket.clone();
        let report = self.report_of(input, &belongs)?;
        let id = self.new_doc()?;
        let mut drafts = vec![Draft {
            doc: id,
            kind: kind::REPORT,
            owner: belongs.household,
            puts: report::puts(&report),
            place: belongs
                .household
                .is_none()
                .then(|| self.place(id, belongs.area.clone())),
            urgent: report.urgency == Urgency::P0,
        }];
        if let Some(kind) = wanted {
            let ticket = ticket_of(&report, kind);
            drafts.push(self.ticket_draft(ticket, belongs, vec![id])?);
        }
        self.record(&drafts)?;
        self.report(&id.to_string())
    }

    /// Adds a remark to a report.
    pub fn comment_report(&mut self, name: &str, text: &str) -> Result<ReportDetail, AgentError> {
        let id = self.name_report(name)?;
        let said = text::tidy(text);
        if said.is_empty() {
            return Err(AgentError::BadValue {
                field: "text",
                value: String::new(),
                expected: "the remark",
            });
        }
        at_most("text", &said, NOTE_CHARS_MAX)?;
        let owner = self.home.store.kind_of(&id)?.and_then(|(_, owner)| owner);
        let comment = hex(&self.machine.random::<8>()?);
        let draft = Draft {
            doc: id,
            kind: kind::REPORT,
            owner,
            puts: report::comment_puts(&comment, self.person(), &said),
            place: None,
            urgent: false,
        };
        self.record(&[draft])?;
        self.report(&id.to_string())
    }

    /// Returns the report that was typed.
    fn report_of(&self, input: ReportInput, belongs: &Belongs) -> Result<Report, AgentError> {
        let told = text::tidy(&input.text);
        if told.is_empty() {
            return Err(AgentError::BadValue {
                field: "text",
                value: String::new(),
                expected: "what was told",
            });
        }
        if input.affected < 0 {
            return Err(AgentError::BadValue {
                field: "affected",
                value: input.affected.to_string(),
                expected: "how many people it concerns",
            });
        }
        let on = match input.on.as_deref() {
            Some(typed) => date("on", typed)?,
            None => self.today(),
        };
        let report = Report {
            area: Some(belongs.area.clone()),
            household: belongs.household,
            requester: text::tidy(&input.requester),
            contact: text::tidy(&input.contact),
            place: text::tidy(&input.place),
            identity: word(
                "identity",
                input.identity.as_deref(),
                Identity::of,
                "named, confidential or anonymous",
            )?,
            category: category(input.category.as_deref())?,
            text: told,
            collective: input.collective,
            urgency: word(
                "urgency",
                input.urgency.as_deref(),
                Urgency::of,
                "P0, P1, P2 or P3",
            )?,
            source: input.source.unwrap_or_default(),
            happened_on: on.to_string(),
            at_ms: self.now_ms(),
            handled_on_spot: input.handled_on_spot.filter(|text| !text.trim().is_empty()),
            phoned: self.phoned(input.phoned),
            affected: input.affected,
        };
        report::check(&report)?;
        Ok(report)
    }

    /// Returns who was told first; now, where the moment was not said.
    fn phoned(&self, typed: Option<Phoned>) -> Option<Phoned> {
        let typed = typed?;
        let to = text::tidy(&typed.to);
        let at_ms = if typed.at_ms == 0 {
            self.now_ms()
        } else {
            typed.at_ms
        };
        (!to.is_empty()).then_some(Phoned { to, at_ms })
    }

    /// Records reports from JSON lines.
    pub fn bulk_reports(&mut self, text: &str) -> Result<BulkReport, AgentError> {
        self.bulk(text, |replica, input: ReportInput| {
            Ok(Line {
                id: replica.add_report(input)?.view.id.to_string(),
                changed: true,
            })
        })
    }

    /// Returns reports, the latest first.
    pub fn reports(&self, limit: usize) -> Result<Vec<ReportView>, AgentError> {
        let rows = self.home.store.reports(limit)?;
        rows.into_iter().map(|row| self.report_view(row)).collect()
    }

    fn report_view(&self, row: ReportRow) -> Result<ReportView, AgentError> {
        let content = match row.content {
            serde_json::Value::Object(content) => content,
            _ => serde_json::Map::new(),
        };
        let code = content
            .get("category")
            .and_then(|code| code.as_str())
            .unwrap_or_default();
        let event = tables::event(code);
        Ok(ReportView {
            id: row.id,
            by: self.written_by(&row.writer)?,
            category_name: event
                .map(|event| format!("{}/{}", event.domain, event.subtype))
                .unwrap_or_default(),
            content,
        })
    }

    /// Returns the household and area something belongs to: a named household decides its area.
    pub(crate) fn belongs(
        &self,
        household: Option<&str>,
        area: Option<&str>,
    ) -> Result<Belongs, AgentError> {
        let bad = |value: &str| AgentError::BadValue {
            field: "area",
            value: value.to_owned(),
            expected: "an area's code of 6, 9, 12 or 15 digits",
        };
        if let Some(name) = household.filter(|name| !name.trim().is_empty()) {
            let doc = self.name_household(name)?;
            let home = self.home.store.home(&doc)?;
            let area = home.ok_or_else(|| AgentError::NotFound {
                name: name.to_owned(),
            })?;
            return Ok(Belongs {
                household: Some(doc),
                area,
            });
        }
        let area = match area {
            Some(typed) => {
                AreaCode::parse(&text::half_width(typed.trim())).map_err(|_| bad(typed))?
            }
            None => self
                .usual_area()
                .or_else(|| self.areas().first().cloned())
                .ok_or_else(|| bad(""))?,
        };
        Ok(Belongs {
            household: None,
            area,
        })
    }
}

/// Returns the ticket that a report asks for: its first line is the subject.
fn ticket_of(report: &Report, kind: String) -> TicketInput {
    let line = report.text.lines().next().unwrap_or_default();
    let subject: String = line.chars().take(LINE_CHARS_MAX).collect();
    let is_all = subject == report.text;
    TicketInput {
        kind: Some(kind),
        subject,
        detail: if is_all {
            String::new()
        } else {
            report.text.clone()
        },
        requester: report.requester.clone(),
        contact: report.contact.clone(),
        urgency: Some(report.urgency.code().to_owned()),
        handled_on_spot: report.handled_on_spot.clone(),
        ..TicketInput::default()
    }
}

/// Returns the code of a category given by code, subtype or `domain/subtype`.
fn category(typed: Option<&str>) -> Result<String, AgentError> {
    let Some(typed) = typed.map(str::trim).filter(|typed| !typed.is_empty()) else {
        return Ok(OTHER.to_owned());
    };
    let by_code = tables::event(&typed.to_ascii_uppercase()).map(|event| event.code);
    let by_path = || {
        let (domain, subtype) = typed.split_once('/')?;
        tables::event_named(domain, subtype).map(|event| event.code)
    };
    let by_subtype = || {
        let mut fitting = tables::events()
            .iter()
            .filter(|event| event.subtype == typed);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only.code),
            _ => None,
        }
    };
    let code = by_code.or_else(by_path).or_else(by_subtype);
    code.map(str::to_owned).ok_or_else(|| AgentError::BadValue {
        field: "category",
        value: typed.to_owned(),
        expected: "a code, a subtype or domain/subtype of the event table",
    })
}
