//! `outbox`: what has no receipt yet, the oldest first.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::ui::table::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(context: &Context, _args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let rows = replica.outbox()?;
    let today = replica.today();
    context.ui.list(&rows, || {
        if rows.is_empty() {
            return lang.outbox_empty().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                vec![
                    moment::minute(lang, row.at_ms, today),
                    lang.code(
                        "kind",
                        if row.entry == "place" {
                            "place"
                        } else {
                            row.kind
                        },
                    )
                    .to_owned(),
                    row.title.clone(),
                    lang.code("state", row.state).to_owned(),
                    lang.code("reason", &row.reason).to_owned(),
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
