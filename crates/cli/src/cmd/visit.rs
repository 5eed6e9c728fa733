//! `visit`: thirty seconds. With words it records one, bare it asks or reads lines.

mod ask;
pub(super) mod due;

use chrono::NaiveDate;
use serde_json::Value;
use wangge_agent::tickets::TicketInput;
use wangge_agent::visits::{VisitInput, VisitView};
use wangge_agent::{AgentError, Replica};

use super::{export, history, read_lines, show_bulk, unread};
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed::{self, BadWord, VisitWords};
use crate::ui::{Tone, tone};
use crate::view::{self, flag, list_sight, seen, text, texts};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Visit {
    #[command(subcommand)]
    command: Option<VisitCommand>,
    #[command(flatten)]
    add: Add,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum VisitCommand {
    /// Record a visit, or many from JSON lines
    Add(Box<Add>),
    /// List visits, the latest first
    List(List),
    /// Show a visit
    Show(Show),
    /// Who is due for a visit, overdue first, and why
    Due(due::Due),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The household, then words: fine, nobody, family, phone, a note, @fri, +errand
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// The day of the visit
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
    /// door, phone, video or deputy
    #[arg(long, value_name = "WORD")]
    mode: Option<String>,
    /// person, family, nobody or declined
    #[arg(long, value_name = "WORD")]
    met: Option<String>,
    /// What it was for, a code of the duties; may be repeated
    #[arg(long = "for", value_name = "DUTY")]
    purposes: Vec<String>,
    /// What is worth remembering
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// What is known of the household was confirmed
    #[arg(long)]
    no_change: bool,
    /// When to come back: fri, 11-30, tomorrow
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    follow_up: Option<String>,
    /// Where it comes from, when it was not typed at the door
    #[arg(long, value_name = "WORD")]
    source: Option<String>,
    /// What names that source: a form's number
    #[arg(long = "ref", value_name = "TEXT", requires = "source")]
    reference: Option<String>,
    /// Who visited, when somebody else types it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// JSON lines, one visit each; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    from: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only visits of this household
    #[arg(value_name = "HOUSEHOLD", value_parser = typed::folded)]
    household: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
    #[command(flatten)]
    out: export::Out,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The visit's id or the beginning of it
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Show who changed what, from what to what
    #[arg(long)]
    history: bool,
}

impl Add {
    /// Says whether an option speaks of a visit.
    fn says_something(&self) -> bool {
        let options = [
            &self.on,
            &self.mode,
            &self.met,
            &self.note,
            &self.follow_up,
            &self.source,
            &self.by,
        ];
        self.no_change || !self.purposes.is_empty() || options.into_iter().any(Option::is_some)
    }
}

pub(crate) fn run(context: &Context, visit: Visit) -> Result<Exit, Failure> {
    match visit.command {
        None => add(context, &visit.add, true),
        Some(VisitCommand::Add(args)) => add(context, &args, false),
        Some(VisitCommand::List(args)) => list(context, &args),
        Some(VisitCommand::Show(args)) => show(context, &args),
        Some(VisitCommand::Due(args)) => due::run(context, &args),
    }
}

fn add(context: &Context, args: &Add, may_ask: bool) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_lines(from)?;
        let report = context.open_unread()?.bulk_visits(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let Some((household, words)) = args.words.split_first() else {
        // Options say that one visit is meant: the loop would take none of them.
        if may_ask && !args.says_something() {
            return ask::run(context, &mut context.open()?);
        }
        return Err(Failure::Usage {
            message: lang.household_needed().to_owned(),
            hint: context.help_command(),
        });
    };
    let says_nothing = |text: &String| text.trim().is_empty();
    let silent = words.iter().all(says_nothing)
        && args.note.as_ref().is_none_or(says_nothing)
        && args.met.is_none()
        && args.mode.is_none()
        && args.purposes.is_empty()
        && !args.no_change;
    if silent {
        // A household alone is no visit: nobody is to be written down as met by a slip.
        return Err(Failure::Usage {
            message: lang.visit_words_needed().to_owned(),
            hint: context.help_command(),
        });
    }
    let mut replica = context.open_unread()?;
    let today = replica.today();
    let mut said = words_of(context, words, today)?;
    if let Some(day) = &args.follow_up {
        let date = typed::day_of(day.trim_start_matches('@'), today);
        said.follow_up_on = Some(date.ok_or_else(|| no_day(context, day))?);
    }
    let mut input = input(lang, household, &said);
    input.on = match &args.on {
        Some(day) => Some(
            typed::past_day_of(day, today)
                .ok_or_else(|| no_day(context, day))?
                .to_string(),
        ),
        None => None,
    };
    input.mode = args.mode.clone().or(input.mode);
    input.met = args.met.clone().or(input.met);
    input.purposes.clone_from(&args.purposes);
    input.no_change |= args.no_change;
    input.source.clone_from(&args.source);
    input.reference.clone_from(&args.reference);
    input.by.clone_from(&args.by);
    if let Some(note) = &args.note {
        input.note.clone_from(note);
    }
    record(context, &mut replica, input)
}

pub(super) fn words_of(
    context: &Context,
    words: &[String],
    today: NaiveDate,
) -> Result<VisitWords, Failure> {
    typed::visit_words(words, today).map_err(|bad| match bad {
        BadWord::Day(word) => no_day(context, &word),
        BadWord::Both(one, other) => Failure::Usage {
            message: context.ui.lang.not_both(&one, &other),
            hint: context.help_command(),
        },
        BadWord::Ticket(word) => Failure::Usage {
            message: context.ui.lang.no_ticket_kind(&word),
            hint: context.help_command(),
        },
    })
}

fn no_day(context: &Context, word: &str) -> Failure {
    Failure::Usage {
        message: context.ui.lang.no_day(word),
        hint: context.help_command(),
    }
}

/// Returns what the words say of a visit, with the ticket they ask for.
pub(super) fn input(lang: Lang, household: &str, said: &VisitWords) -> VisitInput {
    let ticket = said.ticket.map(|kind| {
        let subject = match said.note.as_str() {
            "" => lang.code("ticket", kind),
            note => note,
        };
        TicketInput {
            kind: Some(kind.to_owned()),
            subject: subject.chars().take(SUBJECT_CHARS).collect(),
            detail: said.note.clone(),
            ..TicketInput::default()
        }
    });
    VisitInput {
        ticket,
        household: typed::half_width(household.trim()),
        mode: said.mode.map(str::to_owned),
        met: said.met.map(str::to_owned),
        note: said.note.clone(),
        no_change: said.no_change,
        follow_up_on: said.follow_up_on.map(|day| day.to_string()),
        ..VisitInput::default()
    }
}

/// Records a visit, and the ticket that was asked for in the same words.
fn record(context: &Context, replica: &mut Replica, input: VisitInput) -> Result<Exit, Failure> {
    if !replica.reads()? {
        let typed = input.household.clone();
        let visit = replica.add_visit(input)?;
        context.warn_clock(replica);
        let ticket = visit.ticket.as_ref().map(|ticket| ticket.code.clone());
        return Ok(unread::show(context, &visit.id, &typed, ticket.as_slice()));
    }
    let value = write(context, replica, |replica| replica.add_visit(input))?;
    let (lang, today) = (context.ui.lang, replica.today());
    context.ui.show(&value, || {
        let mut text = format!(
            "{} {}",
            tone(Tone::Good, lang.saved()),
            line(lang, &value, today)
        );
        if let Some(ticket) = value.get("ticket") {
            text.push('\n');
            text.push_str(
                &lang.ticket_opened(view::text(ticket, "code"), view::text(ticket, "subject")),
            );
        }
        text
    });
    Ok(Exit::Done)
}

/// Writes a visit and the ticket that comes with it, and returns both as they may be shown.
pub(super) fn write(
    context: &Context,
    replica: &mut Replica,
    visit: impl FnOnce(&mut Replica) -> Result<VisitView, AgentError>,
) -> Result<Value, Failure> {
    let visit = visit(replica)?;
    let value = seen(&visit, list_sight(replica));
    context.warn_clock(replica);
    Ok(value)
}

/// Characters of a ticket's subject taken from a note.
const SUBJECT_CHARS: usize = 60;

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let household = match &args.household {
        Some(name) => Some(replica.name_household(name)?),
        None => None,
    };
    let visits = replica.visits(household.as_ref(), args.limit.unwrap_or(ALL))?;
    if args.out.out.is_some() {
        let docs: Vec<_> = visits.iter().map(|row| row.household).collect();
        let masked = seen(&visits, view::paper(&replica));
        let rows = masked.as_array().map(Vec::as_slice).unwrap_or_default();
        return export::write(
            context,
            &mut replica,
            &args.out,
            &export::visits(lang, rows),
            &docs,
        );
    }
    let value = seen(&visits, list_sight(&replica));
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let today = replica.today();
    context.ui.list(rows, || {
        if rows.is_empty() {
            return lang.no_visits().to_owned();
        }
        rows.iter()
            .map(|visit| line(lang, visit, today))
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(Exit::Done)
}

fn show(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    if args.history {
        return history::show(context, &replica, &args.id, list_sight(&replica));
    }
    let visit = seen(&replica.visit(&args.id)?, list_sight(&replica));
    let today = replica.today();
    context.ui.show(&visit, || line(lang, &visit, today));
    Ok(Exit::Done)
}

/// Returns a visit in a line: day, household, who was met, what was said, when to come back.
pub(super) fn line(lang: Lang, visit: &Value, today: NaiveDate) -> String {
    let mut parts = vec![moment::day(lang, text(visit, "happened_on"), today)];
    parts.push(
        format!(
            "{} {}",
            lang.placed(text(visit, "door")),
            text(visit, "head")
        )
        .trim()
        .to_owned(),
    );
    let mode = text(visit, "mode");
    if mode != "door" {
        parts.push(lang.code("mode", mode).to_owned());
    }
    let met = text(visit, "met");
    if met != "person" {
        parts.push(lang.code("met", met).to_owned());
    }
    if flag(visit, "no_change") {
        parts.push(lang.fine().to_owned());
    }
    parts.extend(
        texts(visit, "purposes")
            .into_iter()
            .map(|duty| lang.code("duty", duty).to_owned()),
    );
    // A visit is a line, also where its note has several.
    parts.push(text(visit, "note").replace('\n', " "));
    if flag(visit, "void") {
        parts.push(tone(Tone::Warn, lang.taken_back()));
    }
    let next = text(visit, "follow_up_on");
    if !next.is_empty() {
        parts.push(lang.follow_up(next));
    }
    parts.extend(
        texts(visit, "flags")
            .into_iter()
            .map(|flag| lang.code("visit_flag", flag).to_owned()),
    );
    let by = visit.get("by").unwrap_or(&Value::Null);
    match (text(visit, "visited_by"), view::flag(by, "here")) {
        ("", true) => {}
        ("", false) => parts.push(text(by, "name").to_owned()),
        (visitor, _) => parts.push(lang.visited_by(visitor, text(by, "name"))),
    }
    parts.extend([
        text(visit, "source").to_owned(),
        text(visit, "reference").to_owned(),
    ]);
    let clock = text(visit, "clock");
    if !clock.is_empty() {
        parts.push(tone(Tone::Warn, lang.code("clock", clock)));
    }
    parts.push(tone(Tone::Faint, text(visit, "id")));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}
