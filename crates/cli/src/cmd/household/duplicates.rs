//! `household duplicates`: pairs that may be one family, until a person decides.

use serde_json::Value;

use crate::cmd::init;
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;
use crate::ui::table::table;
use crate::view::{int, list_sight, seen, text, texts};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only households under this area
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let area = match &args.area {
        Some(code) => init::area_codes(context, std::slice::from_ref(code))?.pop(),
        None => None,
    };
    let replica = context.open()?;
    let found = replica.duplicates(area.as_ref(), args.limit.unwrap_or(ALL))?;
    let rows = seen(&found, list_sight(&replica));
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    context.ui.list(rows, || {
        let Some(first) = rows.first() else {
            return lang.no_duplicates().to_owned();
        };
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let reasons: Vec<&str> = texts(row, "reasons")
                    .into_iter()
                    .map(|reason| lang.code("duplicate", reason))
                    .collect();
                vec![
                    int(row, "score").to_string(),
                    line(row, "a"),
                    line(row, "b"),
                    reasons.join(lang.comma()),
                ]
            })
            .collect();
        let heads = ["%", lang.col_one(), lang.col_other(), lang.col_reason()];
        let id = |side| {
            first
                .get(side)
                .map(|row| text(row, "id"))
                .unwrap_or_default()
        };
        format!(
            "{}{}",
            table(&heads, &cells),
            lang.duplicates_next(id("a"), id("b"))
        )
    });
    Ok(Exit::Done)
}

/// Returns the door, head and id of one side of a pair.
fn line(row: &Value, side: &str) -> String {
    let household = row.get(side).cloned().unwrap_or_default();
    format!(
        "{} {} {}",
        super::list::door(&household),
        text(&household, "head"),
        text(&household, "id")
    )
}
