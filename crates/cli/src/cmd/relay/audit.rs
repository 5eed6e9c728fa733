//! `relay audit`: what was done at the relay and by whom, and whether that list was laid hands on.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wangge_agent::witness::read;
use wangge_relay::{About, AuditRow, AuditWho, Compared, DeviceId, Fault, Relay};

use super::open_to_look;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};

/// Digits of an id that are shown.
const SHOWN: usize = 8;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const CHINA_MS: i64 = 8 * 60 * 60 * 1000;

/// What was done at the relay, by whom: list, verify.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Audit {
    /// List what was done, the last at the end
    List(List),
    /// Prove that no row was changed, taken out or put in
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// From this day on
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// What a device saw of it: the word that audit checkpoint prints there
    #[arg(long, value_name = "TEXT")]
    checkpoint: Option<String>,
}

pub(super) fn run(context: &Context, command: Audit) -> Result<Exit, Failure> {
    match command {
        Audit::List(args) => list(context, &args),
        Audit::Verify(args) => verify(context, &args),
    }
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = open_to_look(context)?;
    let today = moment::china(now_ms)
        .map(|now| now.date_naive())
        .unwrap_or_default();
    let since_ms = match &args.since {
        None => i64::MIN,
        Some(day) => {
            let date = typed::past_day_of(day, today).ok_or_else(|| Failure::Usage {
                message: lang.no_such_audit_day(day),
                hint: "wangge relay audit list --since 11-30".to_owned(),
            })?;
            let days = date.signed_duration_since(chrono::NaiveDate::default());
            days.num_days() * DAY_MS - CHINA_MS
        }
    };
    let rows = relay.audit(since_ms)?;
    let values: Vec<Value> = rows.iter().map(value).collect();
    let names = names(&relay)?;
    context.ui.list(&values, || {
        if rows.is_empty() {
            return lang.nothing_audited().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let what = row.what.map_or(UNKNOWN, |what| what.as_str());
                vec![
                    row.n.to_string(),
                    moment::minute(lang, row.at_ms, today),
                    who(lang, &names, row.who),
                    lang.code("audit", what).to_owned(),
                    about(&names, row.about),
                ]
            })
            .collect();
        let heads = [
            "#",
            lang.col_when(),
            lang.col_who(),
            lang.col_what(),
            lang.col_about(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

/// Of what a newer program wrote.
const UNKNOWN: &str = "unknown";

fn value(row: &AuditRow) -> Value {
    let (who_kind, who) = match row.who {
        Some(AuditWho::Operator) => ("operator", Value::Null),
        Some(AuditWho::Device(device)) => ("device", json!(device)),
        Some(AuditWho::Relay(relay)) => ("relay", json!(relay)),
        None => (UNKNOWN, Value::Null),
    };
    let (about_kind, about) = match row.about {
        Some(About::Nothing) => ("relay", Value::Null),
        Some(About::Device(device)) => ("device", json!(device)),
        Some(About::Person(person)) => ("person", json!(person)),
        Some(About::Document(doc)) => ("document", json!(doc)),
        Some(About::Relay(relay)) => ("relay", json!(relay)),
        Some(About::Entry(hash)) => ("entry", json!(hash)),
        Some(About::Row(hash)) => ("row", json!(hex(&hash))),
        None => (UNKNOWN, Value::Null),
    };
    json!({
        "n": row.n, "at_ms": row.at_ms, "what": row.what.map_or(UNKNOWN, |what| what.as_str()),
        "who_kind": who_kind, "who": who, "about_kind": about_kind, "about": about,
    })
}

/// Returns what the roster calls each device, and each relay below.
fn names(relay: &Relay) -> Result<BTreeMap<DeviceId, String>, Failure> {
    let devices = relay.devices()?.into_iter();
    let devices = devices.map(|row| (row.device, format!("#{} {}", row.device_number, row.name)));
    let below = relay.below()?.into_iter();
    let below = below.map(|row| (row.device, row.name));
    Ok(devices.chain(below).collect())
}

fn who(lang: Lang, names: &BTreeMap<DeviceId, String>, who: Option<AuditWho>) -> String {
    match who {
        Some(AuditWho::Operator) => lang.operator().to_owned(),
        Some(AuditWho::Device(device)) => named(names, &device),
        Some(AuditWho::Relay(relay)) => match names.get(&DeviceId(relay.0)) {
            Some(name) => name.clone(),
            None => lang.relay_itself(&short(&relay)),
        },
        None => lang.code("audit", UNKNOWN).to_owned(),
    }
}

fn about(names: &BTreeMap<DeviceId, String>, about: Option<About>) -> String {
    match about {
        None | Some(About::Nothing) => String::new(),
        Some(About::Device(device)) => named(names, &device),
        Some(About::Relay(relay)) => named(names, &DeviceId(relay.0)),
        Some(About::Person(person)) => short(&person),
        // A document is asked for by its whole id.
        Some(About::Document(doc)) => doc.to_string(),
        Some(About::Entry(hash)) => short(&hash),
        Some(About::Row(hash)) => hex(&hash).chars().take(SHOWN).collect(),
    }
}

fn named(names: &BTreeMap<DeviceId, String>, device: &DeviceId) -> String {
    names.get(device).cloned().unwrap_or_else(|| short(device))
}

fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(SHOWN).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify(context: &Context, args: &Verify) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, _) = open_to_look(context)?;
    let walked = relay.audit_walk()?;
    let kept = match args.checkpoint.as_deref() {
        None => None,
        Some(typed) => Some(read(typed).ok_or_else(|| Failure::Usage {
            message: lang.no_checkpoint().to_owned(),
            hint: "wangge audit checkpoint".to_owned(),
        })?),
    };
    let compared = match &kept {
        None => None,
        Some(kept) => Some((kept.n, relay.audit_compare(kept)?)),
    };
    let (fault, n) = match walked.fault {
        None => (Value::Null, None),
        Some(Fault::Changed(n)) => (json!("changed"), Some(n)),
        Some(Fault::Missing(n)) => (json!("missing"), Some(n)),
        Some(Fault::Inserted(n)) => (json!("inserted"), Some(n)),
    };
    let value = json!({
        "rows": walked.last, "hash": hex(&walked.hash), "fault": fault, "n": n,
        "checkpoint": compared.map(|(n, found)| json!({ "n": n, "found": word(found) })),
    });
    context.ui.show(&value, || {
        let walked = match walked.fault {
            None => tone(Tone::Good, &lang.audit_whole(walked.last)),
            Some(Fault::Changed(n)) => tone(Tone::Bad, &lang.audit_changed(n)),
            Some(Fault::Missing(n)) => tone(Tone::Bad, &lang.audit_missing(n)),
            Some(Fault::Inserted(n)) => tone(Tone::Bad, &lang.audit_inserted(n)),
        };
        match compared {
            None => format!("{walked}\n{}", tone(Tone::Faint, lang.audit_end_open())),
            Some((n, found)) => format!("{walked}\n{}", said(lang, n, found)),
        }
    });
    let fits = |found| matches!(found, Compared::Fits | Compared::Restored(_));
    Ok(match compared.is_none_or(|(_, found)| fits(found)) {
        true if walked.fault.is_none() => Exit::Done,
        _ => Exit::Found,
    })
}

fn word(found: Compared) -> &'static str {
    match found {
        Compared::Fits => "fits",
        Compared::Restored(_) => "restored",
        Compared::Cut(_) => "cut",
        Compared::Changed => "changed",
        Compared::NotOurs => "not_ours",
    }
}

fn said(lang: Lang, n: u64, found: Compared) -> String {
    match found {
        Compared::Fits => tone(Tone::Good, &lang.checkpoint_fits(n)),
        Compared::Restored(by) => tone(Tone::Warn, &lang.checkpoint_restored(n, by)),
        Compared::Cut(end) => tone(Tone::Bad, &lang.checkpoint_cut(n, end)),
        Compared::Changed => tone(Tone::Bad, &lang.checkpoint_changed(n)),
        Compared::NotOurs => tone(Tone::Bad, lang.checkpoint_not_ours()),
    }
}
