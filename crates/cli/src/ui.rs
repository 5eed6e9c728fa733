//! The only place that prints: data to stdout, talk to stderr.
//!
//! **A closed pipe is no error and never a panic**: what nobody reads is not written. Colour only
//! where a terminal reads it and `NO_COLOR` does not forbid it.

mod homed;
mod narrow;
pub(crate) mod qr;
pub(crate) mod table;

use std::cell::RefCell;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use wangge_agent::replica::Watcher;

pub(crate) use homed::quoted;

use crate::text::Lang;

/// To the beginning of a terminal's line, and what stood on it is taken away.
const CLEAR_LINE: &str = "\r\x1b[K";

/// How data leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Json {
    /// One document.
    #[value(name = "document")]
    Document,
    /// One document a line, for lists.
    #[value(name = "lines")]
    Lines,
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It went well.
    Good,
    /// Somebody should look.
    Warn,
    /// It went wrong.
    Bad,
    /// Less important.
    Faint,
    /// A heading.
    Strong,
}

/// Where a command shows what it did.
pub(crate) struct Ui {
    /// The language people read.
    pub(crate) lang: Lang,
    /// Whether data leaves as JSON.
    pub(crate) json: Option<Json>,
    /// The home that was named on the command line: commands that are told carry it.
    home: Option<String>,
    /// The first failure of stdout that was not a closed pipe.
    failed: RefCell<Option<io::Error>>,
}

impl Ui {
    /// Returns the way this run shows things.
    pub(crate) fn new(lang: Lang, json: Option<Json>) -> Self {
        Self {
            lang,
            json,
            home: None,
            failed: RefCell::new(None),
        }
    }

    /// Notes the home that was named on the command line; a variable holds for the next command too.
    pub(crate) fn homed(mut self, home: Option<&Path>) -> Self {
        self.home = home.map(|home| home.display().to_string());
        self
    }

    /// Returns the text with that home in each command that it tells somebody to type.
    fn told(&self, text: &str) -> String {
        match &self.home {
            Some(home) => homed::told(text, home, self.lang),
            None => text.to_owned(),
        }
    }

    /// Writes a line of data.
    pub(crate) fn data(&self, line: &str) {
        let mut out = anstream::stdout().lock();
        let done = writeln!(out, "{line}").and_then(|()| out.flush());
        self.note(done);
    }

    /// Writes a line of talk.
    pub(crate) fn talk(&self, line: &str) {
        self.talk_as_it_is(&self.told(line));
    }

    /// Writes a line of talk for machines, or for somebody at another device.
    pub(crate) fn talk_as_it_is(&self, line: &str) {
        // Nothing can be said where stderr is gone; the exit code still is.
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }

    /// Writes talk without ending the line: a question on a terminal.
    pub(crate) fn ask(&self, text: &str) {
        let mut err = anstream::stderr().lock();
        let _ = write!(err, "{text}").and_then(|()| err.flush());
    }

    /// Takes away what stands on the line that a watcher wrote: a download that was cut left it there.
    pub(crate) fn clear_line(&self) {
        self.ask(CLEAR_LINE);
    }

    /// Returns who writes down how far a first download is, on one line of a terminal that is empty again at
    /// the end; none where nobody looks.
    pub(crate) fn watcher(&self) -> Option<Watcher> {
        let lang = self.lang;
        let looks = self.json.is_none() && io::stderr().is_terminal();
        looks.then(|| -> Watcher {
            Box::new(move |here, all| {
                let percent = here.saturating_mul(100).checked_div(all).unwrap_or(100);
                let line = match here < all {
                    true => lang.packs_come(percent, all.div_ceil(1024)),
                    false => String::new(),
                };
                let mut err = anstream::stderr().lock();
                let _ = write!(err, "{CLEAR_LINE}{line}").and_then(|()| err.flush());
            })
        })
    }

    /// Shows one thing: as JSON where that was asked for, else as `human` says it.
    pub(crate) fn show<T: Serialize>(&self, value: &T, human: impl FnOnce() -> String) {
        match self.json {
            None => self.data(self.told(&human()).trim_end_matches('\n')),
            Some(Json::Document) => self.data(&pretty(value)),
            Some(Json::Lines) => self.data(&line(value)),
        }
    }

    /// Shows a list: one document, one line an element, or what `human` says.
    pub(crate) fn list<T: Serialize>(&self, rows: &[T], human: impl FnOnce() -> String) {
        match self.json {
            Some(Json::Lines) => rows.iter().for_each(|row| self.data(&line(row))),
            _ => self.show(&rows, human),
        }
    }

    /// Shows a line of JSON now, whoever reads it waits for it.
    pub(crate) fn json_line<T: Serialize>(&self, value: &T) {
        self.data(&line(value));
    }

    /// Says whether both ends are a terminal.
    pub(crate) fn is_terminal() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Returns why data could not be written, if not for a reader that left.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.failed.borrow_mut().take()
    }

    fn note(&self, done: io::Result<()>) {
        if let Err(error) = done
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }
}

/// Says a line beside the results of a command, where nobody has its [`Ui`].
pub(crate) fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Returns the text in a tone; the stream takes the colour away where nobody sees it.
pub(crate) fn tone(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Warn => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
    };
    format!("{style}{text}{style:#}")
}

fn line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn pretty<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned())
}
