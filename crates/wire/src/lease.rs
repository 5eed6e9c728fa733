//! How long a device may show other people's data without meeting its relay.

use minicbor::{Decode, Encode};

use crate::day::Day;
use crate::id::{DeviceId, RelayId, Signature};
use crate::packing;

/// A relay's signed word: this device may read up to and with this day. To a device, at the end of each sync.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Lease {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The relay.
    #[n(1)]
    pub relay: RelayId,
    /// The last day.
    #[n(2)]
    pub until: Day,
    /// The relay's clock when it said so, milliseconds since 1970.
    #[n(3)]
    pub at_ms: i64,
    /// Over [`Lease::signed_bytes`].
    #[n(4)]
    pub signature: Signature,
}

/// What makes the codes of one device's leases; it has no way to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct LeaseKey(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

impl std::fmt::Debug for LeaseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeaseKey")
    }
}

impl Lease {
    /// Returns the bytes the relay signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let content = packing::encode(&(self.device, self.relay, self.until, self.at_ms));
        [b"wangge lease v0\0".as_slice(), &content].concat()
    }
}
