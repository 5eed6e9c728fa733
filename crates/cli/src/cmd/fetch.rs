//! `fetch`: an attachment that is not on this device, when somebody wants to look at it.

use std::path::PathBuf;

use super::attach;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An attachment, or a visit, report or ticket for all of its
    #[arg(value_name = "ID", value_parser = typed::folded)]
    name: String,
    /// Copy it to this file, which must not be there yet; needs one attachment
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let rows = block_on(replica.fetch(&args.name))??;
    let saved = match (&args.out, rows.as_slice()) {
        (None, _) => None,
        (Some(out), [only]) if only.here => {
            replica.save_attachment(only, out)?;
            Some(out)
        }
        // None of several is guessed.
        (Some(_), _) => None,
    };
    let missing = rows.iter().filter(|row| !row.here).count();
    context.ui.show(&rows, || {
        let mut lines = vec![attach::listed(lang, &rows)];
        if missing > 0 {
            lines.push(tone(Tone::Warn, &lang.attachments_not_there(missing)));
        }
        match (&args.out, saved) {
            (_, Some(out)) => lines.push(tone(
                Tone::Good,
                &lang.attachment_saved(&out.display().to_string()),
            )),
            (Some(_), None) if missing == 0 => {
                lines.push(tone(Tone::Warn, lang.attachment_not_saved()))
            }
            _ => {}
        }
        lines.join("\n")
    });
    let left_out = args.out.is_some() && saved.is_none();
    Ok(if missing > 0 || left_out {
        Exit::Partly
    } else {
        Exit::Done
    })
}
