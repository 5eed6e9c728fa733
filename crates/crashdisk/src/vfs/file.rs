//! An open file as SQLite holds it: a table of functions, and a handle on a disk.

use std::ffi::{CStr, c_char, c_int, c_void};

use rusqlite::ffi;

use super::done;
use crate::disk::{Disk, Weak};
use crate::journal::FileId;
use crate::locks::HandleId;

/// Bytes that SQLite must set aside for an open file.
pub(super) const SIZE: c_int = size_of::<Open>() as c_int;

/// What the system's own file system says of a disk: writes end where it says, and do no harm around.
const SECTOR: c_int = 4096;

/// How SQLite sees an open file; the table comes first.
#[repr(C)]
struct Open {
    methods: *const ffi::sqlite3_io_methods,
    handle: *mut Handle,
}

struct Handle {
    disk: Disk,
    name: String,
    file: FileId,
    id: HandleId,
    /// The file may be new, and is of those whose name is to be durable with their first bytes.
    new_name: bool,
    delete_on_close: bool,
    shares: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(is_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Opens a file of a disk for SQLite.
///
/// # Safety
/// `opened` has room for [`SIZE`] bytes; `out_flags` is null or has room for a number.
pub(super) unsafe fn open(
    disk: Disk,
    name: String,
    opened: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let opened = opened.cast::<Open>();
    let none = Open {
        methods: std::ptr::null(),
        handle: std::ptr::null_mut(),
    };
    // Without a table SQLite does not close what did not open.
    // SAFETY: the caller says that there is room.
    unsafe { opened.write(none) };
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let only_new = create && flags & ffi::SQLITE_OPEN_EXCLUSIVE != 0;
    let (file, id) = match disk.open(&name, create, only_new) {
        Ok(found) => found,
        Err(code) => return code,
    };
    let journals =
        ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let handle = Handle {
        disk,
        name,
        file,
        id,
        // As the system's own file system does it: a database's name is made durable by its journal's.
        new_name: create && flags & journals != 0,
        delete_on_close: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
        shares: false,
    };
    let whole = Open {
        methods: &METHODS,
        handle: Box::into_raw(Box::new(handle)),
    };
    // SAFETY: as above.
    unsafe { opened.write(whole) };
    if !out_flags.is_null() {
        // SAFETY: not null, so there is room for a number.
        unsafe { out_flags.write(flags) };
    }
    ffi::SQLITE_OK
}

/// Returns the handle of an open file.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed, and SQLite uses it from one thread at a time.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: what was opened here begins with `Open`.
    let opened = unsafe { file.cast::<Open>().read() };
    // SAFETY: the handle is a box's until it is closed, and nobody else uses it now.
    unsafe { &mut *opened.handle }
}

fn offset(at: ffi::sqlite3_int64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn count(number: c_int) -> usize {
    usize::try_from(number).unwrap_or(0)
}

extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes what it opened, once.
    let opened = unsafe { file.cast::<Open>().read() };
    // SAFETY: the handle came from a box, and is not used after this.
    let handle = unsafe { Box::from_raw(opened.handle) };
    if handle.shares {
        // The file goes with its memory.
        let _ = handle.disk.unshare(handle.file, handle.id);
    }
    handle.disk.close(handle.file, handle.id);
    if handle.delete_on_close {
        let _ = handle.disk.delete(&handle.name, false);
    }
    ffi::SQLITE_OK
}

extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    bytes: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    // SAFETY: SQLite gives room for as many bytes as it asks for.
    let into = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), count(bytes)) };
    done(handle.disk.read(handle.file, offset(at), into))
}

extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    bytes: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    // SAFETY: SQLite gives as many bytes as it says.
    let from = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), count(bytes)) };
    done(handle.disk.write(handle.file, offset(at), from))
}

extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    done(handle.disk.truncate(handle.file, offset(size)))
}

extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    let synced = handle.disk.sync(handle.file, handle.new_name);
    if synced.is_ok() {
        handle.new_name = false;
    }
    done(synced)
}

extern "C" fn size(file: *mut ffi::sqlite3_file, answer: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    match handle.disk.size(handle.file) {
        Ok(size) => {
            // SAFETY: SQLite gives room for the answer.
            unsafe { answer.write(ffi::sqlite3_int64::try_from(size).unwrap_or(0)) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

extern "C" fn lock(file: *mut ffi::sqlite3_file, want: c_int) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    done(handle.disk.lock(handle.file, handle.id, want))
}

extern "C" fn unlock(file: *mut ffi::sqlite3_file, to: c_int) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    done(handle.disk.unlock(handle.file, handle.id, to))
}

extern "C" fn is_reserved(file: *mut ffi::sqlite3_file, answer: *mut c_int) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    match handle.disk.is_reserved(handle.file) {
        Ok(reserved) => {
            // SAFETY: SQLite gives room for the answer.
            unsafe { answer.write(c_int::from(reserved)) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

extern "C" fn control(file: *mut ffi::sqlite3_file, what: c_int, with: *mut c_void) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    if what == ffi::SQLITE_FCNTL_PRAGMA
        && let Some(weak) = handle.disk.weak()
    {
        // SAFETY: for this question SQLite gives an array of three strings, of which it owns the bytes.
        unsafe { weaken(with.cast(), weak) };
    }
    ffi::SQLITE_NOTFOUND
}

/// Turns `PRAGMA synchronous = …` into a weaker one, whatever it asks for.
///
/// # Safety
/// `words` are an answer, a name and a value or null, and the value's bytes may be changed.
unsafe fn weaken(words: *mut *mut c_char, weak: Weak) {
    // SAFETY: the caller says that there are three.
    let [_, name, value] = unsafe { words.cast::<[*mut c_char; 3]>().read() };
    if name.is_null() || value.is_null() {
        return;
    }
    // SAFETY: not null, so a C string.
    let is_it = unsafe { CStr::from_ptr(name) }
        .to_bytes()
        .eq_ignore_ascii_case(b"synchronous");
    // SAFETY: as above.
    let is_empty = unsafe { CStr::from_ptr(value) }.is_empty();
    if !is_it || is_empty {
        return;
    }
    // One digit fits where any word stood, and SQLite knows the numbers too.
    let digit = match weak {
        Weak::Normal => b'1',
        Weak::Off => b'0',
    };
    // SAFETY: the value has at least one byte before its end, so two in all.
    unsafe { value.cast::<[u8; 2]>().write([digit, 0]) };
}

extern "C" fn sector(_: *mut ffi::sqlite3_file) -> c_int {
    SECTOR
}

extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    bytes: c_int,
    make: c_int,
    answer: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    let mut found = || {
        if !handle.shares {
            handle.disk.share(handle.file)?;
            handle.shares = true;
        }
        handle
            .disk
            .region(handle.file, count(index), count(bytes), make != 0)
    };
    let (region, code) = match found() {
        Ok(region) => (region, ffi::SQLITE_OK),
        Err(code) => (None, code),
    };
    let region = region.unwrap_or(std::ptr::null_mut());
    // SAFETY: SQLite gives room for the answer.
    unsafe { answer.write(region.cast()) };
    code
}

extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    many: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    let slots = (count(first), count(many));
    done(handle.disk.slots(handle.file, handle.id, slots, flags))
}

extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite gives a file that is open.
    let handle = unsafe { handle(file) };
    match std::mem::take(&mut handle.shares) {
        true => done(handle.disk.unshare(handle.file, handle.id)),
        false => ffi::SQLITE_OK,
    }
}
