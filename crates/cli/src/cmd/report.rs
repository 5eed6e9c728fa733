//! `report`: what somebody told, or what was seen; with words it records one.

use serde_json::Value;
use wangge_agent::Replica;
use wangge_agent::reports::{Phoned, ReportDetail, ReportInput};

use super::access::Reveal;
use super::{export, history, read_lines, show_bulk, unread};
use crate::areas;
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::{pairs, table};
use crate::ui::{Tone, tone};
use crate::view::{
    flag, int, items, list_sight, paper, revealed, seen, sight, text, with_household,
};

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
    /// Show a report, what was said since and what came of it
    Show(Show),
    /// Remark
    Comment(Comment),
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
    /// Who was told by telephone first
    #[arg(long, value_name = "WHO")]
    phoned: Option<String>,
    /// How many people it concerns
    #[arg(long, value_name = "N", value_parser = typed::count)]
    affected: Option<usize>,
    /// Open a ticket from it in the same go; a help ticket if no kind is said
    #[arg(
        long,
        value_name = "KIND",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "help",
        hide_default_value = true
    )]
    ticket: Option<String>,
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
    #[command(flatten)]
    out: export::Out,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The report's id or the beginning of it
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Show who changed what, from what to what
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    reveal: Reveal,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Comment {
    /// The report's id or the beginning of it
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The remark
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
}

pub(crate) fn run(context: &Context, report: Report) -> Result<Exit, Failure> {
    match report.command {
        None => add(context, report.add),
        Some(ReportCommand::Add(args)) => add(context, *args),
        Some(ReportCommand::List(args)) => list(context, &args),
        Some(ReportCommand::Show(args)) => show(context, &args),
        Some(ReportCommand::Comment(args)) => comment(context, &args),
    }
}

