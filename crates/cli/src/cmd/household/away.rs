//! `household depart` and `household return`: gone to work, and back.

use super::{Which, done, say_changed};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only these members: names, ids or places in the list, with commas
    #[arg(long, value_name = "MEMBERS", value_delimiter = ',')]
    members: Vec<String>,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args, departs: bool) -> Result<Exit, Failure> {
    let (mut replica, id) = args.which.open(context)?;
    let on = args.on.as_deref();
    let changed = match departs {
        true => replica.depart(&id, &args.members, on)?,
        false => replica.come_back(&id, &args.members, on)?,
    };
    Ok(say_changed(context, &done(id, changed), changed))
}
