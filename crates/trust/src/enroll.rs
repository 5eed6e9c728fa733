//! Invitations: ten typed characters, a public part that finds them and a secret that proves.
//!
//! The secret never travels. Both sides show that they hold it by an HMAC over both public keys,
//! keyed by Argon2id of the secret, so that a listener has to pay for each guess.

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wangge_wire::PublicKey;
use wangge_wire::enroll::proof_bytes;

/// Letters and digits that are not taken for each other on paper or by telephone (Crockford).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of the public part.
const PUBLIC_CHARS: usize = 3;
/// Characters of a code.
pub const CODE_CHARS: usize = 10;
/// Wrong tries after which an invitation is dead.
pub const TRIES_MAX: u32 = 5;
/// How long an invitation lives, milliseconds.
pub const LIFE_MS: i64 = 24 * 60 * 60 * 1000;

/// A typed code, cut into its parts.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    public: String,
    secret: String,
}

/// A text that is no invitation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an invitation code has {CODE_CHARS} letters and digits")]
pub struct BadCode;

/// The side a proof is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The device that wants in.
    Device,
    /// The relay that takes it in.
    Relay,
}

impl Code {
    /// Returns a code made of ten random bytes.
    pub fn from_random(random: &[u8; CODE_CHARS]) -> Self {
        let text = letters(random);
        let (public, secret) = text.split_at_checked(PUBLIC_CHARS).unwrap_or_default();
        Self {
            public: public.to_owned(),
            secret: secret.to_owned(),
        }
    }

    /// Returns the code a person typed: any case, blanks and hyphens left out, O and I and L read
    /// as the digits they look like, full-width forms accepted.
    pub fn parse(typed: &str) -> Result<Self, BadCode> {
        let text = normal(typed)?;
        match text.split_at_checked(PUBLIC_CHARS) {
            Some((public, secret)) if text.len() == CODE_CHARS => Ok(Self {
                public: public.to_owned(),
                secret: secret.to_owned(),
            }),
            _ => Err(BadCode),
        }
    }

    /// Returns the part that finds the invitation.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Returns the code as it is shown and typed.
    pub fn shown(&self) -> String {
        format!("{}{}", self.public, self.secret)
    }

    /// Returns the key of both proofs: Argon2id of the secret, 19 MiB, two passes.
    pub fn proof_key(&self) -> Result<[u8; 32], BadCode> {
        let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|_| BadCode)?;
        let salt = format!("wangge invitation {}", self.public);
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.secret.as_bytes(), salt.as_bytes(), &mut key)
            .map_err(|_| BadCode)?;
        Ok(key)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({}…)", self.public)
    }
}

/// Returns a letter for each byte, by its five lowest bits.
pub(crate) fn letters(bytes: &[u8]) -> String {
    let letter = |byte: &u8| {
        ALPHABET
            .get(usize::from(byte % 32))
            .copied()
            .map(char::from)
    };
    bytes.iter().filter_map(letter).collect()
}

/// Returns what a person typed in the letters of a code.
pub(crate) fn normal(typed: &str) -> Result<String, BadCode> {
    let mut text = String::new();
    for letter in typed.chars() {
        let letter = match u32::from(letter) {
            wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(letter),
            _ => letter,
        };
        let letter = match letter.to_ascii_uppercase() {
            ' ' | '-' | '\u{3000}' => continue,
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if !ALPHABET.iter().any(|known| char::from(*known) == letter) {
            return Err(BadCode);
        }
        text.push(letter);
    }
    Ok(text)
}

/// Returns one side's proof over both keys.
pub fn proof(
    key: &[u8; 32],
    side: Side,
    relay: &PublicKey,
    device: &PublicKey,
    nonce: &[u8; 16],
) -> [u8; 32] {
    keyed(key, side, relay, device, nonce)
        .finalize()
        .into_bytes()
        .into()
}

/// Returns whether the other side's proof is right, in time that does not depend on where it is wrong.
pub fn check_proof(
    given: &[u8; 32],
    key: &[u8; 32],
    side: Side,
    relay: &PublicKey,
    device: &PublicKey,
    nonce: &[u8; 16],
) -> bool {
    keyed(key, side, relay, device, nonce)
        .verify_slice(given)
        .is_ok()
}

fn keyed(
    key: &[u8; 32],
    side: Side,
    relay: &PublicKey,
    device: &PublicKey,
    nonce: &[u8; 16],
) -> Hmac<Sha256> {
    let side = match side {
        Side::Device => "device",
        Side::Relay => "relay",
    };
    // HMAC fills a short key with zeros up to the block; doing so here leaves nothing that can fail.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&proof_bytes(side, relay, device, nonce));
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_as_people_type_it() {
        let code = Code::from_random(&[0, 1, 33, 31, 4, 5, 6, 7, 8, 255]);
        assert_eq!(code.shown().len(), CODE_CHARS);
        let shown = code.shown();
        let (first, second) = shown.split_at(5);
        assert_eq!(Code::parse(&shown.to_lowercase()), Ok(code.clone()));
        assert_eq!(
            Code::parse(&format!("{}-{}", first, second)),
            Ok(code.clone())
        );
        assert_eq!(
            Code::parse(&shown.replace('0', "o").replace('1', "Ｉ")),
            Ok(code)
        );
        for bad in [
            "",
            "012345678",
            "01234567890",
            "012345678!",
            "登记码登记码登记码登",
        ] {
            assert_eq!(Code::parse(bad), Err(BadCode), "{bad}");
        }
    }

    #[test]
    fn a_proof_covers_the_secret_the_side_and_both_keys() {
        let code = Code::from_random(&[3; 10]);
        let key = code.proof_key().unwrap();
        let (relay, device, nonce) = (PublicKey([1; 32]), PublicKey([2; 32]), [5; 16]);
        let good = proof(&key, Side::Device, &relay, &device, &nonce);
        assert!(check_proof(
            &good,
            &key,
            Side::Device,
            &relay,
            &device,
            &nonce
        ));
        assert!(!check_proof(
            &good,
            &key,
            Side::Relay,
            &relay,
            &device,
            &nonce
        ));
        let evil = PublicKey([6; 32]);
        assert!(!check_proof(
            &good,
            &key,
            Side::Device,
            &evil,
            &device,
            &nonce
        ));
        assert!(!check_proof(
            &good,
            &key,
            Side::Device,
            &relay,
            &evil,
            &nonce
        ));
        assert!(!check_proof(
            &good,
            &key,
            Side::Device,
            &relay,
            &device,
            &[6; 16]
        ));
        let other = Code::from_random(&[3, 3, 3, 3, 3, 3, 3, 3, 3, 4])
            .proof_key()
            .unwrap();
        assert!(!check_proof(
            &good,
            &other,
            Side::Device,
            &relay,
            &device,
            &nonce
        ));
    }
}
