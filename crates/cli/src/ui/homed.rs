//! Commands that are told carry the home that was named: run as printed, they work in the same one.
//!
//! **Data is left alone as far as it can be told**: only `wangge` before one of its commands is meant, and
//! a command of another's device is told as it is.

use crate::localize;
use crate::text::{Lang, aliases};

/// The program as it is typed.
const PROGRAM: &str = "wangge ";
/// The flag that names a home.
const FLAG: &str = "--home";
/// A command that somebody else types, on the relay above.
const ELSEWHERE: &str = "wangge relay invite --role relay";

/// Returns the text with the home in each command that it tells somebody to type.
pub(super) fn told(text: &str, home: &str, lang: Lang) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(PROGRAM) {
        let (before, after) = rest.split_at(at);
        let (program, behind) = after.split_at(PROGRAM.len());
        out.push_str(before);
        out.push_str(program);
        if begins_word(&out, program) && is_command(behind, lang) {
            out.push_str(FLAG);
            out.push(' ');
            out.push_str(&quoted(home));
            out.push(' ');
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Returns a word as a shell takes it for one.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_alphanumeric() || "-_./\\:~,+@%=".contains(sign);
    let backslash = word.contains('\\') && !cfg!(windows);
    if !word.is_empty() && word.chars().all(is_plain) && !backslash {
        return word.to_owned();
    }
    match cfg!(windows) {
        true => format!("\"{word}\""),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Says whether the program's name stands on its own there.
fn begins_word(until: &str, program: &str) -> bool {
    let before = until.strip_suffix(program).unwrap_or_default();
    // The end of a colour is no letter of a word.
    let is_colour = before.ends_with("\u{1b}[0m");
    is_colour
        || !before.ends_with(|sign: char| sign.is_ascii_alphanumeric() || "-_./\\".contains(sign))
}

/// Says whether what follows the program's name is a command of this home's.
fn is_command(behind: &str, lang: Lang) -> bool {
    let line = behind.lines().next().unwrap_or_default();
    let elsewhere = localize::spoken(lang, ELSEWHERE);
    let elsewhere = elsewhere.strip_prefix(PROGRAM).unwrap_or_default();
    if line.contains(FLAG) || line.starts_with(elsewhere) {
        return false;
    }
    let end = |sign: char| !(sign.is_alphabetic() || sign == '-');
    let word = line.split(end).next().unwrap_or_default();
    let is_han = |(path, han): &(&str, &str)| {
        !path.contains(' ') && (*path == word || (lang == Lang::Zh && *han == word))
    };
    aliases::all().any(is_han)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_that_is_told_carries_the_home() {
        for (text, wanted) in [
            ("Next: wangge sync", "Next: wangge --home d sync"),
            (
                "\u{1b}[1mNext: \u{1b}[0mwangge sync",
                "\u{1b}[1mNext: \u{1b}[0mwangge --home d sync",
            ),
            (
                "One: wangge visit due\nTwo: wangge sync.",
                "One: wangge --home d visit due\nTwo: wangge --home d sync.",
            ),
            ("wangge --home x sync", "wangge --home x sync"),
            ("wangge sync --home x", "wangge sync --home x"),
            ("the wangge program", "the wangge program"),
            ("/opt/wangge sync", "/opt/wangge sync"),
            (
                "wangge relay invite --role relay",
                "wangge relay invite --role relay",
            ),
        ] {
            assert_eq!(told(text, "d", Lang::En), wanted);
        }
    }

    #[test]
    fn a_home_with_a_space_is_one_word_to_a_shell() {
        assert_eq!(quoted("/tmp/a"), "/tmp/a");
        if !cfg!(windows) {
            assert_eq!(quoted("my home"), "'my home'");
            assert_eq!(quoted("it's"), "'it'\\''s'");
        }
    }
}
