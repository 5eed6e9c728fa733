//! `undo`: takes back the last action of this device.

use std::collections::BTreeMap;

use serde_json::Value;

use super::history::edit_line;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::ui::{Tone, tone};
use crate::view::{flag, int, items, list_sight, seen, text};

/// How many rows a person is shown; JSON has all.
const ROWS_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show what would be taken back, and take nothing back
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let view = replica.undo(args.dry_run)?;
    let value = seen(&view, list_sight(&replica));
    let (lang, today) = (context.ui.lang, replica.today());
    context.ui.show(&value, || human(lang, &value, today));
    Ok(match (args.dry_run, view.left.is_empty()) {
        (true, _) if !view.taken_back.is_empty() => Exit::Found,
        (false, false) => Exit::Partly,
        _ => Exit::Done,
    })
}

fn human(lang: Lang, view: &Value, today: chrono::NaiveDate) -> String {
    let (took, left) = (items(view, "taken_back"), items(view, "left"));
    if took.is_empty() && left.is_empty() {
        return lang.nothing_to_undo().to_owned();
    }
    let when = moment::minute(lang, int(view, "at_ms"), today);
    let mut lines = Vec::new();
    if !took.is_empty() {
        lines.push(if flag(view, "dry_run") {
            lang.would_undo(&when)
        } else {
            tone(Tone::Good, &lang.undone(&when))
        });
    }
    if took.len() > ROWS_MAX {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for took in took {
            *counts.entry(text(took, "what")).or_default() += 1;
        }
        let counts = counts.iter();
        let parts: Vec<String> = counts
            .map(|(what, count)| format!("{} {count}", lang.code("record", what)))
            .collect();
        lines.push(format!("  {}", parts.join(" · ")));
    }
    for took in took.iter().take(ROWS_MAX) {
        let what = lang.code("record", text(took, "what"));
        let mut parts = vec![what.to_owned(), lang.placed(text(took, "title"))];
        if let Some(edit) = took.get("edit") {
            parts.push(edit_line(lang, edit));
        }
        parts.retain(|part| !part.is_empty());
        lines.push(format!("  {}", parts.join(" · ")));
    }
    if let Some(more) = took.len().checked_sub(ROWS_MAX).filter(|more| *more > 0) {
        lines.push(format!("  {}", lang.rows_more(more)));
    }
    for left in left {
        let reason = match lang.code("undo_left", text(left, "reason")) {
            code if code == text(left, "reason") => lang.refusal(code),
            known => known,
        };
        let field = match text(left, "field") {
            "" => "",
            field if field.starts_with("events/") => lang.code("record", "step"),
            field => lang.field(field),
        };
        lines.push(tone(
            Tone::Warn,
            &lang.not_undone(&lang.placed(text(left, "title")), field, reason),
        ));
    }
    lines.join("\n")
}
