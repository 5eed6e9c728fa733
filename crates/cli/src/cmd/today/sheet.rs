//! `today print`: the day on paper. Names, doors and telephones are masked as on all paper.

use serde_json::Value;

use super::{Context, Exit, Failure, Lang, Sheet, int, items, seen, text, typed};
use crate::view;

#[derive(Debug, clap::Args)]
pub(crate) struct Print {
    /// Households to put on the sheet beside those who are due
    #[arg(value_name = "HOUSEHOLD", value_parser = typed::folded)]
    households: Vec<String>,
    /// The sheet of which day
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

pub(super) fn run(context: &Context, args: &Print) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let lang = context.ui.lang;
    let day = match &args.on {
        None => replica.today(),
        Some(day) => typed::day_of(day, replica.today()).ok_or_else(|| Failure::Usage {
            message: lang.no_day(day),
            hint: lang.sheet_print_command().to_owned(),
        })?,
    };
    let more = args
        .households
        .iter()
        .map(|name| replica.name_household(name))
        .collect::<Result<Vec<_>, _>>()?;
    let sheet: Sheet = replica.print_sheet(day, &more)?;
    let value = seen(&sheet, view::paper(&replica));
    let name = replica.profile().name.clone();
    context.ui.show(&value, || paper(lang, &value, &name));
    Ok(Exit::Done)
}

/// Returns the sheet as it is printed.
fn paper(lang: Lang, sheet: &Value, name: &str) -> String {
    let rows = items(sheet, "rows");
    if rows.is_empty() {
        return lang.sheet_empty().to_owned();
    }
    let mut lines = vec![lang.sheet_head(text(sheet, "day"), name), String::new()];
    for row in rows {
        let mut parts = vec![
            format!("{:>3}", int(row, "number")),
            lang.village_group(u16::try_from(int(row, "group")).unwrap_or_default()),
            text(row, "head").to_owned(),
            reason(lang, row),
        ];
        let arrangement = text(row, "arrangement");
        if !arrangement.is_empty() {
            parts.push(lang.sheet_arrangement(arrangement));
        }
        parts.push(if text(row, "visit").is_empty() {
            lang.sheet_boxes().to_owned()
        } else {
            lang.sheet_entered().to_owned()
        });
        parts.retain(|part| !part.is_empty());
        lines.push(parts.join("  "));
    }
    lines.push(String::new());
    lines.push(lang.sheet_foot().to_owned());
    lines.join("\n")
}

/// Returns why a row is on the sheet, in words.
fn reason(lang: Lang, row: &Value) -> String {
    match row.get("reason") {
        None | Some(Value::Null) => lang.by_hand().to_owned(),
        Some(reason) => super::summary::due_reason(lang, reason),
    }
}
