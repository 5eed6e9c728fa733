//! The lease 租期: how long this device shows other people's data without meeting its relay.
//!
//! **Adding never stops**: floods last longer than leases. What ends is reading. The greatest time ever known
//! here counts, so that a clock that is set back prolongs nothing; a home that was never given a lease has no
//! end of one.

use serde::Serialize;
use wangge_store::lease::LeaseRow;
use wangge_trust::key::verify_lease;
use wangge_trust::lease::day_of;
use wangge_trust::vault::Tries;
use wangge_wire::limits::LEASE_DAYS_MAX;
use wangge_wire::{Day, End, PublicKey};

use crate::error::AgentError;
use crate::people::shown;
use crate::replica::Replica;

/// How coarse the greatest time known is, milliseconds: not every command writes.
const SEEN_EVERY_MS: i64 = 10 * 60 * 1000;
/// How soon a lease that ends is pointed out, days.
const SOON_DAYS: u32 = 3;

/// How long this device may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaseView {
    /// The last day, `2026-12-15`.
    pub until: String,
    /// Days left, that one included; 0 once it is over.
    pub days_left: u32,
    /// Whether it ends within a few days.
    pub soon: bool,
    /// Whether it is over.
    pub over: bool,
}

/// Why a lease's code was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeRefused {
    /// It is no code, or not this device's, or one that was used up.
    Wrong,
    /// Too many were wrong: so many seconds are to pass.
    Wait {
        /// Seconds.
        seconds: u64,
    },
    /// This device has no lease that could be renewed: it is not enrolled, or never synced.
    NoLease,
}

impl Replica {
    /// Returns how long this device may read; none where nothing limits it.
    pub fn lease(&self) -> Result<Option<LeaseView>, AgentError> {
        Ok(self.lease_row()?.map(|row| {
            let today = Day::of_ms(row.seen_ms).0;
            let days_left = (row.until.0 + 1).saturating_sub(today);
            LeaseView {
                until: shown(row.until),
                days_left,
                soon: days_left <= SOON_DAYS,
                over: days_left == 0,
            }
        }))
    }

    /// Says no where other people's data may not be shown: the lease is over, or the device was revoked.
    pub fn may_read(&self) -> Result<(), AgentError> {
        if let Some(purged) = &self.purged {
            return Err(AgentError::Purged(Box::new(purged.clone())));
        }
        match self.lease()? {
            Some(lease) if lease.over => Err(AgentError::LeaseEnded { until: lease.until }),
            _ => Ok(()),
        }
    }

