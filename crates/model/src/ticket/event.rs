//! One event of a ticket: an immutable scalar in the document, named by the hash of its bytes.
//!
//! **The stored text is never rewritten**, so that fields a newer program wrote survive here, and
//! the name proves the content: two devices that hold the same name hold the same event. What this
//! program does not know (a kind, a finish, a handler) is read as its own text and kept.

mod words;

use serde::{Deserialize, Serialize};
use wangge_wire::{AreaCode, DocId, PersonId, Role};

/// The name of an event: the first 16 bytes of BLAKE3 of its text, as 32 hex digits in the map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(pub [u8; 16]);

/// The kinds of event this program knows, in the order of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 提交: a draft becomes a ticket.
    Submit,
    /// 当场办结: submitted and finished in one action, the commonest case.
    HandledOnSpot,
    /// 受理: a level takes it.
    Accept,
    /// 交办, 改派: the level gives it to a handler.
    Assign,
    /// 签收: the handler begins.
    Start,
    /// 办结: the handler says what was done.
    Done,
    /// 退回: the handler gives it back.
    Return,
    /// 核查: somebody else found it done.
    Verify,
    /// 核查退回: somebody else found it not done.
    SendBack,
    /// 结案: the accepting level ends it.
    Close,
    /// 答复: the resident was told.
    Answer,
    /// 批注: a remark that moves nothing.
    Comment,
    /// 裁定: names contested events; the first one stands, the others give way.
    Settle,
    /// 退回补充: the level asks whoever submitted for what is missing.
    AskBack,
    /// 不予受理, 引导法定途径: the level does not take it, says why and where to go.
    Decline,
    /// 挂起: the handler waits for something until a day.
    Suspend,
    /// 恢复: the handler goes on.
    Resume,
    /// 申请延期: the handler asks for more time, once.
    Extend,
    /// 同意延期: a level above the handler.
    Grant,
    /// 不同意延期: a level above the handler.
    Refuse,
    /// 上报上级: it needs a level above.
    Escalate,
    /// 回访: somebody neutral asked how it was, in five grades.
    FollowUp,
    /// 重办: it is taken up again.
    Reopen,
    /// 合并: another ticket goes on for both.
    Merge,
    /// 撤回: the resident no longer asks.
    Withdraw,
    /// 归档: nothing more is to come.
    Archive,
    /// 催办: a level above asks to hurry.
    Remind,
    /// 督办: a level above watches it; ordinary, yellow, red, only ever up.
    Supervise,
    /// 移交答复: somebody else owes the resident the answer from now on.
    HandOver,
    /// 撤销: its author takes back a step nobody built on.
    Retract,
}

/// The kind of an event as written, known here or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum EventKind {
    /// A kind of [`Kind`].
    Known(Kind),
    /// A kind of a newer program; its events are kept and parked.
    Unknown(String),
}

/// Who a ticket is given to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Handler {
    /// One person, written `person:` and the id.
    Person(PersonId),
    /// A unit outside the area tree, written `unit:` and its document id.
    Unit(DocId),
    /// Whoever works for an area, written `area:` and the code.
    Area(AreaCode),
    /// A handler of a newer program, as written.
    Other(String),
}

/// What a finish amounts to; "done" is not one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum DoneKind {
    /// 实质性办结: the matter itself is solved.
    Substantive,
    /// 阶段性办结: a stage is reached and will be looked at again.
    Interim,
    /// 程序性办结: the procedure is over, the matter is not solved.
    Procedural,
    /// A finish of a newer program, as written.
    Other(String),
}

/// What the device's clock said; a claim, never used for order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since 1970 by the device.
    pub at_ms: i64,
    /// The relay's time minus the device's, in milliseconds, when last known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_ms: Option<i64>,
}

