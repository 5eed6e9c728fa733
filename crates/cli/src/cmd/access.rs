//! Asking for what is hidden: `--reveal --reason` of what shows a record, and who asked before.
//!
//! **Without a reason nothing is shown**, and the reason is written down before anything is.

use serde_json::{Value, json};
use wangge_agent::{DocId, Replica};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::ui::table::table;
use crate::view::{int, text};

/// The ready reasons, by code.
const REASONS: [&str; 5] = ["visit", "check", "errand", "request", "emergency"];

/// What a command takes that shows a record in full.
#[derive(Debug, clap::Args)]
pub(crate) struct Reveal {
    /// Show what is hidden; it is written down, with the reason
    #[arg(long)]
    reveal: bool,
    /// Why: visit, check, errand, request, emergency, or four characters or more
    #[arg(long, value_name = "TEXT", requires = "reveal")]
    reason: Option<String>,
}

impl Reveal {
    /// Writes the asking down and says whether there was one.
    pub(crate) fn ask(
        &self,
        context: &Context,
        replica: &mut Replica,
        doc: &DocId,
    ) -> Result<bool, Failure> {
        if !self.reveal {
            return Ok(false);
        }
        replica.reveal(doc, needed(context, self.reason.as_deref())?)?;
        Ok(true)
    }
}

/// Returns the reason, or the failure that names the ready ones.
pub(crate) fn needed<'a>(context: &Context, reason: Option<&'a str>) -> Result<&'a str, Failure> {
    let lang = context.ui.lang;
    let ready: Vec<&str> = REASONS
        .iter()
        .map(|code| lang.code("access_why", code))
        .collect();
    reason
        .filter(|reason| !reason.trim().is_empty())
        .ok_or_else(|| Failure::Usage {
            message: lang.reason_needed(&ready.join(lang.comma())),
            hint: format!(
                "{} --reason {}",
                context.typed_command(),
                ready.first().copied().unwrap_or_default()
            ),
        })
}

/// Shows who asked to see a record's hidden fields.
pub(crate) fn show(context: &Context, replica: &Replica, doc: &DocId) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let accesses = replica.accesses(doc)?;
    let value = json!({"id": doc, "access": accesses});
    let rows = value
        .get("access")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let today = replica.today();
    context.ui.show(&value, || {
        if rows.is_empty() {
            return lang.no_access().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let by = row.get("by").unwrap_or(&Value::Null);
                vec![
                    moment::minute(lang, int(row, "at_ms"), today),
                    text(by, "name").to_owned(),
                    lang.code("access_what", text(row, "what")).to_owned(),
                    lang.code("access_why", text(row, "why")).to_owned(),
                ]
            })
            .collect();
        let heads = [
            lang.col_when(),
            lang.col_by(),
            lang.col_what(),
            lang.col_reason(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}
