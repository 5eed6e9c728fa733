//! `household need`: what a household needs, and when it was met.

use wangge_agent::households::NeedInput;

use super::{Which, done, say_changed};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

/// What a household needs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Need {
    /// Record what is needed
    Add(Add),
    /// Say that it was met
    Done(Done),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    which: Which,
    /// What is needed
    #[arg(value_name = "TEXT")]
    text: String,
    /// A word to sort it by
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
    /// Since when; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    since: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Done {
    #[command(flatten)]
    which: Which,
    /// Which need: its id or its place in the list
    #[arg(value_name = "NEED", value_parser = typed::folded)]
    need: String,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

pub(super) fn run(context: &Context, command: Need) -> Result<Exit, Failure> {
    match command {
        Need::Add(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let need = NeedInput {
                text: args.text,
                kind: args.kind.unwrap_or_default(),
                since: args.since,
            };
            let need = replica.add_need(&id, need)?;
            Ok(say_changed(context, &done(need, true), true))
        }
        Need::Done(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let changed = replica.need_done(&id, &args.need, args.on.as_deref())?;
            Ok(say_changed(context, &done(id, changed), changed))
        }
    }
}
