//! `relay recovery`: the offline key by which any home below opens whose word is forgotten.

use std::path::PathBuf;

use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ui::{Tone, tone};

/// The key that opens any home below whose word is forgotten.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Recovery {
    /// Make the key, or another one: its secret half goes to a file, and nowhere else
    New(New),
}

#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// The file to write the secret half to; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(context: &Context, command: &Recovery) -> Result<Exit, Failure> {
    let Recovery::New(args) = command;
    let lang = context.ui.lang;
    let (relay, now_ms) = super::open_to_look(context)?;
    let public = relay.order_recovery(&args.file, now_ms)?;
    let file = args.file.display().to_string();
    let value = json!({"file": file, "public": public.0.to_string()});
    context.ui.show(&value, || {
        [
            tone(Tone::Good, &lang.recovery_made(&file)),
            tone(Tone::Warn, lang.recovery_keep()),
        ]
        .join("\n")
    });
    Ok(Exit::Done)
}
