//! The commands: the tree clap reads, and who runs each.
//!
//! A command is listed only when what is behind it works. One subcommand a file: its arguments and
//! one function; the doc comment is the English help, the catalogue holds the Chinese.

mod access;
mod area;
mod attach;
mod audit;
mod call;
mod care;
mod config;
mod conflict;
mod demo;
mod device;
mod enroll;
pub(crate) mod export;
mod fetch;
mod help;
mod history;
mod household;
mod import;
mod inbox;
mod incident;
mod init;
mod lease;
mod lock;
mod member;
mod outbox;
mod people;
mod pin;
mod profile;
mod receipts;
mod recover;
mod relay;
mod report;
mod round;
mod status;
mod sync;
mod ticket;
mod today;
mod undo;
mod unit;
mod unread;
mod verify;
mod visit;

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wangge_agent::bulk::BulkReport;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::ui::{Json, Tone, Ui, tone};

/// Offline-first records for village grid workers: visits, reports, tickets, households.
#[derive(Debug, Parser)]
#[command(name = "wangge", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The folder of this device's data, or of the relay
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// The language
    #[arg(long, global = true, value_name = "LANG")]
    pub(crate) lang: Option<Lang>,
    /// Data as JSON: one document, or one a line
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "document"
    )]
    pub(crate) json: Option<Json>,
    /// Whose home on this device, where several people have one
    #[arg(
        long = "as",
        id = "profile",
        global = true,
        value_name = "NAME",
        conflicts_with = "home"
    )]
    pub(crate) profile: Option<String>,
    /// The word that opens the home in a file, or - for stdin
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) pin_file: Option<String>,
    /// Save a note although a telephone or a word in it was pointed out
    #[arg(long, global = true)]
    pub(crate) keep_note: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make this device's home
    Init(init::Args),
    /// Enrol this device with a relay
    Enroll(enroll::Args),
    /// Show who, where, what is unsent, what needs you
    Status(status::Args),
    /// Who is due today, the day's sheet, and what was written on it
    Today(today::Today),
    /// Areas by code and name
    #[command(subcommand)]
    Area(area::Area),
    /// Households
    #[command(subcommand)]
    Household(household::Household),
    /// The people of a household
    #[command(subcommand)]
    Member(member::Member),
    /// Care of members: why and how often they are looked in on
    #[command(subcommand)]
    Care(care::Care),
    /// Visits; with words it records one, bare it asks
    Visit(Box<visit::Visit>),
    /// Reports; with words it records one
    Report(Box<report::Report>),
    /// Attach a photo, a recording or a paper to a visit, a report or a ticket
    Attach(attach::Args),
    /// Fetch an attachment that is not on this device
    Fetch(fetch::Args),
    /// Show a number to call; who asked and why is written down
    Call(call::Args),
    /// Rounds through a grid and what was found on them
    #[command(subcommand)]
    Round(round::Round),
    /// Tickets and their steps
    #[command(subcommand)]
    Ticket(ticket::Ticket),
    /// Take back the last action of this device
    Undo(undo::Args),
    /// Prove that this device holds exactly what the relay has, and repair what differs
    Verify(verify::Args),
    /// Colleagues: who works here, who is on leave, who stands in
    #[command(subcommand)]
    People(people::People),
    /// Units that handle tickets
    #[command(subcommand)]
    Unit(unit::Unit),
    /// Send what is here, fetch what is new
    Sync(sync::Args),
    /// Show what has no receipt yet
    Outbox(outbox::Args),
    /// Show where a record has arrived
    Receipts(receipts::Args),
    /// The relay's inbox, at a desk with a link: list, show, accept, rehome, discard, retry
    #[command(subcommand)]
    Inbox(inbox::Inbox),
    /// Fields with more than one value
    #[command(subcommand)]
    Conflict(conflict::Conflict),
    /// Devices, at a desk with a link: list, revoke a lost one, lease
    #[command(subcommand)]
    Device(device::Device),
    /// Enter a code that was read out, to read on
    Lease(lease::Args),
    /// What must be told when a device was lost
    #[command(subcommand)]
    Incident(incident::Incident),
    /// What this device saw of the relay's audit chain: checkpoint
    #[command(subcommand)]
    Audit(audit::Audit),
    /// A relay: serve, invite, devices, inbox
    #[command(subcommand)]
    Relay(relay::Relay),
    /// See the whole journey with made-up people
    Demo(demo::Args),
    /// Unlock this home for a while: its word is not asked for meanwhile
    Unlock(lock::Unlock),
    /// Lock this home now
    Lock,
    /// The word that locks this home
    #[command(subcommand)]
    Pin(pin::Pin),
    /// Who has a home on this device
    #[command(subcommand)]
    Profile(profile::Profile),
    /// Hold the key of an unlocked home
    #[command(hide = true)]
    HoldKey(lock::Hold),
    /// The settings of this device
    #[command(subcommand)]
    Config(config::Config),
    /// Help on a command, or on exit-codes
    Help(help::Args),
    /// The command reference of the documentation
    #[command(hide = true)]
    Reference,
}

