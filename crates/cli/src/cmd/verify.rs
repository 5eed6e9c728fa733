//! `verify`: proves that this device holds exactly what the relay has, and repairs what differs.

use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(context: &Context, _args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open_unread()?;
    let found = block_on(replica.verify())??;
    context.ui.show(&found, || {
        let mut lines = Vec::new();
        if found.areas.is_empty() {
            lines.push(lang.no_area_to_compare().to_owned());
        }
        for area in &found.areas {
            let name = areas::shown(area.area.as_str());
            lines.push(match area.complete {
                true => {
                    let line = lang.area_proven(&name, area.households, found.position);
                    tone(Tone::Good, &line)
                }
                false => tone(Tone::Warn, &lang.area_differs(&name)),
            });
        }
        if let Some(repair) = &found.repair {
            lines.push(lang.repaired(repair.fetched, repair.given_back));
            if repair.unproven > 0 {
                lines.push(tone(Tone::Warn, &lang.only_here(repair.unproven)));
            }
        }
        if found.unsent > 0 {
            lines.push(tone(Tone::Warn, &lang.still_unsent(found.unsent)));
        }
        if found.inbox > 0 {
            lines.push(tone(Tone::Warn, &lang.in_inbox(found.inbox)));
        }
        if found.not_shown > 0 {
            lines.push(tone(Tone::Warn, &lang.not_shown(found.not_shown)));
        }
        lines.join("\n")
    });
    Ok(match found.is_whole() {
        true => Exit::Done,
        false => Exit::Found,
    })
}
