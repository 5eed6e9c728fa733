//! A report as it is shown: what was said since, what came of it, how far it has travelled.

use serde::Serialize;
use wangge_model::report;
use wangge_store::ReportRow;
use wangge_wire::DocId;

use super::ReportView;
use crate::error::{AgentError, Sought};
use crate::replica::Replica;

/// A report with what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct ReportDetail {
    /// The report.
    #[serde(flatten)]
    pub view: ReportView,
    /// Whether all of it has reached a relay.
    pub at_relay: bool,
    /// What was remarked, oldest first.
    pub comments: Vec<CommentView>,
    /// The tickets made from it, oldest first.
    pub tickets: Vec<TicketLine>,
    /// What a person should know: `phone_first`.
    pub warnings: Vec<&'static str>,
}

/// A remark on a report.
#[derive(Debug, Clone, Serialize)]
pub struct CommentView {
    /// 16 hex digits.
    pub id: String,
    /// Who said it, by name.
    pub by: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// What was said.
    pub text: String,
}

/// A ticket in a line.
#[derive(Debug, Clone, Serialize)]
pub struct TicketLine {
    /// The document.
    pub id: DocId,
    /// `0412-0127-1`.
    pub code: String,
    /// `submitted accepted …`.
    pub status: String,
    /// Whether the resident was told.
    pub answered: bool,
}

impl Replica {
    /// Returns a report by its id or the beginning of it.
    pub fn report(&self, name: &str) -> Result<ReportDetail, AgentError> {
        let id = self.name_report(name)?;
        let document = self.home.store.document(&id)?;
        let missing = || AgentError::NotFound {
            what: Sought::Report,
            name: name.to_owned(),
        };
        let document = document.ok_or_else(missing)?;
        let fields = document.fields();
        let writer = document.author();
        let report = report::read(&fields);
        let content = serde_json::to_value(&report)
            .map_err(|error| AgentError::Internal(error.to_string()))?;
        let at_ms = |key: &str| {
            let versions = document.versions("comments", key);
            versions.first().map_or(0, |version| version.at_ms)
        };
        let comments = report::comments(&fields, at_ms)
            .into_iter()
            .map(|comment| CommentView {
                id: comment.id,
                by: comment.by.map(|by| self.name_of(&by)).unwrap_or_default(),
                at_ms: comment.at_ms,
                text: comment.text,
            })
            .collect();
        let tickets = self.home.store.tickets_of_report(&id)?;
        let is_urgent = report.urgency == report::Urgency::P0;
        Ok(ReportDetail {
            view: self.report_view(ReportRow {
                id,
                writer: writer.ok_or_else(missing)?,
                content,
            })?,
            at_relay: self.receipts(&id.to_string())?.is_at_relay(),
            comments,
            tickets: tickets
                .into_iter()
                .map(|row| TicketLine {
                    id: row.id,
                    code: row.code,
                    status: row.status,
                    answered: row.answered,
                })
                .collect(),
            warnings: if is_urgent && report.phoned.is_none() {
                vec!["phone_first"]
            } else {
                Vec::new()
            },
        })
    }
}
