//! The attachments of a relay: files named by their BLAKE3, and who may read them.
//!
//! `blobs/ab/HASH` is whole, durable and what its name says; `blobs/part/DEVICE-HASH` is what one device
//! has sent of it so far, so that nobody spoils another's. **A piece is answered after its fsync; a
//! whole that does not fit its name is thrown away.** The relay never looks into one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use wangge_trust::{Action, Member, Roster, What, allowed};
use wangge_wire::limits::BLOB_PARTS_MAX;
use wangge_wire::{AreaCode, BlobAsk, BlobHash, Day, DeviceId, DocId, Role};

use crate::log::{signed, unsigned};
use crate::places;

/// The folder beside the database.
pub(crate) const FOLDER: &str = "blobs";
/// What is not whole yet.
const PARTS: &str = "part";
/// What was whole once and does not fit its name any more.
const ASIDE: &str = "damaged";
/// Bytes read at once to prove a file.
const READ_AT_ONCE: usize = 64 * 1024;

/// An attachment that is durable, and a document that names it.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) hash: BlobHash,
    pub(crate) doc: DocId,
    pub(crate) bytes: u64,
    pub(crate) device: DeviceId,
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// So many bytes are durable.
    Part(u64),
    /// All of it is, and fits its name.
    Whole,
    /// All of it came and does not fit its name; it is gone.
    WrongHash,
}

/// What the relay knows of an attachment, as one device may ask about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// The device may do what it wants to the document.
    pub(crate) allowed: bool,
    /// The document is known to name it.
    pub(crate) named: bool,
    /// The device may read it already, by this document or by another.
    pub(crate) readable: bool,
    /// Its size, if it is whole.
    pub(crate) bytes: Option<u64>,
    /// Bytes of attachments that the device has brought.
    pub(crate) brought: u64,
    /// How many times what one device may bring it may: a relay hands on what those below it brought.
    pub(crate) measures: u64,
}

/// The files.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// Returns the files beside this database.
    pub(crate) fn beside(database: &Path) -> Self {
        Self {
            folder: database.with_file_name(FOLDER),
        }
    }

    /// Returns where it is, or would be, whole.
    pub(crate) fn whole(&self, hash: &BlobHash) -> PathBuf {
        let name = hash.to_string();
        let (shelf, _) = name.split_at_checked(2).unwrap_or_default();
        self.folder.join(shelf).join(&name)
    }

    fn part(&self, device: &DeviceId, hash: &BlobHash) -> PathBuf {
        self.folder.join(PARTS).join(format!("{device}-{hash}"))
    }

    /// Returns whether it is here whole.
    pub(crate) fn has(&self, hash: &BlobHash) -> bool {
        self.whole(hash).exists()
    }

    /// Returns whether it is here with so many bytes.
    pub(crate) fn has_all(&self, hash: &BlobHash, bytes: u64) -> bool {
        fs::metadata(self.whole(hash)).is_ok_and(|found| found.len() == bytes)
    }

    /// Returns whether it is here and fits its name. One that does not is put aside, and from then on is
    /// missing like one that was never here: it is asked for again.
    pub(crate) fn proves(&self, hash: &BlobHash) -> io::Result<bool> {
        let path = self.whole(hash);
        match fits(&path, hash) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        tracing::warn!("an attachment does not fit its name and is put aside");
        let aside = self.folder.join(ASIDE);
        make_folder(&aside)?;
        match fs::rename(&path, aside.join(hash.to_string())) {
            // Somebody else found it at the same moment.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(false),
        }
    }

    /// Returns at most `most` bytes from an offset.
    pub(crate) fn read(&self, hash: &BlobHash, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.whole(hash))?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(most as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Adds a piece if it begins where the part ends, and returns after the fsync. One that begins
    /// elsewhere adds nothing: the answer tells the sender where to go on.
    pub(crate) fn take(
        &self,
        device: &DeviceId,
        hash: &BlobHash,
        ask: &BlobAsk,
        piece: &[u8],
    ) -> io::Result<Taken> {
        let path = self.part(device, hash);
        let mut held = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if held > ask.bytes {
            // Begun under another size: one of the two was wrong.
            fs::remove_file(&path)?;
            held = 0;
        }
        if held == ask.offset && !piece.is_empty() {
            if held == 0 {
                self.make_room(device)?;
            }
            if let Err(error) = append(&path, held, piece) {
                // Half a piece may be there: it is cut off again, or found too long by the next.
                let _ = OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_len(held));
                return Err(error);
            }
            held += piece.len() as u64;
        }
        if held < ask.bytes {
            return Ok(Taken::Part(held));
        }
        if BlobHash::of(&fs::read(&path)?) != *hash {
            fs::remove_file(&path)?;
            return Ok(Taken::WrongHash);
        }
        let whole = self.whole(hash);
        if let Some(folder) = whole.parent() {
            make_folder(folder)?;
            fs::rename(&path, &whole)?;
            File::open(folder)?.sync_all()?;
        }
        Ok(Taken::Whole)
    }

    /// Makes room for one more part: of a device with too many the oldest goes, which it has itself.
    fn make_room(&self, device: &DeviceId) -> io::Result<()> {
        let folder = self.folder.join(PARTS);
        make_folder(&folder)?;
        let begins = format!("{device}-");
        let mut parts = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&begins) {
                parts.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        parts.sort();
        let surplus = (parts.len() + 1).saturating_sub(BLOB_PARTS_MAX);
        for (_, path) in parts.into_iter().take(surplus) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

/// Returns whether a file's bytes are what its name says.
pub(crate) fn fits(path: &Path, hash: &BlobHash) -> io::Result<bool> {
    let (mut file, mut hasher) = (File::open(path)?, blake3::Hasher::new());
    let mut bytes = vec![0; READ_AT_ONCE];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(hasher.finalize().as_bytes() == &hash.0),
            read => hasher.update(bytes.get(..read).unwrap_or_default()),
        };
    }
}

