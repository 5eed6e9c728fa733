//! The attachments of this device as files: `blobs/ab/HASH`, and what is still on its way in `part`.
//!
//! **A file stands under its name only whole, durable and fitting it**; a power cut or a full disk
//! leaves what was there before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use wangge_wire::BlobHash;

const FOLDER: &str = "blobs";
const PARTS: &str = "part";

/// The folder of attachments in a home.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    pub(crate) fn of(home: &Path) -> Self {
        Self {
            folder: home.join(FOLDER),
        }
    }

    /// Returns where an attachment is once it is whole.
    pub(crate) fn path(&self, hash: &BlobHash) -> PathBuf {
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

    /// Keeps these bytes under their name, durably; the same again is the same file.
    pub(crate) fn keep(&self, bytes: &[u8]) -> io::Result<BlobHash> {
        let hash = BlobHash::of(bytes);
        if self.has(&hash) {
            return Ok(hash);
        }
        // Its own name: a download of the same file may be half done.
        let next = self.part(&hash).with_extension("new");
        make_folder(&self.folder.join(PARTS))?;
        let mut file = File::create(&next)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        self.settle(&next, &hash)?;
        Ok(hash)
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

    /// Returns at most `most` bytes of a whole attachment.
    pub(crate) fn piece(&self, hash: &BlobHash, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path(hash))?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(most as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
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
        fs::metadata(self.part(hash)).map_or(0, |metadata| metadata.len())
    }

    /// Adds what came to what was there, durably, and returns how much that is now.
    pub(crate) fn add(&self, hash: &BlobHash, bytes: &[u8]) -> io::Result<u64> {
        make_folder(&self.folder.join(PARTS))?;
        let path = self.part(hash);
        let before = self.held(hash);
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // What is half there is cut off again: the next try begins at a place that is known.
            let _ = file.set_len(before);
            return Err(error);
        }
        Ok(before + bytes.len() as u64)
    }

    /// Puts what came under its name; false if it does not fit it, and then it is gone.
    pub(crate) fn finish(&self, hash: &BlobHash) -> io::Result<bool> {
        let path = self.part(hash);
        if BlobHash::of(&fs::read(&path)?) != *hash {
            fs::remove_file(&path)?;
            return Ok(false);
        }
        self.settle(&path, hash)?;
        Ok(true)
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

    #[test]
    fn the_same_bytes_are_one_file_and_what_does_not_fit_its_name_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(dir.path());
        let hash = shelf.keep(b"a photo").unwrap();
        assert_eq!(shelf.keep(b"a photo").unwrap(), hash);
        assert_eq!(shelf.piece(&hash, 2, 3).unwrap(), b"pho");
        let other = BlobHash::of(b"another");
        assert_eq!(shelf.add(&other, b"ano").unwrap(), 3);
        assert_eq!(shelf.add(&other, b"thxr").unwrap(), 7);
        assert!(!shelf.finish(&other).unwrap());
        assert_eq!((shelf.held(&other), shelf.has(&other)), (0, false));
        shelf.add(&other, b"another").unwrap();
        assert!(shelf.finish(&other).unwrap() && shelf.has(&other));
    }
}
