//! How much of a share is left: a bucket that fills with time.

use std::time::Instant;

use crate::limits::Share;

/// Parts of one that are counted: a share fills by less than one in a moment.
const PARTS: i128 = 1_000;

/// How much is left of a share; below nothing where more was taken than there was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    parts: i128,
    at: Instant,
}

impl Left {
    /// Returns a whole share, so many times.
    pub(super) fn full(share: Share, times: u32, now: Instant) -> Self {
        Self {
            parts: most(share, times),
            at: now,
        }
    }

    /// Returns whether there are so many.
    pub(super) fn has(&mut self, count: u64, share: Share, times: u32, now: Instant) -> bool {
        self.fill(share, times, now);
        self.parts >= i128::from(count) * PARTS
    }

    /// Takes so many, if they are there.
    pub(super) fn take(&mut self, count: u64, share: Share, times: u32, now: Instant) -> bool {
        let has = self.has(count, share, times, now);
        if has {
            self.parts -= i128::from(count) * PARTS;
        }
        has
    }

    /// Takes so many, also where they are not there.
    pub(super) fn owe(&mut self, count: u64, share: Share, times: u32, now: Instant) {
        self.fill(share, times, now);
        self.parts -= i128::from(count) * PARTS;
    }

    fn fill(&mut self, share: Share, times: u32, now: Instant) {
        let ms = now.saturating_duration_since(self.at).as_millis();
        let ms = i128::try_from(ms).unwrap_or(i128::MAX / i128::from(u64::MAX));
        let more = ms * i128::from(share.a_second) * i128::from(times) * PARTS / 1_000;
        if more > 0 {
            self.parts = (self.parts + more).min(most(share, times));
            self.at = now;
        }
    }
}

fn most(share: Share, times: u32) -> i128 {
    i128::from(share.at_once) * i128::from(times) * PARTS
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SHARE: Share = Share {
        at_once: 3,
        a_second: 2,
    };

    #[test]
    fn a_share_is_taken_up_to_its_limit_and_not_one_past_it() {
        let now = Instant::now();
        let mut left = Left::full(SHARE, 1, now);
        for _ in 0..3 {
            assert!(left.take(1, SHARE, 1, now));
        }
        assert!(!left.take(1, SHARE, 1, now));
        let half = now + Duration::from_millis(500);
        assert!(!left.take(1, SHARE, 1, half - Duration::from_millis(1)));
        assert!(left.take(1, SHARE, 1, half));
        assert!(!left.take(1, SHARE, 1, half));
    }

    #[test]
    fn a_share_never_grows_past_what_it_is_at_once() {
        let now = Instant::now();
        let mut left = Left::full(SHARE, 2, now);
        let later = now + Duration::from_secs(3_600);
        assert!(left.take(6, SHARE, 2, later));
        assert!(!left.has(1, SHARE, 2, later));
    }

    #[test]
    fn what_is_owed_is_paid_with_time() {
        let now = Instant::now();
        let mut left = Left::full(SHARE, 1, now);
        left.owe(5, SHARE, 1, now);
        assert!(!left.has(1, SHARE, 1, now + Duration::from_millis(1_499)));
        assert!(left.has(1, SHARE, 1, now + Duration::from_millis(1_500)));
    }

    #[test]
    fn looking_often_loses_nothing_of_what_fills() {
        let now = Instant::now();
        let mut left = Left::full(SHARE, 1, now);
        assert!(left.take(3, SHARE, 1, now));
        for ms in 0..500 {
            assert!(!left.has(1, SHARE, 1, now + Duration::from_millis(ms)));
        }
        assert!(left.has(1, SHARE, 1, now + Duration::from_millis(500)));
    }
}
