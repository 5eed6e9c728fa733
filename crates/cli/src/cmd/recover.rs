//! `device recover`: into a home without its word, to bring home what was never sent.
//!
//! It needs a recovery code and the folder; neither the word nor the device it was made on.

use serde_json::json;
use wangge_agent::Replica;

use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The recovery code in a file, or - for stdin; asked for if it is not said
    #[arg(long, value_name = "FILE")]
    code_file: Option<String>,
    /// Send nothing; only choose another word
    #[arg(long)]
    offline: bool,
    /// The new word in a file; asked for if it is not said
    #[arg(long, value_name = "FILE")]
    new_pin_file: Option<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let code = match &args.code_file {
        Some(file) => context.word_in(file)?,
        None => context
            .secret(lang.ask_recovery())?
            .ok_or(Failure::NoTerminal)?,
    };
    let replica = Replica::recover(&context.home()?, &code, context.machine())?;
    let mut replica = context.found(replica)?;
    let before = replica.status()?;
    let waited = before.counts.unsent;
    let sent = match (args.offline, before.relay.is_some()) {
        (false, true) => Some(block_on(replica.sync())?),
        _ => None,
    };
    let word = match &args.new_pin_file {
        Some(file) => Some(context.word_in(file)?),
        None => context.new_word(replica.word_wanted())?,
    };
    if let Some(word) = &word {
        replica.choose_word(word)?;
    }
    let left = replica.status()?.counts.unsent;
    let value = json!({
        "recovered": true, "unsent_before": waited, "unsent": left, "new_word": word.is_some(),
    });
    context.ui.show(&value, || {
        let mut lines = vec![tone(Tone::Good, lang.recovered())];
        lines.push(match left {
            0 if waited > 0 => lang.recovered_sent(waited),
            0 => lang.nothing_unsent().to_owned(),
            left => tone(Tone::Warn, &lang.recovered_left(left)),
        });
        if word.is_some() {
            lines.push(lang.word_changed().to_owned());
        }
        lines.join("\n")
    });
    match sent {
        // What could not be sent stays where it was; why is said as a sync says it.
        Some(Err(error)) => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}
