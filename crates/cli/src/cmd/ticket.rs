//! `ticket`: open, list, show; the steps have a file of their own.

mod step;

use serde_json::Value;
use wangge_agent::tickets::{TicketDetail, TicketInput};

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
use crate::view::{flag, int, items, list_sight, revealed, seen, sight, text};

/// Tickets and their steps.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Ticket {
    /// Open a ticket, or many from JSON lines
    Open(Open),
    /// List tickets, the latest first
    List(List),
    /// Show a ticket with its steps
    Show(Show),
    /// Submit a draft
    Submit(step::Plain),
    /// Take a ticket for your level
    Accept(step::Plain),
    /// Give a ticket to somebody
    Assign(step::Assign),
    /// Begin to handle a ticket
    Start(step::Plain),
    /// Say what was done
    Done(step::Done),
    /// Tell the resident
    Answer(step::Answer),
    /// Find it done; not by whoever did it
    Verify(step::Plain),
    /// Find it not done
    SendBack(step::Reason),
    /// Give it back to the level that assigned it
    Return(step::Reason),
    /// End it
    Close(step::Plain),
    /// Remark
    Comment(step::Comment),
    /// Say which of two contested steps stands
    Settle(step::Settle),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// The household and what is asked; one word alone is what is asked
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// inquiry, help, complaint, suggestion, praise or errand
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
    /// The area it is in, where no household is named
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// The matter at length
    #[arg(long, value_name = "TEXT")]
    detail: Option<String>,
    /// Who asks, when they belong to no household here
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// How to reach them
    #[arg(long, value_name = "TEXT", value_parser = typed::folded)]
    contact: Option<String>,
    /// named, confidential or anonymous
    #[arg(long, value_name = "WORD")]
    identity: Option<String>,
    /// A report it came from; may be repeated
    #[arg(long = "report", value_name = "ID", value_parser = typed::folded)]
    reports: Vec<String>,
    /// P0 to P3
    #[arg(long, value_name = "LEVEL", value_parser = typed::folded)]
    urgency: Option<String>,
    /// Do not submit it yet
    #[arg(long)]
    draft: bool,
    /// JSON lines, one ticket each; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    from: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only tickets with this status; may be repeated
    #[arg(long, value_name = "STATUS", value_parser = [
        "draft", "submitted", "accepted", "assigned", "in_progress", "done", "verified", "closed",
        "returned",
    ])]
    status: Vec<String>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    #[command(flatten)]
    reveal: Reveal,
}

pub(crate) fn run(context: &Context, command: Ticket) -> Result<Exit, Failure> {
    match command {
        Ticket::Open(args) => open(context, args),
        Ticket::List(args) => list(context, &args),
        Ticket::Show(args) => {
            let mut replica = context.open()?;
            let id = replica.name_ticket(&args.id)?;
            let is_clear = args.reveal.ask(context, &mut replica, &id)?;
            let detail = replica.ticket(&args.id)?;
            if is_clear {
                let value = seen(&detail, revealed(&replica));
                let today = replica.today();
                context
                    .ui
                    .show(&value, || human(context.ui.lang, &value, today));
                return Ok(Exit::Done);
            }
            show(context, &replica, &detail, false);
            Ok(Exit::Done)
        }
        Ticket::Submit(args) => step::plain(context, "submit", args),
        Ticket::Accept(args) => step::plain(context, "accept", args),
        Ticket::Assign(args) => step::assign(context, args),
        Ticket::Start(args) => step::plain(context, "start", args),
        Ticket::Done(args) => step::done(context, args),
        Ticket::Answer(args) => step::answer(context, args),
        Ticket::Verify(args) => step::plain(context, "verify", args),
        Ticket::SendBack(args) => step::reason(context, "send_back", args),
        Ticket::Return(args) => step::reason(context, "return", args),
        Ticket::Close(args) => step::plain(context, "close", args),
        Ticket::Comment(args) => step::comment(context, args),
        Ticket::Settle(args) => step::settle(context, args),
    }
}

