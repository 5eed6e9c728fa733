//! `call`: a number to dial, asked for with a reason that is written down first.

use super::access;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What names the household, the report or the ticket
    #[arg(value_name = "NAME", value_parser = typed::folded)]
    name: String,
    /// Why: visit, check, errand, request, emergency, or four characters or more
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let reason = access::needed(context, args.reason.as_deref())?;
    let view = context.open()?.call(&args.name, reason)?;
    context.ui.show(&view, || {
        let mut lines = vec![tone(Tone::Strong, &context.ui.lang.placed(&view.title))];
        lines.extend(view.numbers.iter().map(|number| {
            format!("{} {}", number.phone, number.name)
                .trim()
                .to_owned()
        }));
        lines.join("\n")
    });
    Ok(Exit::Done)
}
