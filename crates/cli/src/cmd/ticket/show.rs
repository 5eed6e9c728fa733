//! `ticket show`: where a ticket stands and each of its steps; and a line after each step.

use serde_json::Value;
use wangge_agent::Replica;
use wangge_agent::clock::Warning;
use wangge_agent::tickets::TicketDetail;

use crate::areas;
use crate::cmd::access::Reveal;
use crate::cmd::history;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::pairs;
use crate::ui::{Tone, tone};
use crate::view::{
    flag, int, items, list_sight, revealed, seen, sight, text, texts, with_household,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Show who changed what, from what to what
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    reveal: Reveal,
}

pub(super) fn run(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let id = replica.name_ticket(&args.id)?;
    let is_clear = args.reveal.ask(context, &mut replica, &id)?;
    let detail = replica.ticket(&args.id)?;
    if args.history {
        let area = detail.ticket.area.as_ref().map(ToString::to_string);
        let sight = match is_clear {
            true => revealed(&replica),
            false => sight(&replica, &area.unwrap_or_default()),
        };
        return history::show(context, &replica, &id.to_string(), sight);
    }
    if is_clear {
        let value = seen(&detail, revealed(&replica));
        let today = replica.today();
        context.ui.show(&value, || {
            human(
                context.ui.lang,
                &with_household(&replica, value.clone()),
                today,
            )
        });
        return Ok(Exit::Done);
    }
    show(context, &replica, &detail, false);
    Ok(Exit::Done)
}

/// Shows a ticket; after a step in a line, as what was asked for in full. What a person should know
/// is said on stderr.
pub(super) fn show(context: &Context, replica: &Replica, detail: &TicketDetail, brief: bool) {
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
            return line(lang, detail);
        }
        let shown = with_household(replica, seen(detail, hidden));
        human(lang, &shown, replica.today())
    });
    if brief {
        context.warn_clock(replica);
    }
    for warning in detail.clock.iter().flat_map(|clock| &clock.warnings) {
        if let Warning::NoTable { year } = warning {
            let said = lang.no_workdays(i64::from(*year));
            context.ui.talk(&tone(Tone::Warn, &said));
        }
    }
    for warning in &detail.warnings {
        let said = match *warning {
            "custody_out" => lang.custody_out(&held(detail)),
            other => lang.code("ticket_warning", other).to_owned(),
        };
        context.ui.talk(&tone(Tone::Warn, &said));
    }
}

fn held(detail: &TicketDetail) -> String {
    let out = detail
        .custody
        .iter()
        .filter(|held| held.returned.is_none())
        .map(|held| format!("{} {}", held.item, held.amount).trim().to_owned());
    out.collect::<Vec<_>>().join(" · ")
}

fn line(lang: Lang, detail: &TicketDetail) -> String {
    let status = lang.code("status", &detail.status);
    let handler = detail
        .handler
        .as_ref()
        .map(|handler| areas::spoken(&handler.name));
    let parts: Vec<String> = [
        detail.ticket.code.clone(),
        detail.ticket.subject.clone(),
        status.to_owned(),
    ]
    .into_iter()
    .chain(handler)
    .collect();
    format!("{} {}", tone(Tone::Good, lang.saved()), parts.join(" · "))
}

fn human(lang: Lang, ticket: &Value, today: chrono::NaiveDate) -> String {
    let heading = format!("{} {}", text(ticket, "code"), text(ticket, "subject"));
    let facts = pairs(&[matter(lang, ticket), standing(lang, ticket, today)].concat());
    let mut out = format!("{}\n{facts}", tone(Tone::Strong, &heading));
    for event in items(ticket, "events") {
        let wrong = clock_of(lang, ticket, text(event, "id"));
        out.push_str(&format!("· {}\n", event_line(lang, event, wrong, today)));
    }
    for pair in items(ticket, "contested") {
        let ids: Vec<&str> = pair
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(|id| id.get(..8))
            .collect();
        let code = text(ticket, "code");
        out.push_str(&tone(
            Tone::Warn,
            &lang.contested_pair(code, &ids.join(" ")),
        ));
        out.push('\n');
    }
    out
}

/// What was asked, by whom, where.
fn matter<'a>(lang: Lang, ticket: &Value) -> Vec<(&'a str, String)> {
    let said = |key: &str| text(ticket, key).to_owned();
    vec![
        (
            lang.col_kind(),
            lang.code("ticket", text(ticket, "kind")).to_owned(),
        ),
        (lang.col_urgency(), said("urgency")),
        (lang.col_area(), areas::shown(text(ticket, "area"))),
        (lang.col_household(), lang.placed(&said("household"))),
        (lang.col_requester(), said("requester")),
        (lang.col_contact(), said("contact")),
        (lang.col_detail(), said("detail")),
        (lang.col_wish(), said("wish")),
        (lang.col_reports(), texts(ticket, "reports").join(" ")),
        (lang.col_id(), said("id")),
    ]
}

