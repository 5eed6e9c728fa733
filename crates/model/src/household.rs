//! A household 户: who lives behind a door, and what they may need.
//!
//! **Ids follow from what the sheet says** where it says enough: two laptops that import the same
//! family make one household and one document. What is not needed to serve is not modelled: no
//! religion, politics, ethnicity, income; an id number is only ever a keyed hash.

pub mod alias;
mod care;
mod identity;
mod members;
mod moves;
mod needs;
mod new;
pub mod united;

use serde::{Deserialize, Serialize};
use wangge_crdt::{Fields, Scalar};
use wangge_wire::{AreaCode, DocId};

use crate::door::Door;

pub use care::{CarePeriod, care_end_puts, care_set_puts};
pub use identity::{IdKey, contact_id, derived_id, member_id, people_id, row_id};
pub use members::{Left, Member, leave_puts, return_puts};
pub use moves::{LaterEdit, connected, copy_puts, later_edits};
pub use needs::{Basis, Consent, How, Need};
pub use new::{NewHousehold, NewMember, check, member_puts, puts};

const CARE: &str = "care";

/// Whether people live in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Residence {
    /// 常住.
    Resident,
    /// 整户外出.
    Away,
    /// 空房.
    Empty,
    /// 迁出.
    MovedOut,
}

/// A further telephone of a household, beside the one in `phone`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// 8 hex digits.
    pub id: String,
    /// The number.
    pub phone: String,
    /// Whose it is, as typed: a daughter in Chengdu, the neighbour.
    pub whose: String,
}

/// A household as the document has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Household {
    /// The document.
    pub id: DocId,
    /// The grid it lives in.
    pub area: Option<AreaCode>,
    /// 组 and 门牌.
    pub door: Door,
    /// 户编号: a field, never an identity; sheets are renumbered every year.
    pub number: String,
    /// The household's telephone.
    pub phone: Option<String>,
    /// Further telephones, by id.
    pub contacts: Vec<Contact>,
    /// Whether people live in it.
    pub residence: Residence,
    /// Since when, `2026-11-23`, where a departure or return said it.
    pub residence_since: Option<String>,
    /// 户主, a member's id.
    pub head: Option<String>,
    /// Every member ever, by id.
    pub members: Vec<Member>,
    /// What its people need, oldest first; those done included.
    pub needs: Vec<Need>,
    /// On what grounds what is kept is kept; withdrawn ones included.
    pub consent: Vec<Consent>,
    /// Remarks.
    pub note: String,
    /// 上门约定: what whoever knocks must know first.
    pub arrangement: String,
    /// 已撤销: taken back by who added it; kept, listed nowhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
}

impl Residence {
    /// Returns the residence as documents and JSON have it.
    pub fn code(self) -> &'static str {
        match self {
            Residence::Resident => "resident",
            Residence::Away => "away",
            Residence::Empty => "empty",
            Residence::MovedOut => "moved_out",
        }
    }

    /// Returns the residence with this code.
    pub fn of(code: &str) -> Option<Self> {
        [
            Residence::Resident,
            Residence::Away,
            Residence::Empty,
            Residence::MovedOut,
        ]
        .into_iter()
        .find(|residence| residence.code() == code)
    }
}

/// Returns a household as its document has it; what it does not know it leaves out.
pub fn read(id: DocId, fields: &Fields) -> Household {
    let text = |key: &str| fields.root_text(key).to_owned();
    let optional = |key: &str| Some(text(key)).filter(|text| !text.is_empty());
    let group = fields.root("group").and_then(Scalar::as_int);
    Household {
        id,
        area: AreaCode::parse(fields.root_text("area")).ok(),
        door: Door {
            group: group.and_then(|g| u16::try_from(g).ok()),
            number: text("door"),
        },
        number: text("number"),
        phone: optional("phone"),
        contacts: contacts(fields),
        residence: Residence::of(fields.root_text("residence")).unwrap_or(Residence::Resident),
        residence_since: optional("residence_since"),
        head: optional("head"),
        members: members::read(fields),
        needs: needs::needs(fields),
        consent: needs::consent(fields),
        note: text("note"),
        arrangement: text("arrangement"),
        void: fields.is_void(),
    }
}

/// Says whether a field, `phone`, `phone.<id>` or `members/<id>/phone`, holds a telephone number.
pub fn is_phone(field: &str) -> bool {
    let last = field.rsplit('/').next().unwrap_or(field);
    last == "phone" || (last.starts_with("phone.") && !last.ends_with(".whose"))
}

/// Returns the further telephones, by id; one without a number was taken away.
fn contacts(fields: &Fields) -> Vec<Contact> {
    let keys = fields.container("").filter_map(|(key, register)| {
        let id = key.strip_prefix("phone.").filter(|id| !id.contains('.'))?;
        let phone = register.shown.as_text().filter(|text| !text.is_empty())?;
        Some(Contact {
            id: id.to_owned(),
            phone: phone.to_owned(),
            whose: fields.root_text(&format!("phone.{id}.whose")).to_owned(),
        })
    });
    keys.collect()
}

impl Household {
    /// Returns the head, or the first member while the head is not known.
    pub fn head_member(&self) -> Option<&Member> {
        let head = self
            .members
            .iter()
            .find(|member| Some(&member.id) == self.head.as_ref());
        head.or(self.members.first())
    }

    /// Returns those who live here.
    pub fn present(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.left.is_none())
    }

    /// Returns a member, whether they live here or not.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// Returns the head who no longer lives here while others do: somebody must choose a new one.
    pub fn departed_head(&self) -> Option<&Member> {
        let head = self.member(self.head.as_deref()?)?;
        (head.left.is_some() && self.present().next().is_some()).then_some(head)
    }

    /// Returns the care in force on a day, of those who live here.
    ///
    /// Whoever died, moved away, married or split off drops out by itself: nothing needs ending.
    pub fn care_on(&self, day: &str) -> impl Iterator<Item = (&Member, &CarePeriod)> {
        self.present().flat_map(move |member| {
            let periods = member.care_periods.iter();
            periods
                .filter(move |period| period.is_active(day))
                .map(move |period| (member, period))
        })
    }

    /// Says whether a visit that met somebody in person can only have met one who had died.
    ///
    /// True only where a death before that day is known and no grown member was left to be met; whose
    /// birth is not known counts as grown. A visit of the day of death itself is not doubted.
    pub fn nobody_left_to_meet(&self, day: &str) -> bool {
        let died = |member: &Member| member.left.as_deref() == Some(Left::Died.code());
        let before = |member: &Member| member.left_on.as_deref().is_some_and(|on| on < day);
        let there = |member: &Member| match (&member.left, &member.left_on) {
            (None, _) => true,
            (Some(_), Some(on)) => on.as_str() >= day,
            // Gone, nobody said since when: they may have been there.
            (Some(_), None) => true,
        };
        let mistaken = |member: &Member| member.left.as_deref() == Some(Left::Mistake.code());
        self.members.iter().any(|m| died(m) && before(m))
            && !self
                .members
                .iter()
                .any(|m| there(m) && !mistaken(m) && m.is_under(18, day) != Some(true))
    }
}
