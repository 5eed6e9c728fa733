//! The key of a home and what locks it: a secret word, the device's own secret, the county's key.
//!
//! One random key seals everything of a home. It is kept wrapped twice: by the word its person types
//! together with a secret that lies elsewhere on the device, so that neither alone opens it; and for
//! the county's recovery key, which is offline, so that **a forgotten word never destroys the only
//! copy of what somebody saved**.

mod recovery;
mod tries;
mod word;

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use recovery::{RecoveryKey, RecoverySecret, Wrapped};
pub use tries::Tries;
pub use word::{Word, WordKind, WordTooWeak};

/// Bytes of a nonce of XChaCha20-Poly1305; random ones never meet.
pub const NONCE_BYTES: usize = 24;
/// Argon2id's memory in KiB: what a village's laptop has to spare, and no cheap card has a thousand times.
const MEMORY_KIB: u32 = 64 * 1024;
/// Argon2id's passes over it; about a fifth of a second on a small laptop.
const PASSES: u32 = 3;
/// What a file may ask of the machine that reads it, KiB: more is nobody's vault but an attack.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 64;

/// The key of one home, 32 random bytes; forgotten when it is dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// A vault that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The word is another one, or the device's secret is.
    #[error("the word or the device's secret does not open this home")]
    Wrong,
    /// The file says what no program of ours wrote.
    #[error("this is no vault")]
    Damaged,
    /// No recovery key, or another one than this.
    #[error("the recovery key does not open this home")]
    NotForThisKey,
}

/// How a home's key is kept: the file beside its database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vault {
    /// The form of this file; 1.
    version: u32,
    /// Whether a word is asked for; without one the device's secret alone opens it.
    word: Option<WordKind>,
    memory_kib: u32,
    passes: u32,
    #[serde(with = "base64_bytes")]
    salt: Vec<u8>,
    #[serde(with = "base64_bytes")]
    key: Vec<u8>,
    /// For whom else the key is wrapped.
    #[serde(default)]
    recovery: Vec<Wrapped>,
}

/// The random bytes that closing a vault takes.
pub struct Draw {
    /// For Argon2id.
    pub salt: [u8; 16],
    /// For the wrapping.
    pub nonce: [u8; NONCE_BYTES],
}

impl MasterKey {
    /// Returns the key of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the key of one purpose; a purpose is never used twice.
    pub fn purpose(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key(purpose, self.0.as_slice()))
    }

    /// Returns the bytes, for who holds an unlocked home.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

impl Vault {
    const VERSION: u32 = 1;

    /// Locks a key by a word and the device's secret, or by the device's secret alone.
    pub fn close(
        key: &MasterKey,
        word: Option<&Word>,
        device_secret: &[u8; 32],
        draw: &Draw,
    ) -> Result<Self, VaultError> {
        let mut vault = Self {
            version: Self::VERSION,
            word: word.map(Word::kind),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: draw.salt.to_vec(),
            key: Vec::new(),
            recovery: Vec::new(),
        };
        let wrapping = vault.wrapping(word, device_secret)?;
        vault.key = seal(&wrapping, &draw.nonce, WRAPPED, key.as_bytes());
        Ok(vault)
    }

    /// Returns the same key behind another word; who can recover it stays.
    pub fn close_again(
        &self,
        key: &MasterKey,
        word: Option<&Word>,
        device_secret: &[u8; 32],
        draw: &Draw,
    ) -> Result<Self, VaultError> {
        let mut next = Self::close(key, word, device_secret, draw)?;
        next.recovery.clone_from(&self.recovery);
        Ok(next)
    }

    /// Returns the key.
    ///
    /// # Errors
    /// [`VaultError::Wrong`] for another word or secret, [`VaultError::Damaged`] for no vault.
    pub fn open(
        &self,
        word: Option<&Word>,
        device_secret: &[u8; 32],
    ) -> Result<MasterKey, VaultError> {
        self.check()?;
        if word.is_some() != self.word.is_some() {
            return Err(VaultError::Wrong);
        }
        let wrapping = self.wrapping(word, device_secret)?;
        master(
            unseal(&wrapping, WRAPPED, &self.key)
                .ok_or(VaultError::Wrong)?
                .as_slice(),
        )
    }

