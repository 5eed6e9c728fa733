//! What opens a home: `vault.json` beside its database, the keys sealed in `secrets`, and a secret of the
//! device that lies elsewhere.
//!
//! A home whose person chose no word yet is sealed all the same, and its key lies in the vault for whoever
//! has the folder: `status` says so. **A wrong word makes people wait and destroys nothing**, and what an
//! earlier program kept in the clear is taken away only when the sealed form of it was read back.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use wangge_model::household::IdKey;
use wangge_store::wipe;
use wangge_trust::KeyPair;
use wangge_trust::vault::{
    Draw, MasterKey, NONCE_BYTES, RecoveryKey, RecoverySecret, Tries, Vault, VaultError, Word,
    WordKind, seal, unseal,
};
use wangge_wire::DeviceId;
use zeroize::Zeroizing;

use crate::error::AgentError;
use crate::home::{read_secret, unwritable, write_private};
use crate::machine::Machine;

const VAULT: &str = "vault.json";
const SECRETS: &str = "secrets";
const TRIES: &str = "tries";
/// Bytes of the longest note of wrong words.
const TRIES_BYTES: usize = 32;
/// What programs before 0.4 kept in the clear.
const DEVICE_KEY: &str = "device.key";
const ID_KEY: &str = "id.key";
const PAST_ID_KEYS: &str = "id.keys.past";

/// What of a home keys are in, the vault first: without it nothing opens any more.
pub(crate) const FILES: [&str; 6] = [VAULT, SECRETS, TRIES, DEVICE_KEY, ID_KEY, PAST_ID_KEYS];

/// The purposes that keys are made for.
const FOR_DATABASE: &str = "wangge 2026 device database";
const FOR_SECRETS: &str = "wangge 2026 device secrets";
const FOR_BLOBS: &str = "wangge 2026 device attachments";
/// What the sealed keys are sealed as.
const SEALED: &[u8] = b"wangge secrets 1";
/// The form of what is sealed.
const FORM: u8 = 1;
/// In the place of the device's secret where no word is asked for either: the vault alone opens it.
const NO_SECRET: [u8; 32] = [0; 32];

/// Who is asked for what opens a locked home.
pub type Opener = Box<dyn Fn(&Locked<'_>) -> Result<Opening, AgentError> + Send + Sync>;

/// A home that needs a word.
#[derive(Debug, Clone, Copy)]
pub struct Locked<'a> {
    /// The folder.
    pub dir: &'a Path,
    /// What kind of word opens it.
    pub kind: WordKind,
}

/// What somebody opens a locked home with.
pub enum Opening {
    /// The word, as it was typed.
    Word(Zeroizing<String>),
    /// The key, from whoever holds it since an unlocking, or recovered.
    Key(MasterKey),
}

/// The keys of an open home.
pub struct Keys {
    master: MasterKey,
    device: Zeroizing<[u8; 32]>,
    id: Zeroizing<[u8; 32]>,
    /// Those id numbers were hashed with before, 32 bytes each.
    past: Zeroizing<Vec<u8>>,
    /// Whether an earlier program's keys still lie in the clear.
    plain_left: bool,
}

impl Keys {
    /// Makes the keys of a new home, or goes on where a making was broken off: whoever begins a home again
    /// has the key of the first try, which the relay may know already.
    ///
    /// Where a damaged database stayed of a home whose device was revoked, what opens it stayed too; the new
    /// home is another device's all the same.
    pub(crate) fn make(
        dir: &Path,
        revoked: Option<&DeviceId>,
        machine: &Machine,
    ) -> Result<(), AgentError> {
        if dir.join(SECRETS).exists() {
            let Some(revoked) = revoked else {
                return Ok(());
            };
            let mut keys = Self::open(dir, machine)?;
            if keys.device().public().device() == *revoked {
                keys.device = Zeroizing::new(machine.random()?);
                keys.keep(dir, machine)?;
            }
            return Ok(());
        }
        let kept = |file: &str| match dir.join(file).exists() {
            true => read_secret(&dir.join(file)),
            false => machine.random(),
        };
        let (device, id) = (kept(DEVICE_KEY)?, kept(ID_KEY)?);
        Self::seal_first(dir, device, id, machine)
    }

