//! `today` and the bare program: who is due, which tickets wait, what is unsent, what needs a person.

use serde_json::{Value, json};
use wangge_agent::Replica;

use super::{Context, Exit, Failure, Lang, Tone, due, int, items, seen, text, tone};
use crate::cmd::status;
use crate::view::list_sight;

/// Households shown before the rest is only counted.
const SHOWN: usize = 10;

pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let replica = context.open()?;
    let lang = context.ui.lang;
    let value = gather(&replica)?;
    let state = status::lines(context, &replica)?;
    context.ui.show(&value, || {
        let mut lines = due_lines(lang, &value);
        lines.push(String::new());
        lines.push(state);
        lines.join("\n")
    });
    Ok(Exit::Done)
}

fn gather(replica: &Replica) -> Result<Value, Failure> {
    let today = replica.today();
    let due = replica.due(today, None)?;
    let status = replica.status()?;
    Ok(json!({
        "day": today.to_string(),
        "due": seen(&due.rows, list_sight(replica)),
        "incomplete": due.incomplete,
        "unsent": status.counts.unsent,
        "conflicts": status.counts.conflicts,
        "all_safe": status.all_safe,
    }))
}

fn due_lines(lang: Lang, value: &Value) -> Vec<String> {
    let (due, incomplete) = (items(value, "due"), items(value, "incomplete"));
    let mut lines = match (due.is_empty(), incomplete.is_empty()) {
        (true, true) => vec![lang.nobody_due(lang.today())],
        (true, false) => Vec::new(),
        (false, _) => vec![tone(Tone::Strong, lang.today_due())],
    };
    lines.extend(
        incomplete
            .iter()
            .map(|area| tone(Tone::Warn, &lang.area_not_ready(text(area, "name")))),
    );
    lines.extend(due.iter().take(SHOWN).map(|row| {
        let door = format!("{} {}", lang.placed(text(row, "door")), text(row, "head"));
        format!("  {}  {}", door.trim(), due_reason(lang, row))
    }));
    if due.len() > SHOWN {
        lines.push(format!("  {}", lang.today_more(due.len() - SHOWN)));
    }
    lines
}

/// Returns why somebody is due, in words.
pub(super) fn due_reason(lang: Lang, row: &Value) -> String {
    let why = due::why(lang, row);
    match int(row, "overdue_days") {
        0 => why,
        days => format!("{why}  {}", lang.overdue(text(row, "due_on"), days)),
    }
}
