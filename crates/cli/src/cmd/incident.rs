//! `incident report`: what a lost device held and what was done: at a desk the people by name, on a relay the
//! documents by area.

use serde_json::{Value, json};
use wangge_agent::devices::DeviceView;
use wangge_agent::incident::{BatchView, IncidentView};
use wangge_relay::{DeviceWish, Relay};

use super::access::needed;
use super::relay::device::find;
use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};

/// What must be told of a lost device.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Incident {
    /// Say whose data was on a lost device, since when, and what was done; at a desk, or on a relay's folder
    Report(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The device: its id or the beginning of it, #NUMBER, or whose it is
    #[arg(long, value_name = "DEVICE", value_parser = typed::folded)]
    device: String,
    /// Show names, doors and numbers in full; it is written down, with the reason
    #[arg(long)]
    unmask: bool,
    /// Why: visit, check, errand, request, emergency, or four characters or more
    #[arg(long, value_name = "TEXT", requires = "unmask")]
    reason: Option<String>,
}

pub(crate) fn run(context: &Context, command: Incident) -> Result<Exit, Failure> {
    let Incident::Report(args) = command;
    match context.has_home() {
        false if Relay::left_in(&context.relay_home()?) => on_relay(context, &args),
        _ => at_desk(context, &args),
    }
}

fn at_desk(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let reason = match args.unmask {
        true => Some(needed(context, args.reason.as_deref())?),
        false => None,
    };
    let mut replica = context.open()?;
    let view = block_on(replica.incident(&args.device, reason))??;
    context.ui.show(&view, || {
        let mut lines = about(lang, &view.device, view.at_ms);
        lines.extend(
            view.grants
                .iter()
                .map(|it| grant(lang, it.at_ms, &it.areas)),
        );
        lines.push(lang.incident_people(view.families.len(), view.people));
        lines.extend(kinds(lang, &view));
        if view.named > 0 {
            lines.push(lang.incident_named(view.named));
        }
        if !view.elsewhere.is_empty() {
            let names = names(lang, &view.elsewhere);
            lines.push(tone(Tone::Warn, &lang.incident_elsewhere(&names)));
        }
        lines.extend(batches(lang, (&view.inbox, &view.numbered_after)));
        let rows: Vec<Vec<String>> = view
            .families
            .iter()
            .map(|family| {
                vec![
                    areas::shown(&family.area),
                    family.address.clone(),
                    family.people.join(lang.comma()),
                    family.phone.clone(),
                ]
            })
            .collect();
        if !rows.is_empty() {
            let heads = [
                lang.col_area(),
                lang.col_door(),
                lang.col_name(),
                lang.col_phone(),
            ];
            lines.push(table(&heads, &rows));
        }
        if !view.unmasked {
            lines.push(tone(Tone::Faint, lang.incident_masked()));
        }
        lines.push(lang.incident_to_tell().to_owned());
        lines.join("\n")
    });
    Ok(Exit::Done)
}

fn on_relay(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = super::relay::open_to_look(context)?;
    let found = find(&relay, &args.device)?;
    let answer = relay.ask_devices(&DeviceWish::Incident(found.device), now_ms)?;
    let answer = answer.map_err(wangge_agent::AgentError::Device)?;
    let unknown = || Failure::Relay(wangge_relay::RelayError::UnknownDevice);
    let incident = answer.incident.ok_or_else(unknown)?;
    let devices = relay.devices()?.into_iter();
    let of_device = |row: &wangge_relay::DeviceRow| row.device == found.device;
    let known = { devices }.find(of_device).ok_or_else(unknown)?;
    let row = answer.rows.first().ok_or_else(unknown)?;
    let view = viewed(&known, row);
    let batch = |it: &wangge_relay::WaitingBatch| BatchView {
        number: it.number,
        received_ms: it.received_ms,
        entries: it.items,
    };
    let inbox: Vec<BatchView> = incident.inbox.iter().map(batch).collect();
    let after: Vec<BatchView> = incident.numbered_after.iter().map(batch).collect();
    let grants = incident.grants.iter();
    let grants: Vec<Value> = grants
        .map(|it| json!({ "at_ms": it.at_ms, "role": it.role, "areas": it.areas }))
        .collect();
    let places: Vec<Value> = incident
        .areas
        .iter()
        .map(|it| {
            let kinds = it.documents.iter();
            let kinds = kinds.map(|it| json!({ "kind": it.kind, "count": it.count }));
            json!({ "area": it.area, "documents": kinds.collect::<Vec<Value>>() })
        })
        .collect();
    let value = json!({
        "device": view, "at_ms": now_ms, "grants": grants, "areas": places,
        "named": incident.named, "inbox": inbox, "numbered_after": after,
    });
    context.ui.show(&value, || {
        let mut lines = about(lang, &view, now_ms);
        let grants = incident.grants.iter();
        lines.extend(grants.map(|it| grant(lang, it.at_ms, &it.areas)));
        for it in &incident.areas {
            let count = it.documents.iter().map(|it| it.count).sum();
            lines.push(lang.incident_area(&areas::shown(it.area.as_str()), count));
        }
        if incident.named > 0 {
            lines.push(lang.incident_named(incident.named));
        }
        lines.extend(batches(lang, (&inbox, &after)));
        lines.push(lang.incident_to_tell().to_owned());
        lines.join("\n")
    });
    Ok(Exit::Done)
}

