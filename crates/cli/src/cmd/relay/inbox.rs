//! `relay inbox`: what waits for a person's decision, and the decisions that were made.
//!
//! The operator sees names of devices and documents, **never what a record says**: deciding is a desk's.

use serde_json::json;

use super::open_to_look;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::ui::table::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The decisions instead: who decided what, when and why
    #[arg(long)]
    settled: bool,
}

pub(super) fn list(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match args.settled {
        true => settled(context),
        false => open(context),
    }
}

fn open(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = open_to_look(context)?;
    let rows = relay.inbox()?;
    let today = moment::china(now_ms)
        .map(|now| now.date_naive())
        .unwrap_or_default();
    let values: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            json!({
                "device": row.device, "doc": row.doc, "batch": row.batch, "reason": row.reason,
                "received_ms": row.received_ms,
            })
        })
        .collect();
    context.ui.list(&values, || {
        if rows.is_empty() {
            return lang.inbox_empty().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .zip(&values)
            .map(|(row, value)| {
                vec![
                    moment::minute(lang, row.received_ms, today),
                    row.device.to_string(),
                    row.doc.to_string(),
                    lang.code("reason", crate::view::text(value, "reason"))
                        .to_owned(),
                ]
            })
            .collect();
        table(
            &[
                lang.col_when(),
                lang.col_device(),
                lang.col_what(),
                lang.col_reason(),
            ],
            &cells,
        )
    });
    Ok(Exit::Done)
}

fn settled(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = open_to_look(context)?;
    let rows = relay.settled()?;
    let today = moment::china(now_ms)
        .map(|now| now.date_naive())
        .unwrap_or_default();
    let values: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            json!({
                "doc": row.doc, "item": row.item, "author": row.author, "by": row.by,
                "decision": row.decision, "to": row.to, "reason": row.reason,
                "received_ms": row.received_ms,
            })
        })
        .collect();
    context.ui.list(&values, || {
        if rows.is_empty() {
            return lang.nothing_in_inbox(true).to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .zip(&values)
            .map(|(row, value)| {
                vec![
                    moment::minute(lang, row.received_ms, today),
                    row.by.to_string(),
                    row.doc.to_string(),
                    lang.code("decision", crate::view::text(value, "decision"))
                        .to_owned(),
                    row.reason.clone(),
                ]
            })
            .collect();
        let heads = [
            lang.col_when(),
            lang.col_device(),
            lang.col_what(),
            lang.col_state(),
            lang.col_reason(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}
