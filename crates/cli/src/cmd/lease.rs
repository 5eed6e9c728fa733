//! `lease`: a code that was read out by telephone lets this device show other people's data on.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code, ten letters and digits
    #[arg(value_name = "CODE", num_args = 1.., required = true)]
    code: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut replica = context.open_unread()?;
    let lease = replica.renew_lease(&args.code.concat())?;
    let lang = context.ui.lang;
    context.ui.show(&lease, || lang.lease_renewed(&lease.until));
    Ok(Exit::Done)
}
