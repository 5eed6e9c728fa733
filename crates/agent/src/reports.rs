//! Reports 民情 at a device.

mod show;

use serde::{Deserialize, Serialize};
use wangge_model::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, at_most};
use wangge_model::report::{self, Identity, Report, Urgency};
use wangge_model::{kind, tables, text};
use wangge_store::{Draft, ReportRow};
use wangge_wire::{AreaCode, DocId, PersonId};

use crate::bulk::{BulkReport, Line};
use crate::error::{AgentError, Sought};
use crate::replica::{Replica, WrittenBy};
use crate::restricted::Inherited;
use crate::tickets::TicketInput;
use crate::visits::{date, hex, word};

pub use show::{CommentView, ReportDetail, TicketLine};
pub use wangge_model::report::Phoned;

/// A slip of the hand rather than a number of people: more than the county has.
const AFFECTED_MAX: i64 = 1_000_000;

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
    /// It must not come to whom it is about: it lives in the township.
    pub restricted: bool,
    /// Restricted: whom it is about, a name or id of the roster.
    pub about: Option<String>,
    /// Restricted: who receives it beside the township and its author.
    #[serde(rename = "for")]
    pub named: Vec<String>,
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
        let identity = word(
            "identity",
            input.identity.as_deref(),
            Identity::of,
            "named, confidential or anonymous",
        )?;
        let belongs = self
            .belongs(input.household.as_deref(), input.area.as_deref())?
            .without_link(input.restricted || identity == Identity::Anonymous);
        nobody_named(identity, &input.requester, &input.contact)?;
        let (wanted, named) = (input.ticket.clone(), self.each_named(&input.named)?);
        let report = self.report_of(input, identity, &belongs)?;
        let id = self.new_doc()?;
        let place = if report.restricted {
            Some(self.restricted_place(id, &report.about, &named, &belongs.area)?)
        } else {
            let own = belongs.household.is_none();
            own.then(|| self.place(id, belongs.area.clone()))
        };
        let mut drafts = vec![Draft {
            doc: id,
            kind: kind::REPORT,
            owner: belongs.household,
            puts: report::puts(&report),
            place,
            urgent: report.urgency == Urgency::P0,
        }];
        if let Some(kind) = wanted {
            let inherited = Inherited {
                identity,
                restricted: report.restricted,
                about: report.about.clone(),
                named,
            };
            // A text that must not be saved uses up no number.
            self.look_at_drafts(&drafts)?;
            let ticket = ticket_of(&report, kind);
            drafts.push(self.ticket_draft(ticket, belongs, vec![id], inherited)?);
        }
        self.record(&drafts)?;
        self.report(&id.to_string())
    }

    /// Adds a remark to a report.
    pub fn comment_report(&mut self, name: &str, text: &str) -> Result<ReportDetail, AgentError> {
        let id = self.name_report(name)?;
        let said = text::note(text);
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
    fn report_of(
        &self,
        input: ReportInput,
        identity: Identity,
        belongs: &Belongs,
    ) -> Result<Report, AgentError> {
        let told = text::note(&input.text);
        if told.is_empty() {
            return Err(AgentError::BadValue {
                field: "text",
                value: String::new(),
                expected: "what was told",
            });
        }
        if !(0..=AFFECTED_MAX).contains(&input.affected) {
            return Err(AgentError::BadValue {
                field: "affected",
                value: input.affected.to_string(),
                expected: "how many people it concerns, a million at most",
            });
        }
        let on = match input.on.as_deref() {
            Some(typed) => self.day_of_the_past("on", date("on", typed)?)?,
            None => self.today(),
        };
        let report = Report {
            area: Some(belongs.area.clone()),
            household: belongs.household,
            requester: text::tidy(&input.requester),
            contact: text::tidy(&input.contact),
            place: text::tidy(&input.place),
            identity,
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
            void: false,
            restricted: input.restricted,
            about: self.subjects(input.about.as_deref(), input.restricted)?,
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
        let mut content = match row.content {
            serde_json::Value::Object(content) => content,
            _ => serde_json::Map::new(),
        };
        let by = self.written_by(&row.writer)?;
        self.veil_report(&row.id, &mut content, by.here);
        let code = content
            .get("category")
            .and_then(|code| code.as_str())
            .unwrap_or_default();
        let event = tables::event(code);
        Ok(ReportView {
            id: row.id,
            by,
            category_name: event
                .map(|event| format!("{}/{}", event.domain, event.subtype))
                .unwrap_or_default(),
            content,
        })
    }

    /// Returns whom a restricted report is about: all that a name fits, nobody where none is named.
    fn subjects(
        &self,
        typed: Option<&str>,
        is_restricted: bool,
    ) -> Result<Vec<PersonId>, AgentError> {
        match typed.map(str::trim).filter(|typed| !typed.is_empty()) {
            None => Ok(Vec::new()),
            Some(_) if !is_restricted => Err(AgentError::BadValue {
                field: "about",
                value: String::new(),
                expected: "said only of a restricted report",
            }),
            Some(typed) => match self.everybody_named(typed) {
                people if people.is_empty() => Err(AgentError::NotFound {
                    what: Sought::Person,
                    name: typed.to_owned(),
                }),
                people => Ok(people),
            },
        }
    }

    /// Returns the persons that names mean, each of them one.
    fn each_named(&self, typed: &[String]) -> Result<Vec<PersonId>, AgentError> {
        let person = |name: &String| match self.everybody_named(name).as_slice() {
            [only] => Ok(*only),
            [] => Err(AgentError::NotFound {
                what: Sought::Person,
                name: name.clone(),
            }),
            several => Err(AgentError::Ambiguous {
                name: name.clone(),
                candidates: several
                    .iter()
                    .map(|person| (person.to_string(), self.name_of(person)))
                    .collect(),
            }),
        };
        typed.iter().map(person).collect()
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
                what: Sought::Household,
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

impl Belongs {
    /// Returns the same place without the household, where nothing may lead to it.
    pub(crate) fn without_link(self, leave_out: bool) -> Self {
        Self {
            household: self.household.filter(|_| !leave_out),
            ..self
        }
    }
}

/// Returns an error if somebody is named who wishes to be nobody.
pub(crate) fn nobody_named(
    identity: Identity,
    requester: &str,
    contact: &str,
) -> Result<(), AgentError> {
    let typed = [("requester", requester), ("contact", contact)];
    let named = typed.iter().find(|(_, text)| !text.trim().is_empty());
    match named {
        Some((field, _)) if identity == Identity::Anonymous => Err(AgentError::BadValue {
            field,
            value: String::new(),
            expected: "left empty: an anonymous report names nobody",
        }),
        _ => Ok(()),
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
pub(crate) fn category(typed: Option<&str>) -> Result<String, AgentError> {
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
