//! `relay held`, `relay release`: changes that are not shown, and trying one of them again.
//!
//! And the hidden half of `relay serve`: the process in which foreign changes are tried.

use serde_json::json;
use wangge_relay::{GateProgram, HeldRow, Packs, gate_worker};

use super::open_to_look;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::ui::table::table;

/// Digits of a change that are shown, and at least typed.
const SHOWN: usize = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct Release {
    /// The change, by its first digits as `relay held` shows them
    #[arg(value_name = "CHANGE")]
    change: String,
}

pub(super) fn list(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = open_to_look(context)?;
    let rows = relay.held()?;
    let today = moment::china(now_ms)
        .map(|now| now.date_naive())
        .unwrap_or_default();
    let values: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            json!({
                "change": row.change, "doc": row.doc, "reason": row.reason, "held_ms": row.at_ms,
            })
        })
        .collect();
    context.ui.list(&values, || {
        if rows.is_empty() {
            return lang.nothing_held().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .zip(&values)
            .map(|(row, value)| {
                let change: String = row.change.to_string().chars().take(SHOWN).collect();
                vec![
                    moment::minute(lang, row.at_ms, today),
                    change,
                    row.doc.to_string(),
                    lang.code("hold", crate::view::text(value, "reason"))
                        .to_owned(),
                ]
            })
            .collect();
        let heads = [
            lang.col_when(),
            lang.col_change(),
            lang.col_what(),
            lang.col_reason(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

pub(super) fn release(context: &Context, args: &Release) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = open_to_look(context)?;
    let typed = args.change.trim().to_lowercase();
    let held = relay.held()?.into_iter();
    let fits = |row: &HeldRow| typed.len() >= SHOWN && row.change.to_string().starts_with(&typed);
    let mut fitting = held.filter(fits);
    let (Some(row), None) = (fitting.next(), fitting.next()) else {
        return Err(Failure::Usage {
            message: lang.no_such_hold(&args.change),
            hint: "wangge relay held".to_owned(),
        });
    };
    let released = relay.release(&row.doc, &row.change, now_ms)?;
    let value = json!({ "change": row.change, "doc": row.doc, "released": released });
    context.ui.show(&value, || lang.released().to_owned());
    Ok(Exit::Done)
}

/// Tries changes for the relay that started this process, until it ends.
pub(super) fn work() -> Exit {
    gate_worker(std::io::stdin().lock(), std::io::stdout().lock());
    Exit::Done
}

/// Returns how a relay that serves makes packs: each change is tried by this very program, apart.
pub(super) fn packs() -> Packs {
    let program = std::env::current_exe().ok().map(|program| GateProgram {
        program,
        arguments: vec!["relay".to_owned(), "gate-worker".to_owned()],
    });
    Packs {
        gate: program,
        ..Packs::default()
    }
}
