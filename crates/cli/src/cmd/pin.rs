//! `pin change`: the word that locks this home.
//!
//! **A word comes from the terminal, a file or the environment, never from an argument**: arguments stand
//! in the list of processes and in a shell's history.

use wangge_agent::word::WordChosen;
use wangge_agent::{AgentError, Replica, WordKind};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ui::{Tone, tone};

/// The word that locks this home.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Pin {
    /// Choose the word, or another one
    Change(Change),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// The new word in a file, or - for stdin; asked for if it is not said
    #[arg(long, value_name = "FILE")]
    new_pin_file: Option<String>,
}

pub(crate) fn run(context: &Context, command: &Pin) -> Result<Exit, Failure> {
    let Pin::Change(args) = command;
    let mut replica = context.open_asking()?;
    let word = match &args.new_pin_file {
        Some(file) => context.word_in(file)?,
        None => context
            .new_word(replica.word_wanted())?
            .ok_or(Failure::NoTerminal)?,
    };
    let chosen = replica.choose_word(&word)?;
    show(context, &chosen);
    Ok(Exit::Done)
}

/// Lets the person of a new home choose its word: the one that was handed in, or one from the terminal. Who
/// does not is told by `status`.
pub(super) fn choose_first(context: &Context, replica: &mut Replica) -> Result<(), Failure> {
    if replica.word()?.is_some() {
        return Ok(());
    }
    let word = match context.handed_word()? {
        Some(word) => Some(word),
        None if context.ui.json.is_none() => context.new_word(replica.word_wanted())?,
        None => None,
    };
    let Some(word) = word else { return Ok(()) };
    match replica.choose_word(&word) {
        Ok(chosen) => show_chosen(context, &chosen),
        // The home is made; its word is chosen again by itself.
        Err(AgentError::WordTooWeak(why)) => {
            let lang = context.ui.lang;
            let line = lang.word_not_taken(&lang.word_weak(why));
            context.ui.talk(&tone(Tone::Warn, &line));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn show(context: &Context, chosen: &WordChosen) {
    context.ui.show(chosen, || words(context, chosen));
}

/// Says it beside what a command shows, where the code is the only copy there is.
fn show_chosen(context: &Context, chosen: &WordChosen) {
    context.ui.talk(&words(context, chosen));
}

fn words(context: &Context, chosen: &WordChosen) -> String {
    let lang = context.ui.lang;
    let done = match chosen.changed {
        true => lang.word_changed(),
        false => lang.word_chosen(),
    };
    let mut lines = vec![tone(Tone::Good, done)];
    if let Some(code) = &chosen.recovery_code {
        lines.push(lang.recovery_code().to_owned());
        lines.push(tone(Tone::Strong, code));
        lines.push(tone(Tone::Warn, lang.recovery_code_keep()));
    }
    lines.join("\n")
}

/// Returns what a word of this kind is called.
pub(crate) fn kind_code(kind: WordKind) -> &'static str {
    match kind {
        WordKind::Pin => "pin",
        WordKind::Passphrase => "passphrase",
    }
}