/// Runs a command.
pub(crate) fn run(context: &Context, command: Option<Command>) -> Result<Exit, Failure> {
    match command {
        None if Ui::is_terminal() || context.has_home() => today::show(context),
        None => {
            context
                .ui
                .talk(&crate::localize::root_help(context.ui.lang));
            Ok(Exit::Usage)
        }
        Some(Command::Init(args)) => init::run(context, args),
        Some(Command::Enroll(args)) => enroll::run(context, &args),
        Some(Command::Status(args)) => status::run(context, &args),
        Some(Command::Today(args)) => today::run(context, args),
        Some(Command::Round(command)) => round::run(context, command),
        Some(Command::Area(area::Area::List(args))) => area::run(context, &args),
        Some(Command::Household(command)) => household::run(context, command),
        Some(Command::Member(command)) => member::run(context, command),
        Some(Command::Care(command)) => care::run(context, command),
        Some(Command::Visit(visit)) => visit::run(context, *visit),
        Some(Command::Report(report)) => report::run(context, *report),
        Some(Command::Attach(args)) => attach::run(context, args),
        Some(Command::Fetch(args)) => fetch::run(context, &args),
        Some(Command::Call(args)) => call::run(context, &args),
        Some(Command::Ticket(command)) => ticket::run(context, command),
        Some(Command::Undo(args)) => undo::run(context, &args),
        Some(Command::Verify(args)) => verify::run(context, &args),
        Some(Command::People(command)) => people::run(context, command),
        Some(Command::Unit(command)) => unit::run(context, command),
        Some(Command::Sync(args)) => sync::run(context, &args),
        Some(Command::Outbox(args)) => outbox::run(context, &args),
        Some(Command::Receipts(args)) => receipts::run(context, &args),
        Some(Command::Inbox(command)) => inbox::run(context, command),
        Some(Command::Conflict(command)) => conflict::run(context, command),
        Some(Command::Device(command)) => device::run(context, command),
        Some(Command::Lease(args)) => lease::run(context, &args),
        Some(Command::Incident(command)) => incident::run(context, command),
        Some(Command::Audit(command)) => audit::run(context, command),
        Some(Command::Relay(command)) => relay::run(context, command),
        Some(Command::Demo(args)) => demo::run(context, &args),
        Some(Command::Unlock(args)) => lock::unlock(context, &args),
        Some(Command::Lock) => lock::lock(context),
        Some(Command::Pin(command)) => pin::run(context, &command),
        Some(Command::Profile(command)) => profile::run(context, &command),
        Some(Command::HoldKey(args)) => lock::hold(context, &args),
        Some(Command::Config(command)) => config::run(context, &command),
        Some(Command::Help(args)) => help::run(context, &args),
        Some(Command::Reference) => {
            context.ui.data(crate::reference::reference().trim_end());
            Ok(Exit::Done)
        }
    }
}

/// Returns the text of a file, or of stdin for `-`, whole lines of it: one that is not UTF-8 becomes a
/// sign that no reader takes, so that it is named and costs no other.
fn read_lines(from: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = match from {
        "-" => std::io::stdin().read_to_end(&mut bytes).map(|_| ()),
        file => std::fs::read(file).map(|read| bytes = read),
    };
    read.map_err(|error| Failure::Unreadable {
        path: from.to_owned(),
        reason: error.to_string(),
    })?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| std::str::from_utf8(line).unwrap_or(UNREADABLE));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// What stands for a line that is no text.
const UNREADABLE: &str = "\u{fffd}";

/// Shows what became of the lines of a bulk write.
fn show_bulk(context: &Context, report: &BulkReport) -> Exit {
    let ui = &context.ui;
    let lang = ui.lang;
    ui.show(report, || {
        let mut text = lang.bulk_done(report.recorded, report.unchanged, report.refused.len());
        for line in &report.refused {
            let (field, detail) = match line.reason {
                "value" => (
                    lang.field(&line.field),
                    lang.takes(&line.field, &line.detail),
                ),
                "json" => ("", lang.json_fault(&line.detail)),
                _ => (line.field.as_str(), line.detail.clone()),
            };
            let detail = [lang.code("refused_line", line.reason), field, &detail];
            let detail: Vec<&str> = detail.into_iter().filter(|part| !part.is_empty()).collect();
            text.push('\n');
            text.push_str(&tone(
                Tone::Warn,
                &lang.bulk_line(line.line, &detail.join(" · ")),
            ));
        }
        text
    });
    if report.refused.is_empty() {
        Exit::Done
    } else {
        Exit::Partly
    }
}
