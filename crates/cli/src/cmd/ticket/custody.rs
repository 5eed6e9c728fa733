//! `ticket custody`: what of the resident's is held for an errand, and that it went back.

use wangge_agent::tickets::CustodyInput;

use super::show::show;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// What it is: an id card, money
    #[arg(long, value_name = "TEXT")]
    item: Option<String>,
    /// How much or how many
    #[arg(long, value_name = "TEXT", value_parser = typed::folded)]
    amount: Option<String>,
    /// It went back to the resident
    #[arg(long, conflicts_with = "amount")]
    returned: bool,
}

pub(super) fn run(context: &Context, args: Args) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let input = CustodyInput {
        item: args.item,
        amount: args.amount,
        returned: args.returned,
        on: None,
    };
    let detail = replica.ticket_custody(&args.id, &input)?;
    show(context, &replica, &detail, true);
    Ok(Exit::Done)
}