fn add(context: &Context, args: Add) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_lines(from)?;
        let report = context.open_unread()?.bulk_reports(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let (household, told) = match args.words.as_slice() {
        [] => {
            return Err(Failure::Usage {
                message: lang.text_needed().to_owned(),
                hint: context.help_command(),
            });
        }
        [told] => (None, told.clone()),
        _ if args.area.is_some() => (None, args.words.join(" ")),
        [household, told @ ..] => (Some(typed::half_width(household.trim())), told.join(" ")),
    };
    let mut replica = context.open_unread()?;
    let typed = household.clone().unwrap_or_default();
    let on = match &args.on {
        Some(day) => {
            let bad = || Failure::Usage {
                message: lang.no_day(day),
                hint: context.help_command(),
            };
            Some(
                typed::past_day_of(day, replica.today())
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
        phoned: args.phoned.map(|to| Phoned { to, at_ms: 0 }),
        affected: args
            .affected
            .map_or(0, |people| i64::try_from(people).unwrap_or(i64::MAX)),
        ticket: args.ticket,
        restricted: args.restricted,
        about: args.about,
        named: args.named,
    })?;
    if !replica.reads()? {
        let codes: Vec<String> = report.tickets.iter().map(|it| it.code.clone()).collect();
        let id = report.view.id.to_string();
        return Ok(unread::show(context, &id, &typed, &codes));
    }
    let value = seen(&report, list_sight(&replica));
    context.ui.show(&value, || {
        let tickets = items(&value, "tickets").iter();
        let codes = tickets.map(|ticket| format!(" · {}", text(ticket, "code")));
        let id = tone(Tone::Faint, text(&value, "id"));
        format!(
            "{} {}{} · {id}",
            tone(Tone::Good, lang.saved()),
            text(&value, "text"),
            codes.collect::<String>()
        )
    });
    warn(context, &report);
    Ok(Exit::Done)
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let reports = replica.reports(args.limit.unwrap_or(ALL))?;
    if args.out.out.is_some() {
        let docs: Vec<_> = reports.iter().map(|row| row.id).collect();
        let masked = seen(&reports, paper(&replica));
        let rows = masked.as_array().map(Vec::as_slice).unwrap_or_default();
        return export::write(
            context,
            &mut replica,
            &args.out,
            &export::reports(lang, rows),
            &docs,
        );
    }
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
                vec![
                    moment::day(lang, text(row, "happened_on"), today),
                    text(row, "urgency").to_owned(),
                    lang.category(text(row, "category")),
                    text(row, "text").to_owned(),
                    marks(lang, row),
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

/// Returns what sets a report apart: handled on the spot, kept from whom it is about.
fn marks(lang: Lang, row: &Value) -> String {
    let handled = !text(row, "handled_on_spot").is_empty();
    let restricted = flag(row, "restricted");
    let mut marks = Vec::new();
    marks.extend(restricted.then(|| tone(Tone::Warn, lang.restricted())));
    marks.extend(handled.then(|| lang.handled().to_owned()));
    marks.join(" ")
}

fn show(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let id = replica.name_report(&args.id)?;
    let is_clear = args.reveal.ask(context, &mut replica, &id)?;
    let report = replica.report(&args.id)?;
    if args.history {
        let area = report.view.content.get("area").and_then(Value::as_str);
        let sight = match is_clear {
            true => revealed(&replica),
            false => sight(&replica, area.unwrap_or_default()),
        };
        return history::show(context, &replica, &id.to_string(), sight);
    }
    if is_clear {
        let (value, today) = (seen(&report, revealed(&replica)), replica.today());
        context.ui.show(&value, || {
            human(
                context.ui.lang,
                &with_household(&replica, value.clone()),
                today,
            )
        });
    } else {
        show_full(context, &replica, &report);
    }
    Ok(Exit::Done)
}

fn comment(context: &Context, args: &Comment) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let report = replica.comment_report(&args.id, &args.text.join(" "))?;
    show_full(context, &replica, &report);
    Ok(Exit::Done)
}

fn show_full(context: &Context, replica: &Replica, report: &ReportDetail) {
    let area = report
        .view
        .content
        .get("area")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let value = seen(report, sight(replica, area));
    let shown = seen(report, list_sight(replica));
    context.ui.show(&value, || {
        human(
            context.ui.lang,
            &with_household(replica, shown),
            replica.today(),
        )
    });
    warn(context, report);
}

/// Says on stderr what a person should know.
fn warn(context: &Context, report: &ReportDetail) {
    for warning in &report.warnings {
        let said = context.ui.lang.code("ticket_warning", warning);
        context.ui.talk(&tone(Tone::Warn, said));
    }
}

fn human(lang: Lang, report: &Value, today: chrono::NaiveDate) -> String {
    let mut out = format!(
        "{}\n{}",
        tone(Tone::Strong, text(report, "text")),
        pairs(&facts(lang, report))
    );
    for ticket in items(report, "tickets") {
        let status = lang.code("status", text(ticket, "status"));
        let told = if flag(ticket, "answered") {
            lang.col_answered()
        } else {
            ""
        };
        let parts = [lang.ticket_word(), text(ticket, "code"), status, told];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        out.push_str(&format!("→ {}\n", parts.join(" · ")));
    }
    for comment in items(report, "comments") {
        let when = moment::minute(lang, int(comment, "at_ms"), today);
        let (by, said) = (text(comment, "by"), text(comment, "text"));
        out.push_str(&format!("· {when} · {by} · {said}\n"));
    }
    out
}

fn facts<'a>(lang: Lang, report: &Value) -> Vec<(&'a str, String)> {
    let said = |key: &str| text(report, key).to_owned();
    let yes = if flag(report, "collective") {
        lang.yes()
    } else {
        ""
    };
    let restricted = if flag(report, "restricted") {
        lang.yes()
    } else {
        ""
    };
    let part = |key: &str| report.get(key).unwrap_or(&Value::Null);
    let state = if flag(report, "at_relay") {
        "at_relay"
    } else {
        "on_device"
    };
    let affected = Some(int(report, "affected")).filter(|people| *people > 0);
    vec![
        (lang.col_when(), said("happened_on")),
        (lang.col_urgency(), said("urgency")),
        (lang.col_category(), lang.category(text(report, "category"))),
        (lang.col_area(), areas::shown(text(report, "area"))),
        (lang.col_household(), lang.placed(&said("household"))),
        (lang.col_place(), said("place")),
        (lang.col_requester(), said("requester")),
        (lang.col_contact(), said("contact")),
        (
            lang.col_identity(),
            lang.code("identity", text(report, "identity")).to_owned(),
        ),
        (lang.col_collective(), yes.to_owned()),
        (lang.restricted(), restricted.to_owned()),
        (
            lang.col_affected(),
            affected.map_or_else(String::new, |people| people.to_string()),
        ),
        (lang.col_source(), said("source")),
        (lang.col_phoned(), text(part("phoned"), "to").to_owned()),
        (lang.col_handled(), said("handled_on_spot")),
        (lang.col_by(), text(part("by"), "name").to_owned()),
        (lang.col_travelled(), lang.code("state", state).to_owned()),
        (lang.col_id(), said("id")),
    ]
}
