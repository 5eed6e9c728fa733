//! `report`: what somebody told, or what was seen; with words it records one.

use serde_json::Value;
use wangge_agent::reports::ReportInput;

use super::access::Reveal;
use super::{read_input, show_bulk};
use crate::areas;
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::{pairs, table};
use crate::ui::{Tone, tone};
use crate::view::{flag, list_sight, revealed, seen, sight, text};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Report {
    #[command(subcommand)]
    command: Option<ReportCommand>,
    #[command(flatten)]
    add: Add,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ReportCommand {
    /// Record a report, or many from JSON lines
    Add(Box<Add>),
    /// List reports, the latest first
    List(List),
    /// Show a report
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The household and what was told; one word alone is what was told
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// The area it is about, where no household is named
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// A code, a subtype, or domain/subtype of the event table
    #[arg(long, value_name = "WORD")]
    category: Option<String>,
    /// Where it is
    #[arg(long, value_name = "TEXT")]
    place: Option<String>,
    /// Who told it, when they belong to no household here
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// How to reach them
    #[arg(long, value_name = "TEXT", value_parser = typed::folded)]
    contact: Option<String>,
    /// named, confidential or anonymous
    #[arg(long, value_name = "WORD")]
    identity: Option<String>,
    /// It concerns more than one household
    #[arg(long)]
    collective: bool,
    /// P0 to P3
    #[arg(long, value_name = "LEVEL", value_parser = typed::folded)]
    urgency: Option<String>,
    /// Where it comes from: a visit, a call, 12345, a patrol
    #[arg(long, value_name = "WORD")]
    source: Option<String>,
    /// The day it was told
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
    /// What was done at once
    #[arg(long, value_name = "TEXT")]
    handled: Option<String>,
    /// It must not come to whom it is about: family violence, harm to a child
    #[arg(long)]
    restricted: bool,
    /// Restricted: whom it is about, a name or id of the roster
    #[arg(long, value_name = "WHO", requires = "restricted")]
    about: Option<String>,
    /// Restricted: who receives it beside the township; may be repeated
    #[arg(long = "for", value_name = "WHO", requires = "restricted")]
    named: Vec<String>,
    /// JSON lines, one report each; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    from: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The report's id or the beginning of it
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    #[command(flatten)]
    reveal: Reveal,
}

pub(crate) fn run(context: &Context, report: Report) -> Result<Exit, Failure> {
    match report.command {
        None => add(context, report.add),
        Some(ReportCommand::Add(args)) => add(context, *args),
        Some(ReportCommand::List(args)) => list(context, &args),
        Some(ReportCommand::Show(args)) => show(context, &args),
    }
}

fn add(context: &Context, args: Add) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_input(from)?;
        let report = context.open()?.bulk_reports(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let (household, told) = match args.words.as_slice() {
        [] => {
            return Err(Failure::Usage {
                message: lang.text_needed().to_owned(),
                hint: lang.report_example().to_owned(),
            });
        }
        [told] => (None, told.clone()),
        _ if args.area.is_some() => (None, args.words.join(" ")),
        [household, told @ ..] => (Some(typed::half_width(household.trim())), told.join(" ")),
    };
    let mut replica = context.open()?;
    let on = match &args.on {
        Some(day) => {
            let bad = || Failure::Usage {
                message: lang.no_day(day),
                hint: lang.report_example().to_owned(),
            };
            Some(
                typed::day_of(day, replica.today())
                    .ok_or_else(bad)?
                    .to_string(),
            )
        }
        None => None,
    };
    let report = replica.add_report(ReportInput {
        household,
        area: args.area,
        category: args.category,
        text: told,
        place: args.place.unwrap_or_default(),
        requester: args.requester.unwrap_or_default(),
        contact: args.contact.unwrap_or_default(),
        identity: args.identity,
        collective: args.collective,
        urgency: args.urgency,
        source: args.source,
        on,
        handled_on_spot: args.handled,
        restricted: args.restricted,
        about: args.about,
        named: args.named,
    })?;
    let value = seen(&report, list_sight(&replica));
    context.ui.show(&value, || {
        let id = tone(Tone::Faint, text(&value, "id"));
        format!(
            "{} {} · {id}",
            tone(Tone::Good, lang.saved()),
            text(&value, "text")
        )
    });
    Ok(Exit::Done)
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let reports = replica.reports(args.limit.unwrap_or(ALL))?;
    let value = seen(&reports, list_sight(&replica));
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let today = replica.today();
    context.ui.list(rows, || {
        if rows.is_empty() {
            return lang.no_reports().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let handled = !text(row, "handled_on_spot").is_empty();
                vec![
                    moment::day(lang, text(row, "happened_on"), today),
                    text(row, "urgency").to_owned(),
                    text(row, "category_name").to_owned(),
                    text(row, "text").to_owned(),
                    if handled {
                        lang.handled().to_owned()
                    } else {
                        String::new()
                    },
                    text(row.get("by").unwrap_or(&Value::Null), "name").to_owned(),
                    text(row, "id").to_owned(),
                ]
            })
            .collect();
        let heads = [
            lang.col_when(),
            lang.col_urgency(),
            lang.col_category(),
            lang.col_what(),
            "",
            lang.col_by(),
            lang.col_id(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

fn show(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let id = replica.name_report(&args.id)?;
    let is_clear = args.reveal.ask(context, &mut replica, &id)?;
    let report = replica.report(&args.id)?;
    let area = report
        .content
        .get("area")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (value, shown) = if is_clear {
        let clear = seen(&report, revealed(&replica));
        (clear.clone(), clear)
    } else {
        let value = seen(&report, sight(&replica, area));
        (value, seen(&report, list_sight(&replica)))
    };
    context.ui.show(&value, || human(context.ui.lang, &shown));
    Ok(Exit::Done)
}

fn human(lang: Lang, report: &Value) -> String {
    let yes = |value: bool| {
        if value {
            lang.yes().to_owned()
        } else {
            String::new()
        }
    };
    let facts = pairs(&[
        (lang.col_when(), text(report, "happened_on").to_owned()),
        (lang.col_urgency(), text(report, "urgency").to_owned()),
        (
            lang.col_category(),
            text(report, "category_name").to_owned(),
        ),
        (lang.col_area(), areas::shown(text(report, "area"))),
        (lang.col_household(), text(report, "household").to_owned()),
        (lang.col_place(), text(report, "place").to_owned()),
        (lang.col_requester(), text(report, "requester").to_owned()),
        (lang.col_contact(), text(report, "contact").to_owned()),
        (
            lang.col_identity(),
            lang.code("identity", text(report, "identity")).to_owned(),
        ),
        (lang.col_collective(), yes(flag(report, "collective"))),
        (lang.col_source(), text(report, "source").to_owned()),
        (
            lang.col_handled(),
            text(report, "handled_on_spot").to_owned(),
        ),
        (
            lang.col_by(),
            text(report.get("by").unwrap_or(&Value::Null), "name").to_owned(),
        ),
        (lang.col_id(), text(report, "id").to_owned()),
    ]);
    format!("{}\n{facts}", tone(Tone::Strong, text(report, "text")))
}