fn about(lang: Lang, device: &DeviceView, at_ms: i64) -> Vec<String> {
    let role = lang.code("role", device.role.as_str());
    let mut lines = vec![
        tone(
            Tone::Strong,
            &lang.incident_of(device.device_number, &device.name, role),
        ),
        device.device.to_string(),
        lang.incident_at(&exact(at_ms)),
    ];
    let seen = device.last_seen_ms.map(exact);
    lines.push(lang.incident_seen(seen.as_deref().unwrap_or(lang.never())));
    if let Some(until) = &device.lease_until {
        lines.push(lang.incident_lease(until));
    }
    match (device.revoked_ms, device.last_good_batch) {
        (Some(at_ms), Some(last_good)) => {
            lines.push(lang.incident_revoked(&exact(at_ms), last_good));
            lines.push(match device.purge_told_ms.zip(device.purge_told_last_ms) {
                Some((first, last)) => {
                    tone(Tone::Good, &lang.incident_told(&exact(first), &exact(last)))
                }
                None => tone(Tone::Warn, lang.incident_not_told()),
            });
        }
        _ => lines.push(tone(Tone::Bad, lang.incident_not_revoked())),
    }
    lines
}

fn grant(lang: Lang, at_ms: i64, areas: &[wangge_relay::AreaCode]) -> String {
    lang.incident_grant(&exact(at_ms), &names(lang, areas))
}

fn names(lang: Lang, areas: &[wangge_relay::AreaCode]) -> String {
    let names: Vec<String> = areas.iter().map(|it| areas::shown(it.as_str())).collect();
    names.join(lang.comma())
}

fn kinds(lang: Lang, view: &IncidentView) -> Vec<String> {
    let held = &view.held;
    [
        ("names", held.names),
        ("births", held.births),
        ("phones", held.phones),
        ("id_checked", held.id_checked),
        ("care", held.care),
        ("needs", held.needs),
        ("visit_books", held.visit_books),
        ("reports", held.reports),
        ("tickets", held.tickets),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(kind, count)| lang.incident_held(lang.code("held", kind), count))
    .collect()
}

fn batches(lang: Lang, (inbox, after): (&[BatchView], &[BatchView])) -> Vec<String> {
    let mut lines = vec![lang.incident_inbox(inbox.len())];
    let line = |it: &BatchView| lang.incident_batch(it.number, &exact(it.received_ms), it.entries);
    lines.extend(inbox.iter().map(line));
    if !after.is_empty() {
        lines.push(tone(Tone::Warn, &lang.incident_numbered(after.len())));
        lines.extend(after.iter().map(line));
    }
    lines
}

fn exact(at_ms: i64) -> String {
    let at = moment::exact(at_ms).replace('T', " ");
    at.get(..16).unwrap_or_default().to_owned()
}

/// Returns a device as a desk sees one.
fn viewed(known: &wangge_relay::DeviceRow, row: &wangge_relay::AskedRow) -> DeviceView {
    let revoked = row.revoked.as_ref();
    DeviceView {
        device: known.device,
        device_number: known.device_number,
        person: known.person,
        name: known.name.clone(),
        role: known.role,
        areas: known.areas.clone(),
        last_seen_ms: row.seen_ms,
        last_batch: row.last.map(|last| last.number),
        last_batch_ms: row.last.map(|last| last.received_ms),
        lease_until: row.lease.map(|day| moment::of_day(day.0)),
        revoked: revoked.is_some(),
        revoked_ms: revoked.map(|it| it.at_ms),
        last_good_batch: revoked.map(|it| it.last_good_batch),
        purge_told_ms: revoked.and_then(|it| it.told_ms),
        purge_told_last_ms: revoked.and_then(|it| it.told_last_ms),
    }
}
