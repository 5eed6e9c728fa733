//! `household`: the commands on households and what they share; each has a file below.

mod add;
mod away;
mod consent;
mod contact;
mod duplicates;
mod edit;
mod list;
mod merge;
mod move_to;
mod need;
mod show;
mod split;

use serde_json::json;
use wangge_agent::Replica;

use super::import;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Households.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Household {
    /// Add a household, or many from JSON lines
    Add(add::Args),
    /// List households by group and door
    List(list::Args),
    /// Show a household with its latest visits
    Show(show::Args),
    /// Find households by initials, name, door or the tail of a phone
    Find(list::Find),
    /// Change fields of a household
    Edit(edit::Args),
    /// Import a roster: a spreadsheet as village offices keep it
    Import(import::Args),
    /// List households that may be registered twice
    Duplicates(duplicates::Args),
    /// Make households one family; each record stays as it is
    Merge(merge::Merge),
    /// Take a merge back: a household stands for itself again
    Unmerge(merge::Unmerge),
    /// Say that two households are two families
    Distinct(merge::Distinct),
    /// Move a household to another grid
    Move(move_to::Args),
    /// Split some members off into a household of their own
    Split(split::Args),
    /// Say that a household, or some members, went away to work
    Depart(away::Args),
    /// Say that a household, or some members, are back
    Return(away::Args),
    /// Further telephones
    #[command(subcommand)]
    Contact(contact::Contact),
    /// What a household needs
    #[command(subcommand)]
    Need(need::Need),
    /// On what grounds what is kept about a household is kept
    #[command(subcommand)]
    Consent(consent::Consent),
}

/// What household a command is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// What names the household: id, initials, name, door, tail of the phone
    #[arg(value_name = "HOUSEHOLD", value_parser = crate::typed::folded)]
    pub(crate) household: String,
}

impl Which {
    /// Opens the home and returns it with the household.
    pub(crate) fn open(
        &self,
        context: &Context,
    ) -> Result<(Replica, wangge_agent::DocId), Failure> {
        let replica = context.open()?;
        let id = replica.name_household(&self.household)?;
        Ok((replica, id))
    }
}

pub(crate) fn run(context: &Context, command: Household) -> Result<Exit, Failure> {
    match command {
        Household::Add(args) => add::run(context, args),
        Household::List(args) => list::run(context, &args),
        Household::Show(args) => show::run(context, &args),
        Household::Find(args) => list::find(context, &args),
        Household::Edit(args) => edit::run(context, args),
        Household::Import(args) => import::run(context, &args),
        Household::Duplicates(args) => duplicates::run(context, &args),
        Household::Merge(args) => merge::merge(context, &args),
        Household::Unmerge(args) => merge::unmerge(context, &args),
        Household::Distinct(args) => merge::distinct(context, &args),
        Household::Move(args) => move_to::run(context, &args),
        Household::Split(args) => split::run(context, args),
        Household::Depart(args) => away::run(context, &args, true),
        Household::Return(args) => away::run(context, &args, false),
        Household::Contact(command) => contact::run(context, command),
        Household::Need(command) => need::run(context, command),
        Household::Consent(command) => consent::run(context, command),
    }
}

/// Says whether a write to a household changed anything.
pub(crate) fn say_changed(context: &Context, value: &serde_json::Value, changed: bool) -> Exit {
    let lang = context.ui.lang;
    context.ui.show(value, || {
        if changed {
            lang.household_changed().to_owned()
        } else {
            lang.said_already().to_owned()
        }
    });
    Exit::Done
}

/// Returns `{id, changed}`.
fn done(id: impl serde::Serialize, changed: bool) -> serde_json::Value {
    json!({"id": id, "changed": changed})
}
