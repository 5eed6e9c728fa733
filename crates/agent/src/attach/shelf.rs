//! The attachments of this device as files: `blobs/ab/HASH`, and what is still on its way in `part`.
//!
//! **A file stands under its name only whole, durable and fitting it**; a power cut or a full disk
//! leaves what was there before. What is in a file is sealed ([`super::sealed`]): it is looked at as a copy
//! that somebody asked for, never where it lies.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use wangge_wire::BlobHash;
use zeroize::Zeroizing;

use super::sealed::{self, Sealed};

pub(crate) const FOLDER: &str = "blobs";
const PARTS: &str = "part";

/// The folder of attachments in a home.
pub(crate) struct Shelf {
    folder: PathBuf,
    key: Zeroizing<[u8; 32]>,
}

impl Shelf {
    pub(crate) fn of(home: &Path, key: Zeroizing<[u8; 32]>) -> Self {
        Self {
            folder: home.join(FOLDER),
            key,
        }
    }

    fn path(&self, hash: &BlobHash) -> PathBuf {
        let name = hash.to_string();
        let (shelf, _) = name.split_at_checked(2).unwrap_or_default();
        self.folder.join(shelf).join(&name)
    }

    fn part(&self, hash: &BlobHash) -> PathBuf {
        self.folder.join(PARTS).join(hash.to_string())
    }

    pub(crate) fn has(&self, hash: &BlobHash) -> bool {
        self.path(hash).exists()
    }

    /// Returns how many bytes a whole attachment has.
    pub(crate) fn length(&self, hash: &BlobHash) -> io::Result<u64> {
        Ok(self.read(&self.path(hash), hash)?.length())
    }

    /// Keeps these bytes under their name, durably; the same again is the same file.
    pub(crate) fn keep(&self, bytes: &[u8]) -> io::Result<BlobHash> {
        let hash = BlobHash::of(bytes);
        if !self.has(&hash) {
            self.keep_as(&hash, bytes)?;
        }
        Ok(hash)
    }

    fn keep_as(&self, hash: &BlobHash, bytes: &[u8]) -> io::Result<()> {
        // Its own name: a download of the same file may be half done.
        let next = self.part(hash).with_extension("new");
        make_folder(&self.folder.join(PARTS))?;
        let mut file = File::create(&next)?;
        sealed::begin(&mut file)?;
        sealed::append(&mut file, &self.key, hash, 0, bytes)?;
        file.sync_all()?;
        self.settle(&next, hash)
    }

    fn settle(&self, from: &Path, hash: &BlobHash) -> io::Result<()> {
        let path = self.path(hash);
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        make_folder(folder)?;
        fs::rename(from, &path)?;
        File::open(folder)?.sync_all()
    }

    fn read(&self, path: &Path, hash: &BlobHash) -> io::Result<Sealed> {
        Sealed::read(File::open(path)?, &self.key, hash)
    }

    /// Returns at most `most` bytes of a whole attachment.
    pub(crate) fn piece(&self, hash: &BlobHash, from: u64, most: usize) -> io::Result<Vec<u8>> {
        self.read(&self.path(hash), hash)?.piece(from, most)
    }

