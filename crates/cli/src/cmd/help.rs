//! `help`: a command's help, or the table of exit codes.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::localize;
use crate::text::aliases;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A command, or exit-codes
    #[arg(value_name = "COMMAND")]
    path: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let path: Vec<&str> = args.path.iter().map(String::as_str).collect();
    if let [topic] = path.as_slice()
        && aliases::EXIT_CODES.contains(topic)
    {
        context.ui.data(lang.exit_codes().trim_end());
        return Ok(Exit::Done);
    }
    match localize::help_of(lang, &path) {
        Some(help) => {
            context.ui.data(help.trim_end());
            Ok(Exit::Done)
        }
        None => Err(Failure::Usage {
            message: lang.no_topic(&args.path.join(" ")),
            hint: "wangge help".to_owned(),
        }),
    }
}
