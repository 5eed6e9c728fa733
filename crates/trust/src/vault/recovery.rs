//! The county's offline key: who holds its secret opens a home whose word is forgotten.
//!
//! X25519 with a fresh key a wrapping, BLAKE3 over the shared secret and both public keys,
//! XChaCha20-Poly1305.

use serde::{Deserialize, Serialize};
use wangge_wire::PublicKey;
use x25519_dalek::{PublicKey as Point, StaticSecret};
use zeroize::Zeroizing;

use super::{MasterKey, NONCE_BYTES, base64_bytes, seal, unseal};

const WRAPPING: &str = "wangge 2026 recovery wrapping key";
const WRAPPED: &[u8] = b"wangge recovery 1";

/// The public half of a recovery key: every device knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryKey(pub PublicKey);

/// The secret half; it belongs on paper or a stick in a safe.
pub struct RecoverySecret(StaticSecret);

/// A home's key, wrapped for one recovery key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    to: RecoveryKey,
    #[serde(with = "base64_bytes")]
    fresh: Vec<u8>,
    #[serde(with = "base64_bytes")]
    key: Vec<u8>,
}

impl RecoverySecret {
    /// Returns the secret of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// Returns the public half.
    pub fn public(&self) -> RecoveryKey {
        RecoveryKey(PublicKey(Point::from(&self.0).to_bytes()))
    }
}

impl std::fmt::Debug for RecoverySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecoverySecret({})", self.public().0)
    }
}

impl Wrapped {
    pub(super) fn wrap(
        key: &MasterKey,
        to: &RecoveryKey,
        random: [u8; 32],
        nonce: &[u8; NONCE_BYTES],
    ) -> Self {
        let fresh = StaticSecret::from(random);
        let point = Point::from(&fresh).to_bytes();
        let wrapping = wrapping(&fresh, &to.0.0, &point, &to.0.0);
        Self {
            to: *to,
            fresh: point.to_vec(),
            key: seal(&wrapping, nonce, WRAPPED, key.as_bytes()),
        }
    }

    pub(super) fn is_for(&self, to: &RecoveryKey) -> bool {
        self.to == *to
    }

    pub(super) fn open(&self, secret: &RecoverySecret) -> Option<MasterKey> {
        let own = secret.public();
        let fresh: [u8; 32] = self.fresh.as_slice().try_into().ok()?;
        let wrapping = wrapping(&secret.0, &fresh, &fresh, &own.0.0);
        let key = unseal(&wrapping, WRAPPED, &self.key).filter(|_| self.is_for(&own))?;
        super::master(&key).ok()
    }
}

fn wrapping(
    secret: &StaticSecret,
    theirs: &[u8; 32],
    fresh: &[u8; 32],
    to: &[u8; 32],
) -> Zeroizing<[u8; 32]> {
    let shared = secret.diffie_hellman(&Point::from(*theirs));
    let mut hasher = blake3::Hasher::new_derive_key(WRAPPING);
    for part in [shared.as_bytes(), fresh, to] {
        hasher.update(part);
    }
    Zeroizing::new(*hasher.finalize().as_bytes())
}
