//! `device`: what is done about devices themselves.

use super::recover;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Devices.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Device {
    /// Open a home whose word is forgotten with its recovery code, and send what was never sent
    Recover(recover::Args),
}

pub(crate) fn run(context: &Context, command: &Device) -> Result<Exit, Failure> {
    match command {
        Device::Recover(args) => recover::run(context, args),
    }
}
