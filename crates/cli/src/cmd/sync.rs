//! `sync`: one round trip with the relay.

use wangge_agent::Replica;
use wangge_agent::link::Address;

use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Another relay of the same tree, for this once
    #[arg(long, value_name = "URL", value_parser = crate::typed::folded)]
    relay: Option<String>,
    /// The relay shows an ordinary certificate, for the name in its address
    #[arg(long, requires = "relay")]
    ordinary_certificate: bool,
    /// Say what it would cost, and do nothing
    #[arg(long, conflicts_with = "relay")]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open_unread()?;
    if args.dry_run {
        return plan(context, &mut replica);
    }
    let watcher = context.ui.watcher();
    let watched = watcher.is_some();
    if let Some(watcher) = watcher {
        replica.watch(watcher);
    }
    let report = match &args.relay {
        None => block_on(replica.sync())?,
        Some(url) => {
            let url = address(url, args.ordinary_certificate)?;
            block_on(replica.sync_at(&url))?
        }
    };
    if watched {
        context.ui.clear_line();
    }
    let report = report?;
    let conflicts = replica.conflicts()?.len();
    context.ui.show(&report, || {
        let mut lines = vec![
            lang.synced(report.sent, report.received, report.receipts),
            tone(
                Tone::Faint,
                &lang.sync_cost(
                    report.round_trips,
                    report.bytes_up,
                    report.bytes_down,
                    report.ms,
                ),
            ),
        ];
        if report.put_back {
            let given = report.repair.as_ref().map_or(0, |repair| repair.given_back);
            lines.push(tone(Tone::Warn, &lang.relay_put_back(given)));
        }
        // What comes as packs after that is no first download.
        if let Some(packs) = report.packs.as_ref().filter(|_| !report.put_back) {
            lines.push(lang.packs_came(packs.documents, packs.bytes.div_ceil(1024)));
        }
        if report.audit_doubt.is_some() {
            lines.push(tone(Tone::Bad, lang.audit_doubted()));
        }
        for (area, proof) in &report.complete {
            let name = areas::shown(area.as_str());
            lines.push(match proof.equal {
                true => tone(Tone::Good, &lang.area_equal(&name, proof.changes)),
                false => tone(Tone::Warn, &lang.area_differs(&name)),
            });
        }
        if let Some(repair) = report.repair.as_ref().filter(|it| it.unproven > 0) {
            lines.push(tone(Tone::Warn, &lang.only_here(repair.unproven)));
        }
        if report.inbox > 0 {
            lines.push(tone(Tone::Warn, &lang.in_inbox(report.inbox)));
        }
        if report.undecided > 0 {
            lines.push(tone(Tone::Warn, &lang.undecided(report.undecided)));
        }
        if report.handed_over > 0 {
            lines.push(lang.left_device(report.handed_over));
        }
        if report.hand_over_waits > 0 {
            let waits = lang.leave_when_receipted(report.hand_over_waits);
            lines.push(tone(Tone::Warn, &waits));
        }
        if report.held > 0 {
            lines.push(tone(Tone::Warn, &lang.held(0, report.held as u64)));
        }
        let attachments = &report.attachments;
        if attachments.sent + attachments.received > 0 {
            lines.push(lang.attachments_carried(attachments.sent, attachments.received));
        }
        if attachments.left > 0 {
            lines.push(tone(Tone::Warn, &lang.attachments_wait(attachments.left)));
        }
        lines.join("\n")
    });
    if conflicts > 0 && context.ui.json.is_none() {
        context
            .ui
            .talk(&tone(Tone::Warn, &lang.conflicts_wait(conflicts as u64)));
        context.ui.talk(&format!(
            "{}{}",
            lang.next_command(),
            crate::localize::spoken(lang, "wangge conflict list")
        ));
    }
    let incomplete = report.complete.values().any(|proof| !proof.equal);
    Ok(
        if report.unsent > 0 || report.inbox > 0 || incomplete || report.attachments.left > 0 {
            Exit::Partly
        } else {
            Exit::Done
        },
    )
}

/// Returns an address as it is kept: which certificate counts is part of it.
pub(super) fn address(url: &str, ordinary: bool) -> Result<String, Failure> {
    match ordinary {
        true => Ok(Address::parse(url)?.ordinary().text()),
        false => Ok(url.to_owned()),
    }
}

fn plan(context: &Context, replica: &mut Replica) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let plan = block_on(replica.plan_sync())??;
    context.ui.show(&plan, || {
        let download = match (plan.first, &plan.download) {
            (_, Some(cost)) => super::people::download(lang, cost),
            (true, None) => lang.download_without_packs().to_owned(),
            (false, None) => lang.download_since().to_owned(),
        };
        format!("{}\n{download}", lang.would_send(plan.unsent))
    });
    Ok(match plan.unsent > 0 || plan.first {
        true => Exit::Found,
        false => Exit::Done,
    })
}
