//! Everything a person reads, in Chinese and in English.
//!
//! **A text without one of its languages does not compile.** No other file of this crate holds a
//! Chinese character or an English sentence for people; a test looks.

pub(crate) mod aliases;
mod attach;
mod audit;
mod backup;
mod codes;
mod day;
pub(crate) mod demo;
mod due;
mod english;
mod errors;
mod family;
pub(crate) mod help;
mod help_more;
mod inbox;
mod levels;
mod locking;
mod lost;
mod packs;
mod people;
mod privacy;
mod proof;
mod say;
mod tickets;
mod tickets_words;
mod trail;
mod trouble;
mod twins;
pub(crate) mod typed;

pub(crate) use help::command;

/// What one topic adds to the tables that all of them share.
struct Topic {
    /// Chinese help by command path.
    help: &'static [help::Help],
    /// Command path and Chinese name of its last part.
    aliases: &'static [(&'static str, &'static str)],
    /// Group, code, Chinese, English.
    codes: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// Field, Chinese, English.
    fields: &'static [(&'static str, &'static str, &'static str)],
    /// Field, and what it takes in Chinese; the English is the façade's.
    takes: &'static [(&'static str, &'static str)],
    /// Why a ticket does not allow a step: code, Chinese, English.
    refusals: &'static [(&'static str, &'static str, &'static str)],
}

const TOPICS: &[Topic] = &[
    attach::TOPIC,
    audit::TOPIC,
    backup::TOPIC,
    day::TOPIC,
    due::TOPIC,
    family::TOPIC,
    inbox::TOPIC,
    levels::TOPIC,
    locking::TOPIC,
    lost::TOPIC,
    people::TOPIC,
    privacy::TOPIC,
    tickets::TOPIC,
    packs::TOPIC,
    proof::TOPIC,
    trail::TOPIC,
    twins::TOPIC,
];

/// A language people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Returns the language of a word of `--lang` or the environment: `en`, `zh_CN.UTF-8`.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        if word.starts_with("en") {
            Some(Lang::En)
        } else if word.starts_with("zh") {
            Some(Lang::Zh)
        } else {
            None
        }
    }

    /// Returns the language of this run: the flag, then `WANGGE_LANG`, then the locale, then Chinese.
    ///
    /// The arguments are read before clap reads them: its complaints too have a language.
    pub(crate) fn choose(
        args: &[std::ffi::OsString],
        env: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let from_env = || {
            ["WANGGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .find_map(|name| env(name).filter(|word| !word.is_empty()))
                .and_then(|word| Lang::of(&word))
        };
        flag(args)
            .and_then(|word| Lang::of(&word))
            .or_else(from_env)
            .unwrap_or(Lang::Zh)
    }

    /// Returns where the language of a run comes from: `flag environment locale default`.
    pub(crate) fn origin(
        args: &[std::ffi::OsString],
        env: impl Fn(&str) -> Option<String>,
    ) -> &'static str {
        let said = |name: &str| env(name).filter(|word| !word.is_empty());
        // The first that says anything decides, also where it names no language of ours.
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(said);
        match (
            flag(args).and_then(|word| Lang::of(&word)),
            said("WANGGE_LANG"),
            locale,
        ) {
            (Some(_), ..) => "flag",
            (_, Some(word), _) if Lang::of(&word).is_some() => "environment",
            (_, None, Some(word)) if Lang::of(&word).is_some() => "locale",
            _ => "default",
        }
    }

    /// Returns the one of two texts that is in this language.
    pub(crate) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

fn flag(args: &[std::ffi::OsString]) -> Option<String> {
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        if let Some(word) = arg.strip_prefix("--lang=") {
            return Some(word.to_owned());
        }
        if arg == "--lang" {
            return args.next().map(|word| word.into_owned());
        }
    }
    None
}

/// Makes a method of [`Lang`] for each text with values in it.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*) { zh: $zh:literal, en: $en:literal $(,)? })*) => {
        impl $crate::text::Lang {
            $($(#[$doc])*
            pub(crate) fn $name(self, $($arg: $kind),*) -> String {
                match self {
                    $crate::text::Lang::Zh => format!($zh),
                    $crate::text::Lang::En => format!($en),
                }
            })*
        }
    };
}

/// Makes a method of [`Lang`] for each fixed text.
macro_rules! words {
    ($($name:ident { zh: $zh:literal, en: $en:literal $(,)? })*) => {
        impl $crate::text::Lang {
            $(pub(crate) fn $name(self) -> &'static str {
                self.pick($zh, $en)
            })*
        }
    };
}

pub(crate) use {messages, words};

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(args: &[&str], env: &[(&str, &str)]) -> Lang {
        let args: Vec<std::ffi::OsString> = args.iter().map(Into::into).collect();
        Lang::choose(&args, |name| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_flag_goes_before_the_environment_and_chinese_is_the_rest() {
        assert_eq!(choose(&[], &[]), Lang::Zh);
        assert_eq!(choose(&[], &[("LANG", "C")]), Lang::Zh);
        assert_eq!(choose(&[], &[("LANG", "en_GB.UTF-8")]), Lang::En);
        assert_eq!(
            choose(&[], &[("LC_ALL", "zh_CN.UTF-8"), ("LANG", "en_GB")]),
            Lang::Zh
        );
        assert_eq!(
            choose(&[], &[("WANGGE_LANG", "en"), ("LC_ALL", "zh_CN")]),
            Lang::En
        );
        assert_eq!(
            choose(&["--lang", "zh"], &[("WANGGE_LANG", "en")]),
            Lang::Zh
        );
        assert_eq!(choose(&["status", "--lang=en"], &[]), Lang::En);
    }

    #[test]
    fn where_the_language_comes_from_is_what_decided_it() {
        let origin = |args: &[&str], env: &[(&str, &str)]| {
            let args: Vec<std::ffi::OsString> = args.iter().map(Into::into).collect();
            Lang::origin(&args, |name| {
                let found = env.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let set = [("WANGGE_LANG", "en"), ("LANG", "zh_CN")];
        assert_eq!(origin(&["--lang", "en"], &set), "flag");
        assert_eq!(origin(&[], &set), "environment");
        assert_eq!(origin(&[], &[("LANG", "zh_CN")]), "locale");
        assert_eq!(origin(&[], &[("LANG", "C")]), "default");
    }
}
