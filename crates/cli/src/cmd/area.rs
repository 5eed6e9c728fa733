//! `area`: codes and names; the own areas first.

use serde_json::json;

use super::init;
use crate::areas;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;
use crate::ui::table::table;

/// Areas by code and name.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Area {
    /// List areas, your own first
    List(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only areas under this code
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    under: Option<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(under) = &args.under {
        init::area_codes(context, std::slice::from_ref(under))?;
    }
    let own: Vec<String> = match context.open() {
        Ok(replica) => replica
            .areas()
            .iter()
            .map(|area| area.to_string())
            .collect(),
        // The published codes are for everybody, also before there is a home.
        Err(Failure::Agent(_)) => Vec::new(),
        Err(other) => return Err(other),
    };
    let is_wanted = |code: &str| match &args.under {
        Some(under) => code.starts_with(under.as_str()),
        None if own.is_empty() => true,
        None => own.iter().any(|area| code.starts_with(area.as_str())),
    };
    let mut rows: Vec<(String, String, bool)> = own
        .iter()
        .filter(|code| {
            args.under
                .as_ref()
                .is_none_or(|under| code.starts_with(under.as_str()))
        })
        .map(|code| (code.clone(), areas::spoken(code), true))
        .collect();
    for division in areas::divisions() {
        if is_wanted(division.code) && !own.iter().any(|code| code == division.code) {
            rows.push((division.code.to_owned(), division.name.to_owned(), false));
        }
    }
    let values: Vec<serde_json::Value> = rows
        .iter()
        .map(|(code, name, own)| {
            json!({"code": code, "name": name, "level": areas::level(code), "own": own})
        })
        .collect();
    context.ui.list(&values, || {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|(code, name, own)| {
                let level = lang.code("level", areas::level(code)).to_owned();
                let mark = if *own { lang.own_area() } else { "" };
                vec![code.clone(), name.clone(), level, mark.to_owned()]
            })
            .collect();
        table(
            &[lang.col_code(), lang.col_title(), lang.col_level(), ""],
            &cells,
        )
    });
    Ok(Exit::Done)
}
