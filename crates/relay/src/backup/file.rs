//! The bytes of a backup.
//!
//! ```text
//! database (SQLite) ‖ attachments, sealed, one behind the other
//!   ‖ for each: hash 32, bytes as they are here u64
//!   ‖ bytes of the database u64 ‖ number of attachments u64 ‖ made ms i64 ‖ magic 16 ‖ BLAKE3 32
//! ```
//!
//! In the form before this one, whose magic ends with 0, relay key 32 ‖ 1 if a tree key follows, else 0 ‖ tree
//! key 32 stand behind the database, and attachments are in the clear.
//!
//! Numbers are little-endian. **The last 32 bytes are the hash of all before them**, so that a cut or a
//! changed byte anywhere is known before anything is made of the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use wangge_wire::BlobHash;

use super::{BackupTrouble, private};
use crate::doc_keys::DocKeys;
use crate::error::RelayError;

const MAGIC: &[u8; 16] = b"wangge backup 1\n";
const MAGIC_BEFORE: &[u8; 16] = b"wangge backup 0\n";
/// Key, flag, tree's key, in the form before this one.
const SECRET_BYTES: u64 = 65;
const INDEX_ROW_BYTES: u64 = 40;
/// What stands at the end without the hash, and the hash.
const FOOTER_BYTES: u64 = 40;
const HASH_BYTES: u64 = 32;

/// The secrets of a relay.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) key: [u8; 32],
    /// The key for id numbers that the relay above gave.
    pub(super) tree: Option<[u8; 32]>,
}

/// What a whole backup holds.
pub(super) struct Contents {
    /// The secrets, in the form before this one: else they lie with the keys.
    pub(super) secret: Option<Secret>,
    pub(super) blobs: Vec<(BlobHash, u64)>,
    pub(super) made_ms: i64,
    database: u64,
    path: PathBuf,
}

/// Adds everything but the database to the file that begins with it, and syncs.
pub(super) fn append(
    path: &Path,
    blobs: &[(BlobHash, PathBuf)],
    keys: &DocKeys,
    made_ms: i64,
) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let database = file.seek(SeekFrom::End(0))?;
    let mut index = Vec::new();
    for (hash, blob) in blobs {
        let sealed = keys.seal_blob(hash, &fs::read(blob)?);
        let sealed = sealed.map_err(io::Error::other)?;
        file.write_all(&sealed)?;
        index.extend_from_slice(&hash.0);
        index.extend_from_slice(&(sealed.len() as u64).to_le_bytes());
    }
    file.write_all(&index)?;
    file.write_all(&database.to_le_bytes())?;
    file.write_all(&(blobs.len() as u64).to_le_bytes())?;
    file.write_all(&made_ms.to_le_bytes())?;
    file.write_all(MAGIC)?;
    let length = file.stream_position()?;
    let hash = hash(&mut File::open(path)?, length)?;
    file.write_all(hash.as_bytes())?;
    file.sync_all()
}

/// Reads a backup and proves every byte of it.
pub(super) fn read(path: &Path) -> Result<Contents, RelayError> {
    let not_whole = || BackupTrouble::NotWhole(path.to_owned());
    let unreadable = |error: io::Error| BackupTrouble::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let contents = parse(path, &mut file).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => not_whole(),
        _ => unreadable(error),
    })?;
    Ok(contents.ok_or_else(not_whole)?)
}

fn parse(path: &Path, file: &mut File) -> io::Result<Option<Contents>> {
    let length = file.metadata()?.len();
    let Some(hashed) = length.checked_sub(HASH_BYTES) else {
        return Ok(None);
    };
    let told = hash(file, hashed)?;
    if array::<32>(file)? != *told.as_bytes() {
        return Ok(None);
    }
    let Some(footer) = hashed.checked_sub(FOOTER_BYTES) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(footer))?;
    let database = u64::from_le_bytes(array(file)?);
    let count = u64::from_le_bytes(array(file)?);
    let made_ms = i64::from_le_bytes(array(file)?);
    let magic = array::<16>(file)?;
    let secret_bytes = match &magic {
        MAGIC => 0,
        MAGIC_BEFORE => SECRET_BYTES,
        _ => return Ok(None),
    };
    let index = count.checked_mul(INDEX_ROW_BYTES);
    let Some(index) = index.and_then(|index| footer.checked_sub(index)) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(index))?;
    let mut blobs = Vec::new();
    let mut ends = database.checked_add(secret_bytes);
    for _ in 0..count {
        let (hash, bytes) = (BlobHash(array(file)?), u64::from_le_bytes(array(file)?));
        ends = ends.and_then(|ends| ends.checked_add(bytes));
        blobs.push((hash, bytes));
    }
    if ends != Some(index) {
        return Ok(None);
    }
    let mut secret = None;
    if secret_bytes > 0 {
        file.seek(SeekFrom::Start(database))?;
        let (key, [has_tree], tree) = (array(file)?, array::<1>(file)?, array(file)?);
        let tree = (has_tree == 1).then_some(tree);
        secret = Some(Secret { key, tree });
    }
    Ok(Some(Contents {
        secret,
        blobs,
        made_ms,
        database,
        path: path.to_owned(),
    }))
}

impl Contents {
    /// Writes the database to a file that is not there yet.
    pub(super) fn write_database(&self, to: &Path) -> io::Result<()> {
        self.write(0, self.database, to)
    }

    /// Writes each attachment where `place` says; returns those that do not fit their names, or have no key
    /// any more, which are not kept.
    pub(super) fn write_blobs(
        &self,
        keys: &DocKeys,
        place: impl Fn(&BlobHash) -> io::Result<PathBuf>,
    ) -> io::Result<Vec<BlobHash>> {
        let secret = self.secret.as_ref().map_or(0, |_| SECRET_BYTES);
        let mut from = self.database.saturating_add(secret);
        let mut damaged = Vec::new();
        for (hash, bytes) in &self.blobs {
            let kept = self.read(from, *bytes)?;
            let plain = match self.secret {
                Some(_) => Some(kept),
                None => keys.open_blob(hash, &kept).map_err(io::Error::other)?,
            };
            match plain.filter(|plain| BlobHash::of(plain) == *hash) {
                Some(plain) => {
                    let mut file = private(&place(hash)?)?;
                    file.write_all(&plain)?;
                    file.sync_all()?;
                }
                None => damaged.push(*hash),
            }
            from = from.saturating_add(*bytes);
        }
        Ok(damaged)
    }

    fn read(&self, from: u64, bytes: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut read = Vec::new();
        match file.take(bytes).read_to_end(&mut read)? as u64 == bytes {
            true => Ok(read),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write(&self, from: u64, bytes: u64, to: &Path) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut written = private(to)?;
        if io::copy(&mut file.take(bytes), &mut written)? != bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        written.sync_all()
    }
}

/// Returns the hash of the first bytes; the file stands behind them.
fn hash(file: &mut File, bytes: u64) -> io::Result<blake3::Hash> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut Read::by_ref(file).take(bytes), &mut hasher)?;
    Ok(hasher.finalize())
}

fn array<const N: usize>(file: &mut File) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
