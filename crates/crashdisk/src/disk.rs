//! The disk as the system that runs sees it: names, files, locks, and the journal.
//!
//! **A disk belongs to no process's files**: it is mounted over a folder, and SQLite finds there what lies
//! on the disk. One folder is one disk, without folders in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use crate::content::Content;
use crate::fault::{Call, Fault};
use crate::journal::{FileId, Op};
use crate::locks::{HandleId, Locks, Slots};
use crate::vfs;
use crate::walk::{Begun, Image, Walk};

/// A disk in memory; clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

/// A promise of SQLite that is broken on purpose: what `PRAGMA synchronous` is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weak {
    /// `NORMAL`: a commit does not wait for the disk.
    Normal,
    /// `OFF`: nothing does.
    Off,
}

/// A disk over a folder, until this is dropped; then the one it hid lies there again.
#[derive(Debug)]
pub struct Mounted {
    number: u64,
}

/// Pieces of memory that connections share; SQLite reads and writes them as it likes.
type Region = Arc<[AtomicU64]>;

#[derive(Default)]
struct State {
    files: BTreeMap<FileId, File>,
    names: BTreeMap<String, FileId>,
    last_file: u64,
    last_handle: HandleId,
    /// What there was when the journal began; none while nothing is written down.
    begun: Option<Begun>,
    journal: Vec<Op>,
    fault: Option<Fault>,
    /// How many operations could have met the fault.
    calls: u64,
    met: u64,
    weak: Option<Weak>,
}

#[derive(Default)]
struct File {
    content: Content,
    /// Openings of it; without one and without a name it is gone.
    open: usize,
    locks: Locks,
    slots: Slots,
    shared: Vec<Region>,
    sharers: usize,
}

impl Disk {
    /// Returns an empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a disk that holds what an image does.
    pub fn of(image: &Image) -> Self {
        let disk = Self::new();
        {
            let mut state = disk.state();
            for (name, content) in image.files() {
                let file = state.add(name);
                if let Some(made) = state.files.get_mut(&file) {
                    made.content = content.clone();
                }
            }
        }
        disk
    }

    /// Puts the disk over a folder: databases opened there from now on lie on it.
    ///
    /// The folder must be there; what lies in it otherwise is left alone.
    pub fn mount(&self, dir: &Path) -> std::io::Result<Mounted> {
        let dir = dir.canonicalize()?;
        let number = vfs::mount(&dir, self)?;
        Ok(Mounted { number })
    }

    /// Begins the journal: what is on the disk now counts as durable.
    pub fn record(&self) {
        let mut state = self.state();
        let files = state.files.iter();
        let files = files.map(|(file, held)| (*file, held.content.clone()));
        state.begun = Some(Begun {
            files: files.collect(),
            names: state.names.clone(),
        });
        state.journal.clear();
    }

    /// Returns how many operations the journal has.
    pub fn recorded(&self) -> usize {
        self.state().journal.len()
    }

    /// Returns a walk through all that was written down.
    pub fn walk(&self, seed: u64) -> Walk {
        let state = self.state();
        let begun = state.begun.clone().unwrap_or_default();
        Walk::new(begun, state.journal.clone(), seed)
    }

    /// Makes an operation fail, counted from now on; or none any more.
    pub fn fail(&self, fault: Option<Fault>) {
        let mut state = self.state();
        (state.fault, state.calls, state.met) = (fault, 0, 0);
    }

    /// Returns how often the fault was met.
    pub fn met(&self) -> u64 {
        self.state().met
    }

    /// Weakens what databases ask of the disk, or no longer.
    pub fn weaken(&self, weak: Option<Weak>) {
        self.state().weak = weak;
    }

    /// Returns a file's bytes as the running system sees them.
    pub fn content(&self, name: &str) -> Option<Content> {
        let state = self.state();
        let file = state.files.get(state.names.get(name)?)?;
        Some(file.content.clone())
    }

