//! What revocations say of a device; **of several the strictest counts, in whatever order they come**.

use std::collections::BTreeMap;

use wangge_wire::{BatchHead, GoodLife, LifeNonce};

/// What all revocations of a device say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The last batch number that is still good, in whatever life.
    pub last_good_batch: u64,
    /// When the device was first revoked, by the clock of who ordered it, milliseconds since 1970.
    pub at_ms: i64,
    /// The last good batch of each life; none where only numbers were said.
    lives: Option<BTreeMap<LifeNonce, u64>>,
}

impl Revocation {
    /// Returns what one revocation says.
    pub fn of(last_good_batch: u64, lives: Option<&[GoodLife]>, at_ms: i64) -> Self {
        let named = |lives: &[GoodLife]| {
            let mut numbers: BTreeMap<LifeNonce, u64> = BTreeMap::new();
            for life in lives {
                // Said twice, the smaller one counts.
                let number = numbers.entry(life.nonce).or_insert(life.number);
                *number = (*number).min(life.number);
            }
            numbers
        };
        Self {
            last_good_batch,
            at_ms,
            lives: lives.map(named),
        }
    }

    pub(super) fn and(&mut self, other: Self) {
        self.last_good_batch = self.last_good_batch.min(other.last_good_batch);
        self.at_ms = self.at_ms.min(other.at_ms);
        self.lives = match (self.lives.take(), other.lives) {
            (Some(own), Some(others)) => Some(
                own.into_iter()
                    .filter_map(|(life, number)| {
                        let other = others.get(&life)?;
                        Some((life, number.min(*other)))
                    })
                    .collect(),
            ),
            (own, others) => own.or(others),
        };
    }

    /// Returns whether what was written in a batch counts: up to the last good one of its life, and what a
    /// relay of this tree received before the revocation.
    ///
    /// **Never by the clock of the device**, which is in the hands of whoever has it.
    pub fn is_good(&self, head: &BatchHead, received_ms: Option<i64>) -> bool {
        let in_life = |lives: &BTreeMap<LifeNonce, u64>| {
            let last = lives.get(&head.nonce);
            last.is_some_and(|last| head.number <= *last)
        };
        let numbered = head.number <= self.last_good_batch;
        (numbered && self.lives.as_ref().is_none_or(in_life))
            || received_ms.is_some_and(|received_ms| received_ms < self.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_wire::{AreaCode, BatchHash, DeviceId};

    fn life(nonce: u8, number: u64) -> GoodLife {
        GoodLife {
            nonce: LifeNonce([nonce; 8]),
            number,
        }
    }

    fn head(nonce: u8, number: u64) -> BatchHead {
        BatchHead {
            suite: 1,
            device: DeviceId([1; 16]),
            nonce: LifeNonce([nonce; 8]),
            number,
            previous: BatchHash([0; 32]),
            roster: 0,
            claimed_at_ms: i64::MIN,
            area: AreaCode::parse("511724").unwrap(),
        }
    }

    #[test]
    fn a_life_that_a_thief_began_has_no_good_batch_however_small_its_number() {
        let lives = [life(1, 7), life(2, 3)];
        let revoked = Revocation::of(7, Some(&lives), 100);
        for (nonce, number, good) in [
            (1, 7, true),
            (1, 8, false),
            (2, 3, true),
            (2, 4, false),
            (3, 1, false),
        ] {
            assert_eq!(revoked.is_good(&head(nonce, number), None), good);
        }
        assert!(revoked.is_good(&head(3, 1), Some(99)));
        assert!(!revoked.is_good(&head(3, 1), Some(100)));
    }

    #[test]
    fn of_several_revocations_the_strictest_counts_whichever_comes_first() {
        let said = [
            Revocation::of(9, None, 300),
            Revocation::of(7, Some(&[life(1, 7), life(2, 3)]), 200),
            Revocation::of(8, Some(&[life(1, 5), life(1, 6)]), 100),
        ];
        let together = |order: [usize; 3]| {
            let mut all = said[order[0]].clone();
            all.and(said[order[1]].clone());
            all.and(said[order[2]].clone());
            all
        };
        let all = together([0, 1, 2]);
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(together(order), all);
        }
        assert_eq!((all.last_good_batch, all.at_ms), (7, 100));
        assert!(all.is_good(&head(1, 5), None) && !all.is_good(&head(1, 6), None));
        assert!(!all.is_good(&head(2, 1), None));
    }
}
