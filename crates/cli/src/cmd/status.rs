//! `status`: who, where, what has not arrived, what needs a person, and the next command.

use serde::Serialize;
use wangge_agent::Replica;
use wangge_agent::status::Status;
use wangge_relay::AreaCode;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// End with 10 if something is unsent, incomplete or needs a person
    #[arg(long)]
    pub(super) check: bool,
    /// Note that you have seen that the database was gone
    #[arg(long)]
    pub(super) seen: bool,
}

/// The status with what to type next.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    status: &'a Status,
    next: &'static str,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let replica = context.open_unread()?;
    if args.seen {
        replica.loss_seen()?;
    }
    let status = replica.status()?;
    let next = next(&status);
    context.ui.show(
        &Shown {
            status: &status,
            next,
        },
        || human(context.ui.lang, &replica, &status, next),
    );
    let fine = status.all_safe
        && status.set_aside.is_empty()
        && status.incomplete.is_empty()
        && status.counts.conflicts == 0;
    Ok(if args.check && !fine {
        Exit::Found
    } else {
        Exit::Done
    })
}

/// Returns the status in words, for the day's page.
pub(super) fn lines(context: &Context, replica: &Replica) -> Result<String, Failure> {
    let status = replica.status()?;
    let next = next(&status);
    Ok(human(context.ui.lang, replica, &status, next))
}

/// Returns the command that helps most now.
fn next(status: &Status) -> &'static str {
    if status.relay.is_none() && status.counts.households == 0 {
        "wangge household import FILE.xlsx --grid CODE"
    } else if status.relay.is_none() {
        "wangge enroll CODE --relay URL"
    } else if status.counts.conflicts > 0 {
        "wangge conflict list"
    } else if status.refused_ms.is_none() && status.undecided > 0 {
        "wangge inbox list"
    } else if waits_for_desk(status) {
        "wangge outbox"
    } else if status.counts.unsent > 0
        || !status.incomplete.is_empty()
        || status.attachments_waiting > 0
        || status.counts.households == 0
    {
        "wangge sync"
    } else {
        "wangge visit"
    }
}

/// Says whether all that has not arrived lies in an inbox: another sync moves none of it.
fn waits_for_desk(status: &Status) -> bool {
    let inbox = u64::try_from(status.unsent.inbox).unwrap_or(u64::MAX);
    inbox > 0 && status.counts.unsent <= inbox && status.incomplete.is_empty()
}

