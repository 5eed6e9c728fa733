//! Rules about Rust files: how long, how they begin, what they must not call.
//!
//! Clippy knows some of these words too. What it cannot know is the place where each is allowed.

use super::rust::{self, Line, is_test_file, mentions, occurrences};
use super::{Complaints, Repo};

/// A longer file holds more than one topic.
const LINES_MAX: usize = 600;

const PRINT_MACROS: [&str; 5] = ["print!", "println!", "eprint!", "eprintln!", "dbg!"];

/// The one place that writes to a terminal.
const PRINTERS: [&str; 2] = ["crates/cli/src/ui.rs", "crates/cli/src/ui/"];

/// Crates that are handed the time, the bytes and the chance they need.
const PURE_CRATES: [&str; 4] = ["wire", "crdt", "model", "sync"];

/// Ways to read a clock, a random source, a file, a socket or the environment.
const OUTSIDE_WORLD: [&str; 14] = [
    "SystemTime",
    "Instant",
    "Utc::now",
    "Local::now",
    "now_v7",
    "new_v4",
    "getrandom",
    "OsRng",
    "thread_rng",
    "fs::",
    "File::",
    "env::",
    "std::net",
    "std::process",
];

/// No Rust file is longer than the cap.
pub(super) fn length(repo: &Repo) -> Complaints {
    repo.rust_files()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| {
            format!("{path} has {lines} lines, the cap is {LINES_MAX}: split it by topic")
        })
        .collect()
}

/// Every Rust file begins with its one idea.
pub(super) fn first_line(repo: &Repo) -> Complaints {
    repo.rust_files()
        .filter(|(_, text)| {
            let line = text.lines().next().unwrap_or_default();
            line.strip_prefix("//!")
                .is_none_or(|idea| idea.trim().is_empty())
        })
        .map(|(path, _)| {
            format!("{path}:1: the first line says in a `//!` sentence what the file is")
        })
        .collect()
}

/// Only `cli::ui` prints; test binaries, examples and build scripts talk to developers.
pub(super) fn print(repo: &Repo) -> Complaints {
    let allowed = |path: &str| {
        is_test_file(path)
            || path.contains("/examples/")
            || path.ends_with("/build.rs")
            || PRINTERS.iter().any(|printer| path.starts_with(printer))
    };
    in_code(repo, |path, line| {
        if allowed(path) || line.test {
            return None;
        }
        let word = PRINT_MACROS
            .iter()
            .find(|word| mentions(&line.code, word))?;
        Some(format!("`{word}` outside `cli::ui`"))
    })
}

/// No test sleeps: it waits for an event, or moves the clock it was given.
pub(super) fn sleep(repo: &Repo) -> Complaints {
    in_code(repo, |path, line| {
        let test = line.test || is_test_file(path) || path.starts_with("crates/testkit/");
        (test && sleeps(&line.code))
            .then(|| "a test sleeps: wait for the event or move the test's clock".to_owned())
    })
}

/// No test is switched off, the examples in the reference neither.
pub(super) fn ignore(repo: &Repo) -> Complaints {
    let mut found = in_code(repo, |_, line| {
        let ignored = line.code.contains("#[ignore")
            || (line.code.contains("cfg_attr(") && mentions(&line.code, "ignore"));
        ignored.then(|| "an ignored test promises nothing: mend it or delete it".to_owned())
    });
    for (path, text) in repo.rust_files() {
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim_start();
            let comment = line.strip_prefix("///").or(line.strip_prefix("//!"));
            if comment.is_some_and(|comment| is_ignored_example(comment.trim())) {
                found.push(format!(
                    "{path}:{number}: an example that is never compiled goes stale: let it run"
                ));
            }
        }
    }
    found
}

/// Four crates never reach for the outside world themselves.
pub(super) fn pure(repo: &Repo) -> Complaints {
    let is_pure = |path: &str| {
        PURE_CRATES
            .iter()
            .any(|name| path.starts_with(&format!("crates/{name}/src/")))
    };
    in_code(repo, |path, line| {
        if !is_pure(path) || is_test_file(path) || line.test {
            return None;
        }
        let word = OUTSIDE_WORLD
            .iter()
            .find(|word| mentions(&line.code, word))?;
        Some(format!(
            "`{word}` in a crate that reads no clock, chance, file or environment"
        ))
    })
}

/// Asks `judge` about every line of Rust and puts the place before its answer.
fn in_code(repo: &Repo, judge: impl Fn(&str, &Line) -> Option<String>) -> Complaints {
    let mut found = Complaints::new();
    for (path, text) in repo.rust_files() {
        for line in rust::lines(text) {
            if let Some(complaint) = judge(path, &line) {
                found.push(format!("{path}:{}: {complaint}", line.number));
            }
        }
    }
    found
}

/// Tells whether a line calls or names a sleep; a method or a definition of that name is our own.
fn sleeps(code: &str) -> bool {
    let calls = ["sleep(", "sleep_until(", "sleep_ms("].iter().any(|call| {
        occurrences(code, call)
            .any(|before| !before.ends_with('.') && !before.trim_end().ends_with("fn"))
    });
    calls || mentions(code, "thread::sleep") || mentions(code, "time::sleep")
}