fn open(context: &Context, args: Open) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_input(from)?;
        let report = context.open()?.bulk_tickets(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let (household, subject) = match args.words.as_slice() {
        [] => {
            return Err(Failure::Usage {
                message: lang.text_needed().to_owned(),
                hint: lang.ticket_example().to_owned(),
            });
        }
        [subject] => (None, subject.clone()),
        _ if args.area.is_some() => (None, args.words.join(" ")),
        [household, subject @ ..] => (Some(typed::half_width(household.trim())), subject.join(" ")),
    };
    let mut replica = context.open()?;
    let detail = replica.open_ticket(TicketInput {
        household,
        area: args.area,
        kind: args.kind,
        subject,
        detail: args.detail.unwrap_or_default(),
        requester: args.requester.unwrap_or_default(),
        contact: args.contact.unwrap_or_default(),
        identity: args.identity,
        reports: args.reports,
        urgency: args.urgency,
        draft: args.draft,
    })?;
    show(context, &replica, &detail, true);
    Ok(Exit::Done)
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let statuses: Vec<&str> = args.status.iter().map(String::as_str).collect();
    let tickets = replica.tickets(&statuses, args.limit.unwrap_or(ALL))?;
    let value = seen(&tickets, list_sight(&replica));
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let today = replica.today();
    context.ui.list(rows, || {
        if rows.is_empty() {
            return lang.no_tickets().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let contested = flag(row, "contested");
                vec![
                    text(row, "code").to_owned(),
                    lang.code("status", text(row, "status")).to_owned(),
                    if contested {
                        lang.contested().to_owned()
                    } else {
                        String::new()
                    },
                    lang.code("ticket", text(row, "kind")).to_owned(),
                    text(row, "urgency").to_owned(),
                    text(row, "subject").to_owned(),
                    moment::minute(lang, int(row, "at_ms"), today),
                ]
            })
            .collect();
        let heads = [
            lang.col_number(),
            lang.col_state(),
            "",
            lang.col_kind(),
            lang.col_urgency(),
            lang.col_what(),
            lang.col_when(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

/// Shows a ticket; after a step in a line, as what was asked for in full.
fn show(context: &Context, replica: &wangge_agent::Replica, detail: &TicketDetail, brief: bool) {
    let lang = context.ui.lang;
    let area = detail
        .ticket
        .area
        .as_ref()
        .map(|area| area.to_string())
        .unwrap_or_default();
    let value = seen(detail, sight(replica, &area));
    let hidden = list_sight(replica);
    context.ui.show(&value, || {
        if brief {
            let status = lang.code("status", &detail.status);
            let handler = detail
                .handler
                .as_ref()
                .map(|handler| handler_name(&handler.name));
            let parts: Vec<String> = [
                detail.ticket.code.clone(),
                detail.ticket.subject.clone(),
                status.to_owned(),
            ]
            .into_iter()
            .chain(handler)
            .collect();
            return format!("{} {}", tone(Tone::Good, lang.saved()), parts.join(" · "));
        }
        human(lang, &seen(detail, hidden), replica.today())
    });
}

/// Returns a handler as people say it: an area by its name.
fn handler_name(name: &str) -> String {
    areas::spoken(name)
}

fn human(lang: Lang, ticket: &Value, today: chrono::NaiveDate) -> String {
    let handler = ticket.get("handler").unwrap_or(&Value::Null);
    let yes_no = |value: bool| if value { lang.yes() } else { lang.no() }.to_owned();
    let facts = pairs(&[
        (
            lang.col_state(),
            lang.code("status", text(ticket, "status")).to_owned(),
        ),
        (
            lang.col_kind(),
            lang.code("ticket", text(ticket, "kind")).to_owned(),
        ),
        (lang.col_urgency(), text(ticket, "urgency").to_owned()),
        (lang.col_area(), areas::shown(text(ticket, "area"))),
        (lang.col_household(), text(ticket, "household").to_owned()),
        (lang.col_requester(), text(ticket, "requester").to_owned()),
        (lang.col_contact(), text(ticket, "contact").to_owned()),
        (
            lang.col_first_asked(),
            text(ticket, "first_asked").to_owned(),
        ),
        (lang.col_handler(), handler_name(text(handler, "name"))),
        (lang.col_answered(), yes_no(flag(ticket, "answered"))),
        (lang.col_detail(), text(ticket, "detail").to_owned()),
        (lang.col_id(), text(ticket, "id").to_owned()),
    ]);
    let heading = format!("{} {}", text(ticket, "code"), text(ticket, "subject"));
    let mut out = format!("{}\n{facts}", tone(Tone::Strong, &heading));
    for event in items(ticket, "events") {
        let to = event.get("to").unwrap_or(&Value::Null);
        let mut parts = vec![
            moment::minute(lang, int(event, "at_ms"), today),
            lang.code("step", text(event, "kind")).to_owned(),
            text(event, "by").to_owned(),
        ];
        if !text(to, "name").is_empty() {
            parts.push(format!("→ {}", handler_name(text(to, "name"))));
        }
        parts.push(text(event, "text").to_owned());
        if !text(event, "parked").is_empty() {
            parts.push(tone(Tone::Warn, &lang.parked(text(event, "parked"))));
        }
        parts.push(tone(
            Tone::Faint,
            text(event, "id").get(..8).unwrap_or_default(),
        ));
        parts.retain(|part| !part.is_empty());
        out.push_str(&format!("· {}\n", parts.join(" · ")));
    }
    for pair in items(ticket, "contested") {
        let ids: Vec<&str> = pair
            .as_array()
            .map(|ids| {
                ids.iter()
                    .filter_map(Value::as_str)
                    .filter_map(|id| id.get(..8))
                    .collect()
            })
            .unwrap_or_default();
        out.push_str(&tone(Tone::Warn, &lang.contested_pair(&ids.join(" / "))));
        out.push('\n');
    }
    out
}
