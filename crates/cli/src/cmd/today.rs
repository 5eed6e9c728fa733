//! `today`: who is due, the sheet with numbered rows, and what was written on it.
//!
//! What is typed after `today`, or piped in, is the evening's entry: a number and a result, parted by
//! ` / ` or new lines. **Each part stands alone**: one that is not understood is named and costs no
//! other.

use chrono::NaiveDate;
use serde_json::Value;
use wangge_agent::today::Sheet;
use wangge_agent::{AgentError, Replica};

use super::read_lines;
use super::visit::{self, due};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::{Lang, typed as words};
use crate::typed;
use crate::ui::{Tone, tone};
use crate::view::{int, items, seen, text};

mod sheet;
mod summary;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Today {
    #[command(subcommand)]
    command: Option<TodayCommand>,
    #[command(flatten)]
    enter: Enter,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum TodayCommand {
    /// Print the day's sheet: who is due, with numbers for the evening
    Print(sheet::Print),
    /// Enter what was written on the sheet, typed or piped in
    Enter(Enter),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Enter {
    /// Numbers and results: 3 fine / 7 nobody / 12 "blood pressure" @fri
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// The sheet of which day
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

/// A part of an entry that was not recorded.
#[derive(serde::Serialize)]
struct NotEntered {
    part: String,
    reason: String,
}

/// What became of an entry.
#[derive(serde::Serialize)]
struct Entered {
    recorded: Vec<Value>,
    refused: Vec<NotEntered>,
}

pub(crate) fn run(context: &Context, args: Today) -> Result<Exit, Failure> {
    match args.command {
        None if args.enter.words.is_empty() && args.enter.on.is_none() => summary::run(context),
        None => enter(context, &args.enter),
        Some(TodayCommand::Print(args)) => sheet::run(context, &args),
        Some(TodayCommand::Enter(args)) => enter(context, &args),
    }
}

/// Shows today for the program typed bare.
pub(crate) fn show(context: &Context) -> Result<Exit, Failure> {
    summary::run(context)
}

fn enter(context: &Context, args: &Enter) -> Result<Exit, Failure> {
    let ui = &context.ui;
    let mut replica = context.open()?;
    let day = day(context, &replica, args.on.as_deref())?;
    let typed = match args.words.as_slice() {
        [] => read_lines("-")?,
        words => words.join(" "),
    };
    let mut entered = Entered {
        recorded: Vec::new(),
        refused: Vec::new(),
    };
    for part in parts(&typed) {
        match enter_part(context, &mut replica, day, part) {
            Ok(visit) => entered.recorded.push(visit),
            // A sheet that was never printed names nobody: the first part says so for all.
            Err(failure @ Failure::Agent(AgentError::NoSheet { .. })) => return Err(failure),
            Err(failure) => entered.refused.push(NotEntered {
                part: part.to_owned(),
                reason: failure.told(context).message,
            }),
        }
    }
    if entered.recorded.is_empty() && entered.refused.is_empty() {
        return Err(Failure::Usage {
            message: ui.lang.no_number(""),
            hint: context.help_command(),
        });
    }
    let today = replica.today();
    ui.show(&entered, || told(ui.lang, &entered, today));
    Ok(match (entered.recorded.len(), entered.refused.len()) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::Partly,
    })
}

fn enter_part(
    context: &Context,
    replica: &mut Replica,
    day: NaiveDate,
    part: &str,
) -> Result<Value, Failure> {
    let lang = context.ui.lang;
    let usage = |message: String| Failure::Usage {
        message,
        hint: context.help_command(),
    };
    let mut words = part.split_whitespace();
    let first = typed::half_width(words.next().unwrap_or_default());
    let digits: String = first.chars().take_while(char::is_ascii_digit).collect();
    let number: u32 = digits.parse().map_err(|_| usage(lang.no_number(part)))?;
    // `12血压高` and `12. 好` are written as often as `12 好`.
    let stuck = first
        .strip_prefix(digits.as_str())
        .unwrap_or_default()
        .trim_start_matches(words::AFTER_NUMBER);
    let rest: Vec<String> = std::iter::once(stuck)
        .chain(words)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    if rest.is_empty() {
        return Err(usage(lang.no_result(number)));
    }
    let result = |word: &String| typed::is_result(word);
    let names_another = rest.windows(2).any(|pair| {
        let [number, word] = pair else { return false };
        number.chars().all(|sign| sign.is_ascii_digit()) && result(word)
    });
    if names_another || rest.iter().filter(|word| result(word)).count() > 1 {
        return Err(usage(lang.unclear_entry(part)));
    }
    let said = visit::words_of(context, &rest, day)?;
    visit::write(context, replica, |replica| {
        replica.enter(day, number, visit::input(lang, "", &said))
    })
}

fn told(lang: Lang, entered: &Entered, today: NaiveDate) -> String {
    let mut lines: Vec<String> = entered
        .recorded
        .iter()
        .map(|visit| {
            let line = visit::line(lang, visit, today);
            let line = format!("{} {line}", tone(Tone::Good, lang.saved()));
            match visit.get("ticket") {
                Some(ticket) => format!("{line} · {}", text(ticket, "code")),
                None => line,
            }
        })
        .collect();
    for refused in &entered.refused {
        lines.push(tone(
            Tone::Warn,
            &format!("{} — {}", refused.part, refused.reason),
        ));
    }
    lines.push(lang.sheet_done(entered.recorded.len(), entered.refused.len()));
    lines.join("\n")
}

/// Returns the parts of an entry: lines, and what stands between slashes or semicolons.
///
/// A slash parts only with room around it: `150/90` is a blood pressure.
fn parts(typed: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for line in typed.split(words::ENTRY_ENDS) {
        let mut rest = line;
        let mut from = 0;
        while let Some(at) = rest.get(from..).and_then(|tail| tail.find(words::SLASHES)) {
            let at = from + at;
            let (before, after) = rest.split_at(at);
            let slash = after.chars().next().map_or(0, char::len_utf8);
            let (_, behind) = after.split_at(slash);
            let wide = !after.starts_with('/');
            let apart = before.is_empty() || before.ends_with(char::is_whitespace);
            let roomy = behind.is_empty() || behind.starts_with(char::is_whitespace);
            // `7` behind a word is the next row; `90` behind `150` is a blood pressure.
            let row = behind.starts_with(|sign: char| sign.is_ascii_digit())
                && !before.ends_with(|sign: char| sign.is_ascii_digit());
            if wide || row || (apart && roomy) {
                parts.push(before);
                rest = behind;
                from = 0;
            } else {
                from = at + slash;
            }
        }
        parts.push(rest);
    }
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn day(context: &Context, replica: &Replica, typed: Option<&str>) -> Result<NaiveDate, Failure> {
    let today = replica.today();
    match typed {
        None => Ok(today),
        Some(day) => typed::past_day_of(day, today).ok_or_else(|| Failure::Usage {
            message: context.ui.lang.no_day(day),
            hint: context.help_command(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn entries_are_parted_by_slashes_with_room_lines_and_semicolons() {
        assert_eq!(parts("3 a / 7 b / 12 c @fri"), ["3 a", "7 b", "12 c @fri"]);
        assert_eq!(parts("3 a\u{ff1b}7 b\n9 c;\n\n"), ["3 a", "7 b", "9 c"]);
        assert_eq!(parts("12 bp 150/90 / 3 a"), ["12 bp 150/90", "3 a"]);
        assert_eq!(parts("3a/7b/12c@fri"), ["3a", "7b", "12c@fri"]);
        assert_eq!(parts("3 a\u{ff0f}7 b"), ["3 a", "7 b"]);
        assert_eq!(parts(" / "), Vec::<&str>::new());
    }
}
