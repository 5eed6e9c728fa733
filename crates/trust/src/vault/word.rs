//! The word a person types: digits where a keyring guards the device's secret, else a passphrase.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Digits of the shortest PIN.
const PIN_MIN: usize = 6;
/// Characters of the shortest passphrase: who takes the disk has the device's secret too.
const PASSPHRASE_MIN: usize = 10;
/// Bytes of the longest word.
const BYTES_MAX: usize = 1024;

/// What kind of word opens a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordKind {
    /// At least six digits; the device's secret is in the system's keyring.
    Pin,
    /// At least ten characters; the device's secret is a file.
    Passphrase,
}

/// Why a word is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordTooWeak {
    /// Too few characters.
    #[error("too short")]
    Short {
        /// How many it takes.
        min: usize,
    },
    /// Past 1,024 bytes.
    #[error("too long")]
    Long,
    /// One sign again and again, or signs in their order.
    #[error("too easy")]
    Easy,
}

/// A word as it was typed; forgotten when it is dropped.
pub struct Word {
    text: Zeroizing<String>,
    kind: WordKind,
}

impl Word {
    /// Returns a word that is good enough to lock a home with.
    pub fn new(text: &str, kind: WordKind) -> Result<Self, WordTooWeak> {
        let min = match kind {
            WordKind::Pin => PIN_MIN,
            WordKind::Passphrase => PASSPHRASE_MIN,
        };
        if text.chars().count() < min {
            return Err(WordTooWeak::Short { min });
        }
        if text.len() > BYTES_MAX {
            return Err(WordTooWeak::Long);
        }
        if is_easy(text) {
            return Err(WordTooWeak::Easy);
        }
        Ok(Self::typed(text, kind))
    }

    /// Returns a word to try a lock with, good or not.
    pub fn typed(text: &str, kind: WordKind) -> Self {
        Self {
            text: Zeroizing::new(text.to_owned()),
            kind,
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(super) fn kind(&self) -> WordKind {
        self.kind
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Word({:?})", self.kind)
    }
}

/// Says whether every step from sign to sign is the same: 000000, 123456, 987654.
fn is_easy(text: &str) -> bool {
    let signs: Vec<i64> = text
        .chars()
        .map(|sign| i64::from(u32::from(sign)))
        .collect();
    let mut steps = signs.windows(2).map(|pair| match pair {
        // After nine comes nought.
        [57, 48] => 1,
        [48, 57] => -1,
        [a, b] => b - a,
        _ => 0,
    });
    let first = steps.next().unwrap_or(0);
    (-1..=1).contains(&first) && steps.all(|step| step == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_six_digits_and_a_passphrase_ten_signs() {
        let short = |min| Some(WordTooWeak::Short { min });
        let refused = |text: &str, kind| Word::new(text, kind).err();
        assert_eq!(refused("73914", WordKind::Pin), short(6));
        assert_eq!(refused("739142", WordKind::Pin), None);
        assert_eq!(refused("739142", WordKind::Passphrase), short(10));
        assert_eq!(refused("竹林里有四只鸟在唱歌", WordKind::Passphrase), None);
        assert_eq!(
            refused(&"竹林".repeat(200), WordKind::Passphrase),
            Some(WordTooWeak::Long)
        );
    }

    #[test]
    fn what_everybody_tries_first_is_no_word() {
        for easy in [
            "000000",
            "123456",
            "654321",
            "567890",
            "abcdefghij",
            "aaaaaaaaaa",
        ] {
            assert_eq!(
                Word::new(easy, WordKind::Pin).err(),
                Some(WordTooWeak::Easy),
                "{easy}"
            );
        }
        assert!(Word::new("112358", WordKind::Pin).is_ok());
    }

    #[test]
    fn a_word_is_never_shown() {
        let word = Word::typed("739142", WordKind::Pin);
        assert_eq!(format!("{word:?}"), "Word(Pin)");
    }
}
