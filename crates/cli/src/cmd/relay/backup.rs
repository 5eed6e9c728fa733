//! `relay backup`, `relay restore`: a relay as one file, and a relay out of one.

use std::path::PathBuf;

use serde_json::json;
use wangge_relay::{BlobHash, KEYS_DAYS, LevelForm, Relay};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::ui::{Tone, tone};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The file to make; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write its keys; beside it with .keys behind the name if it is not said
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// A file that relay backup made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The keys that were made with it; beside it with .keys behind the name if it is not said
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

pub(super) fn backup(context: &Context, args: &Backup) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let (relay, _) = super::open_to_look(context)?;
    let made = relay.backup(&args.file, args.keys.as_deref())?;
    let file = args.file.display().to_string();
    let keys = made.keys.display().to_string();
    let expires_ms = made.made_ms.saturating_add(KEYS_DAYS * DAY_MS);
    let value = json!({
        "file": file, "bytes": made.bytes, "entries": made.entries, "documents": made.documents,
        "attachments": made.attachments, "attachments_missing": made.missing,
        "attachments_damaged": made.damaged, "made_ms": made.made_ms, "keys": keys,
        "keys_expire_ms": expires_ms,
    });
    context.ui.show(&value, || {
        let mut lines = vec![
            match made.damaged.is_empty() {
                true => tone(Tone::Good, &lang.backed_up(&file, made.bytes)),
                false => tone(Tone::Warn, &lang.backed_up_without(&file, made.bytes)),
            },
            lang.backup_holds(made.entries, made.documents, made.attachments),
        ];
        lines.extend(damaged(lang, &made.damaged));
        if made.missing > 0 {
            lines.push(tone(Tone::Warn, &lang.backup_lacks(made.missing)));
        }
        let until = moment::exact(expires_ms);
        let until = until.get(..10).unwrap_or_default();
        lines.push(tone(Tone::Warn, &lang.backup_keys(&keys, until)));
        lines.join("\n")
    });
    Ok(ended(&made.damaged))
}

/// Names each attachment that was left out because its bytes are not what its name says.
fn damaged(lang: Lang, damaged: &[BlobHash]) -> Option<String> {
    let names: Vec<String> = damaged.iter().map(ToString::to_string).collect();
    let line = || tone(Tone::Bad, &lang.backup_damaged(names.len() as u64));
    (!names.is_empty()).then(|| format!("{}\n{}", line(), names.join("\n")))
}

fn ended(damaged: &[BlobHash]) -> Exit {
    match damaged.is_empty() {
        true => Exit::Done,
        false => Exit::Partly,
    }
}

pub(super) fn restore(context: &Context, args: &Restore) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let dir = context.relay_home()?;
    // Name and level are the backup's own.
    let settings = super::settings(lang.relay_name(), LevelForm::Township);
    let made = Relay::restore(&args.file, args.keys.as_deref(), &dir, &settings)?;
    let folder = dir.display().to_string();
    let value = json!({
        "folder": folder, "name": made.name, "entries": made.entries,
        "documents": made.documents, "attachments": made.attachments,
        "attachments_damaged": made.damaged, "made_ms": made.made_ms,
    });
    context.ui.show(&value, || {
        let at = moment::exact(made.made_ms).replace('T', " ");
        let at = at.get(..16).unwrap_or_default();
        let mut lines = vec![
            tone(Tone::Good, &lang.restored(&made.name, &folder, at)),
            lang.backup_holds(made.entries, made.documents, made.attachments),
        ];
        lines.extend(damaged(lang, &made.damaged));
        lines.push(lang.restored_next().to_owned());
        lines.push(tone(Tone::Warn, lang.restored_beware()));
        lines.join("\n")
    });
    Ok(ended(&made.damaged))
}
