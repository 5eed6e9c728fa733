//! `receipts`: where a record has arrived, change by change.

use wangge_agent::levels::LevelView;

use super::inbox::decided;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A visit, report, ticket or household: id, beginning of an id, number, or what finds it
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let view = replica.receipts(&args.id)?;
    let today = replica.today();
    context.ui.show(&view, || {
        let heading = format!(
            "{} {}",
            lang.code("kind", view.kind),
            lang.placed(&view.title)
        );
        let mut lines = vec![tone(Tone::Strong, &heading)];
        for change in &view.changes {
            let when = moment::minute(lang, change.at_ms, today);
            let state = lang.code("state", change.state);
            let by = lang.this_device_or(change.by.here, &change.by.name);
            let of = match change.of == view.kind {
                true => String::new(),
                false => format!("{} · ", lang.code("kind", change.of)),
            };
            lines.push(format!("● {by} {when} · {of}{state}"));
            if let Some(flag) = change.clock {
                let what = lang.code("clock", flag.as_str());
                lines.push(tone(Tone::Warn, &format!("  └ {what}")));
            }
            for arrival in &change.relays {
                let at = moment::minute(lang, arrival.at_ms, today);
                let level = lang.code("level", arrival.level);
                lines.push(format!(
                    "  └ ● {} {level} {at} · #{}",
                    arrival.name, arrival.position
                ));
            }
            if change.levels.len() > 1 {
                lines.push(format!("  └ {}", levels(lang, &change.levels)));
            }
            if !change.reason.is_empty() {
                let why = lang.code("reason", &change.reason);
                let line = match change.state {
                    "inbox" | "discarded" => lang.in_inbox_of(&replica.relay_name(), why),
                    _ => why.to_owned(),
                };
                lines.push(tone(Tone::Warn, &format!("  └ {line}")));
            }
            if let Some(decision) = &change.decision {
                let number = change.relays.first().map(|arrival| arrival.position);
                let line = decided(lang, decision, number, today);
                lines.push(format!("  └ {line}"));
            }
        }
        let several = view.changes.iter().any(|change| change.levels.len() > 1);
        let top = view.changes.first().and_then(|change| change.levels.last());
        lines.push(if view.all_safe {
            match top.filter(|_| several) {
                Some(top) => {
                    let level = lang.code("level", top.level);
                    tone(Tone::Good, &lang.all_arrived_at(level))
                }
                None => tone(Tone::Good, lang.all_arrived()),
            }
        } else if view.is_at_relay() {
            tone(Tone::Warn, lang.not_all_up())
        } else if view.waits_for_desk() {
            tone(Tone::Warn, lang.desk_decides())
        } else {
            let next = match replica.profile().relay {
                Some(_) => "wangge sync",
                None => "wangge enroll CODE --relay URL",
            };
            let next = crate::localize::spoken(lang, next);
            let said = [lang.not_all_arrived(), lang.next_command(), &next];
            tone(Tone::Warn, &said.concat())
        });
        lines.join("\n")
    });
    Ok(Exit::Done)
}

/// Returns the way up, level by level.
fn levels(lang: Lang, levels: &[LevelView]) -> String {
    let shown = levels.iter().map(|level| {
        let (mark, word) = if level.reached {
            ("●", lang.passed_level())
        } else {
            ("○", lang.not_at_level())
        };
        format!("{mark} {} {word}", lang.code("level", level.level))
    });
    shown.collect::<Vec<_>>().join(" → ")
}
