//! Two languages, one catalogue: help, errors, and where words may stand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::World;

#[test]
fn help_reads_in_both_languages() {
    let world = World::new();
    for (name, args) in [
        ("help_zh", &["help"][..]),
        ("help_en", &["--lang", "en", "help"]),
        ("visit_zh", &["走访", "--help"]),
        ("visit_en", &["--lang", "en", "visit", "-h"]),
        ("ticket_zh", &["帮助", "工单"]),
        (
            "relay_serve_en",
            &["--lang", "en", "help", "relay", "serve"],
        ),
        ("exit_codes_zh", &["帮助", "退出码"]),
        ("exit_codes_en", &["--lang", "en", "help", "exit-codes"]),
    ] {
        insta::assert_snapshot!(name, world.run(args).ok().stdout);
    }
}

#[test]
fn errors_read_in_both_languages() {
    let world = World::new();
    world.home_with_households("d");
    let mut said = String::new();
    for args in [
        &["visti"][..],
        &["visit", "--nope"],
        &["ticket"],
        &[
            "relay", "invite", "--name", "x", "--role", "chief", "--area", "1",
        ],
        &["conflict", "settle", "1", "--use", "1", "--value", "x"],
        &["household", "show"],
        &["household", "show", "nobody"],
        &["visit", "zjg", "好", "@昨年"],
        &["household", "edit", "zjg", "--phone", "12ab"],
        &["sync"],
    ] {
        for lang in ["zh", "en"] {
            let out = world.at("d", &[&["--lang", lang], args].concat());
            said.push_str(&format!(
                "$ {} -> {}\n{}",
                args.join(" "),
                out.code,
                world.bare("d", &out.stderr)
            ));
        }
    }
    insta::assert_snapshot!("errors", said);
}

#[test]
fn the_language_follows_flag_variable_and_locale() {
    let world = World::new();
    let said = |vars: &[(&str, &str)], args: &[&str]| {
        let mut command = world.command();
        command.envs(vars.iter().copied()).args(args);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(said(&[], &["help"]).contains("用法"));
    assert!(said(&[("LANG", "C")], &["help"]).contains("用法"));
    assert!(said(&[("LANG", "en_US.UTF-8")], &["help"]).contains("Usage"));
    assert!(
        said(
            &[("LC_ALL", "zh_CN.UTF-8"), ("LANG", "en_US.UTF-8")],
            &["help"]
        )
        .contains("用法")
    );
    assert!(
        said(
            &[("WANGGE_LANG", "en"), ("LC_ALL", "zh_CN.UTF-8")],
            &["help"]
        )
        .contains("Usage")
    );
    assert!(said(&[("WANGGE_LANG", "en")], &["help", "--lang", "zh"]).contains("用法"));
}

#[test]
fn colour_is_for_terminals_only() {
    let world = World::new();
    world.home_with_households("d");
    for args in [
        &["status"][..],
        &["household", "show", "zjg"],
        &["sync"],
        &["help"],
    ] {
        let out = world.at("d", args);
        assert!(
            !out.stdout.contains('\u{1b}') && !out.stderr.contains('\u{1b}'),
            "{args:?}"
        );
    }
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Returns the string literals of a line of code; comments, doc comments and attributes have none.
fn literals(line: &str) -> Vec<&str> {
    let line = line.trim_start();
    if line.starts_with("//") || line.starts_with("#[") {
        return Vec::new();
    }
    line.split('"').skip(1).step_by(2).collect()
}

fn is_sentence(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').filter(|word| word.len() > 1).collect();
    let plain = words
        .iter()
        .filter(|word| word.chars().all(|sign| sign.is_ascii_alphabetic()))
        .count();
    plain >= 3 && !text.starts_with("wangge ")
}

#[test]
fn no_word_for_people_stands_outside_the_catalogue() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30);
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| !file.starts_with(src.join("text")) && **file != src.join("text.rs"))
    {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            let bad = literals(line).into_iter().any(|text| {
                text.chars()
                    .any(|sign| ('\u{3000}'..='\u{9fff}').contains(&sign))
                    || is_sentence(text)
            });
            if bad {
                found.push(format!("{}:{}: {line}", file.display(), number + 1));
            }
        }
    }
    // The reference is Markdown for the documentation, written in English only.
    found.retain(|line| !line.contains("reference.rs"));
    assert!(found.is_empty(), "{found:#?}");
}
