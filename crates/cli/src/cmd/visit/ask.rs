//! Bare `visit`: it asks household after household, or reads whole lines that are piped in.

use std::io::{BufRead as _, IsTerminal as _};

use wangge_agent::{Replica, mask};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::typed as words;
use crate::typed;
use crate::ui::Json;

/// The loop: initials, Enter, 1 fine 2 nobody 3 a note; or a whole line at once, also piped in.
pub(super) fn run(context: &Context, replica: &mut Replica) -> Result<Exit, Failure> {
    let ui = &context.ui;
    let lang = ui.lang;
    let stdin = std::io::stdin();
    let asks = stdin.is_terminal();
    let mut lines = stdin.lock().lines();
    let mut failed = 0_usize;
    if asks {
        ui.talk(lang.visit_loop());
    }
    loop {
        if asks {
            ui.ask(lang.prompt_household());
        }
        let line = match lines.next() {
            None => break,
            Some(Ok(line)) => line,
            Some(Err(error)) => {
                // A line in another encoding costs no other; a line that cannot be read at all ends it.
                let goes_on = error.kind() == std::io::ErrorKind::InvalidData;
                let reason = error.to_string();
                let path = "-".to_owned();
                Failure::Unreadable { path, reason }.report(context);
                failed += 1;
                if goes_on {
                    continue;
                }
                break;
            }
        };
        let parts: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Some((household, rest)) = parts.split_first() else {
            continue;
        };
        if words::QUIT.contains(&household.to_lowercase().as_str()) {
            break;
        }
        let name = typed::half_width(household);
        let mut said = rest.to_vec();
        if said.is_empty() {
            // The household is looked up first: an answer about the wrong one helps nobody.
            let found = match replica.name_household(&name) {
                Ok(found) => replica.household(&found)?,
                Err(error) => {
                    Failure::from(error).report(context);
                    failed += 1;
                    continue;
                }
            };
            if asks {
                let head = found.household.head_member().map(|head| head.name.as_str());
                let area = found.household.area.as_ref().map(ToString::to_string);
                let masked = replica.sight(&area.unwrap_or_default()).is_masked();
                let (door, head) = match (masked, head.unwrap_or_default()) {
                    (true, head) => {
                        let group = found.household.door.group.unwrap_or_default();
                        (mask::address(group), mask::name(head))
                    }
                    (false, head) => (found.door_short.clone(), head.to_owned()),
                };
                ui.ask(&lang.prompt_answer(&door, &head));
            }
            let Some(Ok(answer)) = lines.next() else {
                break;
            };
            // A bare Enter goes on to the next household and records nothing.
            said = vec![answer];
        }
        match take(context, replica, &name, &said, asks, &mut lines) {
            Ok(()) => {}
            Err(failure) => {
                failure.report(context);
                failed += 1;
            }
        }
    }
    if ui.json != Some(Json::Document) && asks {
        ui.talk("");
    }
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

/// Records what one answer says; `3` asks for the note.
fn take(
    context: &Context,
    replica: &mut Replica,
    household: &str,
    said: &[String],
    asks: bool,
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
) -> Result<(), Failure> {
    let first = said
        .first()
        .map(|word| typed::half_width(word.trim()))
        .unwrap_or_default();
    let [fine, nobody, _] = words::ANSWERS;
    let said: Vec<String> = match (first.as_str(), said.len()) {
        ("", 1) => return Ok(()),
        ("1", 1) => vec![fine.to_owned()],
        ("2", 1) => vec![nobody.to_owned()],
        ("3", 1) => {
            if asks {
                context.ui.ask(context.ui.lang.prompt_note());
            }
            let note = lines.next().transpose().ok().flatten().unwrap_or_default();
            note.split_whitespace().map(str::to_owned).collect()
        }
        ("3", _) => said.iter().skip(1).cloned().collect(),
        (_, 1) => first_words(said),
        _ => said.to_vec(),
    };
    if said.is_empty() {
        // As with a whole line: a household alone is no visit.
        return Err(Failure::Usage {
            message: context.ui.lang.visit_words_needed().to_owned(),
            hint: context.help_command(),
        });
    }
    let words = super::words_of(context, &said, replica.today())?;
    super::record(
        context,
        replica,
        super::input(context.ui.lang, household, &words),
    )
    .map(|_| ())
}

fn first_words(said: &[String]) -> Vec<String> {
    said.iter()
        .flat_map(|text| text.split_whitespace())
        .map(str::to_owned)
        .collect()
}
