//! Dresses the command tree in a language: names, help, headings, usage, complaints.
//!
//! clap speaks English and headings do not inherit, so the whole tree is walked. **English comes from
//! the doc comments, Chinese from the catalogue**; the Chinese name of every command works in both.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _, FromArgMatches as _};

use crate::cmd::Cli;
use crate::text::help::Help;
use crate::text::{Lang, aliases, command};

/// What the command line came to.
pub(crate) enum Parsed {
    /// A command to run.
    Run(Box<Cli>),
    /// Help or version was asked for.
    Show(String),
    /// It does not read: why.
    Wrong(String),
}

/// Reads the command line.
pub(crate) fn parse(lang: Lang, args: &[OsString]) -> Parsed {
    let matches = dressed(lang).try_get_matches_from(args);
    match matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches)) {
        Ok(cli) => Parsed::Run(Box::new(cli)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => Parsed::Show(asked_help(lang, args)),
            ErrorKind::DisplayVersion => Parsed::Show(error.to_string()),
            _ => Parsed::Wrong(complaint(lang, &error)),
        },
    }
}

/// Returns the help of the program.
pub(crate) fn root_help(lang: Lang) -> String {
    help_of(lang, &[]).unwrap_or_default()
}

/// Returns the help of the command that a path names in either language.
pub(crate) fn help_of(lang: Lang, path: &[&str]) -> Option<String> {
    let mut root = dressed(lang);
    root.build();
    let mut at = &mut root;
    for name in path {
        at = at.find_subcommand_mut(name)?;
    }
    Some(rendered(lang, at))
}

/// Returns the whole tree dressed in a language and built, for whoever walks it.
pub(crate) fn built(lang: Lang) -> Command {
    let mut root = dressed(lang);
    root.build();
    root
}

/// Returns a built command's help.
pub(crate) fn rendered(lang: Lang, command: &mut Command) -> String {
    let usage = usage(lang, command);
    let mut command = command.clone().override_usage(usage);
    let page = command.render_help().ansi().to_string();
    match lang {
        Lang::En => page,
        // clap writes the sign of its own language behind a heading.
        Lang::Zh => [
            lang.heading_commands(),
            lang.heading_arguments(),
            lang.heading_options(),
        ]
        .iter()
        .fold(page, |page, heading| {
            page.replace(&format!("{heading}:"), &format!("{heading}："))
        }),
    }
}

/// Returns a built command's usage without its heading.
pub(crate) fn usage(lang: Lang, command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    usage
        .replace("[OPTIONS]", lang.word_options())
        .replace("\n       ", "\n  ")
}

fn dressed(lang: Lang) -> Command {
    let root = dress(lang, Cli::command(), "");
    root.disable_version_flag(true)
        .after_help(lang.root_after())
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help(lang.version_flag())
                .help_heading(lang.heading_options()),
        )
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .global(true)
                .action(ArgAction::HelpLong)
                .help(lang.help_flag())
                .help_heading(lang.heading_options()),
        )
}

fn dress(lang: Lang, command_: Command, path: &str) -> Command {
    let english = command_
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let about = match lang {
        Lang::Zh => command(path)
            .map(|help| help.about.to_owned())
            .unwrap_or(english),
        Lang::En => english,
    };
    let alias = aliases::of(path);
    let about = match alias {
        Some(alias) => lang.about_with_alias(alias, &about),
        None => about,
    };
    let mut dressed = command_
        .about(about)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .help_template(lang.help_shape())
        .subcommand_help_heading(lang.heading_commands())
        .subcommand_value_name(lang.word_command())
        .mut_args(|arg| dress_arg(lang, arg, path))
        .mut_subcommands(|sub| {
            let path = format!("{path} {}", sub.get_name());
            dress(lang, sub, path.trim_start())
        });
    if let Some(alias) = alias {
        dressed = dressed.alias(alias);
    }
    dressed
}