    /// Opens a home's keys; the word is asked for where one locks them.
    ///
    /// # Errors
    /// [`AgentError::Locked`] where nobody can be asked, [`AgentError::WrongWord`] and
    /// [`AgentError::WordWait`] for wrong words, [`AgentError::HomeFile`] for a file that is gone or damaged.
    pub fn open(dir: &Path, machine: &Machine) -> Result<Self, AgentError> {
        if !dir.join(SECRETS).exists() {
            // An earlier program kept its keys in the clear.
            if dir.join(VAULT).exists() && !dir.join(DEVICE_KEY).exists() {
                return Err(gone(dir.join(SECRETS)));
            }
            let device = read_secret(&dir.join(DEVICE_KEY))?;
            let id = read_secret(&dir.join(ID_KEY))?;
            Self::seal_first(dir, device, id, machine)?;
        }
        // A vault is never made anew beside what it opened.
        let vault = read_vault(dir)?.ok_or_else(|| gone(dir.join(VAULT)))?;
        Self::unsealed(dir, unlock(dir, &vault, machine)?)
    }

    /// Seals keys that are sealed nowhere yet, in a vault that has no word.
    fn seal_first(
        dir: &Path,
        device: [u8; 32],
        id: [u8; 32],
        machine: &Machine,
    ) -> Result<(), AgentError> {
        let master = match read_vault(dir)? {
            // The making was broken off between the two files.
            Some(vault) => unlock(dir, &vault, machine)?,
            None => {
                let master = MasterKey::new(machine.random()?);
                let vault = Vault::close(&master, None, &NO_SECRET, &draw(machine)?);
                write_vault(dir, &vault.map_err(|error| refused(dir, error))?)?;
                master
            }
        };
        let keys = Self {
            master,
            device: Zeroizing::new(device),
            id: Zeroizing::new(id),
            past: read_past(dir)?,
            plain_left: true,
        };
        keys.keep(dir, machine)
    }

    fn unsealed(dir: &Path, master: MasterKey) -> Result<Self, AgentError> {
        let path = dir.join(SECRETS);
        let sealed = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        let plain = unseal(&master.purpose(FOR_SECRETS), SEALED, &sealed);
        let damaged = || AgentError::HomeFile {
            path: path.clone(),
            missing: false,
        };
        let plain = plain.ok_or_else(damaged)?;
        let read = || {
            let (form, rest) = plain.split_first()?;
            let (device, rest) = rest.split_first_chunk::<32>()?;
            let (id, past) = rest.split_first_chunk::<32>()?;
            (*form == FORM && past.len() % 32 == 0).then(|| Self {
                master,
                device: Zeroizing::new(*device),
                id: Zeroizing::new(*id),
                past: Zeroizing::new(past.to_vec()),
                plain_left: dir.join(DEVICE_KEY).exists(),
            })
        };
        read().ok_or_else(damaged)
    }

    /// Keeps the keys sealed, durably.
    fn keep(&self, dir: &Path, machine: &Machine) -> Result<(), AgentError> {
        let parts = [&[FORM][..], &*self.device, &*self.id, &self.past];
        let plain = Zeroizing::new(parts.concat());
        let key = self.master.purpose(FOR_SECRETS);
        let sealed = seal(&key, &machine.random::<NONCE_BYTES>()?, SEALED, &plain);
        write_private(&dir.join(SECRETS), &sealed)
    }

    /// Keeps another key for id numbers; the one before is remembered.
    pub(crate) fn replace_id(
        &mut self,
        dir: &Path,
        key: [u8; 32],
        machine: &Machine,
    ) -> Result<(), AgentError> {
        if *self.id == key {
            return Ok(());
        }
        let past = [&self.past[..], &*self.id].concat();
        let next = Self {
            master: self.master.clone(),
            device: self.device.clone(),
            id: Zeroizing::new(key),
            past: Zeroizing::new(past),
            plain_left: self.plain_left,
        };
        next.keep(dir, machine)?;
        *self = next;
        Ok(())
    }

    /// Takes away what an earlier program kept in the clear; its sealed form was read back.
    pub(crate) fn drop_plain(&mut self, dir: &Path) -> Result<(), AgentError> {
        // The device's key last: while it is there the rest is looked for again.
        for name in [PAST_ID_KEYS, ID_KEY, DEVICE_KEY] {
            wipe_away(&dir.join(name)).map_err(|error| unreadable(&dir.join(name), &error))?;
        }
        self.plain_left = false;
        Ok(())
    }

    /// Says whether an earlier program's files still lie in the clear.
    pub(crate) fn is_plain_left(&self) -> bool {
        self.plain_left
    }

    /// Returns the device's key pair.
    pub fn device(&self) -> KeyPair {
        KeyPair::from_secret(&self.device)
    }

    /// Returns the key of id hashes.
    pub fn id(&self) -> IdKey {
        IdKey::new(*self.id)
    }

    /// Returns the keys that hashes on this device were made with before.
    pub(crate) fn past_ids(&self) -> Vec<IdKey> {
        let keys = self.past.chunks_exact(32);
        keys.filter_map(|key| key.try_into().ok())
            .map(IdKey::new)
            .collect()
    }

    /// Returns the key of the database.
    pub fn database(&self) -> Zeroizing<[u8; 32]> {
        self.master.purpose(FOR_DATABASE)
    }