    /// Returns which word opens it; none where the device's secret does.
    pub fn word(&self) -> Option<WordKind> {
        self.word
    }

    /// Wraps the key for a recovery key too, once.
    pub fn wrap_for(
        &mut self,
        key: &MasterKey,
        to: &RecoveryKey,
        random: [u8; 32],
        nonce: &[u8; NONCE_BYTES],
    ) {
        if !self.is_wrapped_for(to) {
            self.recovery.push(Wrapped::wrap(key, to, random, nonce));
        }
    }

    /// Says whether a recovery key opens it.
    pub fn is_wrapped_for(&self, to: &RecoveryKey) -> bool {
        self.recovery.iter().any(|wrapped| wrapped.is_for(to))
    }

    /// Says whether anything but the word opens it.
    pub fn is_recoverable(&self) -> bool {
        !self.recovery.is_empty()
    }

    /// Returns the key, for who holds the recovery secret.
    ///
    /// # Errors
    /// [`VaultError::NotForThisKey`] where it was never wrapped for this one.
    pub fn recover(&self, secret: &RecoverySecret) -> Result<MasterKey, VaultError> {
        let mut opened = self
            .recovery
            .iter()
            .filter_map(|wrapped| wrapped.open(secret));
        opened.next().ok_or(VaultError::NotForThisKey)
    }

    fn check(&self) -> Result<(), VaultError> {
        let sane = self.version == Self::VERSION
            && self.memory_kib <= MEMORY_KIB_MAX
            && (1..=PASSES_MAX).contains(&self.passes)
            && self.salt.len() == 16;
        sane.then_some(()).ok_or(VaultError::Damaged)
    }

    /// Returns the key that wraps: Argon2id of the word, mixed with the device's secret.
    fn wrapping(
        &self,
        word: Option<&Word>,
        device_secret: &[u8; 32],
    ) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let mut stretched = Zeroizing::new([0; 32]);
        if let Some(word) = word {
            let params = Params::new(self.memory_kib, self.passes, 1, Some(32))
                .map_err(|_| VaultError::Damaged)?;
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(word.as_bytes(), &self.salt, stretched.as_mut_slice())
                .map_err(|_| VaultError::Damaged)?;
        }
        let mut hasher = blake3::Hasher::new_derive_key(WRAPPING);
        hasher.update(stretched.as_slice());
        hasher.update(device_secret);
        hasher.update(&self.salt);
        Ok(Zeroizing::new(*hasher.finalize().as_bytes()))
    }
}

/// What the wrapping key is derived for.
const WRAPPING: &str = "wangge 2026 vault wrapping key";
/// What a wrapped key is sealed as.
const WRAPPED: &[u8] = b"wangge vault 1";

/// Returns `nonce ‖ ciphertext ‖ tag`; `what` says what it is and is not secret.
pub fn seal(key: &[u8; 32], nonce: &[u8; NONCE_BYTES], what: &[u8], plain: &[u8]) -> Vec<u8> {
    let payload = Payload {
        msg: plain,
        aad: what,
    };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(nonce.into(), payload);
    let mut whole = nonce.to_vec();
    // It fails past 256 GiB only; then nothing is there to open.
    whole.extend(sealed.unwrap_or_default());
    whole
}

/// Returns what [`seal`] sealed; none for another key, another `what`, or a changed byte.
pub fn unseal(key: &[u8; 32], what: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: rest,
        aad: what,
    };
    let plain = XChaCha20Poly1305::new(key.into()).decrypt(nonce.into(), payload);
    plain.ok().map(Zeroizing::new)
}

fn master(bytes: &[u8]) -> Result<MasterKey, VaultError> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| VaultError::Damaged)?;
    Ok(MasterKey::new(bytes))
}

