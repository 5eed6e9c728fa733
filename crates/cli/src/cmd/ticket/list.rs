//! `ticket list`: whose turn it is, what is late, what needs a person.

use serde_json::Value;
use wangge_agent::tickets::TicketFilter;

use crate::areas;
use crate::cmd::export;
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};
use crate::view::{flag, int, list_sight, paper, seen, text};

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only tickets with this status, as the list says it, such as accepted; may be repeated
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// Only tickets I handle
    #[arg(long)]
    mine: bool,
    /// Only tickets whose resident I owe an answer
    #[arg(long)]
    owed: bool,
    /// Only tickets on which somebody still owes a step
    #[arg(long)]
    open: bool,
    /// Only tickets in which a person must settle something
    #[arg(long)]
    contested: bool,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
    #[command(flatten)]
    out: export::Out,
}

/// What a ticket can be.
const STATUSES: [&str; 15] = [
    "draft",
    "asked_back",
    "submitted",
    "escalated",
    "accepted",
    "returned",
    "assigned",
    "in_progress",
    "done",
    "verified",
    "declined",
    "merged",
    "withdrawn",
    "closed",
    "archived",
];

/// Returns the status that a word means, as the list prints it in either language or as JSON has it.
fn status(context: &Context, typed: &str) -> Result<String, Failure> {
    let lang = context.ui.lang;
    let word = typed.trim();
    let means = |code: &&str| {
        *code == word
            || Lang::Zh.code("status", code) == word
            || Lang::En.code("status", code) == word
    };
    let found = STATUSES.iter().find(|code| means(code));
    found.map(ToString::to_string).ok_or_else(|| {
        let known = STATUSES.map(|code| lang.code("status", code));
        Failure::Usage {
            message: lang.bad_choice("--status", word, &known.join(lang.comma()))
                + lang.nothing_done(),
            hint: context.help_command(),
        }
    })
}

pub(super) fn run(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let filter = TicketFilter {
        statuses: args
            .status
            .iter()
            .map(|typed| status(context, typed))
            .collect::<Result<_, _>>()?,
        mine: args.mine,
        owed: args.owed,
        open: args.open,
        contested: args.contested,
    };
    let tickets = replica.ticket_list(&filter, args.limit.unwrap_or(ALL))?;
    if args.out.out.is_some() {
        let docs: Vec<_> = tickets.iter().map(|row| row.id).collect();
        let masked = seen(&tickets, paper(&replica));
        let rows = masked.as_array().map(Vec::as_slice).unwrap_or_default();
        return export::write(
            context,
            &mut replica,
            &args.out,
            &export::tickets(lang, rows),
            &docs,
        );
    }
    let value = seen(&tickets, list_sight(&replica));
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let today = replica.today();
    context.ui.list(rows, || {
        if rows.is_empty() {
            return lang.no_tickets().to_owned();
        }
        let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(lang, row, today)).collect();
        let heads = [
            lang.col_number(),
            lang.col_state(),
            "",
            lang.col_kind(),
            lang.col_urgency(),
            lang.col_what(),
            lang.col_handler(),
            lang.col_limit(),
            lang.col_when(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

fn cells(lang: Lang, row: &Value, today: chrono::NaiveDate) -> Vec<String> {
    let handler = row.get("handler").unwrap_or(&Value::Null);
    let contested = flag(row, "contested").then(|| lang.contested().to_owned());
    vec![
        text(row, "code").to_owned(),
        lang.code("status", text(row, "status")).to_owned(),
        contested.unwrap_or_default(),
        lang.code("ticket", text(row, "kind")).to_owned(),
        text(row, "urgency").to_owned(),
        text(row, "subject").to_owned(),
        areas::spoken(text(handler, "name")),
        due(lang, row, today),
        moment::minute(lang, int(row, "at_ms"), today),
    ]
}

/// Returns until when an open ticket is to be done, with its light in words where it is not green.
fn due(lang: Lang, row: &Value, today: chrono::NaiveDate) -> String {
    if !flag(row, "open") {
        return String::new();
    }
    let until = moment::minute(lang, int(row, "due"), today);
    let light = text(row, "light");
    let shade = match light {
        "warn" | "yellow" => Tone::Warn,
        "red" => Tone::Bad,
        _ => return until,
    };
    format!("{until} {}", tone(shade, lang.code("light", light)))
}
