//! `household split`: some members become a household of their own.

use wangge_agent::households::Split;

use super::Which;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Who goes: names, ids or places in the list, with commas
    #[arg(long, value_name = "MEMBERS", required = true, value_delimiter = ',')]
    members: Vec<String>,
    /// The new household's head, one of them; the first if it is not said
    #[arg(long, value_name = "MEMBER", value_parser = typed::folded)]
    head: Option<String>,
    /// Its door, with or without the group
    #[arg(long, value_name = "DOOR", value_parser = typed::folded)]
    door: Option<String>,
    /// Its telephone
    #[arg(long, value_name = "NUMBER", value_parser = typed::folded)]
    phone: Option<String>,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

pub(super) fn run(context: &Context, args: Args) -> Result<Exit, Failure> {
    let (mut replica, id) = args.which.open(context)?;
    let split = Split {
        members: args.members,
        head: args.head,
        door: args.door,
        phone: args.phone,
        on: args.on,
    };
    let done = replica.split_household(&id, split)?;
    let lang = context.ui.lang;
    context.ui.show(&done, || {
        lang.was_split(done.members.len(), &done.id.to_string())
    });
    Ok(Exit::Done)
}
