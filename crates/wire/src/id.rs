//! Names made of bytes: every id is its own type, shown as lower-case hex.
//!
//! An id never contains an area code: areas merge and are renamed, ids never change.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// A text that is not the hex form of an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is {expected} hex digits")]
pub struct BadId {
    /// How many digits the id has.
    pub expected: usize,
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Bytes of this id.
            pub const LEN: usize = $len;

            /// Returns the id in a slice of exactly its length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Returns the bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                from_hex(text).map(Self).ok_or(BadId { expected: $len * 2 })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                to: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                to.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(from: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::from_slice(from.bytes()?)
                    .ok_or_else(|| decode::Error::message("an id of the wrong length"))
            }
        }
    };
}

byte_id!(
    /// A document: a household, a visit book, a report, a ticket.
    DocId, 16);
byte_id!(
    /// A person who works with the tool; never a resident.
    PersonId, 16);
byte_id!(
    /// One person on one device: the first 16 bytes of BLAKE3 of its public key.
    DeviceId, 16);
byte_id!(
    /// A relay: the first 16 bytes of BLAKE3 of its public key.
    RelayId, 16);
byte_id!(
    /// One life of a relay's log; new at each restore.
    Incarnation, 16);
byte_id!(
    /// A writer inside documents: one life of one device's database.
    ActorId, 8);
byte_id!(
    /// What makes an actor of a device: drawn anew for each life of its database.
    LifeNonce, 8);
byte_id!(
    /// What changes of different documents share when one user action made them.
    ActionId, 8);
byte_id!(
    /// A leave or cover of the roster, whichever orders replace each other.
    CoverId, 8);
byte_id!(
    /// The SHA-256 of a change's chunk, or the BLAKE3 of another entry's bytes.
    ChangeHash, 32);
byte_id!(
    /// The BLAKE3 of a batch's signed content.
    BatchHash, 32);
byte_id!(
    /// The BLAKE3 of an attachment's bytes.
    BlobHash, 32);
byte_id!(
    /// The BLAKE3 of a frame of a pack, as it travels.
    FrameHash, 32);
byte_id!(
    /// The BLAKE3 of a row of a relay's audit chain.
    AuditHash, 32);
byte_id!(
    /// An Ed25519 public key.
    PublicKey, 32);
byte_id!(
    /// An Ed25519 signature.
    Signature, 64);

impl PublicKey {
    /// Returns the device that holds this key.
    pub fn device(&self) -> DeviceId {
        DeviceId(self.short())
    }

    /// Returns the relay that holds this key.
    pub fn relay(&self) -> RelayId {
        RelayId(self.short())
    }

    /// Returns the actor that a database life of this key's device writes as.
    ///
    /// Two copies of one database must never write as one actor: a change would then be refused
    /// for ever by every replica that saw the other first. The nonce keeps the copies apart.
    pub fn actor(&self, nonce: &LifeNonce) -> ActorId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(&nonce.0);
        ActorId(truncate(hasher.finalize().as_bytes()))
    }

    fn short(&self) -> [u8; 16] {
        truncate(blake3::hash(&self.0).as_bytes())
    }
}

/// Returns the first `N` bytes of a hash.
pub fn truncate<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(hash) {
        *to = *from;
    }
    out
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N * 2 {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_hex() {
        let id = DocId([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("ab".parse::<DocId>(), Err(BadId { expected: 32 }));
        assert!("+b".repeat(16).parse::<DocId>().is_err());
        assert!("é".repeat(16).parse::<DocId>().is_err());
    }

    #[test]
    fn each_life_of_a_database_is_another_actor() {
        let key = PublicKey([7; 32]);
        assert_ne!(key.actor(&LifeNonce([1; 8])), key.actor(&LifeNonce([2; 8])));
        assert_eq!(key.actor(&LifeNonce([1; 8])), key.actor(&LifeNonce([1; 8])));
    }
}
