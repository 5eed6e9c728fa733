//! `relay`: serve, invite, devices, inbox, what is held, join, meet, status, audit, backup, restore. The operator's side, on the relay's own folder.

mod audit;
mod backup;
pub(crate) mod device;
mod held;
mod inbox;
mod recovery;
mod serve;
mod upstream;

use serde_json::json;
use wangge_relay::{LevelForm, NewInvitation, Relay as Open, Role, Settings, Unit};

use super::init;
use crate::areas;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};

/// How long an invitation lives, milliseconds: the relay's own rule, said to the person.
const INVITATION_MS: i64 = 24 * 60 * 60 * 1000;

/// A relay: serve, invite, devices, inbox, what is held, and the relay above.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Relay {
    /// Let devices in until it is told to stop
    Serve(serve::Args),
    /// Make an invitation for one device
    Invite(Invite),
    /// List devices
    Devices,
    /// One device, or a relay below: revoke, lease
    #[command(subcommand)]
    Device(device::Device),
    /// List what waits for a person's decision
    Inbox(inbox::Args),
    /// List changes that are not shown
    Held,
    /// Let a held change be tried again
    Release(held::Release),
    /// Try foreign changes for a relay that serves
    #[command(hide = true)]
    GateWorker,
    /// Go below another relay
    Join(upstream::Join),
    /// Meet the relay above now
    Meet,
    /// How much it holds, and what is durable above
    Status,
    /// The key that opens any home below whose word is forgotten
    #[command(subcommand)]
    Recovery(recovery::Recovery),
    /// What was done at the relay, by whom: list, verify
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Make one file of the relay, while it serves
    Backup(backup::Backup),
    /// Make a relay of a backup, in an empty folder
    Restore(backup::Restore),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Invite {
    /// The person's name as colleagues read it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What the person works as
    #[arg(long, value_name = "ROLE", default_value = "worker")]
    role: RoleWord,
    /// An area the person will see; may be repeated
    #[arg(
        long,
        value_name = "CODE",
        required_unless_present = "unit",
        value_parser = typed::folded,
        num_args = 1..
    )]
    area: Vec<String>,
    /// The unit a person of the role unit works for, by name or id
    #[arg(
        long,
        value_name = "NAME",
        required_if_eq("role", "unit"),
        conflicts_with = "area"
    )]
    unit: Option<String>,
    /// Where devices reach this relay; it is written into the invitation
    #[arg(long, value_name = "URL", value_parser = typed::folded)]
    url: Option<String>,
    /// Show the picture for a camera also where nobody looks at a terminal
    #[arg(long)]
    qr: bool,
}

/// What a person works as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RoleWord {
    /// Own grids.
    Worker,
    /// The village.
    Station,
    /// The township.
    Township,
    /// The county.
    County,
    /// An office that handles tickets.
    Unit,
    /// A relay below this one.
    Relay,
}

/// Where in the tree a relay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LevelWord {
    /// The county.
    County,
    /// The township.
    Township,
    /// The village.
    Village,
}

impl From<LevelWord> for LevelForm {
    fn from(word: LevelWord) -> Self {
        match word {
            LevelWord::County => LevelForm::County,
            LevelWord::Township => LevelForm::Township,
            LevelWord::Village => LevelForm::Village,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Worker => Role::Worker,
            RoleWord::Station => Role::Station,
            RoleWord::Township => Role::Township,
            RoleWord::County => Role::County,
            RoleWord::Unit => Role::Unit,
            RoleWord::Relay => Role::Relay,
        }
    }
}

pub(crate) fn run(context: &Context, command: Relay) -> Result<Exit, Failure> {
    match command {
        Relay::Serve(args) => serve::run(context, &args),
        Relay::Invite(args) => invite(context, &args),
        Relay::Devices => devices(context),
        Relay::Device(command) => device::run(context, command),
        Relay::Inbox(args) => inbox::list(context, &args),
        Relay::Held => held::list(context),
        Relay::Release(args) => held::release(context, &args),
        Relay::GateWorker => Ok(held::work()),
        Relay::Join(args) => upstream::join(context, &args),
        Relay::Meet => upstream::meet(context),
        Relay::Status => upstream::status(context),
        Relay::Recovery(command) => recovery::run(context, &command),
        Relay::Audit(command) => audit::run(context, command),
        Relay::Backup(args) => backup::backup(context, &args),
        Relay::Restore(args) => backup::restore(context, &args),
    }
}

/// What makes a folder the home of a device.
const PROFILE: &str = "profile.json";

/// Returns settings with what a relay of this program must be told of the documents it keeps.
fn settings(name: impl Into<String>, level: LevelForm) -> Settings {
    let mut settings = Settings::new(name, level);
    settings.access_kinds = vec![wangge_agent::access::BOOK];
    settings
}

/// Opens the relay's folder; name and level count at its first start only.
fn open(context: &Context) -> Result<(Open, i64), Failure> {
    let settings = settings(context.ui.lang.relay_name(), LevelForm::Township);
    let now_ms = settings.clock.now_ms();
    Ok((Open::open(&context.relay_home()?, &settings)?, now_ms))
}

