//! `inbox`: what lies in the relay's inbox, as a desk reads it, and deciding about it.

use serde_json::Value;
use wangge_agent::Replica;
use wangge_agent::inbox::{DecisionView, InboxItem, InboxShown, Settle, SettleView};

use super::history::edit_line;
use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};
use crate::view::{items, list_sight, seen, sight, text};

/// The relay's inbox, at a desk with a link: list, show, accept, rehome, discard, retry.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Inbox {
    /// List what could not take its place, and what is held
    List(List),
    /// Show what an item says, or why it cannot be read
    Show(One),
    /// Let an item take its place
    Accept(One),
    /// Place an item's document in an area, and let it take its place there
    Rehome(Rehome),
    /// Keep an item aside for good; it is not deleted, and a later accept undoes it
    Discard(Discard),
    /// Let a held change be tried again
    Retry(One),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The decisions instead: who decided what, when and why
    #[arg(long)]
    settled: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct One {
    /// The item, by its first digits as `inbox list` shows them
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rehome {
    #[command(flatten)]
    one: One,
    /// The area it belongs to
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    to: String,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Discard {
    #[command(flatten)]
    one: One,
    /// Why; its author reads it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, command: Inbox) -> Result<Exit, Failure> {
    match command {
        Inbox::List(args) => list(context, &args),
        Inbox::Show(args) => show(context, &args),
        Inbox::Accept(args) => settle(context, &args, &Settle::Accept, false),
        Inbox::Rehome(args) => {
            let to = Settle::Rehome { to: args.to };
            settle(context, &args.one, &to, args.dry_run)
        }
        Inbox::Discard(args) => {
            let discard = Settle::Discard {
                reason: args.reason,
            };
            settle(context, &args.one, &discard, args.dry_run)
        }
        Inbox::Retry(args) => retry(context, &args),
    }
}

/// Returns a decision in a few words, with who, when and why.
pub(crate) fn decided(
    lang: Lang,
    decision: &DecisionView,
    number: Option<u64>,
    today: chrono::NaiveDate,
) -> String {
    let when = moment::minute(lang, decision.at_ms, today);
    let by = match decision.by.name.as_str() {
        "" => lang.unknown_colleague(),
        name => name,
    };
    let to = decision.to.as_ref().map(|to| areas::shown(to.as_str()));
    let said = match (decision.decision, number) {
        ("discarded", _) => lang.discarded_by(by, &when, &decision.reason),
        ("rehomed", _) => lang.rehomed_by(by, &when, to.as_deref().unwrap_or_default()),
        (_, Some(number)) => lang.accepted_as(number, by, &when),
        (_, None) => lang.accepted_by(by, &when),
    };
    match number.filter(|_| decision.decision == "rehomed") {
        Some(number) => format!("{said} · #{number}"),
        None => said,
    }
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let rows = block_on(replica.inbox(args.settled))??;
    let today = replica.today();
    let values: Vec<Value> = rows
        .iter()
        .map(|row| seen(row, list_sight(&replica)))
        .collect();
    context.ui.list(&values, || {
        if rows.is_empty() {
            return lang.nothing_in_inbox(args.settled).to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .zip(&values)
            .map(|(row, value)| cells(lang, row, value, today))
            .collect();
        let heads = [
            lang.col_id(),
            lang.col_when(),
            lang.col_name(),
            lang.col_kind(),
            lang.col_what(),
            lang.col_area(),
            lang.col_reason(),
            lang.col_state(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

fn cells(lang: Lang, row: &InboxItem, value: &Value, today: chrono::NaiveDate) -> Vec<String> {
    vec![
        row.id.clone(),
        moment::minute(lang, row.received_ms, today),
        author(lang, row),
        kind(lang, row),
        lang.placed(text(value, "title")),
        area(lang, row),
        why(lang, row),
        stands(lang, row, today),
    ]
}

fn show(context: &Context, args: &One) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let shown = block_on(replica.inbox_show(&args.id))??;
    let value = seen(&shown, sight(&replica, &shown.item.area));
    context.ui.show(&value, || human(lang, &replica, &shown));
    Ok(Exit::Done)
}

fn human(lang: Lang, replica: &Replica, shown: &InboxShown) -> String {
    let today = replica.today();
    let value = seen(shown, sight(replica, &shown.item.area).in_words());
    let item = &shown.item;
    let heading = format!(
        "{} {} {}",
        item.id,
        kind(lang, item),
        lang.placed(text(&value, "title"))
    );
    let mut lines = vec![
        tone(Tone::Strong, heading.trim_end()),
        format!(
            "{} · {} · {}",
            author(lang, item),
            area(lang, item),
            moment::minute(lang, item.received_ms, today)
        ),
        tone(
            Tone::Warn,
            &format!("{} · {}", stands(lang, item, today), why(lang, item)),
        ),
    ];
    lines.extend(
        items(&value, "edits")
            .iter()
            .map(|edit| format!("  {}", edit_line(lang, edit))),
    );
    if let Some(home) = &shown.home {
        lines.push(format!(
            "  {}",
            lang.places_it_in(&areas::shown(home.as_str()))
        ));
    }
    if let Some(says) = &shown.says {
        lines.push(format!("  {}", decided(lang, says, None, today)));
    }
    if !shown.unread.is_empty() {
        lines.push(format!("  {}", lang.code("unread", shown.unread)));
    }
    lines.join("\n")
}

fn settle(context: &Context, args: &One, settle: &Settle, dry_run: bool) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let done = block_on(replica.inbox_settle(&args.id, settle, dry_run))??;
    let today = replica.today();
    let value = seen(&done, list_sight(&replica));
    context
        .ui
        .show(&value, || outcome(lang, &done, settle, today));
    Ok(match (dry_run, done.unsent) {
        (true, _) => Exit::Found,
        (false, true) => Exit::NoLink,
        (false, false) => Exit::Done,
    })
}

fn outcome(lang: Lang, done: &SettleView, settle: &Settle, today: chrono::NaiveDate) -> String {
    let item = &done.item;
    if done.dry_run {
        let to = done.to.as_ref().map(|to| areas::shown(to.as_str()));
        return match (settle, to) {
            (Settle::Discard { .. }, _) => lang.would_discard(&item.id),
            (_, Some(to)) => lang.would_rehome(&item.id, &area(lang, item), &to),
            (_, None) => String::new(),
        };
    }
    if done.unsent {
        return tone(Tone::Warn, &lang.decision_unsent(&item.id));
    }
    match &item.decision {
        Some(decision) => {
            let said = decided(lang, decision, item.number, today);
            let mark = if done.changed { "✓ " } else { "" };
            let line = format!("{mark}{} {said}", item.id);
            match item.number.is_none() && decision.decision != "discarded" {
                true => format!("{line}\n{}", lang.accepted_but_waits(&why(lang, item))),
                false => line,
            }
        }
        None => lang.numbered_already(&item.id, item.number.unwrap_or_default()),
    }
}

fn retry(context: &Context, args: &One) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let item = block_on(replica.inbox_retry(&args.id))??;
    let value = seen(&item, list_sight(&replica));
    context.ui.show(&value, || lang.released().to_owned());
    Ok(Exit::Done)
}

fn author(lang: Lang, row: &InboxItem) -> String {
    match row.by.name.as_str() {
        "" => lang.unknown_colleague().to_owned(),
        name => name.to_owned(),
    }
}

fn kind(lang: Lang, row: &InboxItem) -> String {
    match row.entry {
        "change" => lang.code("kind", row.kind).to_owned(),
        entry => lang.code("kind", entry).to_owned(),
    }
}

/// Returns where it lies; where nobody has placed it, what its author claims.
fn area(lang: Lang, row: &InboxItem) -> String {
    let shown = areas::shown(&row.area);
    match row.placed {
        true => shown,
        false => lang.claimed_area(&shown),
    }
}

fn why(lang: Lang, row: &InboxItem) -> String {
    let why = match row.held.as_str() {
        "" => lang.code("reason", &row.reason),
        held => lang.code("hold", held),
    };
    why.to_owned()
}

fn stands(lang: Lang, row: &InboxItem, today: chrono::NaiveDate) -> String {
    match &row.decision {
        Some(decision) => decided(lang, decision, row.number, today),
        None => lang.code("inbox", row.state).to_owned(),
    }
}
