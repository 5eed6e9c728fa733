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

/// The signs of a secret on paper: none is taken for another.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// What the check of a secret on paper is made for.
const CHECK: &str = "wangge 2026 recovery secret check";

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

    /// Returns the secret in groups of five characters, for paper: Crockford's base 32 with two bytes of
    /// check, so that a slip of the pen is noticed.
    pub fn shown(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(self.0.to_bytes());
        let check = check(&secret);
        let mut text = Zeroizing::new(String::with_capacity(96));
        let (mut bits, mut held, mut signs) = (0u32, 0u32, 0usize);
        for byte in secret.iter().chain(&check) {
            bits = (bits << 8 | u32::from(*byte)) & 0xfff;
            held += 8;
            while held >= 5 {
                held -= 5;
                push(&mut text, &mut signs, bits >> held & 31);
            }
        }
        push(&mut text, &mut signs, bits << (5 - held) & 31);
        text
    }

    /// Reads what [`RecoverySecret::shown`] wrote; spaces, hyphens, small letters and I, L, O are forgiven.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(36));
        let (mut bits, mut held) = (0u32, 0u32);
        let signs = text.chars();
        for sign in signs.filter(|sign| !sign.is_whitespace() && *sign != '-') {
            let value = match sign.to_ascii_uppercase() {
                'O' => 0,
                'I' | 'L' => 1,
                sign => SIGNS.iter().position(|known| char::from(*known) == sign)?,
            };
            bits = (bits << 5 | u32::try_from(value).ok()?) & 0xfff;
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
            }
        }
        let (secret, said) = bytes.split_first_chunk::<32>()?;
        (said == check(secret)).then(|| Self::new(*secret))
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

fn check(secret: &[u8; 32]) -> [u8; 2] {
    let [first, second, ..] = blake3::derive_key(CHECK, secret);
    [first, second]
}

fn push(text: &mut String, signs: &mut usize, value: u32) {
    if *signs > 0 && signs.is_multiple_of(5) {
        text.push('-');
    }
    *signs += 1;
    let sign = usize::try_from(value).ok().and_then(|at| SIGNS.get(at));
    text.push(sign.copied().map_or('0', char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_on_paper_reads_back_however_it_was_copied_and_no_slip_does() {
        let secret = RecoverySecret::new([0x5a; 32]);
        let shown = secret.shown();
        assert_eq!(shown.len(), 55 + 10);
        let careless = shown.to_lowercase().replace('-', " ").replace('0', "o");
        for text in [shown.as_str(), careless.as_str()] {
            let read = RecoverySecret::parse(text).unwrap();
            assert_eq!(read.public(), secret.public());
        }
        for at in (0..shown.len()).filter(|at| shown.as_bytes()[*at] != b'-') {
            let mut slip = shown.as_bytes().to_vec();
            slip[at] = if slip[at] == b'7' { b'8' } else { b'7' };
            let read = RecoverySecret::parse(std::str::from_utf8(&slip).unwrap());
            // The last sign has two bits of the check and three that mean nothing.
            assert!(read.is_none() || at == shown.len() - 1, "{at}");
        }
        assert!(RecoverySecret::parse("").is_none() && RecoverySecret::parse("王").is_none());
    }
}