    /// Takes a file away, where it is.
    pub(crate) fn drop_file(&self, hash: &BlobHash) -> io::Result<()> {
        match fs::remove_file(self.path(hash)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns how much of an attachment has come so far.
    pub(crate) fn held(&self, hash: &BlobHash) -> u64 {
        let part = self.read(&self.part(hash), hash);
        part.map_or(0, |part| part.length())
    }

    /// Adds what came to what was there, durably, and returns how much that is now.
    pub(crate) fn add(&self, hash: &BlobHash, bytes: &[u8]) -> io::Result<u64> {
        make_folder(&self.folder.join(PARTS))?;
        let path = self.part(hash);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(&path)?;
        let (held, end) = match Sealed::read(file.try_clone()?, &self.key, hash) {
            Ok(part) => (part.length(), part.end()),
            Err(_) => (0, 0),
        };
        // What a power cut left of a piece is no piece.
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let mut write = || {
            if end == 0 {
                sealed::begin(&mut file)?;
            }
            sealed::append(&mut file, &self.key, hash, held, bytes)?;
            file.sync_all()
        };
        if let Err(error) = write() {
            // What is half there is cut off again: the next try begins at a place that is known.
            let _ = file.set_len(end);
            return Err(error);
        }
        Ok(held + bytes.len() as u64)
    }

    /// Puts what came under its name; false if it does not fit it, and then it is gone.
    pub(crate) fn finish(&self, hash: &BlobHash) -> io::Result<bool> {
        let path = self.part(hash);
        let whole = self.read(&path, hash)?.piece(0, usize::MAX);
        if whole.map(|bytes| BlobHash::of(&bytes)).ok() != Some(*hash) {
            fs::remove_file(&path)?;
            return Ok(false);
        }
        self.settle(&path, hash)?;
        Ok(true)
    }

    /// Seals what an earlier program kept in the clear, each file in one step; what had come in part comes
    /// again.
    pub(crate) fn seal_plain(&self) -> io::Result<()> {
        for folder in entries(&self.folder)? {
            let is_parts = folder.ends_with(PARTS);
            for path in entries(&folder)? {
                if sealed::is_sealed(&path)? {
                    continue;
                }
                let name = path.file_name().and_then(|name| name.to_str());
                match name.and_then(|name| name.parse::<BlobHash>().ok()) {
                    Some(hash) if !is_parts => {
                        let mut plain = OpenOptions::new().read(true).write(true).open(&path)?;
                        self.keep_as(&hash, &fs::read(&path)?)?;
                        wangge_store::wipe(&mut plain)?;
                    }
                    _ => {
                        wangge_store::wipe(&mut OpenOptions::new().write(true).open(&path)?)?;
                        fs::remove_file(&path)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Returns what is in a folder; nothing where there is none.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(found) => found.map(|entry| Ok(entry?.path())).collect(),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Makes a folder whose name lasts.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for above in folder.ancestors().skip(1).take(2) {
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(dir: &Path) -> Shelf {
        Shelf::of(dir, Zeroizing::new([7; 32]))
    }

    #[test]
    fn the_same_bytes_are_one_file_and_what_does_not_fit_its_name_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        let hash = shelf.keep(b"a photo").unwrap();
        assert_eq!(shelf.keep(b"a photo").unwrap(), hash);
        assert_eq!(shelf.piece(&hash, 2, 3).unwrap(), b"pho");
        assert_eq!(shelf.length(&hash).unwrap(), 7);
        let other = BlobHash::of(b"another");
        assert_eq!(shelf.add(&other, b"ano").unwrap(), 3);
        assert_eq!(shelf.add(&other, b"thxr").unwrap(), 7);
        assert!(!shelf.finish(&other).unwrap());
        assert_eq!((shelf.held(&other), shelf.has(&other)), (0, false));
        shelf.add(&other, b"another").unwrap();
        assert!(shelf.finish(&other).unwrap() && shelf.has(&other));
    }

    #[test]
    fn a_piece_that_a_power_cut_tore_is_no_piece_and_the_next_one_goes_on_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        let bytes = vec![5; 200_000];
        let hash = BlobHash::of(&bytes);
        shelf.add(&hash, &bytes[..100_000]).unwrap();
        let whole = fs::read(shelf.part(&hash)).unwrap();
        shelf.add(&hash, &bytes[100_000..]).unwrap();
        let all = fs::read(shelf.part(&hash)).unwrap();
        for torn in [whole.len() + 1, whole.len() + 30_000, all.len() - 1] {
            fs::write(shelf.part(&hash), &all[..torn]).unwrap();
            let held = shelf.held(&hash);
            assert!((100_000..200_000).contains(&held), "{held}");
            let rest = &bytes[usize::try_from(held).unwrap()..];
            assert_eq!(shelf.add(&hash, rest).unwrap(), 200_000);
        }
        assert!(shelf.finish(&hash).unwrap());
        assert_eq!(shelf.piece(&hash, 0, usize::MAX).unwrap(), bytes);
    }

    #[test]
    fn what_lay_in_the_clear_is_sealed_under_its_name_and_half_a_download_goes() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = shelf(dir.path());
        let (photo, other) = (BlobHash::of(b"a photo"), BlobHash::of(b"another"));
        for (path, bytes) in [
            (shelf.path(&photo), &b"a photo"[..]),
            (shelf.part(&other), b"ano"),
        ] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        for _ in 0..2 {
            shelf.seal_plain().unwrap();
            assert_eq!(shelf.piece(&photo, 0, 99).unwrap(), b"a photo");
            let lies = fs::read(shelf.path(&photo)).unwrap();
            assert!(!lies.windows(5).any(|part| part == b"photo"));
            assert!(!shelf.part(&other).exists());
        }
    }
}
