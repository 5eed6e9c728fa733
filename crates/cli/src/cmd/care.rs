//! `care`: why somebody is looked in on, since when, until when.

use wangge_agent::households::CareTerms;

use super::household::{Which, say_changed};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

/// Care of members.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Care {
    /// Set care tags of a member
    Set(Set),
    /// End care tags of a member
    End(End),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    #[command(flatten)]
    which: Which,
    /// Which member: name, id or place in the list
    #[arg(value_name = "MEMBER", value_parser = typed::folded)]
    member: String,
    /// Care tags, in words or codes
    #[arg(value_name = "TAG", required = true)]
    tags: Vec<String>,
    /// Since when; today for a new tag if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    since: Option<String>,
    /// weekly, monthly, quarterly or off; what is usual for the tag if it is not said
    #[arg(long, value_name = "WORD")]
    every: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct End {
    #[command(flatten)]
    which: Which,
    /// Which member: name, id or place in the list
    #[arg(value_name = "MEMBER", value_parser = typed::folded)]
    member: String,
    /// Care tags, in words or codes
    #[arg(value_name = "TAG", required = true)]
    tags: Vec<String>,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

pub(crate) fn run(context: &Context, command: Care) -> Result<Exit, Failure> {
    let done = match command {
        Care::Set(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let terms = CareTerms {
                since: args.since,
                every: args.every,
            };
            replica.set_care(&id, &args.member, &args.tags, terms)?
        }
        Care::End(args) => {
            let (mut replica, id) = args.which.open(context)?;
            replica.end_care(&id, &args.member, &args.tags, args.on.as_deref())?
        }
    };
    Ok(say_changed(context, &serde_json::json!(done), done.changed))
}
