//! The bytes of an attachment's file: pieces, each sealed by itself, so that one can be added or read alone.
//!
//! `"WGA1"`, then pieces: their length, four bytes big-endian, and nonce, bytes and tag. A piece is bound to
//! the attachment's hash and to where in it the piece begins. Its nonce is made of the key and of what it
//! seals, so that no chance is needed and two different texts never share one.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use wangge_trust::vault::{NONCE_BYTES, seal, unseal};
use wangge_wire::BlobHash;
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"WGA1";
/// Bytes of the largest piece.
const PIECE_BYTES_MAX: usize = 64 * 1024;
/// What sealing adds to a piece: its nonce and its tag.
const SEALING_BYTES: u64 = NONCE_BYTES as u64 + 16;
/// What the key of nonces is made for.
const NONCES: &str = "wangge 2026 attachment nonces";

/// Writes what a file begins with.
pub(crate) fn begin(file: &mut File) -> io::Result<()> {
    file.write_all(MAGIC)
}

/// Adds bytes that stand at `offset` of the attachment.
pub(crate) fn append(
    file: &mut File,
    key: &[u8; 32],
    hash: &BlobHash,
    offset: u64,
    bytes: &[u8],
) -> io::Result<()> {
    let mut at = offset;
    for piece in bytes.chunks(PIECE_BYTES_MAX) {
        let what = what(hash, at);
        let mut nonces = blake3::Hasher::new_keyed(&blake3::derive_key(NONCES, key));
        nonces.update(&what).update(piece);
        let mut nonce = [0; NONCE_BYTES];
        nonces.finalize_xof().fill(&mut nonce);
        let sealed = seal(key, &nonce, &what, piece);
        let length = u32::try_from(sealed.len()).map_err(|_| damaged())?;
        file.write_all(&[&length.to_be_bytes()[..], &sealed].concat())?;
        at += piece.len() as u64;
    }
    Ok(())
}

/// Says whether a file is a sealed one.
pub(crate) fn is_sealed(path: &Path) -> io::Result<bool> {
    let mut head = [0; 4];
    match File::open(path)?.read_exact(&mut head) {
        Ok(()) => Ok(&head == MAGIC),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A sealed file and where its whole pieces are.
pub(crate) struct Sealed {
    file: File,
    key: Zeroizing<[u8; 32]>,
    hash: BlobHash,
    pieces: Vec<Piece>,
}

struct Piece {
    /// Where in the attachment it begins.
    offset: u64,
    /// Where in the file its sealed bytes begin.
    at: u64,
    /// How many they are.
    sealed: u64,
}

impl Piece {
    fn length(&self) -> u64 {
        self.sealed.saturating_sub(SEALING_BYTES)
    }
}

impl Sealed {
    /// Finds the pieces of a file; one whose end is missing counts as none.
    pub(crate) fn read(mut file: File, key: &[u8; 32], hash: &BlobHash) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut head = [0; 4];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut head)?;
        if &head != MAGIC {
            return Err(damaged());
        }
        let (mut at, mut offset, mut pieces) = (MAGIC.len() as u64, 0, Vec::new());
        while at + 4 <= length {
            file.read_exact(&mut head)?;
            let sealed = u64::from(u32::from_be_bytes(head));
            let most = PIECE_BYTES_MAX as u64 + SEALING_BYTES;
            if !(SEALING_BYTES..=most).contains(&sealed) || at + 4 + sealed > length {
                break;
            }
            let piece = Piece {
                offset,
                at: at + 4,
                sealed,
            };
            at += 4 + sealed;
            offset += piece.length();
            pieces.push(piece);
            file.seek(SeekFrom::Start(at))?;
        }
        Ok(Self {
            file,
            key: Zeroizing::new(*key),
            hash: *hash,
            pieces,
        })
    }

    /// Returns how many bytes of the attachment are here.
    pub(crate) fn length(&self) -> u64 {
        let last = self.pieces.last();
        last.map_or(0, |last| last.offset + last.length())
    }

    /// Returns where in the file the last whole piece ends.
    pub(crate) fn end(&self) -> u64 {
        let last = self.pieces.last();
        last.map_or(MAGIC.len() as u64, |last| last.at + last.sealed)
    }

    /// Returns at most `most` bytes from `from` on.
    pub(crate) fn piece(&mut self, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let until = from.saturating_add(most as u64);
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            let ends = piece.offset + piece.length();
            if ends <= from || piece.offset >= until {
                continue;
            }
            let mut sealed = vec![0; usize::try_from(piece.sealed).map_err(|_| damaged())?];
            self.file.seek(SeekFrom::Start(piece.at))?;
            self.file.read_exact(&mut sealed)?;
            let what = what(&self.hash, piece.offset);
            let plain = unseal(&self.key, &what, &sealed).ok_or_else(damaged)?;
            let within = |at: u64| usize::try_from(at.saturating_sub(piece.offset));
            let (Ok(first), Ok(last)) = (within(from), within(until.min(ends))) else {
                return Err(damaged());
            };
            bytes.extend_from_slice(plain.get(first..last).unwrap_or_default());
        }
        Ok(bytes)
    }
}

/// Returns what a piece is bound to.
fn what(hash: &BlobHash, offset: u64) -> Vec<u8> {
    [
        b"wangge attachment 1".as_slice(),
        &hash.0,
        &offset.to_be_bytes(),
    ]
    .concat()
}

fn damaged() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_reads_back_from_anywhere_and_no_changed_byte_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let bytes: Vec<u8> = (0..150_000u32).map(|n| (n * 31 % 251) as u8).collect();
        let (key, hash) = ([9; 32], BlobHash::of(&bytes));
        let mut file = File::create(&path).unwrap();
        begin(&mut file).unwrap();
        append(&mut file, &key, &hash, 0, &bytes[..70_001]).unwrap();
        append(&mut file, &key, &hash, 70_001, &bytes[70_001..]).unwrap();
        drop(file);
        let open = |key: &[u8; 32], hash| Sealed::read(File::open(&path).unwrap(), key, hash);
        for (from, most) in [(0, usize::MAX), (65_535, 2), (70_000, 80_000), (149_999, 9)] {
            let at = usize::try_from(from).unwrap();
            let until = at.saturating_add(most).min(bytes.len());
            let piece = open(&key, &hash).unwrap().piece(from, most).unwrap();
            assert_eq!(piece, bytes[at..until], "{from} {most}");
        }
        assert!(open(&[8; 32], &hash).unwrap().piece(0, 1).is_err());
        let other = BlobHash::of(b"other");
        assert!(open(&key, &other).unwrap().piece(0, 1).is_err());
        let mut changed = std::fs::read(&path).unwrap();
        changed[100] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert!(open(&key, &hash).unwrap().piece(0, 1).is_err());
    }
}
