//! Every text is looked at before it is saved, in the one place all records pass.
//!
//! **An identity number and a bank card are refused whatever the person says**; a telephone or a word
//! this tool must not hold is refused once, and saved when the person says so
//! ([`Replica::keep_notes`]). What was typed stays with the caller, masked where it must be.

use wangge_crdt::{Put, Scalar};
use wangge_model::look::{self, Found, Sign};
use wangge_store::Draft;

use crate::error::AgentError;
use crate::replica::Replica;

/// Free texts: the key a document has them under, and the field as JSON names it.
///
/// In these a telephone and a word are pointed out. Every other text (a name, a contact, a place) is
/// looked at for numbers that are never saved.
const NOTES: [(&str, &str); 18] = [
    ("note", "note"),
    ("text", "text"),
    ("detail", "detail"),
    ("subject", "subject"),
    ("arrangement", "arrangement"),
    ("handled", "handled_on_spot"),
    ("reason", "reason"),
    ("why", "reason"),
    ("comment", "comment"),
    ("place", "place"),
    ("whom", "whom"),
    ("wish", "wish"),
    ("item", "item"),
    ("amount", "amount"),
    ("whose", "whose"),
    ("kind", "kind"),
    ("reference", "reference"),
    ("phoned", "phoned"),
];
/// The other texts a person types, by key; what is not here is shown as `text`.
const LINES: [&str; 9] = [
    "name",
    "door",
    "number",
    "phone",
    "requester",
    "contact",
    "source",
    "how",
    "to",
];

impl Replica {
    /// Says that telephones and words in notes were pointed out and are to be saved.
    pub fn keep_notes(&mut self, keep: bool) {
        self.keep = keep;
    }

    /// Returns an error if one of these typed texts must not be saved as it is. Every record is looked
    /// at anyway; this is for whoever wants to know before doing something else.
    pub fn look(&self, texts: &[(&'static str, &str)]) -> Result<(), AgentError> {
        texts
            .iter()
            .try_for_each(|(field, text)| self.look_at(field, text, false))
    }

    /// Does something with what was pointed out kept, if `keep` says so.
    pub(crate) fn keeping<T>(&mut self, keep: bool, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.keep;
        self.keep |= keep;
        let done = work(self);
        self.keep = before;
        done
    }

    /// Looks at everything an action is about to write.
    pub(crate) fn look_at_drafts(&self, drafts: &[Draft]) -> Result<(), AgentError> {
        drafts.iter().try_for_each(|draft| {
            // What is kept from whom it is about may say what happened.
            let kept_apart = draft.puts.iter().any(|put| put.key == "restricted");
            let mut puts = draft.puts.iter();
            puts.try_for_each(|put| self.look_at_put(put, kept_apart))
        })
    }

    fn look_at_put(&self, put: &Put, kept_apart: bool) -> Result<(), AgentError> {
        let Scalar::Text(text) = &put.value else {
            return Ok(());
        };
        // A ticket's event is one text: JSON with ids and clocks in it.
        if put.container == "events"
            && let Ok(serde_json::Value::Object(event)) = serde_json::from_str(text)
        {
            return event.iter().try_for_each(|(key, value)| match value {
                serde_json::Value::String(text) => self.look_at(key, text, kept_apart),
                _ => Ok(()),
            });
        }
        // A further telephone's `phone.<id>.whose` stands at the root.
        let key = put.key.rsplit(['/', '.']).next().unwrap_or_default();
        self.look_at(key, text, kept_apart)
    }

    fn look_at(&self, key: &str, text: &str, kept_apart: bool) -> Result<(), AgentError> {
        if is_made_here(text) {
            return Ok(());
        }
        let note = NOTES
            .iter()
            .find(|(known, field)| *known == key || *field == key)
            .map(|(_, field)| *field);
        let line = || LINES.iter().find(|known| **known == key).copied();
        let mut found = look::look(text);
        let looks_lightly = self.keep || note.is_none();
        found.retain(|found| match found.sign {
            Sign::Restricted if kept_apart => false,
            sign => sign.is_never_saved() || !looks_lightly,
        });
        if found.is_empty() {
            return Ok(());
        }
        Err(AgentError::LookedAt {
            field: note.or_else(line).unwrap_or("text"),
            masked: look::masked(text, &found),
            signs: signs(&found),
        })
    }
}

/// Ids and lists of ids, hashes, codes of areas: nobody typed them and some are long.
fn is_made_here(text: &str) -> bool {
    text.split(',').all(|part| {
        let part = part.rsplit(':').next().unwrap_or_default();
        let is_hex = part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let has_letter = part.bytes().any(|c| c.is_ascii_lowercase());
        is_hex && has_letter && matches!(part.len(), 16 | 32 | 64)
    })
}

fn signs(found: &[Found]) -> Vec<Sign> {
    let mut signs: Vec<Sign> = found.iter().map(|found| found.sign).collect();
    signs.sort();
    signs.dedup();
    signs
}