fn human(lang: Lang, replica: &Replica, status: &Status, next: &str) -> String {
    let areas: Vec<String> = status
        .areas
        .iter()
        .map(|area| format!("{} {}", area.name, area.code))
        .collect();
    let device = match status.device_number {
        Some(number) => lang.device_number(number),
        None => lang.not_enrolled_yet().to_owned(),
    };
    let who = format!(
        "{} · {} · {device}",
        status.name,
        lang.code("role", status.role)
    );
    let mut lines = vec![tone(Tone::Strong, &who), areas.join(lang.comma())];
    let counts = &status.counts;
    lines.push(lang.counts(
        counts.households,
        counts.visits,
        counts.reports,
        counts.tickets,
    ));
    if !status.incomplete.is_empty() {
        lines.push(not_complete(lang, &status.incomplete));
    }
    lines.push(unsent(lang, status));
    if status.in_inbox as usize > status.unsent.inbox {
        let line = lang.in_inbox(status.in_inbox);
        lines.push(tone(Tone::Warn, &line));
    }
    if waits_for_desk(status) {
        lines.push(tone(Tone::Warn, lang.desk_decides()));
    }
    if status.unsent.discarded > 0 {
        let line = lang.discards(status.unsent.discarded);
        lines.push(tone(Tone::Warn, &line));
    }
    if status.attachments_waiting > 0 {
        let line = lang.attachments_wait(status.attachments_waiting);
        lines.push(tone(Tone::Warn, &line));
    }
    if let Some(relay) = &status.relay {
        let today = replica.today();
        let last = match relay.last_sync_ms {
            Some(at) => moment::minute(lang, at, today),
            None => lang.never().to_owned(),
        };
        lines.push(lang.last_sync(&last, &relay.name, &relay.url));
    }
    for went in &status.handed_over {
        let area = crate::areas::shown(went.area.as_str());
        lines.push(lang.went_to(went.households, &area, &went.on));
    }
    for aside in &status.set_aside {
        let line = lang.still_set_aside(&aside.display().to_string());
        lines.push(tone(Tone::Bad, &line));
    }
    if let Some(at) = status.lost_ms {
        let since = moment::minute(lang, at, replica.today());
        lines.push(tone(Tone::Bad, &lang.was_lost(&since)));
    }
    if status.word.is_none() {
        lines.push(tone(Tone::Warn, lang.status_no_word()));
    }
    if let Some(at) = status.refused_ms {
        let since = moment::minute(lang, at, replica.today());
        lines.push(tone(Tone::Bad, &lang.was_refused(&since)));
    }
    lines.extend(lease(lang, status));
    if status.audit_doubt.is_some() {
        lines.push(tone(Tone::Bad, lang.audit_doubted()));
    }
    if status.undecided > 0 {
        lines.push(tone(Tone::Warn, &lang.undecided(status.undecided)));
    }
    if counts.conflicts > 0 {
        lines.push(tone(Tone::Warn, &lang.conflicts_wait(counts.conflicts)));
    }
    if status.waiting + status.held > 0 {
        lines.push(tone(Tone::Warn, &lang.held(status.waiting, status.held)));
    }
    let next = crate::localize::spoken(lang, next);
    lines.push(format!("{}{next}", tone(Tone::Faint, lang.next_command())));
    // Who has no grid now has no line of areas.
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// Returns until when this device shows other people's data; nothing where the device was revoked.
fn lease(lang: Lang, status: &Status) -> Option<String> {
    if status.purged.is_some() {
        return Some(tone(Tone::Bad, lang.told_to_purge()));
    }
    let lease = status.lease.as_ref()?;
    Some(match (lease.over, lease.soon) {
        (true, _) => tone(Tone::Bad, &lang.lease_over(&lease.until)),
        (_, true) => tone(Tone::Warn, &lang.lease_soon(&lease.until, lease.days_left)),
        _ => tone(Tone::Faint, &lang.lease_until(&lease.until)),
    })
}

fn unsent(lang: Lang, status: &Status) -> String {
    if status.all_safe {
        return match status.levels.as_slice() {
            [own, .., top] => {
                let safe = lang.all_safe_at(lang.code("level", top.level));
                let own = lang.code("level", own.level);
                let line = match status.attachments {
                    0 => safe,
                    _ => format!("{safe}{}", lang.attachments_at(own)),
                };
                tone(Tone::Good, &line)
            }
            _ => tone(Tone::Good, lang.all_safe()),
        };
    }
    if status.counts.unsent == 0 {
        return climbing(lang, status);
    }
    let unsent = &status.unsent;
    let parts: Vec<String> = [
        ("household", unsent.household),
        ("visit_book", unsent.visit_book),
        ("report", unsent.report),
        ("ticket", unsent.ticket),
        ("round_book", unsent.round_book),
        ("access_book", unsent.access_book),
        ("place", unsent.place),
        ("decision", unsent.decision),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(kind, count)| format!("{} {count}", lang.code("kind", kind)))
    .collect();
    let mut line = lang.unsent(status.counts.unsent, &parts.join(" · "));
    for (state, count) in [
        ("inbox", unsent.inbox),
        ("waiting", unsent.waiting),
        ("refused", unsent.refused),
    ] {
        if count > 0 {
            line.push_str(&lang.of_these(lang.code("state", state), count));
        }
    }
    tone(Tone::Warn, &line)
}

/// Returns what of this device's work is on its way up: all of it is at the relay.
fn climbing(lang: Lang, status: &Status) -> String {
    let missing = status.levels.iter().skip(1).filter(|it| it.missing > 0);
    let parts: Vec<String> = missing
        .map(|it| lang.missing_at(lang.code("level", it.level), it.missing))
        .collect();
    if parts.is_empty() {
        return lang.nothing_unsent().to_owned();
    }
    let line = format!("{} · {}", lang.nothing_unsent(), parts.join(" · "));
    tone(Tone::Warn, &line)
}

/// Returns the line that says which areas are not proven complete.
pub(crate) fn not_complete(lang: Lang, areas: &[AreaCode]) -> String {
    let names = areas.iter().map(|area| crate::areas::shown(area.as_str()));
    let names: Vec<String> = names.collect();
    tone(Tone::Warn, &lang.incomplete(&names.join(lang.comma())))
}
