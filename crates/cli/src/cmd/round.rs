//! `round`: a walk through a grid; what is found is marked, and can become a report at once.

use serde_json::Value;
use wangge_agent::rounds::{MarkInput, RoundInput};

use crate::areas;
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::{Tone, tone};
use crate::view::{flag, items, list_sight, seen, text, texts};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Round {
    /// Begin a round
    Open(Open),
    /// Write down what was found
    Mark(Mark),
    /// End the round
    Close(Close),
    /// List rounds, the latest first
    List(List),
    /// Show a round with what was found
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// The grid, where there are several
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// The day of the round
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
    /// What it is for, a code of the duties; may be repeated
    #[arg(long = "for", value_name = "DUTY")]
    purposes: Vec<String>,
    /// What is worth remembering
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Where it comes from, when it was not typed on the way
    #[arg(long, value_name = "WORD")]
    source: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Mark {
    /// What was found
    #[arg(value_name = "TEXT", required = true)]
    words: Vec<String>,
    /// Where, in words
    #[arg(long, value_name = "TEXT")]
    place: Option<String>,
    /// Make a report of it
    #[arg(long)]
    report: bool,
    /// The report's category
    #[arg(long, value_name = "WORD", requires = "report")]
    category: Option<String>,
    /// The report's urgency, P0 to P3
    #[arg(long, value_name = "P", requires = "report", value_parser = typed::folded)]
    urgency: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Close {
    /// A remark on the whole round
    #[arg(value_name = "TEXT")]
    words: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The round's id or the beginning of it
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
}

pub(crate) fn run(context: &Context, command: Round) -> Result<Exit, Failure> {
    match command {
        Round::Open(args) => open(context, args),
        Round::Mark(args) => mark(context, args),
        Round::Close(args) => close(context, &args),
        Round::List(args) => list(context, &args),
        Round::Show(args) => show(context, &args),
    }
}

fn open(context: &Context, args: Open) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let lang = context.ui.lang;
    let on = match &args.on {
        Some(day) => {
            let date = typed::past_day_of(day, replica.today());
            let date = date.ok_or_else(|| Failure::Usage {
                message: lang.no_day(day),
                hint: context.help_command(),
            })?;
            Some(date.to_string())
        }
        None => None,
    };
    let round = replica.open_round(RoundInput {
        area: args.area,
        on,
        purposes: args.purposes,
        note: args.note.unwrap_or_default(),
        source: args.source,
    })?;
    let value = seen(&round, list_sight(&replica));
    context.ui.show(&value, || {
        format!(
            "{} {}\n{}",
            tone(Tone::Good, lang.saved()),
            line(lang, &value, replica.today()),
            lang.round_next()
        )
    });
    Ok(Exit::Done)
}

fn mark(context: &Context, args: Mark) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let lang = context.ui.lang;
    let (round, report) = replica.mark_round(MarkInput {
        text: args.words.join(" "),
        place: args.place.unwrap_or_default(),
        report: args.report,
        category: args.category,
        urgency: args.urgency,
    })?;
    let mut value = seen(&round, list_sight(&replica));
    if let (Some(report), Some(fields)) = (&report, value.as_object_mut()) {
        fields.insert("report".to_owned(), report.view.id.to_string().into());
    }
    context.ui.show(&value, || {
        let mut said = format!(
            "{} {}",
            tone(Tone::Good, lang.saved()),
            line(lang, &value, replica.today())
        );
        if let Some(report) = &report {
            said.push('\n');
            said.push_str(&lang.round_reported(&report.view.id.to_string()));
        }
        said
    });
    Ok(Exit::Done)
}

fn close(context: &Context, args: &Close) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let round = replica.close_round(&args.words.join(" "))?;
    let value = seen(&round, list_sight(&replica));
    let lang = context.ui.lang;
    context.ui.show(&value, || {
        let line = line(lang, &value, replica.today());
        format!("{} {line}", tone(Tone::Good, lang.saved()))
    });
    Ok(Exit::Done)
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let replica = context.open()?;
    let lang = context.ui.lang;
    let rounds = replica.rounds(args.limit.unwrap_or(ALL))?;
    let value = seen(&rounds, list_sight(&replica));
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let today = replica.today();
    context.ui.list(rows, || {
        if rows.is_empty() {
            return lang.no_rounds().to_owned();
        }
        let lines: Vec<String> = rows.iter().map(|row| line(lang, row, today)).collect();
        lines.join("\n")
    });
    Ok(Exit::Done)
}

fn show(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let replica = context.open()?;
    let lang = context.ui.lang;
    let value = seen(&replica.round(&args.id)?, list_sight(&replica));
    context.ui.show(&value, || {
        let mut lines = vec![line(lang, &value, replica.today())];
        for mark in items(&value, "marks") {
            let parts = [
                text(mark, "text"),
                text(mark, "place"),
                text(mark, "report"),
            ];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            lines.push(format!("  - {}", parts.join(" · ")));
        }
        lines.join("\n")
    });
    Ok(Exit::Done)
}

/// Returns a round in a line: day, grid, purposes, how much was found, whether it is over.
fn line(lang: Lang, round: &Value, today: chrono::NaiveDate) -> String {
    let mut parts = vec![
        moment::day(lang, text(round, "happened_on"), today),
        areas::shown(text(round, "area")),
    ];
    let duties = texts(round, "purposes").into_iter();
    parts.extend(duties.map(|duty| lang.code("duty", duty).to_owned()));
    parts.push(lang.round_marks(items(round, "marks").len()));
    parts.push(text(round, "note").to_owned());
    if !flag(round, "ended") {
        parts.push(lang.round_open().to_owned());
    }
    parts.push(tone(Tone::Faint, text(round, "id")));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}
