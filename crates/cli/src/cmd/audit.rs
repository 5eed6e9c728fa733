//! `audit`: what this device saw of its relays' audit chains.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::ui::{Tone, tone};

/// What this device saw of the relay's audit chain: checkpoint.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Audit {
    /// Print the end of the chain as this device saw it, for whoever verifies it at the relay
    Checkpoint,
}

pub(crate) fn run(context: &Context, command: Audit) -> Result<Exit, Failure> {
    match command {
        Audit::Checkpoint => checkpoint(context),
    }
}

fn checkpoint(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open_unread()?;
    let seen = replica.audit_checkpoints()?;
    context.ui.list(&seen, || {
        if seen.is_empty() {
            return lang.nothing_witnessed().to_owned();
        }
        let lines = seen.iter().map(|seen| {
            let relay: String = seen.relay.to_string().chars().take(8).collect();
            let at = moment::exact(seen.at_ms).replace('T', " ");
            let at = at.get(..16).unwrap_or_default();
            let mut lines = vec![lang.witnessed(&relay, seen.n, at), seen.checkpoint.clone()];
            if seen.doubt.is_some() {
                lines.push(tone(Tone::Bad, lang.audit_doubted()));
            }
            lines.join("\n")
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}
