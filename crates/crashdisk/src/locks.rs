//! Who may read and write a file, and the slots of its shared memory: among the connections of one process.
//!
//! The rules are those of SQLite's own file systems; **a connection that is refused is told "busy"**.

use rusqlite::ffi;

/// A connection's opening of a file.
pub(crate) type HandleId = u64;

/// The locks of one file.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    shared: Vec<HandleId>,
    reserved: Option<HandleId>,
    pending: Option<HandleId>,
    exclusive: Option<HandleId>,
}

/// The slots of one file's shared memory.
#[derive(Debug, Default)]
pub(crate) struct Slots([Slot; ffi::SQLITE_SHM_NLOCK as usize]);

#[derive(Debug, Default)]
struct Slot {
    shared: Vec<HandleId>,
    exclusive: Option<HandleId>,
}

impl Locks {
    /// Raises a lock to `want`; false for "busy".
    pub(crate) fn raise(&mut self, me: HandleId, want: i32) -> bool {
        let others = |held: Option<HandleId>| held.is_some_and(|held| held != me);
        if want >= ffi::SQLITE_LOCK_SHARED && !self.shared.contains(&me) {
            if others(self.pending) || others(self.exclusive) {
                return false;
            }
            self.shared.push(me);
        }
        if want == ffi::SQLITE_LOCK_RESERVED {
            if others(self.reserved) || others(self.pending) || others(self.exclusive) {
                return false;
            }
            self.reserved = Some(me);
        }
        if want >= ffi::SQLITE_LOCK_PENDING {
            if others(self.reserved) || others(self.pending) || others(self.exclusive) {
                return false;
            }
            // New readers are kept out while the last ones leave.
            self.pending = Some(me);
        }
        if want == ffi::SQLITE_LOCK_EXCLUSIVE {
            if self.shared.iter().any(|held| *held != me) {
                return false;
            }
            self.exclusive = Some(me);
        }
        true
    }

    /// Lowers a lock to "shared" or to none.
    pub(crate) fn lower(&mut self, me: HandleId, to: i32) {
        for held in [&mut self.reserved, &mut self.pending, &mut self.exclusive] {
            if *held == Some(me) {
                *held = None;
            }
        }
        if to < ffi::SQLITE_LOCK_SHARED {
            self.shared.retain(|held| *held != me);
        }
    }

    /// Returns whether anybody is about to write.
    pub(crate) fn is_reserved(&self) -> bool {
        self.reserved.is_some() || self.pending.is_some() || self.exclusive.is_some()
    }
}

impl Slots {
    /// Locks or unlocks slots as SQLite's flags say; false for "busy".
    pub(crate) fn ask(&mut self, me: HandleId, first: usize, count: usize, flags: i32) -> bool {
        let Some(slots) = self.0.get_mut(first..first.saturating_add(count)) else {
            return false;
        };
        let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            slots.iter_mut().for_each(|slot| slot.leave(me));
            return true;
        }
        if !slots.iter().all(|slot| slot.is_free(me, exclusive)) {
            return false;
        }
        for slot in slots {
            match exclusive {
                true => slot.exclusive = Some(me),
                false if !slot.shared.contains(&me) => slot.shared.push(me),
                false => {}
            }
        }
        true
    }

    /// Gives up all that a connection holds.
    pub(crate) fn leave(&mut self, me: HandleId) {
        self.0.iter_mut().for_each(|slot| slot.leave(me));
    }
}

impl Slot {
    fn is_free(&self, me: HandleId, exclusive: bool) -> bool {
        let taken = self.exclusive.is_some_and(|held| held != me);
        let read = self.shared.iter().any(|held| *held != me);
        !(taken || exclusive && read)
    }

    fn leave(&mut self, me: HandleId) {
        self.shared.retain(|held| *held != me);
        if self.exclusive == Some(me) {
            self.exclusive = None;
        }
    }
}