    /// Returns the key of attachments.
    pub(crate) fn blobs(&self) -> Zeroizing<[u8; 32]> {
        self.master.purpose(FOR_BLOBS)
    }

    /// Returns the key that opens all of the home, for whoever holds it while it is unlocked.
    pub fn master(&self) -> &MasterKey {
        &self.master
    }

    /// Locks the home by a word, or by another one. Where nothing else would open it, a secret that does is
    /// made and returned: nobody else has it. Word and secret are kept in one step, so that no home has a
    /// secret that nobody was shown.
    pub(crate) fn lock_by(
        &self,
        dir: &Path,
        word: &Word,
        machine: &Machine,
    ) -> Result<Option<RecoverySecret>, AgentError> {
        let vault = read_vault(dir)?.ok_or_else(|| gone(dir.join(VAULT)))?;
        let secret = machine.safe.secret_or_new(machine)?;
        let next = vault.close_again(&self.master, Some(word), &secret, &draw(machine)?);
        let mut next = next.map_err(|error| refused(dir, error))?;
        let recovery = match next.is_recoverable() {
            true => None,
            false => {
                let recovery = RecoverySecret::new(machine.random()?);
                let (fresh, nonce) = (machine.random()?, machine.random::<NONCE_BYTES>()?);
                next.wrap_for(&self.master, &recovery.public(), fresh, &nonce);
                Some(recovery)
            }
        };
        // Read back before the old one goes: a word that does not open would lock its person out.
        next.open(Some(word), &secret)
            .map_err(|error| refused(dir, error))?;
        // The place for wrong words is taken while there is room for it.
        keep_tries(dir, &Tries::default())?;
        let before = fs::File::options().write(true).open(dir.join(VAULT));
        write_vault(dir, &next)?;
        if vault.word().is_none() {
            // What opened without a word is not left on the disk, as far as that is in our hands. The home is
            // locked all the same.
            let wiped = before.and_then(|mut file| wipe(&mut file));
            if let Err(error) = wiped {
                tracing::warn!(kind = ?error.kind(), "what opened without a word was not overwritten");
            }
        }
        Ok(recovery)
    }
}

/// Says whether a folder has a device's keys, sealed or as an earlier program left them.
pub(crate) fn has_keys(dir: &Path) -> bool {
    dir.join(SECRETS).exists() || dir.join(DEVICE_KEY).exists()
}

/// Wraps a home's key for a recovery key too, once.
pub(crate) fn wrap_for(
    keys: &Keys,
    dir: &Path,
    to: &RecoveryKey,
    machine: &Machine,
) -> Result<(), AgentError> {
    let Some(mut vault) = read_vault(dir)?.filter(|vault| !vault.is_wrapped_for(to)) else {
        return Ok(());
    };
    let (fresh, nonce) = (machine.random()?, machine.random::<NONCE_BYTES>()?);
    vault.wrap_for(&keys.master, to, fresh, &nonce);
    write_vault(dir, &vault)
}

/// Returns what kind of word locks a home; none where none does, or where there is no home.
pub fn word_of(dir: &Path) -> Result<Option<WordKind>, AgentError> {
    Ok(read_vault(dir)?.and_then(|vault| vault.word()))
}

/// Opens a home's key with a recovery secret, without its word and on any device.
pub fn recover(dir: &Path, secret: &RecoverySecret) -> Result<MasterKey, AgentError> {
    let vault = read_vault(dir)?.ok_or_else(|| AgentError::NoHome { at: dir.to_owned() })?;
    vault.recover(secret).map_err(|error| refused(dir, error))
}

/// Returns the key of a home's database, for whoever looks into it beside its programs.
pub fn database_key(dir: &Path, machine: &Machine) -> Result<Zeroizing<[u8; 32]>, AgentError> {
    Ok(Keys::open(dir, machine)?.database())
}

fn unlock(dir: &Path, vault: &Vault, machine: &Machine) -> Result<MasterKey, AgentError> {
    let Some(kind) = vault.word() else {
        return vault
            .open(None, &NO_SECRET)
            .map_err(|error| refused(dir, error));
    };
    let typed = match (machine.opener)(&Locked { dir, kind })? {
        Opening::Key(master) => return Ok(master),
        Opening::Word(typed) => typed,
    };
    let mut tries = read_tries(dir);
    let now_ms = (machine.now_ms)();
    if let Some(wait_ms) = tries.wait_ms(now_ms) {
        // Of a clock that was ahead the wait began anew, and that is to be known the next time.
        keep_tries(dir, &tries)?;
        return Err(AgentError::WordWait { wait_ms });
    }
    let secret = machine.safe.secret()?;
    let secret = secret.ok_or_else(|| AgentError::NoDeviceSecret { at: dir.to_owned() })?;
    // Noted before it is tried: who ends the program in between has tried all the same.
    tries.wrong(now_ms);
    keep_tries(dir, &tries)?;
    match vault.open(Some(&Word::typed(&typed, kind)), &secret) {
        Ok(master) => {
            // Where it stays noted, the next slip waits sooner: no reason to refuse the right word.
            let _ = keep_tries(dir, &Tries::default());
            Ok(master)
        }
        Err(VaultError::Wrong) => Err(AgentError::WrongWord {
            wait_ms: tries.wait_ms(now_ms).unwrap_or(0),
            stuck: tries.is_stuck(),
        }),
        Err(error) => Err(refused(dir, error)),
    }
}