/// One event. The order of the fields is the order of the text and **must never change**.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketEvent {
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub by: PersonId,
    /// Who typed it, when somebody else did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_by: Option<PersonId>,
    /// What `by` acted as; the roster decides whether they could.
    pub role: Role,
    /// The area `by` acted for.
    pub area: AreaCode,
    /// When, by the device.
    pub stamp: Stamp,
    /// The newest events `by` had seen; all before those are implied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<EventId>,
    /// Assign: the handler. Escalate: the area. Hand over: the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Handler>,
    /// The unit `by` works for: its own people, or the accepting level typing its paper slip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_unit: Option<DocId>,
    /// Submit, accept, assign, extend, grant: until when, milliseconds since 1970, as its author
    /// computed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<i64>,
    /// Done, handled on the spot: which finish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_kind: Option<DoneKind>,
    /// Return, send back, ask back, decline, suspend, extend, refuse, escalate, reopen, withdraw: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Answer: by which way the resident was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// What was done, said or remarked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Settle: the event that stands, then those that give way to it. Retract: the event taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<EventId>,
    /// Assign: who works along 协办.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Handler>,
    /// Assign: who is told and does nothing 抄告.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Handler>,
    /// Suspend: until which day; interim finish: when it is looked at again. `2026-12-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Follow-up: 5 very content, 4 content, 3 well enough, 2 not content, 1 not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<u8>,
    /// Supervise: how strongly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// Merge: the ticket that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<DocId>,
    /// Decline: where the resident is guided to. Answer: who was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whom: Option<String>,
    /// Who `by` stands in for, during their leave; the roster decides whether they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<PersonId>,
}

/// How strongly a level above watches a ticket 督办; it only goes up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Card {
    /// 普通督办.
    Ordinary,
    /// 黄牌督办.
    Yellow,
    /// 红牌督办.
    Red,
    /// A card of a newer program, as written.
    Other(String),
}

/// A map entry that is no event; the entry stays in the document as it is.
///
/// No variant carries the text: it may hold what a resident said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// The key is not the hex form of a name.
    #[error("an event's key is 32 lower-case hex digits")]
    Key,
    /// The text is not what the key names: damaged, or written by a broken program.
    #[error("event {key} holds the text of {text}")]
    WrongName {
        /// The name the map gives it.
        key: EventId,
        /// The name its text has.
        text: EventId,
    },
    /// The text lacks what every event has, or a newer program wrote it in a way not known here.
    #[error("event {key} does not read at column {column}")]
    Unreadable {
        /// The event.
        key: EventId,
        /// Where reading stopped, counted from 1; 0 when the text as a whole is at fault.
        column: usize,
    },
}

impl EventId {
    /// Returns the name of a stored text.
    pub fn of(text: &str) -> Self {
        Self(wangge_wire::id::truncate(
            blake3::hash(text.as_bytes()).as_bytes(),
        ))
    }
}

impl TicketEvent {
    /// Returns an event with what every event has and nothing else.
    pub fn new(kind: Kind, by: PersonId, role: Role, area: AreaCode, stamp: Stamp) -> Self {
        Self {
            kind: EventKind::Known(kind),
            by,
            recorded_by: None,
            role,
            area,
            stamp,
            after: Vec::new(),
            to: None,
            for_unit: None,
            due: None,
            done_kind: None,
            reason: None,
            how: None,
            text: None,
            names: Vec::new(),
            with: Vec::new(),
            copies: Vec::new(),
            on: None,
            grade: None,
            card: None,
            into: None,
            whom: None,
            instead_of: None,
        }
    }

    /// Returns the name and the text to store; `after` is sorted, so that one event has one text.
    pub fn write(&self) -> Result<(EventId, String), serde_json::Error> {
        let mut event = self.clone();
        event.after.sort_unstable();
        event.after.dedup();
        let text = serde_json::to_string(&event)?;
        Ok((EventId::of(&text), text))
    }

    /// Returns the event stored under `key`, after checking that the key names the text.
    pub fn read(key: &str, text: &str) -> Result<Self, BadEvent> {
        let key: EventId = key.parse()?;
        let name = EventId::of(text);
        if name != key {
            return Err(BadEvent::WrongName { key, text: name });
        }
        serde_json::from_str(text).map_err(|error| BadEvent::Unreadable {
            key,
            column: error.column(),
        })
    }
}

