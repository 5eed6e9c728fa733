//! `attach`: a photo, a recording or a paper for a visit, a report or a ticket.

use std::path::PathBuf;

use wangge_agent::{AttachInput, AttachmentView};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; without one the attachments there are listed
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A visit, a report or a ticket
    #[arg(long, value_name = "ID", value_parser = typed::folded)]
    to: String,
    /// What to call it; the file's own name is not kept
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        requires = "file"
    )]
    name: String,
    /// The day it was taken, such as 2026-11-23; today if it is not said
    #[arg(long, value_name = "DAY", requires = "file")]
    on: Option<String>,
}

pub(crate) fn run(context: &Context, args: Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let Some(file) = args.file else {
        let rows = replica.attachments(&args.to)?;
        context.ui.show(&rows, || listed(lang, &rows));
        return Ok(Exit::Done);
    };
    let input = AttachInput {
        file,
        to: args.to,
        name: args.name,
        on: args.on,
    };
    let view = replica.attach(&input)?;
    context.ui.show(&view, || {
        let kind = lang.code("file_type", &view.attachment.file);
        let mut lines = vec![match view.again {
            true => lang.attached_before(kind, &view.attachment.taken_on, &view.attachment.id),
            false => tone(
                Tone::Good,
                &lang.attached(kind, &size(&view), &view.attachment.id),
            ),
        }];
        // One sentence of what became of its bytes: only a paper is kept as it is.
        lines.push(match (view.attachment.file.as_str(), view.damaged) {
            ("pdf", _) => tone(Tone::Faint, lang.attached_as_it_is()),
            (_, true) => tone(Tone::Warn, lang.attached_damaged()),
            (_, false) => tone(Tone::Faint, lang.attached_cleaned()),
        });
        lines.join("\n")
    });
    Ok(Exit::Done)
}

/// Returns attachments in lines, or that there are none.
pub(super) fn listed(lang: Lang, rows: &[AttachmentView]) -> String {
    if rows.is_empty() {
        return lang.no_attachments().to_owned();
    }
    let lines: Vec<String> = rows.iter().map(|row| line(lang, row)).collect();
    lines.join("\n")
}

fn line(lang: Lang, view: &AttachmentView) -> String {
    let said = &view.attachment;
    let state = match (view.waiting, view.here) {
        (true, _) => lang.attachment_waits(),
        (false, true) => "",
        (false, false) => lang.attachment_elsewhere(),
    };
    let size = size(view);
    let parts = [
        said.id.as_str(),
        &said.taken_on,
        lang.code("file_type", &said.file),
        &said.name,
        &size,
        &view.by_name,
        state,
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

fn size(view: &AttachmentView) -> String {
    let bytes = view.attachment.bytes;
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}
