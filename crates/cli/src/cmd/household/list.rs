//! `household list` and `household find`: households in rows.

use serde_json::Value;
use wangge_agent::{Replica, mask};
use wangge_relay::AreaCode;

use crate::cmd::{export, init};
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};
use crate::view::{int, list_sight, paper, seen, text, texts};

/// Households found when nobody says how many.
const FOUND_MAX: usize = 20;
/// Households of a page when nobody says how many.
const PAGE: usize = 50;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only households under this area
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// Only this village group
    #[arg(long, value_name = "GROUP", value_parser = typed::folded)]
    group: Option<String>,
    /// Only households with somebody who has this care tag
    #[arg(long, value_name = "TAG")]
    care: Option<String>,
    /// Only those that live this way: resident, away, empty or moved_out
    #[arg(long, value_name = "WORD")]
    residence: Option<String>,
    /// Only this page, from 1; a page is --limit long, or 50
    #[arg(long, value_name = "N", value_parser = typed::page, conflicts_with = "offset")]
    page: Option<usize>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
    /// Leave out this many first
    #[arg(long, value_name = "N", value_parser = typed::count, default_value = "0")]
    offset: usize,
    #[command(flatten)]
    out: export::Out,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Find {
    /// Initials, pinyin, name, door or the tail of a phone
    #[arg(value_name = "WORDS", required = true)]
    words: Vec<String>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let area: Option<AreaCode> = match &args.area {
        Some(code) => init::area_codes(context, std::slice::from_ref(code))?.pop(),
        None => None,
    };
    let mut replica = context.open()?;
    let (group, care) = (args.group.as_deref(), args.care.as_deref());
    let filter = replica.household_filter(area, group, care, args.residence.as_deref())?;
    let (limit, offset) = match args.page {
        Some(page) => {
            let length = args.limit.unwrap_or(PAGE);
            (length, page.saturating_sub(1).saturating_mul(length))
        }
        None => (args.limit.unwrap_or(ALL), args.offset),
    };
    let rows = replica.households_where(&filter, limit, offset)?;
    if args.out.out.is_some() {
        let docs: Vec<_> = rows.iter().map(|row| row.id).collect();
        let masked = seen(&rows, paper(&replica));
        let rows = masked.as_array().map(Vec::as_slice).unwrap_or_default();
        let table = export::households(context.ui.lang, rows);
        return export::write(context, &mut replica, &args.out, &table, &docs);
    }
    let total = replica.count_households(&filter)?;
    let lang = context.ui.lang;
    let foot = match rows.len() {
        0 if total == 0 => lang.no_households().to_owned(),
        0 => lang.none_of(total),
        all if all == total => lang.rows(total),
        some => lang.rows_of(offset + 1, offset + some, total),
    };
    show_rows(context, &replica, seen(&rows, list_sight(&replica)), &foot);
    let incomplete = replica.incomplete_areas()?;
    if !incomplete.is_empty() && context.ui.json.is_none() {
        // What was counted may be more.
        let line = crate::cmd::status::not_complete(lang, &incomplete);
        context.ui.talk(&line);
    }
    Ok(Exit::Done)
}

pub(super) fn find(context: &Context, args: &Find) -> Result<Exit, Failure> {
    let replica = context.open()?;
    let words = args.words.join(" ");
    let limit = match args.limit {
        Some(limit) => limit,
        // A village group that was named is listed whole.
        None => replica.find(&words, 0)?.len().max(FOUND_MAX),
    };
    // One more than is shown says whether there are more; how many there are nobody counted.
    let mut rows = replica.find(&words, limit.saturating_add(1))?;
    let found = !rows.is_empty();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let foot = match more {
        true => context.ui.lang.rows_and_more(rows.len()),
        false if found => context.ui.lang.rows(rows.len()),
        false => context.ui.lang.no_households().to_owned(),
    };
    show_rows(context, &replica, seen(&rows, list_sight(&replica)), &foot);
    Ok(if found { Exit::Done } else { Exit::Failed })
}

/// Shows rows of a list, and below them how many of how many they are.
fn show_rows(context: &Context, replica: &Replica, rows: Value, foot: &str) {
    let lang = context.ui.lang;
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let today = replica.today();
    context.ui.list(rows, || {
        if rows.is_empty() {
            return foot.to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let care: Vec<&str> = texts(row, "care")
                    .into_iter()
                    .map(|care| lang.code("care", care))
                    .collect();
                vec![
                    door(row),
                    text(row, "head").to_owned(),
                    int(row, "people").to_string(),
                    text(row, "phone_masked").to_owned(),
                    lang.code("residence", text(row, "residence")).to_owned(),
                    care.join(lang.comma()),
                    moment::day(lang, text(row, "last_visit"), today),
                    text(row, "id").to_owned(),
                ]
            })
            .collect();
        let heads = [
            lang.col_door(),
            lang.col_head(),
            lang.col_people(),
            lang.col_phone(),
            lang.col_residence(),
            lang.col_care(),
            lang.col_last_visit(),
            lang.col_id(),
        ];
        format!("{}{}", table(&heads, &cells), tone(Tone::Faint, foot))
    });
}

pub(super) fn door(row: &Value) -> String {
    match int(row, "group") {
        group if text(row, "door").is_empty() => {
            mask::address(u16::try_from(group).unwrap_or_default())
        }
        0 => text(row, "door").to_owned(),
        group => format!("{group}-{}", text(row, "door")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_door_is_shown_with_its_group() {
        assert_eq!(door(&json!({"group": 3, "door": "12"})), "3-12");
        assert_eq!(door(&json!({"group": 0, "door": "12"})), "12");
    }
}
