//! Room on the disk that nobody else gets: for orders that must be written when all else is full.
//!
//! A file of bytes beside the database. **Who is revoked must be revoked on a full disk too**, and what is
//! to be erased, erased: the file goes, the order is written in its place, and what room is left is taken
//! back before anybody else gets it. Work that devices bring waits on them; they keep it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// The file in a relay's folder.
pub(crate) const FILE: &str = "ballast";
/// An order is some hundred bytes, and what SQLite writes around it some tens of KiB.
const BYTES: u64 = 2 * 1024 * 1024;
/// Written at once: what is left of a disk is taken to this much.
const PIECE_BYTES: usize = 16 * 1024;
/// Pages beyond a limit that an operator set, for the same purpose.
const PAGES: u32 = 64;

/// The file.
#[derive(Debug, Clone)]
pub(crate) struct Ballast {
    path: PathBuf,
}

impl Ballast {
    /// Returns the one beside a database.
    pub(crate) fn beside(database: &Path) -> Self {
        Self {
            path: database.with_file_name(FILE),
        }
    }

    /// Takes the room that belongs to it, or what there is of that.
    pub(crate) fn keep(&self) {
        match self.fill() {
            Ok(()) => {}
            Err(error) => {
                let kind = error.kind();
                tracing::warn!(?kind, "less room than is kept for orders");
            }
        }
    }

    fn fill(&self) -> io::Result<()> {
        let held = fs::metadata(&self.path).map_or(0, |file| file.len());
        if held >= BYTES {
            return Ok(());
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        let left = usize::try_from(BYTES - held).unwrap_or(usize::MAX);
        // Bytes that a file system which compresses makes nothing smaller of.
        let mut bytes = vec![0; left];
        let name = self.path.as_os_str().as_encoded_bytes();
        let mut source = blake3::Hasher::new().update(name).finalize_xof();
        source.fill(&mut bytes);
        let written = bytes
            .chunks(PIECE_BYTES)
            .try_for_each(|piece| file.write_all(piece));
        written.and(file.sync_all())
    }

    /// Gives the room away; false where there was none.
    pub(crate) fn release(&self) -> bool {
        let held = fs::metadata(&self.path).is_ok_and(|file| file.len() > 0);
        let gone = held && fs::remove_file(&self.path).is_ok();
        if gone {
            // Room in a folder whose change is not on the disk may not be there yet.
            let dir = self.path.parent().unwrap_or(Path::new("."));
            let _ = File::open(dir).and_then(|dir| dir.sync_all());
        }
        gone
    }

    /// Runs what must be written once more in the room that is kept, and takes back what is left of it.
    pub(crate) fn instead<T>(&self, write: impl FnOnce() -> T) -> Option<T> {
        let released = self.release();
        let written = released.then(write);
        self.keep();
        written
    }
}

/// Lets `writer`'s connection write some pages past the limit that was set for its database, while `write`
/// runs.
pub(crate) fn past_the_limit<W, T>(
    writer: &mut W,
    connection: fn(&W) -> &Connection,
    write: impl FnOnce(&mut W) -> T,
) -> T {
    let limit = pages(connection(writer), None);
    if let Some(limit) = limit {
        pages(connection(writer), Some(limit.saturating_add(PAGES)));
    }
    let written = write(writer);
    if let Some(limit) = limit {
        // One below what is there is taken for what is there.
        pages(connection(writer), Some(limit));
    }
    written
}

/// Sets how many pages a database may have, where a number is said; returns how many it may.
fn pages(connection: &Connection, set: Option<u32>) -> Option<u32> {
    let sql = match set {
        Some(pages) => format!("PRAGMA max_page_count = {pages}"),
        None => "PRAGMA max_page_count".to_owned(),
    };
    connection.query_row(&sql, [], |row| row.get(0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_kept_given_away_once_and_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::beside(&dir.path().join("relay.db"));
        let held = || fs::metadata(dir.path().join(FILE)).map_or(0, |file| file.len());
        assert!(!ballast.release());
        ballast.keep();
        assert_eq!(held(), BYTES);
        let during = ballast.instead(held);
        assert_eq!((during, held()), (Some(0), BYTES));
        // What was taken of it meanwhile comes back when there is room again.
        File::options()
            .write(true)
            .open(dir.path().join(FILE))
            .unwrap()
            .set_len(5)
            .unwrap();
        ballast.keep();
        assert_eq!(held(), BYTES);
        assert!(ballast.release() && !ballast.release());
        let mut ran = false;
        assert_eq!(ballast.instead(|| ran = true), None);
        assert!(!ran, "there was no room to give");
        assert_eq!(held(), BYTES);
    }

    #[test]
    fn what_is_kept_cannot_be_made_smaller() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::beside(&dir.path().join("relay.db"));
        ballast.keep();
        let bytes = fs::read(dir.path().join(FILE)).unwrap();
        let mut counts = [0_u32; 256];
        bytes
            .iter()
            .for_each(|byte| counts[usize::from(*byte)] += 1);
        let expected = bytes.len() as u32 / 256;
        assert!(
            counts
                .iter()
                .all(|count| count.abs_diff(expected) < expected / 10)
        );
    }
}
