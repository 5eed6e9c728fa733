//! Lists as files: `--out FILE` on every list.
//!
//! **What leaves in a file is masked, on every device**: names, numbers and doors are left out of it.
//! A file goes on to people nobody thought of.

use std::path::PathBuf;

use serde_json::{Value, json};
use wangge_agent::export::{Cell, Table};
use wangge_agent::{DocId, Replica};

use crate::cmd::access;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::text::typed::GROUP_SIGN;
use crate::view::{int, text, texts};

/// Where a list goes instead of the screen.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Out {
    /// Write the list to a file that ends in .csv or .xlsx, masked
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// Why it leaves as a file: visit, check, errand, request, emergency, or four characters or more
    #[arg(long, value_name = "TEXT", requires = "out")]
    pub(crate) reason: Option<String>,
    /// Also where more than 500 rows leave at once
    #[arg(long, requires = "out")]
    pub(crate) yes: bool,
}

/// Rows that leave in one file without another word.
const ROWS_UNASKED: usize = 500;

/// Writes a list to the file that was asked for; that it leaves, and why, is written down first, with each
/// household, or report or ticket without one, that has a row.
pub(crate) fn write(
    context: &Context,
    replica: &mut Replica,
    out: &Out,
    table: &Table,
    docs: &[DocId],
) -> Result<Exit, Failure> {
    let path = out.out.clone().unwrap_or_default();
    Table::check(&path, out.force)?;
    let reason = access::needed(context, out.reason.as_deref())?;
    if table.rows.len() > ROWS_UNASKED && !out.yes {
        return Err(Failure::Usage {
            message: context.ui.lang.many_rows(table.rows.len(), ROWS_UNASKED),
            hint: format!("{} --yes", context.typed_command()),
        });
    }
    replica.export(table, docs, reason, (&path, out.force))?;
    let (file, rows) = (path.display().to_string(), table.rows.len());
    context.ui.show(&json!({"file": file, "rows": rows}), || {
        context.ui.lang.list_written(rows, &file)
    });
    Ok(Exit::Done)
}

/// Returns households as a table; the rows are masked.
pub(crate) fn households(lang: Lang, rows: &[Value]) -> Table {
    let heads = [
        lang.col_area(),
        lang.col_group(),
        lang.col_head(),
        lang.col_people(),
        lang.col_phone(),
        lang.col_residence(),
        lang.col_care(),
        lang.col_last_visit(),
        lang.col_id(),
    ];
    let mut table = Table::new(lang.sheet_households(), &heads);
    for row in rows {
        let care: Vec<&str> = texts(row, "care")
            .into_iter()
            .map(|care| lang.code("care", care))
            .collect();
        table.rows.push(vec![
            crate::areas::shown(text(row, "area")).into(),
            lang.group_of(int(row, "group")).into(),
            text(row, "head").into(),
            count(int(row, "people")),
            text(row, "phone_masked").into(),
            lang.code("residence", text(row, "residence")).into(),
            care.join(lang.comma()).into(),
            text(row, "last_visit").into(),
            text(row, "id").into(),
        ]);
    }
    table
}

/// Returns visits as a table; the rows are masked.
pub(crate) fn visits(lang: Lang, rows: &[Value]) -> Table {
    let heads = [
        lang.col_when(),
        lang.col_group(),
        lang.col_head(),
        lang.col_mode(),
        lang.col_met(),
        lang.col_purposes(),
        lang.col_note(),
        lang.col_no_change(),
        lang.col_come_back(),
        lang.col_by(),
        lang.col_id(),
    ];
    let mut table = Table::new(lang.sheet_visits(), &heads);
    for row in rows {
        let duties: Vec<&str> = texts(row, "purposes")
            .into_iter()
            .map(|duty| lang.code("duty", duty))
            .collect();
        let same = row.get("no_change").and_then(Value::as_bool) == Some(true);
        table.rows.push(vec![
            text(row, "happened_on").into(),
            lang.group_of(group_in(text(row, "door"))).into(),
            text(row, "head").into(),
            lang.code("mode", text(row, "mode")).into(),
            lang.code("met", text(row, "met")).into(),
            duties.join(lang.comma()).into(),
            text(row, "note").into(),
            if same { lang.yes() } else { "" }.into(),
            text(row, "follow_up_on").into(),
            text(row.get("by").unwrap_or(&Value::Null), "name").into(),
            text(row, "id").into(),
        ]);
    }
    table
}