/// Opens a relay that is there: only `serve` and `restore` make one. An invitation from a mistyped folder
/// would be a code that no relay knows.
pub(crate) fn open_to_look(context: &Context) -> Result<(Open, i64), Failure> {
    let dir = context.relay_home()?;
    if !Open::left_in(&dir) {
        not_a_device(context)?;
        return Err(Failure::NoRelay {
            at: dir.display().to_string(),
        });
    }
    open(context)
}

/// Refuses the home of a device: a relay begun there would be a second one beside its own.
fn not_a_device(context: &Context) -> Result<(), Failure> {
    let dir = context.relay_home()?;
    let is_device = dir.join(PROFILE).exists() && !Open::left_in(&dir);
    match is_device {
        true => Err(Failure::DeviceHome {
            at: dir.display().to_string(),
        }),
        false => Ok(()),
    }
}

fn invite(context: &Context, args: &Invite) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let areas = init::area_codes(context, &args.area)?;
    let (relay, now_ms) = open_to_look(context)?;
    let name = args.name.trim();
    let (code, role, areas) = match &args.unit {
        Some(unit) => {
            let unit = unit_named(&relay, unit)?;
            let areas = vec![unit.area.to_string()];
            (
                relay.invite_unit(name, &unit.id, now_ms)?,
                Role::Unit,
                areas,
            )
        }
        None => {
            let (name, role) = (name.to_owned(), args.role.into());
            let new = NewInvitation { name, role, areas };
            (relay.invite(&new, now_ms)?, role, args.area.clone())
        }
    };
    let invitation = relay.invitation(&code, args.url.as_deref());
    let code = code.shown();
    let expires_ms = now_ms.saturating_add(INVITATION_MS);
    let value = json!({
        "code": code,
        "invitation": invitation,
        "expires_at": moment::exact(expires_ms),
        "expires_ms": expires_ms,
        "name": name,
        "role": role.as_str(),
        "areas": areas,
    });
    context.ui.show(&value, || tone(Tone::Strong, &code));
    if context.ui.json.is_none() {
        if args.qr || crate::ui::qr::is_looked_at() {
            context
                .ui
                .talk_as_it_is(&crate::ui::qr::picture(&invitation));
        }
        context.ui.talk_as_it_is(&invitation);
        let until = moment::exact(expires_ms).replace('T', " ");
        let until = until.get(..16).unwrap_or_default();
        let next = match role {
            Role::Relay => "wangge relay join CODE --relay URL",
            _ => "wangge enroll CODE --relay URL",
        };
        let next = crate::localize::spoken(lang, next);
        // It is typed at another device, in its home.
        let said = lang.invited(name, until, &next);
        context.ui.talk_as_it_is(&said);
    }
    Ok(Exit::Done)
}

/// Returns the open unit of this name or id.
fn unit_named(relay: &Open, typed: &str) -> Result<Unit, Failure> {
    let units = relay.units()?.into_iter();
    let fits = |unit: &Unit| unit.name == typed.trim() || unit.id.to_string() == typed.trim();
    let mut fitting: Vec<Unit> = units.filter(|unit| !unit.closed && fits(unit)).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(wangge_relay::RelayError::UnknownUnit.into()),
        (Some(last), false) => {
            fitting.push(last);
            let line = |unit: &Unit| (unit.id.to_string(), areas::shown(unit.area.as_str()));
            Err(Failure::Agent(wangge_agent::AgentError::Ambiguous {
                name: typed.to_owned(),
                candidates: fitting.iter().map(line).collect(),
            }))
        }
    }
}

fn devices(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, now_ms) = open_to_look(context)?;
    let rows = relay.devices()?;
    let values: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            json!({
                "device": row.device, "device_number": row.device_number, "person": row.person,
                "name": row.name, "role": row.role, "areas": row.areas,
                "enrolled_ms": row.enrolled_ms, "last_seen_ms": row.last_seen_ms,
                "revoked": row.revoked,
            })
        })
        .collect();
    let today = moment::china(now_ms)
        .map(|now| now.date_naive())
        .unwrap_or_default();
    context.ui.list(&values, || {
        if rows.is_empty() {
            return lang.no_devices().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let names: Vec<String> = row
                    .areas
                    .iter()
                    .map(|area| areas::shown(area.as_str()))
                    .collect();
                let seen = row.last_seen_ms.map(|at| moment::minute(lang, at, today));
                vec![
                    row.device_number.to_string(),
                    row.name.clone(),
                    lang.code("role", row.role.as_str()).to_owned(),
                    names.join(lang.comma()),
                    seen.unwrap_or_else(|| lang.never().to_owned()),
                    if row.revoked {
                        lang.revoked().to_owned()
                    } else {
                        String::new()
                    },
                ]
            })
            .collect();
        let heads = [
            "#",
            lang.col_name(),
            lang.col_role(),
            lang.col_area(),
            lang.col_last_seen(),
            "",
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}
