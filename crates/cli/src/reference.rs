//! The command reference of `docs/cli.md`: exit codes, and the command tree as clap knows it.

use clap::Command;

use crate::exit::Exit;
use crate::localize;
use crate::text::{Lang, aliases};

/// Returns the reference in Markdown.
pub(crate) fn reference() -> String {
    let mut root = localize::built(Lang::En);
    let mut out = String::from("## Exit codes\n\n| code | meaning | |\n|---|---|---|\n");
    for exit in Exit::ALL {
        let (en, zh) = (Lang::En.exit_meaning(exit), Lang::Zh.exit_meaning(exit));
        out.push_str(&format!("| {} | {en} | {zh} |\n", exit.code()));
    }
    out.push_str("\n## Commands\n\n");
    commands(&mut root, "", &mut out);
    out
}

fn commands(command: &mut Command, path: &str, out: &mut String) {
    for sub in command
        .get_subcommands_mut()
        .filter(|sub| !sub.is_hide_set())
    {
        let path = format!("{path} {}", sub.get_name()).trim_start().to_owned();
        section(sub, &path, out);
        commands(sub, &path, out);
    }
}

fn section(command: &mut Command, path: &str, out: &mut String) {
    let han: Vec<&str> = path
        .split(' ')
        .scan(String::new(), |so_far, name| {
            *so_far = format!("{so_far} {name}").trim_start().to_owned();
            Some(aliases::of(so_far).unwrap_or_default())
        })
        .collect();
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let about = about
        .rsplit_once(" [")
        .map_or(about.as_str(), |(about, _)| about);
    let usage = localize::usage(Lang::En, command);
    out.push_str(&format!(
        "### `{path}` · {}\n\n{about}.\n\n```text\n{usage}\n```\n\n",
        han.join(" ")
    ));
    let args: Vec<String> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !arg.is_global_set())
        .map(row)
        .collect();
    if !args.is_empty() {
        out.push_str(&format!("{}\n", args.concat()));
    }
}

fn row(arg: &clap::Arg) -> String {
    let names: Vec<String> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let takes = arg.get_action().takes_values();
    let name = match arg.get_long() {
        Some(long) if takes => format!("--{long} {}", names.join(" ")),
        Some(long) => format!("--{long}"),
        None => names.join(" "),
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    format!("* `{name}`: {help}\n")
}
