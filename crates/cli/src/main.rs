//! The commands: `wangge`, one binary for workers, desks and relays.
//!
//! This crate is the only one that prints, and it does so in [`ui`]. What a command means is the
//! agent's; here are its arguments, its words, its exit code.

mod areas;
mod cmd;
mod context;
mod demo;
mod exit;
mod failure;
mod localize;
mod moment;
mod reference;
mod text;
mod typed;
mod ui;
mod view;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use context::Context;
use exit::Exit;
use failure::Failure;
use localize::Parsed;
use text::Lang;
use ui::{Json, Ui};

/// glibc's allocator keeps hundreds of kilobytes resident for each saved document; this one does not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    leave_no_core();
    wangge_agent::silence_caught_panics();
    let args: Vec<OsString> = std::env::args_os().collect();
    let lang = Lang::choose(&args, |name| std::env::var(name).ok());
    run(lang, &args).into()
}

/// A process that ends badly leaves no picture of its memory: names and keys are in it.
fn leave_no_core() {
    #[cfg(unix)]
    {
        // Where the system does not let it, nothing else is worse for it.
        let _ = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);
    }
}

fn run(lang: Lang, args: &[OsString]) -> Exit {
    match localize::parse(lang, args) {
        Parsed::Show(text) => {
            let ui = Ui::new(lang, None);
            ui.data(text.trim_end());
            Exit::Done
        }
        Parsed::Wrong(message) => {
            let home = localize::value_in(args, "home").map(PathBuf::from);
            let ui = Ui::new(lang, asked_json(args)).homed(home.as_deref());
            let context = Context::new(ui, None, args);
            Failure::Usage {
                message,
                hint: String::new(),
            }
            .report(&context)
        }
        Parsed::Run(cli) => {
            // An empty variable is one that is not set.
            let from_env = || std::env::var_os("WANGGE_HOME").filter(|dir| !dir.is_empty());
            let ui = Ui::new(lang, cli.global.json).homed(cli.global.home.as_deref());
            let home = cli.global.home.or_else(|| from_env().map(Into::into));
            let mut context = Context::new(ui, home, args);
            context.keep_note = cli.global.keep_note;
            context.pin_file = cli.global.pin_file;
            context.profile = cli.global.profile;
            let exit = match cmd::run(&context, cli.command) {
                Ok(exit) => exit,
                Err(failure) => failure.looked_into(&context).report(&context),
            };
            match context.ui.take_failure() {
                Some(error) => Failure::Output {
                    reason: error.to_string(),
                }
                .report(&context),
                None => exit,
            }
        }
    }
}

/// Says whether JSON was asked for on a command line that does not read.
fn asked_json(args: &[OsString]) -> Option<Json> {
    let asks = |arg: &OsString| {
        arg.to_str()
            .is_some_and(|arg| arg == "--json" || arg.starts_with("--json="))
    };
    args.iter().any(asks).then_some(Json::Document)
}
