//! `household import`: a roster as the village office keeps it.

use std::path::PathBuf;

use serde_json::Value;
use wangge_agent::import::ImportReport;
use wangge_agent::mask;
use wangge_agent::roster::Reason;

use super::init;
use crate::areas;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};
use crate::view::{int, items, text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A workbook (.xlsx .xls .ods) or a table (.csv)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The grid its households live in, 15 digits; this home's only one if it is not said
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    grid: Option<String>,
    /// Show what was understood and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let grid = match &args.grid {
        Some(code) => code.clone(),
        None => match replica.own_areas() {
            [only] => only.to_string(),
            [] if replica.profile().relay.is_some() => {
                return Err(Failure::Usage {
                    message: lang.no_grid_here().to_owned(),
                    hint: "wangge status".to_owned(),
                });
            }
            _ => {
                return Err(Failure::Usage {
                    message: lang.grid_needed().to_owned(),
                    hint: "wangge household import FILE --grid CODE".to_owned(),
                });
            }
        },
    };
    let codes = init::area_codes(context, std::slice::from_ref(&grid))?;
    let code = codes.first().ok_or(Failure::NoFolder)?;
    let mut report = replica.import_roster(&args.file, code, args.dry_run)?;
    if replica.sight(code.as_str()).is_masked() {
        hide_refused(&mut report);
    }
    context.ui.show(&report, || human(lang, &grid, &report));
    let would_change = report.households.added + report.households.updated > 0;
    Ok(match () {
        () if args.dry_run && would_change => Exit::Found,
        () if report.refused.is_empty() && report.too_large.is_empty() => Exit::Done,
        () => Exit::Partly,
    })
}

/// Leaves of each refused value its first sign, but of words that say nothing of a person; the cell is
/// named, and whoever has the file finds it there.
fn hide_refused(report: &mut ImportReport) {
    for refused in &mut report.refused {
        let is_a_word = matches!(
            refused.reason,
            Reason::Relation | Reason::Care | Reason::Residence | Reason::Group | Reason::Sex
        );
        refused.value = match is_a_word {
            true => mask::note(&refused.value),
            false => mask::name(&refused.value),
        };
    }
}

fn human(lang: Lang, grid: &str, report: &ImportReport) -> String {
    let value = serde_json::to_value(report).unwrap_or_default();
    let mut out = String::new();
    for sheet in items(&value, "sheets") {
        out.push_str(&sheet_line(lang, sheet));
    }
    let left: Vec<String> = report
        .left_behind
        .iter()
        .map(|(header, cells)| format!("{header} {cells}"))
        .collect();
    if !left.is_empty() {
        out.push_str(&lang.left_behind(&left.join(lang.comma())));
        out.push('\n');
    }
    let refused: Vec<Vec<String>> = items(&value, "refused")
        .iter()
        .map(|refused| {
            vec![
                text(refused, "sheet").to_owned(),
                text(refused, "cell").to_owned(),
                text(refused, "value").to_owned(),
                lang.code("refused", text(refused, "reason")).to_owned(),
            ]
        })
        .collect();
    if !refused.is_empty() {
        out.push_str(&tone(Tone::Warn, &lang.refused_values(refused.len())));
        out.push('\n');
        let heads = [
            lang.col_sheet(),
            lang.col_cell(),
            lang.col_value(),
            lang.col_reason(),
        ];
        out.push_str(&table(&heads, &refused));
    }
    for row in &report.too_large {
        out.push_str(&tone(Tone::Warn, &lang.too_large_row(*row)));
        out.push('\n');
    }
    for twice in &report.repeated {
        let (sheet, first) = (&twice.sheet, &twice.first_sheet);
        let line = lang.repeated_row(sheet, twice.row, first, twice.first_row);
        out.push_str(&tone(Tone::Warn, &line));
        out.push('\n');
    }
    let counts = &report.households;
    let area = areas::shown(grid);
    let people = report.people;
    let done = match report.dry_run {
        true => lang.would_import(
            &area,
            counts.added,
            counts.updated,
            counts.unchanged,
            people,
        ),
        false => lang.imported(
            &area,
            counts.added,
            counts.updated,
            counts.unchanged,
            people,
        ),
    };
    out + &tone(Tone::Good, &done)
}

fn sheet_line(lang: Lang, sheet: &Value) -> String {
    let name = text(sheet, "sheet");
    if text(sheet, "layout").is_empty() {
        return format!("{}\n", lang.sheet_skipped(name));
    }
    let columns: Vec<String> = items(sheet, "columns")
        .iter()
        .map(|column| {
            let meaning = lang.code("meaning", text(column, "meaning"));
            format!(
                "{} {}→{meaning}",
                text(column, "column"),
                text(column, "header")
            )
        })
        .collect();
    let layout = lang.code("layout", text(sheet, "layout"));
    let line = lang.sheet_read(
        name,
        int(sheet, "header_row"),
        layout,
        int(sheet, "households"),
        int(sheet, "people"),
    );
    format!("{line}\n  {}\n", columns.join(lang.comma()))
}