/// Returns reports as a table; the rows are masked.
pub(crate) fn reports(lang: Lang, rows: &[Value]) -> Table {
    let heads = [
        lang.col_when(),
        lang.col_urgency(),
        lang.col_category(),
        lang.col_area(),
        lang.col_what(),
        lang.col_requester(),
        lang.col_contact(),
        lang.col_handled(),
        lang.col_by(),
        lang.col_id(),
    ];
    let mut table = Table::new(lang.sheet_reports(), &heads);
    for row in rows {
        table.rows.push(vec![
            text(row, "happened_on").into(),
            text(row, "urgency").into(),
            lang.category(text(row, "category")).into(),
            crate::areas::shown(text(row, "area")).into(),
            text(row, "text").into(),
            if_named(row, "requester").into(),
            if_named(row, "contact").into(),
            text(row, "handled_on_spot").into(),
            text(row.get("by").unwrap_or(&Value::Null), "name").into(),
            text(row, "id").into(),
        ]);
    }
    table
}

/// Returns tickets as a table; the rows are masked.
pub(crate) fn tickets(lang: Lang, rows: &[Value]) -> Table {
    let heads = [
        lang.col_number(),
        lang.col_state(),
        lang.col_kind(),
        lang.col_urgency(),
        lang.col_area(),
        lang.col_what(),
        lang.col_requester(),
        lang.col_contact(),
        lang.col_when(),
        lang.col_id(),
    ];
    let mut table = Table::new(lang.sheet_tickets(), &heads);
    for row in rows {
        let opened = crate::moment::china(int(row, "at_ms"));
        table.rows.push(vec![
            text(row, "code").into(),
            lang.code("status", text(row, "status")).into(),
            lang.code("ticket", text(row, "kind")).into(),
            text(row, "urgency").into(),
            crate::areas::shown(text(row, "area")).into(),
            text(row, "subject").into(),
            if_named(row, "requester").into(),
            if_named(row, "contact").into(),
            opened
                .map(|at| at.format("%Y-%m-%d %H:%M").to_string())
                .unwrap_or_default()
                .into(),
            text(row, "id").into(),
        ]);
    }
    table
}

/// Returns who told something, or how to reach them; empty where they wished not to be named, whoever
/// makes the file.
fn if_named<'a>(row: &'a Value, key: &str) -> &'a str {
    match text(row, "identity") {
        "" | "named" => text(row, key),
        _ => "",
    }
}

fn count(number: i64) -> Cell {
    Cell::Number(u32::try_from(number).unwrap_or_default())
}

/// Returns the group of a door `3-12`, or of a masked one `3组`; 0 where it names none.
pub(crate) fn group_in(door: &str) -> i64 {
    let group = door.split_once(['-', GROUP_SIGN]);
    let group = group.map(|(group, _)| group.parse());
    group.and_then(Result::ok).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_nothing_of_who_wished_not_to_be_named() {
        let cells = |identity: &str| {
            let rows =
                [json!({"identity": identity, "requester": "雍**", "contact": "139****0006"})];
            format!(
                "{:?}{:?}",
                reports(Lang::Zh, &rows).rows,
                tickets(Lang::Zh, &rows).rows
            )
        };
        assert_eq!(cells("named").matches("雍**").count(), 2);
        for identity in ["confidential", "anonymous", "a_later_word"] {
            let shown = cells(identity);
            assert!(!shown.contains("雍") && !shown.contains("0006"), "{shown}");
        }
    }

    #[test]
    fn of_a_door_only_the_group_leaves() {
        assert_eq!(group_in("3-12"), 3);
        assert_eq!(group_in("3组"), 3);
        assert_eq!(group_in("12"), 0);
        assert_eq!(Lang::Zh.group_of(3), "3组");
        assert_eq!(Lang::Zh.group_of(0), "");
    }
}
