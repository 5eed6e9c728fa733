//! Enrolment: a device shows that it holds the invitation, the relay shows it too.
//!
//! Both proofs are keyed by the invitation's secret and cover both public keys, so that nobody in
//! between can put a key of theirs in place of either.

use minicbor::{Decode, Encode};

use crate::id::{Incarnation, PublicKey};
use crate::order::LevelForm;
use crate::packing;

/// What a relay says of itself to anybody. `GET /v1/relay`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayCard {
    /// The protocol it speaks.
    #[n(0)]
    pub version: u16,
    /// Its key.
    #[n(1)]
    pub key: PublicKey,
    /// The life of its log.
    #[n(2)]
    pub incarnation: Incarnation,
    /// What people call it.
    #[n(3)]
    pub name: String,
    /// Where in the tree it stands.
    #[n(4)]
    pub level: LevelForm,
    /// Its clock, milliseconds since 1970.
    #[n(5)]
    pub at_ms: i64,
}

/// A device asks to be enrolled. `POST /v1/enroll`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrollAsk {
    /// The public part of the invitation's code.
    #[n(0)]
    pub invitation: String,
    /// The device's key.
    #[n(1)]
    pub device_key: PublicKey,
    /// Fresh for this request.
    #[n(2)]
    pub nonce: [u8; 16],
    /// The device's proof over both keys and the nonce.
    #[n(3)]
    pub proof: [u8; 32],
}

/// The relay takes the device in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrollAnswer {
    /// The relay's proof over both keys and the nonce.
    #[n(0)]
    pub proof: [u8; 32],
    /// The signed orders from the root to this device's grant, as bytes.
    #[n(1)]
    pub orders: Vec<OrderBytes>,
    /// The key that id numbers are hashed with below this relay, so that two devices can tell that
    /// they met the same person without either keeping a digit. Made at the relay's first start.
    #[n(2)]
    pub id_key: [u8; 32],
}

/// The bytes of one order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct OrderBytes(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub Vec<u8>,
);

/// Why a device was not enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EnrollRefusal {
    /// No such invitation, or the typed code is wrong.
    #[n(1)]
    WrongCode,
    /// Five wrong tries: the invitation is dead.
    #[n(2)]
    TooManyTries,
    /// The invitation was used by another device.
    #[n(3)]
    Spent,
    /// The invitation is older than its 24 hours.
    #[n(4)]
    Expired,
    /// The request does not read.
    #[n(5)]
    Malformed,
}

/// Returns the bytes both proofs cover.
pub fn proof_bytes(side: &str, relay: &PublicKey, device: &PublicKey, nonce: &[u8; 16]) -> Vec<u8> {
    packing::encode(&(
        "wangge enroll v0",
        side,
        relay,
        device,
        minicbor::bytes::ByteArray::from(*nonce),
    ))
}