fn dress_arg(lang: Lang, arg: Arg, path: &str) -> Arg {
    let english = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = match lang {
        Lang::Zh => Help::arg(path, arg.get_id().as_str())
            .map(str::to_owned)
            .unwrap_or(english),
        Lang::En => english,
    };
    let takes_value = arg.get_action().takes_values();
    let known: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| value.get_name().to_owned())
        .collect();
    if !known.is_empty() {
        text.push_str(&lang.choices(&known.join(lang.comma())));
    }
    if takes_value && !arg.is_hide_default_value_set() {
        let usual: Vec<String> = arg
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        if !usual.is_empty() {
            text.push_str(&lang.usually(&usual.join(" ")));
        }
    }
    if let Some(name) = arg.get_env() {
        text.push_str(&lang.or_variable(&name.to_string_lossy()));
    }
    let heading = match arg.is_positional() {
        true => lang.heading_arguments(),
        false => lang.heading_options(),
    };
    let arg = arg.help(text).help_heading(heading);
    if takes_value {
        arg.hide_possible_values(true)
            .hide_default_value(true)
            .hide_env(true)
    } else {
        arg
    }
}

/// Returns the names of the commands in a command line, as far as they are some.
pub(crate) fn path_in(args: &[OsString]) -> Vec<String> {
    let root = built(Lang::En);
    let mut at = &root;
    let mut path = Vec::new();
    for arg in args.iter().skip(1) {
        let Some(word) = arg.to_str() else { continue };
        if let Some(sub) = at.find_subcommand(word) {
            path.push(sub.get_name().to_owned());
            at = sub;
        }
    }
    path
}

/// Returns what was typed for an argument of the command; also where something else does not read.
pub(crate) fn value_in(args: &[OsString], id: &str) -> Option<String> {
    let root = dressed(Lang::En).ignore_errors(true);
    let matches = root.try_get_matches_from(args).ok()?;
    let mut at = &matches;
    while let Some((_, below)) = at.subcommand() {
        at = below;
    }
    let mut typed = at.try_get_raw(id).ok()??;
    Some(typed.next()?.to_string_lossy().into_owned())
}

/// Returns a command as people of this language type it: in Chinese its Chinese names, and words for what
/// is to be filled in. What is no command of this program stays as it is.
pub(crate) fn spoken(lang: Lang, typed: &str) -> String {
    let mut words = typed.split(' ');
    if lang == Lang::En || words.next() != Some("wangge") {
        return typed.to_owned();
    }
    let (mut path, mut said, mut is_named) = (String::new(), vec!["wangge"], true);
    for word in words {
        let longer = format!("{path} {word}").trim_start().to_owned();
        match aliases::of(&longer).filter(|_| is_named) {
            Some(han) => {
                said.push(han);
                // What follows help is a command of its own.
                path = if longer == "help" {
                    String::new()
                } else {
                    longer
                };
            }
            None => {
                // Before the command stands which home; behind it nothing is a command any more.
                is_named &= path.is_empty();
                said.push(lang.placeholder(&path, word));
            }
        }
    }
    said.join(" ")
}

fn asked_help(lang: Lang, args: &[OsString]) -> String {
    let path = path_in(args);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    help_of(lang, &path).unwrap_or_else(|| root_help(lang))
}

/// Returns what is wrong with a command line, in words.
fn complaint(lang: Lang, error: &clap::Error) -> String {
    let get = |kind| error.get(kind).map(said).unwrap_or_default();
    let arg = get(ContextKind::InvalidArg);
    let suggested = |kind| match get(kind) {
        word if word.is_empty() => String::new(),
        word => lang.did_you_mean(&word),
    };
    let text = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            lang.no_command(&get(ContextKind::InvalidSubcommand))
                + &suggested(ContextKind::SuggestedSubcommand)
        }
        ErrorKind::UnknownArgument => {
            lang.no_argument(&arg) + &suggested(ContextKind::SuggestedArg)
        }
        ErrorKind::MissingRequiredArgument => lang.missing(&arg),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            lang.missing_command().to_owned()
        }
        ErrorKind::ArgumentConflict => lang.exclusive(&arg, &get(ContextKind::PriorArg)),
        ErrorKind::InvalidValue if get(ContextKind::InvalidValue).is_empty() => {
            lang.value_missing(&arg)
        }
        ErrorKind::InvalidValue => {
            let (value, known) = (get(ContextKind::InvalidValue), get(ContextKind::ValidValue));
            lang.bad_choice(&arg, &value, &known)
        }
        ErrorKind::ValueValidation => lang.bad_argument(&arg, &get(ContextKind::InvalidValue)),
        ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            lang.value_missing(&arg)
        }
        ErrorKind::TooManyValues => lang.no_argument(&get(ContextKind::InvalidValue)),
        _ => lang.bad_command_line().to_owned(),
    };
    text + lang.nothing_done()
}

