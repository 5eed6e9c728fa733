//! What an operator decides before a relay runs, and the clock and the dice it uses.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_rustls::rustls::sign::CertifiedKey;
use wangge_trust::tls;
use wangge_wire::limits::{LEASE_DAYS_MAX, PACKS_DOCUMENTS_MIN};
use wangge_wire::order::LevelForm;
use wangge_wire::{DocKind, Role};

use crate::error::RelayError;
use crate::limits::Limits;
use crate::packs::Packs;
use crate::upstream::SharedCarrier;

/// Bytes of attachments of one device, where the operator says nothing: five years of a photo a day.
const BLOB_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// A device that was lost must get nothing any more within a minute, also at a relay that only hears of it
/// from above: half of the minute is for the meeting.
pub(crate) const UPSTREAM_EVERY: Duration = Duration::from_secs(30);

/// What an operator decides. Name and level count at the first start only; they are in the root order.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What people call the relay.
    pub name: String,
    /// Where in the tree it stands.
    pub level: LevelForm,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where chance comes from.
    pub dice: Dice,
    /// The largest size of the database in pages of 4 KiB; none leaves it to the disk.
    pub pages_max: Option<u32>,
    /// Bytes of attachments that one device may bring.
    pub blob_bytes_max: u64,
    /// How packs are made; none makes none.
    pub packs: Option<Packs>,
    /// Documents from which a device that begins to read is told of packs.
    pub packs_from: u64,
    /// How long a relay below another waits at most before it meets it again; none for only when told.
    pub upstream_every: Option<Duration>,
    /// How long devices may read without coming.
    pub lease_days: LeaseDays,
    /// What carries its requests to the relay above; none for the network.
    pub upstream_carrier: Option<SharedCarrier>,
    /// How what goes over a line is kept from others.
    pub tls: Tls,
    /// What it allows whoever connects.
    pub limits: Limits,
    /// Kinds of documents that say who asked to see something hidden: each change of one has its row in the
    /// audit chain. The relay does not know what a kind means; whoever runs it does.
    pub access_kinds: Vec<DocKind>,
}

/// How what goes over a line is kept from others.
#[derive(Debug, Clone, Default)]
pub enum Tls {
    /// Plain HTTP where the relay listens on this machine alone, else TLS by its own key.
    #[default]
    ByAddress,
    /// TLS by its own key wherever it listens.
    OwnKey,
    /// TLS by a certificate that an authority gave.
    Certificate(Certificate),
    /// Plain HTTP to a program on this machine that speaks TLS with the world.
    BehindProxy,
}

/// A certificate that an authority gave, with its key.
#[derive(Clone)]
pub struct Certificate(Arc<CertifiedKey>);

impl Certificate {
    /// Reads the PEM of a chain and of its key.
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, RelayError> {
        Ok(Self(tls::ordinary(chain, key)?))
    }

    pub(crate) fn shown(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate")
    }
}

/// How many days from a sync a device may read on without another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseDays {
    /// Who looks after grids, works for a unit or checks.
    pub worker: u32,
    /// A station, a township, the county.
    pub desk: u32,
}

impl Default for LeaseDays {
    fn default() -> Self {
        Self {
            worker: 14,
            desk: 30,
        }
    }
}

impl LeaseDays {
    /// Returns the days of somebody in this role; none for a relay, which is no device.
    pub(crate) fn of(self, role: Role) -> Option<u32> {
        match role {
            Role::Worker | Role::Unit | Role::Auditor => Some(self.worker),
            Role::Station | Role::Township | Role::County => Some(self.desk),
            Role::Relay => None,
        }
        .map(|days| days.min(LEASE_DAYS_MAX))
    }
}

/// Where a relay reads the time: milliseconds since 1970.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

/// Where a relay takes random bytes from.
#[derive(Clone)]
pub struct Dice(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) -> Result<(), RelayError> + Send + Sync;

impl Settings {
    /// Returns settings with the system's clock and no limit but the disk.
    pub fn new(name: impl Into<String>, level: LevelForm) -> Self {
        Self {
            name: name.into(),
            level,
            clock: Clock::system(),
            dice: Dice::system(),
            pages_max: None,
            blob_bytes_max: BLOB_BYTES_MAX,
            packs: None,
            packs_from: PACKS_DOCUMENTS_MIN,
            upstream_every: Some(UPSTREAM_EVERY),
            lease_days: LeaseDays::default(),
            upstream_carrier: None,
            tls: Tls::default(),
            limits: Limits::default(),
            access_kinds: Vec::new(),
        }
    }
}

impl Clock {
    /// Returns the system's clock.
    pub fn system() -> Self {
        Self::of(|| {
            let since = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// Returns a clock that `now` reads.
    pub fn of(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Returns the time, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        (self.0)()
    }
}

impl Dice {
    /// Returns the system's dice.
    pub fn system() -> Self {
        Self::of(|bytes| getrandom::fill(bytes).map_err(|_| RelayError::Random))
    }

    /// Returns dice that `fill` throws.
    pub fn of(fill: impl Fn(&mut [u8]) -> Result<(), RelayError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Returns fresh random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], RelayError> {
        let mut bytes = [0; N];
        (self.0)(&mut bytes)?;
        Ok(bytes)
    }
}

impl std::fmt::Debug for Dice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dice")
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