impl EventKind {
    /// Returns the kind if this program knows it.
    pub fn known(&self) -> Option<Kind> {
        match self {
            EventKind::Known(kind) => Some(*kind),
            EventKind::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign() -> TicketEvent {
        let area = AreaCode::parse("511724101").unwrap();
        let stamp = Stamp {
            at_ms: 1_795_000_000_000,
            offset_ms: Some(-250),
        };
        TicketEvent {
            to: Some(Handler::Area(AreaCode::parse("511724101201").unwrap())),
            due: Some(1_795_100_000_000),
            after: vec![EventId([9; 16]), EventId([2; 16]), EventId([9; 16])],
            ..TicketEvent::new(Kind::Assign, PersonId([1; 16]), Role::Township, area, stamp)
        }
    }

    #[test]
    fn the_text_of_an_event_is_frozen() {
        let (id, text) = assign().write().unwrap();
        let two = "02".repeat(16);
        let nine = "09".repeat(16);
        let by = "01".repeat(16);
        assert_eq!(
            text,
            format!(
                r#"{{"kind":"assign","by":"{by}","role":"township","area":"511724101","stamp":{{"at_ms":1795000000000,"offset_ms":-250}},"after":["{two}","{nine}"],"to":"area:511724101201","due":1795100000000}}"#
            )
        );
        assert_eq!(id.to_string(), "8d94954ad233ebc10d5fae0bc0b23489");
    }

    #[test]
    fn an_event_reads_back_from_its_text() {
        let full = TicketEvent {
            recorded_by: Some(PersonId([4; 16])),
            after: vec![EventId([2; 16])],
            for_unit: Some(DocId([5; 16])),
            done_kind: Some(DoneKind::Interim),
            reason: Some("路断".to_owned()),
            how: Some("电话".to_owned()),
            text: Some("水管已修".to_owned()),
            names: vec![EventId([8; 16]), EventId([7; 16])],
            ..assign()
        };
        let (id, text) = full.write().unwrap();
        assert_eq!(TicketEvent::read(&id.to_string(), &text), Ok(full));
    }

    #[test]
    fn a_text_under_another_key_is_no_event() {
        let (id, text) = assign().write().unwrap();
        let other = EventId([3; 16]);
        assert_eq!(
            TicketEvent::read(&other.to_string(), &text),
            Err(BadEvent::WrongName {
                key: other,
                text: id
            })
        );
        let upper = id.to_string().to_uppercase();
        assert_eq!(TicketEvent::read(&upper, &text), Err(BadEvent::Key));
        assert_eq!(TicketEvent::read("", &text), Err(BadEvent::Key));
    }

    #[test]
    fn what_a_newer_program_wrote_is_read_and_named_as_it_was() {
        let (_, text) = assign().write().unwrap();
        let newer = text
            .replace(r#""kind":"assign""#, r#""kind":"mediation""#)
            .replace("area:511724101201", "company:water")
            .replace(
                r#""due""#,
                r#""pledge":{"days":[3]},"done_kind":"mediated","due""#,
            );
        let event = TicketEvent::read(&EventId::of(&newer).to_string(), &newer).unwrap();
        assert_eq!(event.kind, EventKind::Unknown("mediation".to_owned()));
        assert_eq!(event.to, Some(Handler::Other("company:water".to_owned())));
        assert_eq!(
            event.done_kind,
            Some(DoneKind::Other("mediated".to_owned()))
        );
        let (_, again) = event.write().unwrap();
        assert!(
            again.contains("mediation")
                && again.contains("company:water")
                && again.contains("mediated")
        );
    }

    #[test]
    fn a_text_that_lacks_the_common_fields_is_said_to_be_unreadable() {
        for text in ["", "{}", "[]", "null", r#"{"kind":"done"}"#] {
            let read = TicketEvent::read(&EventId::of(text).to_string(), text);
            assert!(matches!(read, Err(BadEvent::Unreadable { .. })), "{text}");
        }
    }

    #[test]
    fn each_kind_has_its_own_name() {
        for kind in Kind::ALL {
            assert_eq!(
                EventKind::from(kind.as_str().to_owned()),
                EventKind::Known(kind)
            );
        }
    }
}
