//! What is answered on which route, to which role, and how far away: a cell for each.
//!
//! **A route, a role or a scope without its cells cannot be built.** This table decides nothing: `trust` does.
//! A test asks a relay that serves every cell and compares, so that neither changes alone.

use wangge_wire::Role;

/// What is answered to a whole and well-formed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Anybody: no signature is asked for.
    Open,
    /// What was asked for.
    Done,
    /// The same as if it were not there.
    Nothing,
    /// No: 403.
    Refused,
    /// The purge order alone.
    Purged,
    /// Nobody's request: 401.
    Nobody,
}

/// How the areas of who asks lie to the area of what is asked for, or that they have none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The same area.
    Own,
    /// An area around it.
    Above,
    /// An area inside it.
    Below,
    /// Another area beside it.
    Sibling,
    /// An area far from it.
    Foreign,
    /// Was of the same area, and was revoked.
    Revoked,
    /// Was never a member.
    Stranger,
}

/// The answers to one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    own: Cell,
    above: Cell,
    below: Cell,
    sibling: Cell,
    foreign: Cell,
    revoked: Cell,
    stranger: Cell,
}

/// The answers of one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cells {
    worker: Row,
    station: Row,
    township: Row,
    county: Row,
    unit: Row,
    auditor: Row,
    relay: Row,
}

impl Cell {
    /// Returns the letter by which `docs/protocol.md` writes it.
    pub fn letter(self) -> char {
        match self {
            Cell::Open => 'o',
            Cell::Done => 'y',
            Cell::Nothing => 'n',
            Cell::Refused => 'r',
            Cell::Purged => 'p',
            Cell::Nobody => '-',
        }
    }
}

impl Row {
    /// Returns every scope with its cell, in the order of the table.
    pub fn cells(&self) -> [(Scope, Cell); 7] {
        // Taken apart whole, so that a new scope cannot be forgotten here.
        let Self {
            own,
            above,
            below,
            sibling,
            foreign,
            revoked,
            stranger,
        } = *self;
        [
            (Scope::Own, own),
            (Scope::Above, above),
            (Scope::Below, below),
            (Scope::Sibling, sibling),
            (Scope::Foreign, foreign),
            (Scope::Revoked, revoked),
            (Scope::Stranger, stranger),
        ]
    }

    /// Returns the cell of a scope.
    pub fn of(&self, scope: Scope) -> Cell {
        match scope {
            Scope::Own => self.own,
            Scope::Above => self.above,
            Scope::Below => self.below,
            Scope::Sibling => self.sibling,
            Scope::Foreign => self.foreign,
            Scope::Revoked => self.revoked,
            Scope::Stranger => self.stranger,
        }
    }
}

impl Cells {
    /// Returns every role with its row, in the order of the table.
    pub fn rows(&self) -> [(Role, &Row); 7] {
        let Self {
            worker,
            station,
            township,
            county,
            unit,
            auditor,
            relay,
        } = self;
        [
            (Role::Worker, worker),
            (Role::Station, station),
            (Role::Township, township),
            (Role::County, county),
            (Role::Unit, unit),
            (Role::Auditor, auditor),
            (Role::Relay, relay),
        ]
    }

    /// Returns the row of a role.
    pub fn of(&self, role: Role) -> &Row {
        match role {
            Role::Worker => &self.worker,
            Role::Station => &self.station,
            Role::Township => &self.township,
            Role::County => &self.county,
            Role::Unit => &self.unit,
            Role::Auditor => &self.auditor,
            Role::Relay => &self.relay,
        }
    }
}

/// A device's row: this for its own area and those inside, that for any other.
const fn device(inside: Cell, outside: Cell) -> Row {
    Row {
        own: inside,
        above: inside,
        below: outside,
        sibling: outside,
        foreign: outside,
        revoked: Cell::Purged,
        stranger: Cell::Nobody,
    }
}

/// The row of a relay below, which is no device to be purged.
const fn relay(inside: Cell, outside: Cell) -> Row {
    Row {
        revoked: Cell::Nobody,
        ..device(inside, outside)
    }
}

const ANYBODY: Row = Row {
    revoked: Cell::Open,
    stranger: Cell::Open,
    ..device(Cell::Open, Cell::Open)
};

/// A route that wants no member.
pub(super) const OPEN: Cells = Cells {
    worker: ANYBODY,
    station: ANYBODY,
    township: ANYBODY,
    county: ANYBODY,
    unit: ANYBODY,
    auditor: ANYBODY,
    relay: ANYBODY,
};

/// What lives in an area, to whoever works there; to others it is not there.
pub(super) const DOCUMENTS: Cells = Cells {
    worker: device(Cell::Done, Cell::Nothing),
    station: device(Cell::Done, Cell::Nothing),
    township: device(Cell::Done, Cell::Nothing),
    county: device(Cell::Done, Cell::Nothing),
    unit: device(Cell::Nothing, Cell::Nothing),
    auditor: device(Cell::Nothing, Cell::Nothing),
    relay: relay(Cell::Done, Cell::Nothing),
};

/// What a desk decides about its areas; to others it is not there.
pub(super) const INBOX: Cells = Cells {
    worker: device(Cell::Nothing, Cell::Nothing),
    unit: device(Cell::Nothing, Cell::Nothing),
    auditor: device(Cell::Nothing, Cell::Nothing),
    relay: relay(Cell::Nothing, Cell::Nothing),
    ..DOCUMENTS
};

/// What a desk orders or asks about people of its areas; others are told that they may not.
pub(super) const PEOPLE: Cells = Cells {
    worker: device(Cell::Refused, Cell::Refused),
    station: device(Cell::Done, Cell::Refused),
    township: device(Cell::Done, Cell::Refused),
    county: device(Cell::Done, Cell::Refused),
    unit: device(Cell::Refused, Cell::Refused),
    auditor: device(Cell::Refused, Cell::Refused),
    relay: relay(Cell::Refused, Cell::Refused),
};

/// What only a relay below may do; how far its orders count is asked of each.
pub(super) const RELAYS: Cells = Cells {
    station: device(Cell::Refused, Cell::Refused),
    township: device(Cell::Refused, Cell::Refused),
    county: device(Cell::Refused, Cell::Refused),
    relay: relay(Cell::Done, Cell::Done),
    ..PEOPLE
};
