//! What can go wrong for a person at a device, by what they can do about it.

use std::path::PathBuf;

use wangge_model::limits::TooLong;
use wangge_model::ticket::Refusal;
use wangge_store::StoreError;

/// Something was not done; what was typed is still the caller's.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The relay there is none of this home's tree.
    #[error("the relay at {url} is of another tree")]
    UnknownRelay {
        /// The address.
        url: String,
    },
    /// No home in this folder.
    #[error("no home at {at}")]
    NoHome {
        /// The folder.
        at: PathBuf,
    },
    /// There is a home already.
    #[error("a home is there already")]
    HomeExists {
        /// The folder.
        at: PathBuf,
    },
    /// A word locks this home, and nobody could be asked for it.
    #[error("the home at {at} is locked")]
    Locked {
        /// The folder.
        at: PathBuf,
    },
    /// The word was not the one; nothing was destroyed.
    #[error("the word does not open this home")]
    WrongWord {
        /// How long until the next try, milliseconds.
        wait_ms: i64,
        /// Whether so many were wrong that somebody should help.
        stuck: bool,
    },
    /// Too many wrong words: the next try has to wait.
    #[error("the next word has to wait {wait_ms} ms")]
    WordWait {
        /// How long, milliseconds.
        wait_ms: i64,
    },
    /// A word that is not good enough to lock a home with.
    #[error("the word is {0}")]
    WordTooWeak(#[from] wangge_trust::vault::WordTooWeak),
    /// The device's secret is gone: no word opens the home, a recovery key does.
    #[error("the device's secret is gone")]
    NoDeviceSecret {
        /// The folder of the home.
        at: PathBuf,
    },
    /// The recovery key is none of this home's.
    #[error("the recovery key does not open this home")]
    NotThisRecoveryKey,
    /// Another program works in this home.
    #[error("the home is in use")]
    InUse,
    /// The database was damaged and is set aside; nothing was deleted.
    #[error("the database was damaged; it is kept at {aside}")]
    Damaged {
        /// Where it is now.
        aside: PathBuf,
    },
    /// An id number says another sex or birth than is known of whoever it was given for.
    #[error("the id number says another sex or birth")]
    IdNumberDiffers {
        /// The month of birth it says, where another is known.
        birth: Option<String>,
        /// The sex it says, where another is known.
        sex: Option<u8>,
    },
    /// A newer program wrote this home.
    #[error("the home was written by a newer program")]
    TooNew,
    /// The household or its papers are somebody else's now; nothing was recorded.
    #[error("it was handed over")]
    HandedOver {
        /// The area it lives in.
        home: wangge_wire::AreaCode,
        /// The day this device learnt of it, `2026-11-24`.
        on: String,
    },
    /// No room on the disk.
    #[error("the disk is full")]
    DiskFull,
    /// Nothing has this name.
    #[error("nothing is named {name}")]
    NotFound {
        /// What was looked for.
        what: Sought,
        /// What was typed.
        name: String,
    },
    /// Nothing in the inbox has an id that begins so.
    #[error("nothing in the inbox begins with {id}")]
    NotInInbox {
        /// What was typed.
        id: String,
    },
    /// Nothing is at this door or has this number; nothing was recorded.
    #[error("nothing is at {door}")]
    NoSuchDoor {
        /// What was typed.
        door: String,
        /// What begins so: each with its id and a line that tells it apart, a few of them.
        candidates: Vec<(String, String)>,
        /// How many more begin so.
        more: usize,
    },
    /// Several have this name; the ids of up to twenty.
    #[error("{name} names several")]
    Ambiguous {
        /// What was typed.
        name: String,
        /// What it may mean: id and a line that tells them apart.
        candidates: Vec<(String, String)>,
    },
    /// A value is not what its field takes.
    #[error("{field} does not take {value}")]
    BadValue {
        /// The field, as JSON names it.
        field: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A text holds what must not be saved, or what is pointed out once before it is.
    #[error("{field} holds what is not saved")]
    LookedAt {
        /// The field, as JSON names it.
        field: &'static str,
        /// The text as typed, with numbers made stars.
        masked: String,
        /// What was found; it may be kept if none of it is never saved.
        signs: Vec<wangge_model::look::Sign>,
    },
    /// A record must not come to whom it is about, and would.
    #[error("{0}")]
    Restricted(#[from] wangge_model::restricted::NoPlace),
    /// There is no number to call.
    #[error("no number is known")]
    NoNumber,
    /// Something typed is too long or too many.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// A document would grow past its size.
    #[error("the document is full")]
    DocumentFull,
    /// The ticket does not allow this now, or not to this person.
    #[error("the ticket does not allow this")]
    Ticket(Refusal),
    /// The field has more than one value, and somebody settles that first.
    #[error("{field} has more than one value")]
    InConflict {
        /// The field: `phone`, `members/…/name`.
        field: String,
    },
    /// No round is open on this device.
    #[error("no round is open")]
    NoRound,
    /// No sheet was printed for this day.
    #[error("no sheet was printed for {day}")]
    NoSheet {
        /// The day, `2026-11-23`.
        day: String,
        /// The last day before it that has one.
        last: Option<String>,
    },
    /// A sheet has no such number, or it was entered already.
    #[error("row {number} of the sheet cannot be entered")]
    SheetRow {
        /// The number on paper.
        number: u32,
        /// The visit that was entered for it; none where the sheet has no such number.
        visit: Option<String>,
    },
    /// The area lies outside what this person works for.
    #[error("{area} is not one of this home's areas")]
    NotYourArea {
        /// The area.
        area: String,
    },
    /// What this person works as does not do this; a desk does.
    #[error("this needs a desk")]
    NotYourRole,
    /// This home is not enrolled with a relay.
    #[error("not enrolled with a relay")]
    NotEnrolled,
    /// The relay does not take the invitation.
    #[error("the invitation was refused")]
    Invitation(InvitationRefused),
    /// The relay does not make the order this desk asks for.
    #[error("the relay does not make this order")]
    Order(wangge_wire::OrderRefusal),
    /// This cannot be done with an item of the inbox.
    #[error("the item of the inbox cannot be settled so")]
    Inbox(crate::inbox::InboxRefusal),
    /// No answer came to a wish for an order: it is made at the relay or not at all.
    #[error("no link to the relay, which makes orders")]
    OrderUnsent {
        /// What happened, for the log.
        reason: String,
    },
    /// A record does not read as it did, and the database around it does.
    #[error("a record is damaged")]
    RecordDamaged {
        /// Which.
        doc: wangge_wire::DocId,
    },
    /// There is no database any more, though there was one: a new one was begun.
    #[error("the database is gone")]
    Lost {
        /// The folder it was in.
        at: PathBuf,
    },
    /// The relay does not know this device, or not any more.
    #[error("the relay refused this device")]
    Refused {
        /// The relay's word.
        reason: String,
    },
    /// A relay says that this device was revoked; not proven, and nothing was done.
    #[error("the relay tells this device to purge")]
    PurgeTold(Box<wangge_wire::PurgeAnswer>),
    /// This device was revoked: what it held is removed, or locked where it could not be sent.
    #[error("this device was revoked")]
    Purged(Box<crate::purge::Purged>),
    /// Other people's data may not be shown any more until the relay is met, or a code is entered.
    #[error("the lease ended")]
    LeaseEnded {
        /// Its last day, `2026-12-15`.
        until: String,
    },
    /// A lease's code was not taken.
    #[error("the code of a lease was not taken")]
    LeaseCode(crate::lease::CodeRefused),
    /// The relay does not answer this about a device.
    #[error("the relay does not answer this about a device")]
    Device(wangge_wire::device::DeviceRefusal),
    /// No link, or the relay is busy; the work is safe on this device.
    #[error("no link to the relay")]
    NoLink {
        /// What happened, for the log.
        reason: String,
        /// Whether the relay was reached, and said that it takes nothing in just now.
        reached: bool,
    },
    /// The relay answered something that is no answer of a relay, or of a newer one.
    #[error("the relay's answer does not read")]
    StrangeAnswer {
        /// What happened, for the log.
        reason: String,
    },
    /// The address is no relay's, or would go to another machine without encryption.
    #[error("{url} is not a safe address")]
    UnsafeAddress {
        /// The address.
        url: String,
    },
    /// Whoever answers at the address is not proven to be the relay that is meant; nothing was told them.
    #[error("whoever answers at {url} is another one")]
    OtherRelay {
        /// The address.
        url: String,
    },
    /// Nothing can be written in a home.
    #[error("the home at {at} cannot be written")]
    HomeUnwritable {
        /// The folder.
        at: PathBuf,
        /// The system's word.
        reason: String,
    },
    /// A file that a home does not work without is damaged or gone; nothing was changed.
    #[error("{path} is damaged or missing")]
    HomeFile {
        /// The file.
        path: PathBuf,
        /// Whether it is gone, rather than damaged.
        missing: bool,
    },
    /// A file of a home may not be read by whoever runs the program.
    #[error("{path} may not be read")]
    HomeUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        reason: String,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        reason: String,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        reason: String,
    },
    /// A file is there already and was left as it is.
    #[error("{path} is there already")]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// The settings do not read; the file is as it was.
    #[error("the settings at {at} do not read")]
    BadSettings {
        /// The file.
        at: PathBuf,
        /// The line reading stopped at; 0 where the file could not be opened.
        line: usize,
    },
    /// A file is no roster.
    #[error(transparent)]
    Roster(#[from] crate::roster::RosterError),
    /// Something inside is not as it must be; the text names no data.
    #[error("internal: {0}")]
    Internal(String),
}

/// What somebody looked for and did not find: it decides which list helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Any record: a household, visit, report or ticket.
    Record,
    /// A household.
    Household,
    /// A member of a household.
    Member,
    /// A telephone, a need or a ground of a household.
    Entry,
    /// A visit.
    Visit,
    /// A report.
    Report,
    /// A ticket.
    Ticket,
    /// A step on a ticket.
    Step,
    /// A round.
    Round,
    /// A field with more than one value.
    Conflict,
    /// A colleague.
    Person,
    /// A device.
    Device,
    /// A unit.
    Unit,
    /// A colleague or a unit.
    Handler,
    /// An attachment of a record.
    Attachment,
}

/// Why an invitation was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationRefused {
    /// The code is not ten letters and digits, is wrong, or names no invitation.
    WrongCode,
    /// Five wrong tries: it is dead.
    TooManyTries,
    /// Another device used it.
    Spent,
    /// It is older than a day.
    Expired,
    /// The relay could not show that it holds the invitation: it may not be the one that made it.
    WrongRelay,
    /// It is for a relay that goes below that one, and this is a device.
    ForRelay,
}

impl From<StoreError> for AgentError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => AgentError::DiskFull,
            StoreError::Busy => AgentError::InUse,
            StoreError::Damaged { at } => AgentError::Damaged { aside: at },
            StoreError::Disk { reason } => AgentError::HomeUnwritable {
                at: PathBuf::new(),
                reason: reason.to_owned(),
            },
            StoreError::Unreadable { doc } => AgentError::RecordDamaged { doc },
            StoreError::TooNew { .. } => AgentError::TooNew,
            StoreError::Document(wangge_crdt::DocumentError::Full { .. }) => {
                AgentError::DocumentFull
            }
            StoreError::HandedOver { gone } => AgentError::HandedOver {
                home: gone.home,
                on: crate::machine::china_day(gone.at_ms).to_string(),
            },
            StoreError::Missing => AgentError::NotFound {
                what: Sought::Record,
                name: String::new(),
            },
            other => AgentError::Internal(other.to_string()),
        }
    }
}

impl From<std::io::Error> for AgentError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => AgentError::DiskFull,
            _ => AgentError::Internal(error.to_string()),
        }
    }
}
