//! Exit codes: what a script may rely on.
//!
//! **The numbers never change**; new ones may be added, so a script treats any number it does not
//! know as a failure.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, also where there was nothing to do.
    Done,
    /// Failed, also: not found.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// Partly done; the output says which items were not.
    Partly,
    /// Refused: not enrolled, out of scope, wrong role, the home is in use.
    Refused,
    /// No link, or the relay is busy; the work is safe on this device.
    NoLink,
    /// A conflict or a contested ticket needs a person.
    NeedsPerson,
    /// Local data is damaged, or newer than this program.
    Damaged,
    /// A check or a dry run found something.
    Found,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// Every ending, by its number.
    pub(crate) const ALL: [Exit; 10] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Partly,
        Exit::Refused,
        Exit::NoLink,
        Exit::NeedsPerson,
        Exit::Damaged,
        Exit::Found,
        Exit::Interrupted,
    ];

    /// Returns the number the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::Refused => 4,
            Exit::NoLink => 5,
            Exit::NeedsPerson => 6,
            Exit::Damaged => 7,
            Exit::Found => 10,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_published_ones() {
        let codes: Vec<u8> = Exit::ALL.into_iter().map(Exit::code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 10, 130]);
    }
}