/// Tells whether a line of a doc comment opens an example that rustdoc will not compile.
fn is_ignored_example(comment: &str) -> bool {
    comment.strip_prefix("```").is_some_and(|attributes| {
        attributes
            .split([',', ' '])
            .any(|attribute| attribute == "ignore" || attribute.starts_with("ignore-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rule: fn(&Repo) -> Complaints, path: &str, text: &str) -> Complaints {
        rule(&Repo::of(&[(path, text)]))
    }

    #[test]
    fn the_cap_itself_is_allowed_and_one_line_more_is_not() {
        let cap = "//!\n".repeat(LINES_MAX);
        assert_eq!(judge(length, "crates/wire/src/a.rs", &cap).len(), 0);
        let more = "//!\n".repeat(LINES_MAX + 1);
        assert_eq!(judge(length, "crates/wire/src/a.rs", &more).len(), 1);
        assert_eq!(judge(length, "fixtures/a.csv", &more).len(), 0);
    }

    #[test]
    fn a_file_that_does_not_begin_with_its_idea_is_named() {
        for text in ["", "use x;\n", "// A comment.\n", "//!\n", "\n//! Late.\n"] {
            let found = judge(first_line, "crates/wire/tests/golden.rs", text);
            assert_eq!(found.len(), 1, "{text:?}");
        }
        assert!(judge(first_line, "crates/wire/build.rs", "//! One idea.\n").is_empty());
    }

    #[test]
    fn only_the_ui_prints() {
        let text = "fn a() {\n    anstream::println!(\"x\");\n}\n";
        assert_eq!(
            judge(print, "crates/agent/src/link.rs", text),
            ["crates/agent/src/link.rs:2: `println!` outside `cli::ui`"]
        );
        assert_eq!(judge(print, "crates/cli/src/uinput.rs", text).len(), 1);
        for path in [
            "crates/cli/src/ui.rs",
            "crates/cli/src/ui/table.rs",
            "crates/cli/tests/visit.rs",
            "crates/cli/build.rs",
            "crates/testkit/examples/bench.rs",
        ] {
            assert!(judge(print, path, text).is_empty(), "{path}");
        }
    }

    #[test]
    fn printing_in_tests_and_in_sentences_is_nobodys_business() {
        let text = "/// Use `println!`.\n#[cfg(test)]\nmod tests {\n fn a() { dbg!(1); }\n}\n";
        assert!(judge(print, "crates/wire/src/id.rs", text).is_empty());
        let text = "const HELP: &str = \"eprintln!\";\n";
        assert!(judge(print, "crates/wire/src/id.rs", text).is_empty());
    }

    #[test]
    fn a_sleeping_test_is_named() {
        for call in [
            "std::thread::sleep(second);",
            "tokio::time::sleep(second).await;",
            "sleep(second).await;",
            "tokio::time::sleep_until(then).await;",
            "pauses.map(thread::sleep);",
        ] {
            let inside = format!("#[cfg(test)]\nmod tests {{\n fn a() {{ {call} }}\n}}\n");
            assert_eq!(
                judge(sleep, "crates/sync/src/a.rs", &inside).len(),
                1,
                "{call}"
            );
            assert_eq!(
                judge(sleep, "crates/sync/tests/a.rs", call).len(),
                1,
                "{call}"
            );
            assert_eq!(
                judge(sleep, "crates/testkit/src/a.rs", call).len(),
                1,
                "{call}"
            );
            assert_eq!(
                judge(sleep, "crates/agent/src/a.rs", call).len(),
                0,
                "{call}"
            );
        }
    }

    #[test]
    fn a_simulated_clock_may_call_its_method_sleep() {
        for code in [
            "clock.sleep(second);",
            "pub fn sleep(self) {}",
            "oversleep(x)",
        ] {
            assert!(
                judge(sleep, "crates/testkit/src/clock.rs", code).is_empty(),
                "{code}"
            );
        }
    }

    #[test]
    fn an_ignored_test_is_named() {
        for code in [
            "#[ignore]\nfn a() {}",
            "#[ignore = \"slow\"]\nfn a() {}",
            "#[cfg_attr(miri, ignore)]\nfn a() {}",
        ] {
            assert_eq!(
                judge(ignore, "crates/wire/tests/a.rs", code).len(),
                1,
                "{code}"
            );
        }
        assert!(
            judge(
                ignore,
                "crates/wire/src/a.rs",
                "let ignored = 1; // #[ignore]"
            )
            .is_empty()
        );
    }

    #[test]
    fn an_ignored_example_is_named() {
        for line in [
            "//! ```ignore",
            "    /// ```rust,ignore",
            "/// ```ignore-windows",
        ] {
            assert_eq!(
                judge(ignore, "crates/wire/src/a.rs", line).len(),
                1,
                "{line}"
            );
        }
        assert!(judge(ignore, "crates/wire/src/a.rs", "/// ```text\n").is_empty());
    }

    #[test]
    fn a_pure_crate_that_reaches_outside_is_named() {
        for code in [
            "let now = std::time::SystemTime::now();",
            "use std::time::{Duration, Instant};",
            "let rows = std::fs::read_to_string(path);",
            "let home = env::var(name);",
            "getrandom::fill(&mut bytes);",
        ] {
            for name in PURE_CRATES {
                let path = format!("crates/{name}/src/a.rs");
                assert_eq!(judge(pure, &path, code).len(), 1, "{path}: {code}");
            }
            assert!(judge(pure, "crates/agent/src/a.rs", code).is_empty());
            assert!(judge(pure, "crates/wire/tests/a.rs", code).is_empty());
        }
        assert!(judge(pure, "crates/wire/src/a.rs", "fn InstantNoodles() {}").is_empty());
    }
}