/// Returns the keys for id numbers that an earlier program had had before; none where it kept no such file. A
/// file that cannot be read is no empty one: it is taken away once its keys are sealed.
fn read_past(dir: &Path) -> Result<Zeroizing<Vec<u8>>, AgentError> {
    let path = dir.join(PAST_ID_KEYS);
    let mut past = match fs::read(&path) {
        Ok(past) => Zeroizing::new(past),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Zeroizing::default(),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    // Half a key at the end is what a power cut left.
    let whole = past.len() - past.len() % 32;
    past.truncate(whole);
    Ok(past)
}

fn read_tries(dir: &Path) -> Tries {
    let text = fs::read_to_string(dir.join(TRIES)).unwrap_or_default();
    text.parse().unwrap_or_default()
}

/// Notes the wrong words where the last ones are noted: that needs no room, and **on a full disk the right word
/// opens the home all the same**.
fn keep_tries(dir: &Path, tries: &Tries) -> Result<(), AgentError> {
    let mut options = fs::File::options();
    let options = options.create(true).truncate(false).write(true);
    let keep = || {
        let mut file = options.open(dir.join(TRIES))?;
        file.write_all(format!("{:<TRIES_BYTES$}", tries.to_string()).as_bytes())?;
        file.sync_all()
    };
    keep().map_err(|error| unwritable(dir, error))
}

fn read_vault(dir: &Path) -> Result<Option<Vault>, AgentError> {
    let path = dir.join(VAULT);
    match fs::read(&path) {
        Ok(bytes) => {
            let vault = serde_json::from_slice(&bytes).map_err(|_| AgentError::HomeFile {
                path,
                missing: false,
            })?;
            Ok(Some(vault))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

fn write_vault(dir: &Path, vault: &Vault) -> Result<(), AgentError> {
    let text = serde_json::to_string_pretty(vault)
        .map_err(|error| AgentError::Internal(error.to_string()))?;
    write_private(&dir.join(VAULT), text.as_bytes())
}

fn draw(machine: &Machine) -> Result<Draw, AgentError> {
    Ok(Draw {
        salt: machine.random()?,
        nonce: machine.random()?,
    })
}

/// Overwrites a file that lay in the clear and takes it away; one that is not there is gone already.
fn wipe_away(path: &Path) -> io::Result<()> {
    match fs::File::options().write(true).open(path) {
        Ok(mut file) => {
            wipe(&mut file)?;
            fs::remove_file(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn gone(path: PathBuf) -> AgentError {
    AgentError::HomeFile {
        path,
        missing: true,
    }
}

fn unreadable(path: &Path, error: &io::Error) -> AgentError {
    match error.kind() {
        io::ErrorKind::NotFound => gone(path.to_owned()),
        _ => AgentError::HomeUnreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    }
}

fn refused(dir: &Path, error: VaultError) -> AgentError {
    match error {
        VaultError::NotForThisKey => AgentError::NotThisRecoveryKey,
        VaultError::Wrong | VaultError::Damaged => AgentError::HomeFile {
            path: dir.join(VAULT),
            missing: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_were_had_before_are_sealed_whole_and_never_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::default();
        let past = dir.path().join(PAST_ID_KEYS);
        for (file, byte) in [(DEVICE_KEY, 1), (ID_KEY, 2)] {
            fs::write(dir.path().join(file), [byte; 32]).unwrap();
        }
        // It is there, and nobody can read it.
        fs::create_dir(&past).unwrap();
        assert!(Keys::open(dir.path(), &machine).is_err());
        assert!(!dir.path().join(SECRETS).exists());
        fs::remove_dir(&past).unwrap();
        // Half a key at the end, of a power cut.
        fs::write(&past, [3; 40]).unwrap();
        let mut keys = Keys::open(dir.path(), &machine).unwrap();
        keys.drop_plain(dir.path()).unwrap();
        assert!(!past.exists());
        let keys = Keys::open(dir.path(), &machine).unwrap();
        assert_eq!(*keys.past, [3; 32]);
    }
}