fn append(path: &Path, held: u64, piece: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.seek(SeekFrom::Start(held))?;
    file.write_all(piece)?;
    file.sync_all()?;
    match path.parent().filter(|_| held == 0) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Makes a folder whose name lasts, and those above it.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for above in folder.ancestors().skip(1).take(2) {
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

/// Notes an attachment whose bytes are durable, and the document that names it.
pub(crate) fn note(
    connection: &Connection,
    arrived: &Arrived,
    now_ms: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO blob (hash, bytes, device, received_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(params![
            arrived.hash.0,
            signed(arrived.bytes),
            arrived.device.0,
            now_ms
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO blob_ref (hash, doc) VALUES (?1, ?2) ON CONFLICT (hash, doc) DO NOTHING",
        )?
        .execute(params![arrived.hash.0, arrived.doc.0])?;
    // Nobody asks for it any more, and the relay above, which may have lost it too, hears of it at once.
    connection
        .prepare_cached("DELETE FROM blob_wanted WHERE hash = ?1")?
        .execute([arrived.hash.0])?;
    connection
        .prepare_cached("UPDATE blob_told SET asked_ms = 0 WHERE hash = ?1 AND incarnation = x''")?
        .execute([arrived.hash.0])?;
    Ok(())
}

/// Returns what is known of an attachment, as this device may ask about it through this document.
pub(crate) fn standing(
    connection: &Connection,
    roster: &Roster,
    (device, day): (&DeviceId, Day),
    (hash, doc): (&BlobHash, &DocId),
    action: Action,
) -> rusqlite::Result<Standing> {
    let may = |doc: &DocId, action: Action| -> rusqlite::Result<bool> {
        let Some(document) = places::document(connection, doc)? else {
            return Ok(false);
        };
        let what = What {
            home: &document.placed.home,
            audiences: &document.placed.audiences,
        };
        Ok(allowed(roster, device, action, &what, day).is_allowed())
    };
    let bytes = connection
        .prepare_cached("SELECT bytes FROM blob WHERE hash = ?1")?
        .query_row([hash.0], |row| row.get(0).map(unsigned))
        .optional()?;
    let brought = connection
        .prepare_cached("SELECT ifnull(sum(bytes), 0) FROM blob WHERE device = ?1")?
        .query_row([device.0], |row| row.get(0).map(unsigned))?;
    let mut refs = connection.prepare_cached("SELECT doc FROM blob_ref WHERE hash = ?1")?;
    let refs = refs.query_map([hash.0], |row| row.get(0).map(DocId))?;
    let refs = refs.collect::<rusqlite::Result<Vec<DocId>>>()?;
    let mut readable = false;
    for named in &refs {
        readable = readable || may(named, Action::Read)?;
    }
    // What somebody wrote arrives whole: its photo too, wherever the document went meanwhile. A relay below
    // brings what was brought to it of what it reads, or read before that went elsewhere.
    let below = roster.member(device).filter(|me| me.role == Role::Relay);
    let wrote = match (action, below) {
        (Action::Write, None) => has_written(connection, device, doc)?,
        (Action::Write, Some(_)) => {
            may(doc, Action::Read)? || has_read(connection, roster, (device, day), doc)?
        }
        _ => false,
    };
    Ok(Standing {
        allowed: wrote || may(doc, action)?,
        named: refs.contains(doc),
        readable,
        bytes,
        brought,
        measures: below.map_or(1, |me| devices_in(roster, &me.areas).max(1)),
    })
}

/// Returns whether a device signed an entry of a document, numbered, waiting or in the inbox.
fn has_written(connection: &Connection, device: &DeviceId, doc: &DocId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM entry e JOIN batch b ON b.id = e.batch
                            WHERE e.doc = ?1 AND b.device = ?2)
                 OR EXISTS (SELECT 1 FROM parked WHERE doc = ?1 AND device = ?2)",
        )?
        .query_row(params![doc.0, device.0], |row| row.get(0))
}

/// Returns whether a document lived where a device reads, by itself or with what it belongs to.
fn has_read(
    connection: &Connection,
    roster: &Roster,
    (device, day): (&DeviceId, Day),
    doc: &DocId,
) -> rusqlite::Result<bool> {
    for doc in places::with_owners(connection, doc)? {
        let read = places::before(connection, &doc)?.into_iter().any(|before| {
            let what = What {
                home: &before.home,
                audiences: &before.audiences,
            };
            allowed(roster, device, Action::Read, &what, day).is_allowed()
        });
        if read {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns how many devices work in these areas.
fn devices_in(roster: &Roster, areas: &[AreaCode]) -> u64 {
    let within = |member: &Member| {
        let mut own = member.areas.iter();
        member.role != Role::Relay && own.any(|own| areas.iter().any(|area| area.covers(own)))
    };
    roster
        .members()
        .filter(|(_, member)| within(member))
        .count() as u64
}

/// Attachments that are wanted at once, at most: the newest.
const WANTED_MAX: i64 = 4_096;
/// A wish is not noted again within this time.
const WANTED_AGAIN_MS: i64 = 600_000;

/// Returns whether it is worth to note that an attachment is wanted: there is a relay above, or it was here
/// once, and it was not noted a moment ago.
pub(crate) fn is_worth_wanting(
    connection: &Connection,
    (hash, doc): (&BlobHash, &DocId),
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let sql =
        "SELECT (EXISTS (SELECT 1 FROM upstream) OR EXISTS (SELECT 1 FROM blob WHERE hash = ?1))
                 AND NOT EXISTS (SELECT 1 FROM blob_wanted
                                 WHERE hash = ?1 AND doc = ?2 AND asked_ms > ?3)";
    connection
        .prepare_cached(sql)?
        .query_row(params![hash.0, doc.0, now_ms - WANTED_AGAIN_MS], |row| {
            row.get(0)
        })
}

/// Notes that somebody who reads a document asked for an attachment of it that is not here: the relay above
/// may have it.
pub(crate) fn want(
    connection: &Connection,
    (hash, doc): (&BlobHash, &DocId),
    now_ms: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO blob_wanted (hash, doc, asked_ms) VALUES (?1, ?2, ?3)
               ON CONFLICT (hash, doc) DO UPDATE SET asked_ms = excluded.asked_ms";
    connection
        .prepare_cached(sql)?
        .execute(params![hash.0, doc.0, now_ms])?;
    let sql = "DELETE FROM blob_wanted WHERE (hash, doc) IN (
                 SELECT hash, doc FROM blob_wanted ORDER BY asked_ms DESC LIMIT -1 OFFSET ?1)";
    connection.prepare_cached(sql)?.execute([WANTED_MAX])?;
    Ok(())
}

/// Returns the attachments that were here once and are wanted, those that this device brought first.
pub(crate) fn lost(
    connection: &Connection,
    device: &DeviceId,
) -> rusqlite::Result<Vec<(DocId, BlobHash)>> {
    let sql = "SELECT w.doc, w.hash FROM blob_wanted w JOIN blob b ON b.hash = w.hash
               ORDER BY b.device <> ?1, w.hash, w.doc";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([device.0], |row| {
        Ok((DocId(row.get(0)?), BlobHash(row.get(1)?)))
    })?;
    rows.collect()
}

/// Looks for the file of each attachment that was ever brought, and notes that those without are wanted;
/// returns how many. One of another size than it had is put aside.
pub(crate) fn want_lost(
    connection: &mut Connection,
    shelf: &Shelf,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    let transaction = connection.transaction()?;
    let mut lost = Vec::new();
    {
        let sql = "SELECT b.hash, b.bytes, r.doc FROM blob b JOIN blob_ref r ON r.hash = b.hash";
        let mut statement = transaction.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (hash, bytes) = (BlobHash(row.get(0)?), unsigned(row.get(1)?));
            // What cannot be read just now is not known to be lost.
            if !shelf.has_all(&hash, bytes) && !shelf.proves(&hash).unwrap_or(true) {
                lost.push((hash, DocId(row.get(2)?)));
            }
        }
    }
    for (hash, doc) in &lost {
        want(&transaction, (hash, doc), now_ms)?;
    }
    transaction.commit()?;
    Ok(lost.len())
}

/// Notes that the relay above lost an attachment that it was told of: it is told of it again.
pub(crate) fn lost_above(
    connection: &Connection,
    (hash, doc): (&BlobHash, &DocId),
) -> rusqlite::Result<()> {
    let sql = "UPDATE blob_told SET incarnation = x'', asked_ms = 0
               WHERE hash = ?1 AND doc = ?2 AND incarnation <> x''";
    connection
        .prepare_cached(sql)?
        .execute(params![hash.0, doc.0])?;
    Ok(())
}
