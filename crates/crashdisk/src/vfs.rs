//! The file system that SQLite sees: disks over their folders, and the system's own everywhere else.
//!
//! It is the process's default one, so that whoever opens a database needs no word for it. The tables
//! of functions that SQLite wants are made here; what they do is asked of a [`Disk`].
#![allow(
    unsafe_code,
    reason = "SQLite is a library in C and hands over pointers"
)]

mod file;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::ffi;

use crate::disk::Disk;

/// Which disk lies over which folder, by the number of the mount; the last over a folder hides the others.
static MOUNTS: Mutex<BTreeMap<u64, (PathBuf, Disk)>> = Mutex::new(BTreeMap::new());

/// The name under which SQLite knows it.
const NAME: &CStr = c"crashdisk";

/// The system's own file system, which serves all other folders.
struct Own(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite's file systems are never unregistered here, and SQLite itself uses them from any thread.
unsafe impl Send for Own {}
// SAFETY: as above; the pointer is only ever read.
unsafe impl Sync for Own {}

static OWN: OnceLock<Result<Own, c_int>> = OnceLock::new();

/// Puts a disk over a folder; returns the number by which it is taken away.
pub(crate) fn mount(dir: &Path, disk: &Disk) -> std::io::Result<u64> {
    if let Err(code) = OWN.get_or_init(register) {
        return Err(std::io::Error::other(format!("SQLite refuses: {code}")));
    }
    let mut mounts = mounts();
    let number = mounts.last_key_value().map_or(0, |(last, _)| last + 1);
    mounts.insert(number, (dir.to_owned(), disk.clone()));
    Ok(number)
}

/// Takes a disk away again.
pub(crate) fn unmount(number: u64) {
    mounts().remove(&number);
}

fn mounts() -> MutexGuard<'static, BTreeMap<u64, (PathBuf, Disk)>> {
    MOUNTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this file system the process's default one.
fn register() -> Result<Own, c_int> {
    // SAFETY: initialising SQLite has no preconditions.
    let begun = unsafe { ffi::sqlite3_initialize() };
    if begun != ffi::SQLITE_OK {
        return Err(begun);
    }
    // SAFETY: null asks for the default; SQLite owns what it returns.
    let own = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    // SAFETY: SQLite returns null or one that stays valid, and nobody changes it.
    let Some(system) = (unsafe { own.as_ref() }) else {
        return Err(ffi::SQLITE_ERROR);
    };
    let mut made = *system;
    made.pNext = std::ptr::null_mut();
    made.zName = NAME.as_ptr();
    made.szOsFile = system.szOsFile.max(file::SIZE);
    made.xOpen = Some(open);
    made.xDelete = Some(delete);
    made.xAccess = Some(access);
    // Its system calls belong to the system's own.
    made.iVersion = made.iVersion.min(2);
    let made = Box::leak(Box::new(made));
    // SAFETY: `made` lives for ever and is a whole table.
    let code = unsafe { ffi::sqlite3_vfs_register(made, 1) };
    match code {
        ffi::SQLITE_OK => Ok(Own(own)),
        code => Err(code),
    }
}

/// Returns the disk that a path lies on, and its name there.
///
/// # Safety
/// `path` is null or a C string.
unsafe fn find(path: *const c_char) -> Option<(Disk, String)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller says that it is a C string.
    let path = unsafe { CStr::from_ptr(path) };
    let path = Path::new(path.to_str().ok()?);
    let dir = path.parent()?;
    let disk = {
        let mounts = mounts();
        let mut last = mounts.values().rev();
        last.find(|(over, _)| over == dir)?.1.clone()
    };
    Some((disk, path.file_name()?.to_str()?.to_owned()))
}

/// Returns the system's own file system, with its pointer.
fn own() -> Option<(&'static ffi::sqlite3_vfs, *mut ffi::sqlite3_vfs)> {
    let own = OWN.get()?.as_ref().ok()?.0;
    // SAFETY: it was valid when it was found, and is never unregistered or changed.
    let table = unsafe { own.as_ref() }?;
    Some((table, own))
}

extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    opened: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over null or a C string.
    let Some((disk, name)) = (unsafe { find(path) }) else {
        let Some((table, own)) = own() else {
            return ffi::SQLITE_CANTOPEN;
        };
        let Some(open) = table.xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        // SAFETY: the arguments are those that SQLite made for a table of at least this size.
        return unsafe { open(own, path, opened, flags, out_flags) };
    };
    // SAFETY: SQLite gives `szOsFile` bytes, which are enough, and a place for the flags or null.
    unsafe { file::open(disk, name, opened, flags, out_flags) }
}

extern "C" fn delete(_: *mut ffi::sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite hands over a C string.
    match unsafe { find(path) } {
        Some((disk, name)) => done(disk.delete(&name, sync != 0)),
        None => match own().and_then(|(table, own)| Some((table.xDelete?, own))) {
            // SAFETY: the arguments are SQLite's own.
            Some((delete, own)) => unsafe { delete(own, path, sync) },
            None => ffi::SQLITE_IOERR_DELETE,
        },
    }
}

extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    flags: c_int,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over a C string.
    match unsafe { find(path) } {
        Some((disk, name)) => {
            // SAFETY: SQLite gives a place for the answer.
            unsafe { answer.write(c_int::from(disk.has_bytes(&name))) };
            ffi::SQLITE_OK
        }
        None => match own().and_then(|(table, own)| Some((table.xAccess?, own))) {
            // SAFETY: the arguments are SQLite's own.
            Some((access, own)) => unsafe { access(own, path, flags, answer) },
            None => ffi::SQLITE_IOERR_ACCESS,
        },
    }
}

/// Returns SQLite's number for what came of something.
fn done(result: Result<(), c_int>) -> c_int {
    result.err().unwrap_or(ffi::SQLITE_OK)
}