    /// Returns the whole disk as the running system sees it: what another process would find.
    pub fn image(&self) -> Image {
        let state = self.state();
        let files = state.names.iter().filter_map(|(name, file)| {
            let file = state.files.get(file)?;
            Some((name.clone(), file.content.clone()))
        });
        Image::of(files.collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is behind the lock is changed in steps that do not panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the file system asks; an error is SQLite's number for it.
impl Disk {
    pub(crate) fn weak(&self) -> Option<Weak> {
        self.state().weak
    }

    /// Opens a file, making it where `create` says so.
    pub(crate) fn open(
        &self,
        name: &str,
        create: bool,
        only_new: bool,
    ) -> Result<(FileId, HandleId), i32> {
        let mut state = self.state();
        let there = state.names.get(name).copied();
        match there {
            Some(_) if only_new => return Err(ffi::SQLITE_CANTOPEN),
            Some(_) => state.call(Call::Open)?,
            None if !create => return Err(ffi::SQLITE_CANTOPEN),
            None => state.call(Call::Create)?,
        }
        let file = match there {
            Some(file) => file,
            None => {
                let file = state.add(name);
                let name = name.to_owned();
                state.note(Op::Create { file, name });
                file
            }
        };
        state.last_handle += 1;
        let handle = state.last_handle;
        if let Some(opened) = state.files.get_mut(&file) {
            opened.open += 1;
        }
        Ok((file, handle))
    }

    pub(crate) fn close(&self, file: FileId, handle: HandleId) {
        let mut state = self.state();
        let named = state.names.values().any(|named| *named == file);
        if let Some(closed) = state.files.get_mut(&file) {
            closed.locks.lower(handle, ffi::SQLITE_LOCK_NONE);
            closed.open = closed.open.saturating_sub(1);
            if closed.open == 0 && !named {
                state.files.remove(&file);
            }
        }
    }

    pub(crate) fn delete(&self, name: &str, sync: bool) -> Result<(), i32> {
        let mut state = self.state();
        let Some(file) = state.names.get(name).copied() else {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        };
        state.call(Call::Delete)?;
        state.names.remove(name);
        if state.files.get(&file).is_some_and(|file| file.open == 0) {
            state.files.remove(&file);
        }
        let name = name.to_owned();
        state.note(Op::Delete { name });
        if sync {
            state.note(Op::SyncNames);
        }
        Ok(())
    }

    /// Returns whether there is a file of this name with anything in it.
    pub(crate) fn has_bytes(&self, name: &str) -> bool {
        self.content(name).is_some_and(|found| !found.is_empty())
    }

    pub(crate) fn read(&self, file: FileId, at: usize, into: &mut [u8]) -> Result<(), i32> {
        let mut state = self.state();
        if let Err(code) = state.call(Call::Read) {
            let (begin, _) = into.split_at_mut(into.len() / 2);
            state.of(file)?.content.read(at, begin);
            return Err(code);
        }
        let wanted = into.len();
        let found = state.of(file)?.content.read(at, into);
        match found == wanted {
            true => Ok(()),
            false => Err(ffi::SQLITE_IOERR_SHORT_READ),
        }
    }

    pub(crate) fn write(&self, file: FileId, at: usize, bytes: &[u8]) -> Result<(), i32> {
        let mut state = self.state();
        let failed = state.call(Call::Write).err();
        // A write that fails may have begun.
        let bytes = match failed {
            Some(_) => bytes.split_at(bytes.len() / 2).0,
            None => bytes,
        };
        state.of(file)?.content.write(at, bytes);
        let bytes = bytes.into();
        state.note(Op::Write { file, at, bytes });
        failed.map_or(Ok(()), Err)
    }

    pub(crate) fn truncate(&self, file: FileId, length: usize) -> Result<(), i32> {
        let mut state = self.state();
        state.call(Call::Truncate)?;
        state.of(file)?.content.set_len(length);
        state.note(Op::Truncate { file, length });
        Ok(())
    }

    /// Makes a file durable, and with `names` the names of all files.
    pub(crate) fn sync(&self, file: FileId, names: bool) -> Result<(), i32> {
        let mut state = self.state();
        if let Err(code) = state.call(Call::Sync) {
            state.note(Op::SyncFailed { file });
            return Err(code);
        }
        state.note(Op::Sync { file });
        if names {
            state.note(Op::SyncNames);
        }
        Ok(())
    }

    pub(crate) fn size(&self, file: FileId) -> Result<usize, i32> {
        let mut state = self.state();
        state.call(Call::Size)?;
        Ok(state.of(file)?.content.len())
    }

    pub(crate) fn lock(&self, file: FileId, handle: HandleId, want: i32) -> Result<(), i32> {
        let raised = self.state().of(file)?.locks.raise(handle, want);
        raised.then_some(()).ok_or(ffi::SQLITE_BUSY)
    }

    pub(crate) fn unlock(&self, file: FileId, handle: HandleId, to: i32) -> Result<(), i32> {
        self.state().of(file)?.locks.lower(handle, to);
        Ok(())
    }

    pub(crate) fn is_reserved(&self, file: FileId) -> Result<bool, i32> {
        Ok(self.state().of(file)?.locks.is_reserved())
    }

    /// Returns where a region of shared memory lies; none where there is none and none is to be made.
    pub(crate) fn region(
        &self,
        file: FileId,
        index: usize,
        bytes: usize,
        make: bool,
    ) -> Result<Option<*mut u8>, i32> {
        let mut state = self.state();
        let shared = &mut state.of(file)?.shared;
        while make && shared.len() <= index {
            let words = std::iter::repeat_with(AtomicU64::default);
            shared.push(words.take(bytes.div_ceil(8)).collect());
        }
        Ok(shared
            .get(index)
            .map(|region| region.as_ptr().cast_mut().cast()))
    }

    pub(crate) fn share(&self, file: FileId) -> Result<(), i32> {
        self.state().of(file)?.sharers += 1;
        Ok(())
    }

    pub(crate) fn unshare(&self, file: FileId, handle: HandleId) -> Result<(), i32> {
        let mut state = self.state();
        let file = state.of(file)?;
        file.slots.leave(handle);
        file.sharers = file.sharers.saturating_sub(1);
        if file.sharers == 0 {
            file.shared.clear();
        }
        Ok(())
    }

    pub(crate) fn slots(
        &self,
        file: FileId,
        handle: HandleId,
        (first, count): (usize, usize),
        flags: i32,
    ) -> Result<(), i32> {
        let free = self
            .state()
            .of(file)?
            .slots
            .ask(handle, first, count, flags);
        free.then_some(()).ok_or(ffi::SQLITE_BUSY)
    }
}

impl State {
    fn add(&mut self, name: &str) -> FileId {
        self.last_file += 1;
        let file = FileId(self.last_file);
        self.files.insert(file, File::default());
        self.names.insert(name.to_owned(), file);
        file
    }

    fn of(&mut self, file: FileId) -> Result<&mut File, i32> {
        self.files.get_mut(&file).ok_or(ffi::SQLITE_IOERR)
    }

    fn note(&mut self, op: Op) {
        if self.begun.is_some() {
            self.journal.push(op);
        }
    }

    /// Counts an operation, and fails it if it is the one.
    fn call(&mut self, call: Call) -> Result<(), i32> {
        let Some(fault) = self.fault.filter(|fault| fault.kind.meets(call)) else {
            return Ok(());
        };
        let number = self.calls;
        self.calls += 1;
        if number == fault.at || (fault.lasts && number > fault.at) {
            self.met += 1;
            return Err(fault.kind.code(call));
        }
        Ok(())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        vfs::unmount(self.number);
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}
