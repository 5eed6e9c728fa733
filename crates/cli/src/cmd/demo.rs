//! `demo`: the whole journey with made-up people, on a relay and three devices of its own.

use std::path::PathBuf;

use crate::context::Context;
use crate::demo;
use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keep the data in this folder, to look inside
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Ask nothing; it never does
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    demo::run(context, args.keep.as_deref())
}
