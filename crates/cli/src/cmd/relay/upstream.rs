//! `relay join`, `relay status`, `relay meet`: a relay and the one above it.

use serde_json::{Value, json};
use wangge_relay::{BelowView, LevelForm, Relay, UpstreamView};

use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Join {
    /// The code of the invitation the relay above made
    #[arg(value_name = "CODE")]
    code: String,
    /// The address of the relay above
    #[arg(long, value_name = "URL", value_parser = typed::folded)]
    relay: String,
    /// The relay shows an ordinary certificate, for the name in its address
    #[arg(long)]
    ordinary_certificate: bool,
}

pub(super) fn join(context: &Context, args: &Join) -> Result<Exit, Failure> {
    let (relay, _) = super::open_to_look(context)?;
    let url = crate::cmd::sync::address(&args.relay, args.ordinary_certificate)?;
    block_on(relay.join(&args.code, &url))??;
    show_joined(context, &relay)
}

fn show_joined(context: &Context, relay: &Relay) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let Some(view) = relay.upstream()? else {
        return Ok(Exit::Failed);
    };
    context.ui.show(&above(&view), || {
        lang.joined(&view.name, lang.code("level", word(view.level)))
    });
    Ok(Exit::Done)
}

pub(super) fn meet(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, _) = super::open_to_look(context)?;
    let met = block_on(relay.meet_upstream())??;
    let value = json!({
        "orders": met.orders, "batches": met.batches, "received": met.received,
        "complete": met.complete, "waiting": met.waiting,
    });
    context.ui.show(&value, || {
        let mut lines = vec![lang.met_above(met.orders, met.batches, met.received)];
        if met.waiting > 0 {
            lines.push(tone(Tone::Warn, &lang.waits_up(met.waiting)));
        }
        lines.push(equal(lang, met.complete));
        lines.join("\n")
    });
    Ok(if met.complete && met.waiting == 0 {
        Exit::Done
    } else {
        Exit::Partly
    })
}

pub(super) fn status(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = super::open_to_look(context)?;
    let (card, counts, upstream) = (relay.card(now_ms), relay.counts()?, relay.upstream()?);
    let below = relay.below()?;
    let level = word(card.level);
    let value = json!({
        "name": card.name, "level": level,
        "entries": counts.entries, "documents": counts.documents, "changes": counts.changes,
        "waiting": counts.waiting, "inbox": counts.inbox, "devices": counts.devices,
        "upstream": upstream.as_ref().map(above),
        "below": below
            .iter()
            .map(|row| json!({ "name": row.name, "areas": row.areas, "met_ms": row.met_ms }))
            .collect::<Vec<Value>>(),
    });
    context.ui.show(&value, || {
        let shown = lang.code("level", level);
        let (entries, documents) = (counts.entries, counts.documents);
        let mut lines = vec![
            lang.relay_holds(&card.name, shown, entries, documents, counts.devices),
            lang.relay_parked(counts.waiting, counts.inbox),
        ];
        match &upstream {
            None => lines.push(lang.top_of_tree().to_owned()),
            Some(view) => lines.extend(above_lines(lang, view, now_ms)),
        }
        lines.extend(below.iter().map(|row| below_line(lang, row, now_ms)));
        lines.join("\n")
    });
    Ok(Exit::Done)
}

fn below_line(lang: Lang, row: &BelowView, now_ms: i64) -> String {
    let today = moment::china(now_ms).map(|now| now.date_naive());
    let last = row.met_ms;
    let last = last.map(|at| moment::minute(lang, at, today.unwrap_or_default()));
    let areas: Vec<String> = row
        .areas
        .iter()
        .map(|it| areas::shown(it.as_str()))
        .collect();
    let last = last.unwrap_or_else(|| lang.never().to_owned());
    lang.below_is(&row.name, &areas.join(lang.comma()), &last)
}

fn above_lines(lang: Lang, view: &UpstreamView, now_ms: i64) -> Vec<String> {
    let today = moment::china(now_ms).map(|now| now.date_naive());
    let today = today.unwrap_or_default();
    let last = view.met_ms.map(|at| moment::minute(lang, at, today));
    let last = last.unwrap_or_else(|| lang.never().to_owned());
    let level = lang.code("level", word(view.level));
    let mut lines = vec![lang.above_is(&view.name, level, &view.url, &last)];
    let served: Vec<String> = view
        .areas
        .iter()
        .map(|it| areas::shown(it.as_str()))
        .collect();
    if !served.is_empty() {
        lines.push(served.join(lang.comma()));
    }
    if !view.failure.is_empty() {
        lines.push(tone(Tone::Warn, lang.no_link_up()));
    }
    for (level, position) in &view.watermarks {
        lines.push(lang.passed_up_to(lang.code("level", word(*level)), *position));
    }
    if view.waiting > 0 {
        lines.push(tone(Tone::Warn, &lang.waits_up(view.waiting)));
    }
    if view.exceptions > 0 {
        lines.push(tone(Tone::Bad, &lang.exceptions_up(view.exceptions)));
    }
    lines.push(match view.waiting {
        _ if view.met_ms.is_none() => tone(Tone::Warn, lang.not_met_since()),
        0 => equal(lang, view.complete),
        // What came since has not been compared.
        _ if view.complete => lang.digests_were_equal_up(&last),
        _ => equal(lang, false),
    });
    lines
}

fn equal(lang: Lang, complete: bool) -> String {
    if complete {
        tone(Tone::Good, lang.digests_equal_up())
    } else {
        tone(Tone::Warn, lang.digests_differ_up())
    }
}

fn above(view: &UpstreamView) -> Value {
    let marks = view
        .watermarks
        .iter()
        .map(|(level, position)| json!({ "level": word(*level), "position": position }));
    json!({
        "name": view.name, "level": word(view.level), "url": view.url, "areas": view.areas,
        "met_ms": view.met_ms, "tried_ms": view.tried_ms, "failure": view.failure,
        "waiting": view.waiting, "exceptions": view.exceptions,
        "watermarks": marks.collect::<Vec<Value>>(), "complete": view.complete,
    })
}

pub(super) fn word(level: LevelForm) -> &'static str {
    match level {
        LevelForm::County => "county",
        LevelForm::Township => "township",
        LevelForm::Village => "village",
    }
}
