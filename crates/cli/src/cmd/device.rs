//! `device`: the devices of a desk's areas: list, revoke, lease. A desk asks, its relay orders.

use super::recover;
use wangge_agent::devices::{DeviceView, LeaseCodeView, RevokeView};

use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, Ui, tone};

/// Devices: list, revoke, lease.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Device {
    /// List the devices of your areas: whose, when they came, how long they may read
    List,
    /// Take a lost device out: it gets only the purge order
    Revoke(Revoke),
    /// Make a code, to be read out by telephone, that lets a device read on
    Lease(Lease),
    /// Open a home whose word is forgotten with its recovery code, and send what was never sent
    Recover(recover::Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The device: its id or the beginning of it, #NUMBER, or whose it is
    #[arg(value_name = "DEVICE", value_parser = typed::folded)]
    pub(super) device: String,
    /// The last batch that still is good; the last one the relay received if it is not said
    #[arg(long, value_name = "N")]
    pub(super) last_good: Option<u64>,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Lease {
    /// The device: its id or the beginning of it, #NUMBER, or whose it is
    #[arg(value_name = "DEVICE", value_parser = typed::folded)]
    pub(super) device: String,
    /// For so many days from today; as many as the role has if it is not said
    #[arg(long, value_name = "N")]
    pub(super) days: Option<u32>,
}

pub(crate) fn run(context: &Context, command: Device) -> Result<Exit, Failure> {
    match command {
        Device::List => list(context),
        Device::Revoke(args) => revoke(context, &args),
        Device::Recover(args) => recover::run(context, &args),
        Device::Lease(args) => {
            let replica = context.open_unread()?;
            let code = block_on(replica.lease_code(&args.device, args.days))??;
            Ok(show_code(context, &code))
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open_unread()?;
    let devices = block_on(replica.devices())??;
    let today = replica.today();
    context.ui.list(&devices, || {
        if devices.is_empty() {
            return lang.no_devices_here().to_owned();
        }
        let row = |it: &DeviceView| {
            let areas: Vec<String> = it
                .areas
                .iter()
                .map(|it| areas::shown(it.as_str()))
                .collect();
            let seen = it.last_seen_ms.map(|at| moment::minute(lang, at, today));
            vec![
                it.device_number.to_string(),
                it.name.clone(),
                lang.code("role", it.role.as_str()).to_owned(),
                areas.join(lang.comma()),
                seen.unwrap_or_else(|| lang.never().to_owned()),
                it.lease_until.clone().unwrap_or_default(),
                match it.revoked {
                    true => lang.revoked().to_owned(),
                    false => String::new(),
                },
            ]
        };
        let cells: Vec<Vec<String>> = devices.iter().map(row).collect();
        let heads = [
            "#",
            lang.col_name(),
            lang.col_role(),
            lang.col_area(),
            lang.col_last_seen(),
            lang.col_lease(),
            "",
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

fn revoke(context: &Context, args: &Revoke) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open_unread()?;
    let would = block_on(replica.revoking(&args.device, args.last_good))??;
    let mut asked = vec![lang.would_revoke(
        would.device.device_number,
        &would.device.name,
        &came(
            context,
            would.device.last_batch.zip(would.device.last_batch_ms),
        ),
        would.last_good,
    )];
    asked.extend(warnings(
        context,
        would.numbered_after,
        would.device.revoked,
    ));
    match agreed(context, &asked.join("\n"), args.yes) {
        Some(true) => {}
        Some(false) => return Ok(not_done(context)),
        None => return Ok(shown_only(context, &would)),
    }
    let device = would.device.device;
    block_on(replica.revoke(&device, args.last_good))??;
    let done = RevokeView {
        dry_run: false,
        ..would
    };
    context.ui.show(&done, || {
        lang.device_revoked(&done.device.name, done.last_good)
    });
    Ok(Exit::Done)
}

/// Returns what came last of a device, in words.
pub(super) fn came(context: &Context, last: Option<(u64, i64)>) -> String {
    let lang = context.ui.lang;
    match last {
        Some((number, at_ms)) => {
            let at = moment::exact(at_ms).replace('T', " ");
            lang.last_batch_came(number, at.get(..16).unwrap_or_default())
        }
        None => lang.no_batch_came().to_owned(),
    }
}

/// Returns what somebody must know before they take a device out.
pub(super) fn warnings(context: &Context, numbered_after: u64, again: bool) -> Vec<String> {
    let lang = context.ui.lang;
    let numbered =
        (numbered_after > 0).then(|| tone(Tone::Warn, &lang.numbered_after(numbered_after)));
    let again = again.then(|| lang.revoked_before().to_owned());
    numbered.into_iter().chain(again).collect()
}

/// Says what is about to happen and returns whether it may; none where nobody can be asked.
pub(super) fn agreed(context: &Context, what: &str, yes: bool) -> Option<bool> {
    let ui = &context.ui;
    if yes {
        return Some(true);
    }
    ui.talk(what);
    if ui.json.is_some() || !Ui::is_terminal() {
        return None;
    }
    ui.ask(ui.lang.revoke_asks());
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line).is_ok();
    let typed = typed::half_width(line.trim()).to_lowercase();
    Some(read && (matches!(typed.as_str(), "y" | "yes") || typed == ui.lang.yes()))
}

pub(super) fn not_done(context: &Context) -> Exit {
    context.ui.talk(context.ui.lang.revoke_not_done());
    Exit::Done
}

/// Ends where nobody could be asked: nothing was done.
pub(super) fn shown_only<T: serde::Serialize>(context: &Context, would: &T) -> Exit {
    let lang = context.ui.lang;
    context
        .ui
        .show(would, || lang.revoke_needs_yes().to_owned());
    Exit::Found
}

/// Shows a code that is read out.
pub(super) fn show_code(context: &Context, code: &LeaseCodeView) -> Exit {
    context.ui.show(code, || tone(Tone::Strong, &code.code));
    if context.ui.json.is_none() {
        // It is typed at another device, in its home.
        let said = context.ui.lang.lease_code(&code.name, &code.until);
        context.ui.talk_as_it_is(&said);
    }
    Exit::Done
}
