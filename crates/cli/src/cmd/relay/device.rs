//! `relay device`: takes a lost device, or a relay below, out; makes codes of leases. On the relay's own folder.

use serde_json::json;
use wangge_agent::devices::{DeviceName, LeaseCodeView, named};
use wangge_relay::{DeviceId, DeviceWish, Relay};

use crate::cmd::device::{Lease, Revoke, agreed, came, not_done, show_code, shown_only, warnings};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;

/// One device, or a relay below: revoke, lease.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Device {
    /// Take a lost device, or a relay below, out: a device gets only the purge order
    Revoke(Revoke),
    /// Make a code, to be read out by telephone, that lets a device read on
    Lease(Lease),
}

/// A device or a relay below.
pub(crate) struct Found {
    pub(crate) device: DeviceId,
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) is_relay: bool,
}

pub(super) fn run(context: &Context, command: Device) -> Result<Exit, Failure> {
    match command {
        Device::Revoke(args) => revoke(context, &args),
        Device::Lease(args) => lease(context, &args),
    }
}

/// Returns the device, or relay below, that is named.
pub(crate) fn find(relay: &Relay, typed: &str) -> Result<Found, Failure> {
    let devices = relay.devices()?.into_iter().map(|row| Found {
        device: row.device,
        number: row.device_number,
        name: row.name,
        is_relay: false,
    });
    let below = relay.below()?.into_iter().map(|row| Found {
        device: row.device,
        number: 0,
        name: row.name,
        is_relay: true,
    });
    let mut all: Vec<Found> = devices.chain(below).collect();
    let names: Vec<DeviceName<'_>> = all
        .iter()
        .map(|found| DeviceName {
            id: found.device.to_string(),
            number: found.number,
            name: &found.name,
        })
        .collect();
    let at = named(&names, typed).map_err(|error| match error {
        wangge_agent::AgentError::NotFound { .. } => wangge_relay::RelayError::UnknownDevice.into(),
        other => Failure::Agent(other),
    })?;
    Ok(all.swap_remove(at))
}

fn revoke(context: &Context, args: &Revoke) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = super::open_to_look(context)?;
    let found = find(&relay, &args.device)?;
    let last_good = match found.is_relay {
        // What a relay handed up is good; it writes no batches of its own.
        true => Some(0),
        false => args.last_good,
    };
    let would = relay.revoking(&found.device, last_good)?;
    let value = |dry_run: bool| {
        json!({
            "device": found.device, "device_number": found.number, "name": found.name,
            "relay": found.is_relay, "last_good": would.last_good,
            "last_batch": would.last.map(|(number, _)| number),
            "last_batch_ms": would.last.map(|(_, at_ms)| at_ms),
            "numbered_after": would.numbered_after, "dry_run": dry_run,
        })
    };
    let what = match found.is_relay {
        true => lang.would_revoke_relay(&found.name),
        false => lang.would_revoke(
            found.number,
            &found.name,
            &came(context, would.last),
            would.last_good,
        ),
    };
    let mut asked = vec![what];
    asked.extend(warnings(context, would.numbered_after, would.again));
    match agreed(context, &asked.join("\n"), args.yes) {
        Some(true) => {}
        Some(false) => return Ok(not_done(context)),
        None => return Ok(shown_only(context, &value(true))),
    }
    let done = relay.revoke_device(&found.device, last_good, now_ms)?;
    context.ui.show(&value(false), || match found.is_relay {
        true => lang.relay_revoked(&found.name),
        false => lang.device_revoked(&found.name, done.last_good),
    });
    Ok(Exit::Done)
}

fn lease(context: &Context, args: &Lease) -> Result<Exit, Failure> {
    let (relay, now_ms) = super::open_to_look(context)?;
    let found = find(&relay, &args.device)?;
    let device = found.device;
    let days = args.days;
    let answer = relay.ask_devices(&DeviceWish::Lease { device, days }, now_ms)?;
    let code = answer.map_err(wangge_agent::AgentError::Device)?.code;
    let code = code.ok_or(wangge_relay::RelayError::UnknownDevice)?;
    let view = LeaseCodeView {
        name: found.name,
        device,
        until: moment::of_day(code.until.0),
        code: code.code,
    };
    Ok(show_code(context, &view))
}
