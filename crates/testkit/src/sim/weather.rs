//! What may go wrong in one seed.
//!
//! Some misfortunes must not meet: **what is lost on a device and on the relay is lost**, and no
//! program could keep the promise. So a seed has a kind, and each kind its own misfortunes; cut links,
//! power cuts, wrong clocks and full disks are in all of them.

/// The kind of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Links, power, clocks and disks only: nobody may need a repair.
    Links,
    /// Devices are put back from copies, and cloned.
    Copies,
    /// The relay is put back from a copy behind everybody's back, and bytes change on the way.
    Rollback,
    /// Households move, grids are handed over, a device is revoked, a stranger's grid is tried.
    Orders,
}

impl Weather {
    /// Returns the weather of a seed.
    pub fn of(seed: u64) -> Self {
        match seed % 4 {
            0 => Self::Links,
            1 => Self::Copies,
            2 => Self::Rollback,
            _ => Self::Orders,
        }
    }

    /// Returns whether the digests may only be made equal by a repair.
    pub(super) fn may_repair(self) -> bool {
        self == Self::Rollback
    }
}