    /// Returns whether other people's data may be shown.
    pub fn reads(&self) -> Result<bool, AgentError> {
        match self.may_read() {
            Ok(()) => Ok(true),
            Err(AgentError::LeaseEnded { .. } | AgentError::Purged(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes a code that was read out by telephone, and returns how long this device may read now.
    pub fn renew_lease(&mut self, typed: &str) -> Result<LeaseView, AgentError> {
        let refused = |why| Err(AgentError::LeaseCode(why));
        let Some(row) = self.lease_row()? else {
            return refused(CodeRefused::NoLease);
        };
        let now_ms = self.now_ms();
        let mut tries: Tries = row.tries.parse().unwrap_or_default();
        if let Some(wait_ms) = tries.wait_ms(now_ms) {
            // A clock that was set back began the wait anew.
            let tries = tries.to_string();
            self.home.store.keep_lease(&LeaseRow { tries, ..row })?;
            let seconds = u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000);
            return refused(CodeRefused::Wait { seconds });
        }
        // Only what prolongs: a code that was heard once is of no use for a second time.
        let first = (row.until.0.saturating_add(1)).max(Day::of_ms(row.seen_ms).0);
        let days = first..=first.saturating_add(LEASE_DAYS_MAX);
        match day_of(&row.key, &self.device(), typed, days) {
            Ok(Some(until)) => {
                let tries = String::new();
                self.home.store.keep_lease(&LeaseRow {
                    until,
                    tries,
                    ..row
                })?;
            }
            // Letters that make no code cost nothing: nobody guesses with them.
            Err(_) => return refused(CodeRefused::Wrong),
            Ok(None) => {
                tries.wrong(now_ms);
                let tries = tries.to_string();
                self.home.store.keep_lease(&LeaseRow { tries, ..row })?;
                return refused(CodeRefused::Wrong);
            }
        }
        let renewed = self.lease()?;
        renewed.ok_or_else(|| AgentError::Internal("a lease that is gone".into()))
    }

    /// Keeps the lease that the end of a sync with the own relay brought, if it is good. The relay's time is
    /// the greatest known from then on: a clock that was ahead once locks nobody for good.
    pub(crate) fn keep_lease(&self, relay_key: &PublicKey, end: &End) -> Result<(), AgentError> {
        let own = self.home.profile.relay.as_ref();
        let is_own = own.is_some_and(|link| link.key == *relay_key);
        let (Some(lease), Some(key), true) = (&end.lease, end.lease_key, is_own) else {
            return Ok(());
        };
        if lease.device != self.device() || !verify_lease(relay_key, lease) {
            tracing::warn!("a lease that is not this device's, or not of its relay, was not taken");
            return Ok(());
        }
        let row = LeaseRow {
            until: lease.until,
            key,
            seen_ms: lease.at_ms,
            tries: String::new(),
        };
        Ok(self.home.store.keep_lease(&row)?)
    }

    /// Returns the lease with the greatest time known, which is kept.
    fn lease_row(&self) -> Result<Option<LeaseRow>, AgentError> {
        let Some(mut row) = self.home.store.lease()? else {
            return Ok(None);
        };
        let now_ms = self.now_ms();
        if now_ms > row.seen_ms {
            let coarse = now_ms.saturating_sub(row.seen_ms) >= SEEN_EVERY_MS;
            let other_day = Day::of_ms(now_ms) != Day::of_ms(row.seen_ms);
            row.seen_ms = now_ms;
            if (coarse || other_day)
                && let Err(error) = self.home.store.keep_lease(&row)
            {
                // On a full disk what is here is read all the same; the next command notes it.
                tracing::warn!(%error, "the time that was seen is not noted");
            }
        }
        Ok(Some(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::{Profile, RelayLink};
    use crate::machine::Machine;
    use wangge_trust::KeyPair;
    use wangge_wire::{AreaCode, Cursor, Incarnation, Lease, LeaseKey, Signature};

    #[test]
    fn a_lease_that_is_forged_for_another_device_or_of_another_relay_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let areas = vec![AreaCode::parse("511724103202001").unwrap()];
        let mut replica = Replica::init(dir.path(), "李梅", areas, Machine::default()).unwrap();
        let (relay, other) = (
            KeyPair::from_secret(&[1; 32]),
            KeyPair::from_secret(&[2; 32]),
        );
        let profile = Profile {
            relay: Some(RelayLink {
                url: "http://127.0.0.1:1".into(),
                key: relay.public(),
                name: "杨家镇".into(),
                level: "township".into(),
            }),
            ..replica.home.profile.clone()
        };
        replica.home.keep_profile(profile).unwrap();
        let lease = |key: &KeyPair, device| {
            let mut lease = Lease {
                device,
                relay: key.public().relay(),
                until: Day(30_000),
                at_ms: replica.now_ms(),
                signature: Signature([0; 64]),
            };
            key.sign_lease(&mut lease);
            lease
        };
        let good = lease(&relay, replica.device());
        let longer = Lease {
            until: Day(40_000),
            ..good.clone()
        };
        let strange = lease(&relay, other.public().device());
        let end = |lease: &Lease| End {
            cursor: Cursor {
                relay: relay.public().relay(),
                incarnation: Incarnation([0; 16]),
                position: 0,
                chain: 0,
                covers: None,
                granted: None,
            },
            digests: Vec::new(),
            watermarks: Vec::new(),
            inbox: 0,
            above: None,
            decisions: None,
            waiting: None,
            undecided: None,
            lost: None,
            lease: Some(Box::new(lease.clone())),
            lease_key: Some(LeaseKey([3; 32])),
            audit: None,
        };
        let forged = lease(&other, replica.device());
        for (key, lease) in [
            (relay.public(), &longer),
            (relay.public(), &strange),
            (relay.public(), &forged),
            (other.public(), &forged),
        ] {
            replica.keep_lease(&key, &end(lease)).unwrap();
            assert!(replica.lease().unwrap().is_none(), "{lease:?}");
        }
        replica.keep_lease(&relay.public(), &end(&good)).unwrap();
        assert_eq!(replica.lease().unwrap().unwrap().until, "2052-02-20");
    }
}