/// Bytes as standard base64 in a file that people may look into.
mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: [u8; 32] = [7; 32];

    fn draw() -> Draw {
        Draw {
            salt: [1; 16],
            nonce: [2; NONCE_BYTES],
        }
    }

    fn word(text: &str) -> Word {
        Word::new(text, WordKind::Passphrase).unwrap()
    }

    fn locked() -> (MasterKey, Vault) {
        let key = MasterKey::new([9; 32]);
        let vault = Vault::close(&key, Some(&word("竹林里有四只鸟在唱歌")), &DEVICE, &draw());
        (key, vault.unwrap())
    }

    #[test]
    fn the_word_and_the_devices_secret_open_it_and_neither_alone() {
        let (key, vault) = locked();
        let open = |text: &str, device: &[u8; 32]| vault.open(Some(&word(text)), device);
        let opened = open("竹林里有四只鸟在唱歌", &DEVICE).unwrap();
        assert_eq!(opened.as_bytes(), key.as_bytes());
        for (text, device) in [
            ("竹林里有五只鸟在唱歌", DEVICE),
            ("竹林里有四只鸟在唱歌", [8; 32]),
        ] {
            assert!(matches!(open(text, &device), Err(VaultError::Wrong)));
        }
        assert!(matches!(vault.open(None, &DEVICE), Err(VaultError::Wrong)));
    }

    #[test]
    fn its_file_reads_back_and_holds_no_key() {
        let (_, vault) = locked();
        let text = serde_json::to_string(&vault).unwrap();
        assert_eq!(serde_json::from_str::<Vault>(&text).unwrap(), vault);
        assert!(!text.contains("CQkJCQkJ"), "{text}");
    }

    #[test]
    fn every_changed_byte_of_it_keeps_it_shut_and_a_bomb_is_not_lit() {
        let (_, vault) = locked();
        let good = Some(word("竹林里有四只鸟在唱歌"));
        for at in [0, NONCE_BYTES, vault.key.len() - 1] {
            let mut changed = vault.clone();
            changed.key[at] ^= 1;
            assert!(matches!(
                changed.open(good.as_ref(), &DEVICE),
                Err(VaultError::Wrong)
            ));
        }
        for (memory_kib, passes) in [(u32::MAX, 3), (64, u32::MAX), (64, 0)] {
            let bomb = Vault {
                memory_kib,
                passes,
                ..vault.clone()
            };
            assert!(matches!(
                bomb.open(good.as_ref(), &DEVICE),
                Err(VaultError::Damaged)
            ));
        }
    }

    #[test]
    fn a_new_word_opens_the_same_key_and_the_old_one_does_not() {
        let (key, mut vault) = locked();
        let secret = RecoverySecret::new([3; 32]);
        vault.wrap_for(&key, &secret.public(), [4; 32], &[5; NONCE_BYTES]);
        let next = vault
            .close_again(&key, Some(&word("another long word")), &DEVICE, &draw())
            .unwrap();
        let opened = next
            .open(Some(&word("another long word")), &DEVICE)
            .unwrap();
        assert_eq!(opened.as_bytes(), key.as_bytes());
        let old = word("竹林里有四只鸟在唱歌");
        assert!(matches!(
            next.open(Some(&old), &DEVICE),
            Err(VaultError::Wrong)
        ));
        assert_eq!(next.recover(&secret).unwrap().as_bytes(), key.as_bytes());
    }

    #[test]
    fn the_countys_key_opens_what_was_wrapped_for_it_and_nothing_else() {
        let (key, mut vault) = locked();
        let (county, other) = (RecoverySecret::new([3; 32]), RecoverySecret::new([4; 32]));
        assert!(matches!(
            vault.recover(&county),
            Err(VaultError::NotForThisKey)
        ));
        for _ in 0..2 {
            vault.wrap_for(&key, &county.public(), [5; 32], &[6; NONCE_BYTES]);
        }
        assert_eq!(vault.recovery.len(), 1, "once");
        assert_eq!(vault.recover(&county).unwrap().as_bytes(), key.as_bytes());
        assert!(matches!(
            vault.recover(&other),
            Err(VaultError::NotForThisKey)
        ));
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let key = MasterKey::new([9; 32]);
        assert_ne!(key.purpose("a"), key.purpose("b"));
        assert_eq!(key.purpose("a"), MasterKey::new([9; 32]).purpose("a"));
        assert_eq!(format!("{key:?}"), "MasterKey");
    }
}
