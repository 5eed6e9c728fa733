//! What a document may hold, with the unit in each name.
//!
//! Past a limit is a clear error before anything is saved; what was typed stays with the caller.

/// Characters of a note, a report's text, an answer.
pub const NOTE_CHARS_MAX: usize = 2_000;
/// Characters of a name, a door, a place, a subject.
pub const LINE_CHARS_MAX: usize = 120;
/// Members of a household, those who left included.
pub const MEMBERS_MAX: usize = 40;
/// Further telephones of a household, beside its own.
pub const CONTACTS_MAX: usize = 8;
/// Purposes of one visit.
pub const PURPOSES_MAX: usize = 8;

/// Something typed is too long or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} is longer than {limit}")]
pub struct TooLong {
    /// The field, as JSON names it.
    pub field: &'static str,
    /// The limit, in the unit the constant names.
    pub limit: usize,
}

/// Returns the text if it has at most `limit` characters.
pub fn at_most<'a>(field: &'static str, text: &'a str, limit: usize) -> Result<&'a str, TooLong> {
    if text.chars().count() > limit {
        Err(TooLong { field, limit })
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_not_bytes() {
        let note = "好".repeat(NOTE_CHARS_MAX);
        assert!(at_most("note", &note, NOTE_CHARS_MAX).is_ok());
        assert!(at_most("note", &(note + "好"), NOTE_CHARS_MAX).is_err());
    }
}