/// Where it stands: who has it, until when, and every mark.
fn standing<'a>(lang: Lang, ticket: &Value, today: chrono::NaiveDate) -> Vec<(&'a str, String)> {
    let part = |key: &str| ticket.get(key).unwrap_or(&Value::Null);
    let names = |key: &str| {
        let names = items(ticket, key).iter();
        let names = names.map(|handler| areas::spoken(text(handler, "name")));
        names.collect::<Vec<_>>().join(lang.comma())
    };
    let desk = part("desk");
    let extension = part("extension");
    let grade = part("followed_up");
    let by_whom = if flag(grade, "self_recorded") {
        lang.self_recorded()
    } else {
        ""
    };
    let custody = items(ticket, "custody").iter().map(|held| {
        let back = text(held, "returned");
        let state = match back.is_empty() {
            true => lang.still_held().to_owned(),
            false => lang.given_back(back),
        };
        format!("{} {} {state}", text(held, "item"), text(held, "amount"))
    });
    let level = lang.code("role", text(desk, "role"));
    let yes_no = if flag(ticket, "answered") {
        lang.yes()
    } else {
        lang.no()
    };
    let review = text(ticket, "review_on");
    let finish = lang.code("done_kind", text(ticket, "done_kind"));
    let until = match review.is_empty() {
        true => String::new(),
        false => lang.review_on(review),
    };
    let reminders = int(ticket, "reminders");
    let joined = |parts: [&str; 2]| parts.join(" ").trim().to_owned();
    vec![
        (
            lang.col_state(),
            lang.code("status", text(ticket, "status")).to_owned(),
        ),
        (
            lang.col_first_asked(),
            text(ticket, "first_asked").to_owned(),
        ),
        (
            lang.col_answer_owner(),
            text(ticket, "answer_owner").to_owned(),
        ),
        (lang.col_answered(), yes_no.to_owned()),
        (
            lang.col_desk(),
            joined([&areas::spoken(text(desk, "area")), level]),
        ),
        (
            lang.col_escalated_to(),
            areas::spoken(text(ticket, "escalated_to")),
        ),
        (
            lang.col_handler(),
            areas::spoken(text(part("handler"), "name")),
        ),
        (lang.col_with(), names("with")),
        (lang.col_copies(), names("copies")),
        (
            lang.col_promised(),
            clock(lang, part("clock"), "promise", today),
        ),
        (
            lang.col_level_clock(),
            clock(lang, part("clock"), "level", today),
        ),
        (
            lang.col_suspended(),
            text(ticket, "suspended_until").to_owned(),
        ),
        (
            lang.col_extension(),
            joined([
                lang.code("extension", text(extension, "answer")),
                &moment::minute(lang, int(extension, "until"), today),
            ]),
        ),
        (lang.col_finish(), joined([finish, &until])),
        (
            lang.col_card(),
            lang.code("card", text(ticket, "card")).to_owned(),
        ),
        (
            lang.col_reminders(),
            Some(reminders)
                .filter(|times| *times > 0)
                .map_or_else(String::new, |times| times.to_string()),
        ),
        (
            lang.col_follow_up(),
            joined([
                lang.code("grade", &int(grade, "grade").to_string()),
                by_whom,
            ])
            .trim_start_matches('0')
            .to_owned(),
        ),
        (
            lang.col_merged_into(),
            text(ticket, "merged_into").to_owned(),
        ),
        (
            lang.col_custody(),
            custody.collect::<Vec<_>>().join(lang.comma()),
        ),
    ]
}

/// Returns until when a clock runs, with its light in words where it is not green.
fn clock(lang: Lang, clocks: &Value, which: &str, today: chrono::NaiveDate) -> String {
    let lamp = clocks.get(which).unwrap_or(&Value::Null);
    let until = moment::minute(lang, int(lamp, "due_ms"), today);
    match text(lamp, "light") {
        light @ ("warn" | "yellow" | "red") => {
            format!("{until} {}", tone(Tone::Warn, lang.code("light", light)))
        }
        _ => until,
    }
}

/// Returns what is wrong with the clock under which an event was made.
fn clock_of<'a>(lang: Lang, ticket: &'a Value, event: &str) -> &'a str {
    let clocks = ticket.get("clock").unwrap_or(&Value::Null);
    let flagged = items(clocks, "warnings");
    let found = flagged
        .iter()
        .find(|warning| text(warning, "event") == event);
    found.map_or("", |warning| lang.code("clock", text(warning, "flag")))
}

fn event_line(lang: Lang, event: &Value, wrong: &str, today: chrono::NaiveDate) -> String {
    let part = |key: &str| event.get(key).unwrap_or(&Value::Null);
    let names = |key: &str| {
        let names = items(event, key).iter();
        let names = names.map(|handler| areas::spoken(text(handler, "name")));
        names.collect::<Vec<_>>().join(lang.comma())
    };
    let marked = |mark: &str, said: String| match said.is_empty() {
        true => said,
        false => format!("{mark} {said}"),
    };
    let grade = Some(int(event, "grade")).filter(|grade| *grade > 0);
    let parked = text(event, "parked");
    let parts = [
        moment::minute(lang, int(event, "at_ms"), today),
        lang.code("step", text(event, "kind")).to_owned(),
        text(event, "by").to_owned(),
        marked(lang.instead_of(), text(event, "instead_of").to_owned()),
        marked(lang.for_unit(), text(part("for_unit"), "name").to_owned()),
        marked("→", areas::spoken(text(part("to"), "name"))),
        marked(lang.col_with(), names("with")),
        marked(lang.col_copies(), names("copies")),
        lang.code("done_kind", text(event, "done_kind")).to_owned(),
        lang.code("card", text(event, "card")).to_owned(),
        grade.map_or_else(String::new, |grade| {
            lang.code("grade", &grade.to_string()).to_owned()
        }),
        text(event, "on").to_owned(),
        text(event, "how").to_owned(),
        text(event, "whom").to_owned(),
        text(event, "text").to_owned(),
        match parked.is_empty() {
            true => String::new(),
            false => tone(Tone::Warn, &lang.parked(lang.parked_because(parked))),
        },
        match wrong.is_empty() {
            true => String::new(),
            false => tone(Tone::Warn, wrong),
        },
        tone(Tone::Faint, text(event, "id").get(..8).unwrap_or_default()),
    ];
    let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    said.join(" · ")
}
