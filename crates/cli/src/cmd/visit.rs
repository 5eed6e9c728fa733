//! `visit`: thirty seconds. With words it records one, bare it asks or reads lines.

use std::io::{BufRead as _, IsTerminal as _};

use chrono::NaiveDate;
use serde_json::{Value, json};
use wangge_agent::Replica;
use wangge_agent::tickets::TicketInput;
use wangge_agent::visits::VisitInput;

use super::{read_input, show_bulk};
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::{Lang, typed as words};
use crate::typed::{self, BadWord, VisitWords};
use crate::ui::{Json, Tone, tone};
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
    Add(Add),
    /// List visits, the latest first
    List(List),
    /// Show a visit
    Show(Show),
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
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The visit's id or the beginning of it
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
}

pub(crate) fn run(context: &Context, visit: Visit) -> Result<Exit, Failure> {
    match visit.command {
        None => add(context, &visit.add, true),
        Some(VisitCommand::Add(args)) => add(context, &args, false),
        Some(VisitCommand::List(args)) => list(context, &args),
        Some(VisitCommand::Show(args)) => show(context, &args),
    }
}

fn add(context: &Context, args: &Add, may_ask: bool) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_input(from)?;
        let report = context.open()?.bulk_visits(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let Some((household, words)) = args.words.split_first() else {
        if may_ask {
            return ask(context, &mut context.open()?);
        }
        return Err(Failure::Usage {
            message: lang.household_needed().to_owned(),
            hint: lang.visit_example().to_owned(),
        });
    };
    let silent = words.is_empty()
        && args.note.is_none()
        && args.met.is_none()
        && args.mode.is_none()
        && args.purposes.is_empty()
        && !args.no_change;
    if silent {
        // A household alone is no visit: nobody is to be written down as met by a slip.
        return Err(Failure::Usage {
            message: lang.visit_words_needed().to_owned(),
            hint: lang.visit_example().to_owned(),
        });
    }
    let mut replica = context.open()?;
    let today = replica.today();
    let mut said = words_of(context, words, today)?;
    if let Some(day) = &args.follow_up {
        let date = typed::day_of(day.trim_start_matches('@'), today);
        said.follow_up_on = Some(date.ok_or_else(|| no_day(context, day))?);
    }
    let mut input = input(household, &said);
    input.on = match &args.on {
        Some(day) => Some(
            typed::day_of(day, today)
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
    if let Some(note) = &args.note {
        input.note.clone_from(note);
    }
    record(context, &mut replica, input, &said)
}

fn words_of(context: &Context, words: &[String], today: NaiveDate) -> Result<VisitWords, Failure> {
    typed::visit_words(words, today).map_err(|bad| match bad {
        BadWord::Day(word) => no_day(context, &word),
        BadWord::Ticket(word) => Failure::Usage {
            message: context.ui.lang.no_ticket_kind(&word),
            hint: context.ui.lang.visit_example().to_owned(),
        },
    })
}

fn no_day(context: &Context, word: &str) -> Failure {
    Failure::Usage {
        message: context.ui.lang.no_day(word),
        hint: context.ui.lang.visit_example().to_owned(),
    }
}

fn input(household: &str, said: &VisitWords) -> VisitInput {
    VisitInput {
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
fn record(
    context: &Context,
    replica: &mut Replica,
    input: VisitInput,
    said: &VisitWords,
) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let visit = replica.add_visit(input)?;
    let ticket = match &said.ticket {
        None => None,
        Some(kind) => {
            let usual = lang.code("ticket", kind);
            let subject = if said.note.is_empty() {
                usual
            } else {
                &said.note
            };
            Some(replica.open_ticket(TicketInput {
                household: Some(visit.household.to_string()),
                kind: Some((*kind).to_owned()),
                subject: subject.chars().take(SUBJECT_CHARS).collect(),
                detail: said.note.clone(),
                ..TicketInput::default()
            })?)
        }
    };
    let mut value = seen(&visit, list_sight(replica));
    if let (Some(ticket), Some(fields)) = (&ticket, value.as_object_mut()) {
        fields.insert(
            "ticket".to_owned(),
            json!({"id": ticket.id, "code": ticket.ticket.code}),
        );
    }
    let today = replica.today();
    context.ui.show(&value, || {
        let mut text = format!(
            "{} {}",
            tone(Tone::Good, lang.saved()),
            line(lang, &value, today)
        );
        if let Some(ticket) = &ticket {
            text.push('\n');
            text.push_str(&lang.ticket_opened(&ticket.ticket.code, &ticket.ticket.subject));
        }
        text
    });
    Ok(Exit::Done)
}

/// Characters of a ticket's subject taken from a note.
const SUBJECT_CHARS: usize = 60;

/// The loop: initials, Enter, 1 fine 2 nobody 3 a note; or a whole line at once, also piped in.
fn ask(context: &Context, replica: &mut Replica) -> Result<Exit, Failure> {
    let ui = &context.ui;
    let lang = ui.lang;
    let stdin = std::io::stdin();
    let asks = stdin.is_terminal();
    let mut lines = stdin.lock().lines();
    let mut failed = 0_usize;
    if asks {
        ui.talk(lang.visit_loop());
    }
    loop {
        if asks {
            ui.ask(lang.prompt_household());
        }
        let Some(Ok(line)) = lines.next() else { break };
        let parts: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Some((household, rest)) = parts.split_first() else {
            continue;
        };
        if words::QUIT.contains(&household.to_lowercase().as_str()) {
            break;
        }
        let name = typed::half_width(household);
        let mut said = rest.to_vec();
        if said.is_empty() {
            // The household is looked up first: an answer about the wrong one helps nobody.
            let found = match replica.name_household(&name) {
                Ok(found) => replica.household(&found)?,
                Err(error) => {
                    Failure::from(error).report(context);
                    failed += 1;
                    continue;
                }
            };
            if asks {
                let head = found.household.head_member().map(|head| head.name.as_str());
                let head = context.name(head.unwrap_or_default());
                ui.ask(&lang.prompt_answer(&found.door_short, &head));
            }
            let Some(Ok(answer)) = lines.next() else {
                break;
            };
            // A bare Enter goes on to the next household and records nothing.
            said = vec![answer];
        }
        match take(context, replica, &name, &said, asks, &mut lines) {
            Ok(()) => {}
            Err(failure) => {
                failure.report(context);
                failed += 1;
            }
        }
    }
    if ui.json != Some(Json::Document) && asks {
        ui.talk("");
    }
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

/// Records what one answer says; `3` asks for the note.
fn take(
    context: &Context,
    replica: &mut Replica,
    household: &str,
    said: &[String],
    asks: bool,
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
) -> Result<(), Failure> {
    let first = said
        .first()
        .map(|word| typed::half_width(word.trim()))
        .unwrap_or_default();
    let [fine, nobody, _] = words::ANSWERS;
    let said: Vec<String> = match (first.as_str(), said.len()) {
        ("", 1) => return Ok(()),
        ("1", 1) => vec![fine.to_owned()],
        ("2", 1) => vec![nobody.to_owned()],
        ("3", 1) => {
            if asks {
                context.ui.ask(context.ui.lang.prompt_note());
            }
            let note = lines.next().transpose().ok().flatten().unwrap_or_default();
            note.split_whitespace().map(str::to_owned).collect()
        }
        ("3", _) => said.iter().skip(1).cloned().collect(),
        (_, 1) => first_words(said),
        _ => said.to_vec(),
    };
    let words = words_of(context, &said, replica.today())?;
    record(context, replica, input(household, &words), &words).map(|_| ())
}

fn first_words(said: &[String]) -> Vec<String> {
    said.iter()
        .flat_map(|text| text.split_whitespace())
        .map(str::to_owned)
        .collect()
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let household = match &args.household {
        Some(name) => Some(replica.name_household(name)?),
        None => None,
    };
    let visits = replica.visits(household.as_ref(), args.limit.unwrap_or(ALL))?;
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
    let visit = seen(&replica.visit(&args.id)?, list_sight(&replica));
    let today = replica.today();
    context.ui.show(&visit, || line(lang, &visit, today));
    Ok(Exit::Done)
}

/// Returns a visit in a line: day, household, who was met, what was said, when to come back.
pub(super) fn line(lang: Lang, visit: &Value, today: NaiveDate) -> String {
    let mut parts = vec![moment::day(lang, text(visit, "happened_on"), today)];
    parts.push(
        format!("{} {}", text(visit, "door"), text(visit, "head"))
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
    parts.push(text(visit, "note").to_owned());
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
    if !view::flag(by, "here") {
        parts.push(text(by, "name").to_owned());
    }
    parts.push(tone(Tone::Faint, text(visit, "id")));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}
