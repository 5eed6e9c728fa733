//! `outbox`: what has no receipt yet, the oldest first.

use wangge_agent::status::OutboxView;

use super::inbox::decided;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::ui::table::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(context: &Context, _args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open_unread()?;
    let rows = replica.outbox()?;
    let today = replica.today();
    context.ui.list(&rows, || {
        if rows.is_empty() {
            return lang.outbox_empty().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let kind = match row.entry {
                    "change" => row.kind,
                    entry => entry,
                };
                vec![
                    moment::minute(lang, row.at_ms, today),
                    lang.code("kind", kind).to_owned(),
                    lang.placed(&row.title),
                    lang.code("state", row.state).to_owned(),
                    why(lang, row, today),
                ]
            })
            .collect();
        let heads = [
            lang.col_when(),
            lang.col_kind(),
            lang.col_what(),
            lang.col_state(),
            lang.col_reason(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

/// Returns why a row stands as it does: what a desk decided, else the relay's reason.
fn why(lang: Lang, row: &OutboxView, today: chrono::NaiveDate) -> String {
    match &row.decision {
        Some(decision) => decided(lang, decision, None, today),
        None if row.state == "inbox" => {
            lang.in_inbox_of(&row.relay, lang.code("reason", &row.reason))
        }
        None => lang.code("reason", &row.reason).to_owned(),
    }
}
