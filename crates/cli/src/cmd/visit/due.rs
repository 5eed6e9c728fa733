//! `visit due`: who is due, overdue first, with the reason.

use chrono::NaiveDate;
use serde_json::{Value, json};
use wangge_agent::export::Table;

use crate::cmd::{export, init};
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Json, Tone, tone};
use crate::view::{int, items, list_sight, paper, seen, text};

#[derive(Debug, clap::Args)]
pub(crate) struct Due {
    /// Only this area
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// The day to look at; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
    #[command(flatten)]
    out: export::Out,
}

pub(super) fn run(context: &Context, args: &Due) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let area = init::area_codes(context, args.area.as_slice())?;
    let mut replica = context.open()?;
    let today = replica.today();
    let day = match &args.on {
        Some(typed) => typed::day_of(typed, today).ok_or_else(|| super::no_day(context, typed))?,
        None => today,
    };
    let mut list = replica.due(day, area.first())?;
    let total = list.rows.len();
    list.rows.truncate(args.limit.unwrap_or(ALL));
    if args.out.out.is_some() {
        let docs: Vec<_> = list.rows.iter().map(|row| row.household).collect();
        let masked = seen(&list.rows, paper(&replica));
        let rows = masked.as_array().map(Vec::as_slice).unwrap_or_default();
        return export::write(context, &mut replica, &args.out, &sheet(lang, rows), &docs);
    }
    let rows = seen(&list.rows, list_sight(&replica));
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if context.ui.json == Some(Json::Lines) {
        context.ui.list(rows, String::new);
        return Ok(Exit::Done);
    }
    let value = json!({
        "day": list.day,
        "total": total,
        "rows": rows,
        "incomplete": list.incomplete,
    });
    context.ui.show(&value, || human(lang, &value, day));
    Ok(Exit::Done)
}

fn human(lang: Lang, value: &Value, day: NaiveDate) -> String {
    let rows = items(value, "rows");
    let incomplete = items(value, "incomplete");
    let mut out = String::new();
    if !rows.is_empty() {
        let heads = [
            "#",
            lang.col_door(),
            lang.col_head(),
            lang.col_why_due(),
            lang.col_last_met(),
            lang.col_due_on(),
        ];
        let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(lang, row)).collect();
        out.push_str(&table(&heads, &cells));
        let overdue = rows
            .iter()
            .filter(|row| int(row, "overdue_days") > 0)
            .count();
        out.push_str(&tone(
            Tone::Faint,
            &lang.due_count(int(value, "total"), overdue),
        ));
    } else if incomplete.is_empty() {
        out.push_str(&lang.nobody_due(&crate::moment::day(lang, &day.to_string(), day)));
    }
    for area in incomplete {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&tone(Tone::Warn, &lang.area_not_ready(text(area, "name"))));
    }
    out
}

/// Returns the list as a table; the rows are masked.
fn sheet(lang: Lang, rows: &[Value]) -> Table {
    let heads = [
        lang.col_area(),
        lang.col_group(),
        lang.col_head(),
        lang.col_why_due(),
        lang.col_last_met(),
        lang.col_due_on(),
        lang.col_id(),
    ];
    let mut table = Table::new(lang.sheet_due(), &heads);
    for row in rows {
        table.rows.push(vec![
            crate::areas::shown(text(row, "area")).into(),
            lang.group_of(export::group_in(text(row, "door"))).into(),
            text(row, "head").into(),
            why(lang, row).into(),
            text(row, "last_met_on").into(),
            text(row, "due_on").into(),
            text(row, "household").into(),
        ]);
    }
    table
}

/// Returns why a household is due, in words.
pub(crate) fn why(lang: Lang, row: &Value) -> String {
    let mut why: Vec<String> = items(row, "reasons")
        .iter()
        .map(|reason| self::reason(lang, reason))
        .collect();
    why.push(text(row, "note").to_owned());
    if text(row, "residence") != "resident" {
        why.push(lang.code("residence", text(row, "residence")).to_owned());
    }
    why.retain(|part| !part.is_empty());
    why.join(lang.comma())
}

fn cells(lang: Lang, row: &Value) -> Vec<String> {
    let mut met = match text(row, "last_met_on") {
        "" => lang.never().to_owned(),
        day => day.to_owned(),
    };
    if !text(row, "tried_on").is_empty() {
        met.push_str(&lang.tried(text(row, "tried_on")));
    }
    let due = match int(row, "overdue_days") {
        0 => tone(Tone::Strong, lang.due_now()),
        days => tone(Tone::Warn, &lang.overdue(text(row, "due_on"), days)),
    };
    vec![
        int(row, "number").to_string(),
        lang.placed(text(row, "door")),
        text(row, "head").to_owned(),
        why(lang, row),
        met,
        due,
    ]
}

fn reason(lang: Lang, reason: &Value) -> String {
    match text(reason, "reason") {
        "care" => {
            let care = lang.code("care", text(reason, "tag"));
            let every = lang.code("every", text(reason, "every"));
            format!("{} {care} {every}", text(reason, "name"))
                .trim()
                .to_owned()
        }
        code => lang.code("due_reason", code).to_owned(),
    }
}