fn said(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::Number(number) => number.to_string(),
        ContextValue::StyledStr(text) => text.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(command_: &Command, path: &str, missing: &mut Vec<String>) {
        for sub in command_.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name()).trim_start().to_owned();
            if sub
                .get_about()
                .is_none_or(|about| about.to_string().is_empty())
            {
                missing.push(format!("{path}: English"));
            }
            if command(&path).is_none() {
                missing.push(format!("{path}: Chinese"));
            }
            if aliases::of(&path).is_none() {
                missing.push(format!("{path}: Chinese name"));
            }
            for arg in sub.get_arguments().filter(|arg| !arg.is_hide_set()) {
                if arg
                    .get_help()
                    .is_none_or(|help| help.to_string().is_empty())
                {
                    missing.push(format!("{path} {}: English", arg.get_id()));
                }
                if Help::arg(&path, arg.get_id().as_str()).is_none() {
                    missing.push(format!("{path} {}: Chinese", arg.get_id()));
                }
            }
            walk(sub, &path, missing);
        }
    }

    #[test]
    fn every_command_and_argument_speaks_both_languages() {
        let mut missing = Vec::new();
        walk(&Cli::command(), "", &mut missing);
        assert!(missing.is_empty(), "{missing:#?}");
    }

    #[test]
    fn no_help_page_mixes_languages() {
        fn pages(lang: Lang, command: &mut Command, out: &mut Vec<String>) {
            out.push(rendered(lang, command));
            for sub in command
                .get_subcommands_mut()
                .filter(|sub| !sub.is_hide_set())
            {
                pages(lang, sub, out);
            }
        }
        let mut all = Vec::new();
        pages(Lang::Zh, &mut built(Lang::Zh), &mut all);
        assert!(all.len() > 40);
        for page in all {
            for word in [
                "Usage",
                "Options",
                "Commands",
                "Arguments",
                "OPTIONS",
                "default",
                "possible",
            ] {
                assert!(!page.contains(word), "{word} in\n{page}");
            }
        }
    }

    #[test]
    fn a_next_command_is_typed_in_the_language_of_its_reader() {
        for (typed, han) in [
            ("wangge sync", "wangge 同步"),
            (
                "wangge enroll CODE --relay URL",
                "wangge 登记 登记码 --relay 地址",
            ),
            ("wangge help relay invite", "wangge 帮助 中继 邀请"),
            (
                "wangge --home DIR relay serve",
                "wangge --home 文件夹 中继 运行",
            ),
            (
                "wangge conflict settle 1 --use 1",
                "wangge 冲突 处理 1 --use 1",
            ),
            ("wangge 走访 zjg 好", "wangge 走访 zjg 好"),
        ] {
            assert_eq!(spoken(Lang::Zh, typed), han);
            assert_eq!(spoken(Lang::En, typed), typed);
        }
    }

    #[test]
    fn no_alias_names_two_commands_of_a_group() {
        let _ = built(Lang::Zh);
        for (path, alias) in aliases::all() {
            let group = |path: &str| {
                path.rsplit_once(' ')
                    .map_or("", |(group, _)| group)
                    .to_owned()
            };
            let twins =
                aliases::all().filter(|(other, han)| han == alias && group(other) == group(path));
            assert_eq!(twins.count(), 1, "{path}");
        }
    }
}
