//! How long a device waits after wrong words: longer each time, and **never destroys anything**.

use std::fmt;
use std::str::FromStr;

/// Wrong words that cost no wait: people mistype.
const FREE: u32 = 4;
/// The first wait, milliseconds.
const FIRST_MS: i64 = 30_000;
/// The longest wait, milliseconds.
const LONGEST_MS: i64 = 60 * 60 * 1000;
/// Wrong words after which a person is sent to who can help.
const LOCKED_AFTER: u32 = 12;

/// The wrong words since the last right one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    wrong: u32,
    last_ms: i64,
}

impl Tries {
    /// Returns how long somebody still has to wait, milliseconds; none if they may try now.
    ///
    /// A clock that was set back starts the wait anew instead of making it as long as the clock is wrong.
    pub fn wait_ms(&mut self, now_ms: i64) -> Option<i64> {
        if now_ms < self.last_ms {
            self.last_ms = now_ms;
        }
        let left = self
            .last_ms
            .saturating_add(self.pause_ms())
            .saturating_sub(now_ms);
        (left > 0).then_some(left)
    }

    /// Notes a wrong word.
    pub fn wrong(&mut self, now_ms: i64) {
        self.wrong = self.wrong.saturating_add(1);
        self.last_ms = now_ms;
    }

    /// Returns how many words were wrong.
    pub fn count(&self) -> u32 {
        self.wrong
    }

    /// Says whether it is time to ask somebody for help.
    pub fn is_stuck(&self) -> bool {
        self.wrong >= LOCKED_AFTER
    }

    fn pause_ms(&self) -> i64 {
        match self.wrong.checked_sub(FREE + 1) {
            None => 0,
            Some(steps) => FIRST_MS
                .checked_shl(steps.min(20))
                .unwrap_or(LONGEST_MS)
                .min(LONGEST_MS),
        }
    }
}

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.wrong, self.last_ms)
    }
}

impl FromStr for Tries {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (wrong, last) = text.trim().split_once(' ').ok_or(())?;
        Ok(Self {
            wrong: wrong.parse().map_err(|_| ())?,
            last_ms: last.parse().map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(wrong: u32, at_ms: i64) -> Tries {
        let mut tries = Tries::default();
        (0..wrong).for_each(|_| tries.wrong(at_ms));
        tries
    }

    #[test]
    fn people_mistype_four_times_and_then_each_wrong_word_waits_twice_as_long_up_to_an_hour() {
        let waits: Vec<_> = [4, 5, 6, 7, 11, 12, 13, 4_000_000]
            .map(|wrong| after(wrong.min(100), 1_000).wait_ms(1_000))
            .to_vec();
        let minutes = |n: i64| Some(n * 30_000);
        assert_eq!(
            waits[..5],
            [None, minutes(1), minutes(2), minutes(4), minutes(64)]
        );
        assert_eq!(waits[5..], [Some(LONGEST_MS); 3]);
    }

    #[test]
    fn a_wait_ends_and_a_clock_that_was_set_back_does_not_make_it_longer() {
        let mut tries = after(5, 1_000_000);
        assert_eq!(tries.wait_ms(1_020_000), Some(10_000));
        assert_eq!(tries.wait_ms(1_030_000), None);
        let mut tries = after(5, 1_000_000_000);
        assert_eq!(tries.wait_ms(5_000), Some(30_000));
        assert_eq!(tries.wait_ms(35_000), None);
    }

    #[test]
    fn tries_read_back_from_their_file() {
        let tries = after(7, 42);
        assert_eq!(tries.to_string().parse(), Ok(tries));
        assert!("".parse::<Tries>().is_err());
        assert!(!tries.is_stuck() && after(12, 0).is_stuck());
    }
}
