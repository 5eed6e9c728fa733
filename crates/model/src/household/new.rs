//! What is said of a household and its members when they are added, as writes.
//!
//! What is not said is not written: an addition that is silent about a field leaves it.

use wangge_crdt::{Put, Scalar};
use wangge_wire::AreaCode;

use super::identity::IdKey;
use super::members::{MEMBERS, Member};
use super::{CARE, Residence};
use crate::care::Care;
use crate::door::Door;
use crate::id_number::IdNumber;
use crate::limits::{CONTACTS_MAX, LINE_CHARS_MAX, MEMBERS_MAX, NOTE_CHARS_MAX, TooLong, at_most};

/// What is said of a member when they are added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewMember {
    /// As spoken.
    pub name: String,
    /// GB/T 2261.1.
    pub sex: Option<u8>,
    /// Year and month.
    pub birth: Option<(u16, u8)>,
    /// GB/T 4761-2008, two digits.
    pub relation: Option<String>,
    /// Checked at the door and kept as a keyed hash only.
    pub id_number: Option<IdNumber>,
    /// The member's own telephone.
    pub phone: Option<String>,
    /// Care tags.
    pub care: Vec<Care>,
    /// 外出务工.
    pub away: bool,
    /// The member's own remark.
    pub note: String,
}

/// What is said of a household when it is added; the first member is the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHousehold {
    /// The grid.
    pub area: AreaCode,
    /// 组 and 门牌.
    pub door: Door,
    /// 户编号.
    pub number: Option<String>,
    /// The household's telephone.
    pub phone: Option<String>,
    /// Whether people live in it; none where nothing is said.
    pub residence: Option<Residence>,
    /// Remarks.
    pub note: String,
    /// 上门约定.
    pub arrangement: String,
    /// Further telephones and whose they are, in the order they were said.
    pub contacts: Vec<(String, String)>,
    /// The head first.
    pub members: Vec<NewMember>,
}

impl NewMember {
    /// Returns what would have been said of a member who is there: name, birth and relation.
    pub fn like(member: &Member) -> Self {
        let birth = member.birth.as_deref().and_then(|birth| {
            let (year, month) = birth.split_once('-').unwrap_or((birth, "0"));
            Some((year.parse().ok()?, month.parse().ok()?))
        });
        NewMember {
            name: member.name.clone(),
            birth,
            relation: member.relation.clone(),
            ..NewMember::default()
        }
    }
}

/// Returns an error if something is past its limit.
pub fn check(new: &NewHousehold) -> Result<(), TooLong> {
    if new.members.len() > MEMBERS_MAX {
        return Err(TooLong {
            field: "members",
            limit: MEMBERS_MAX,
        });
    }
    if new.contacts.len() > CONTACTS_MAX {
        return Err(TooLong {
            field: "contacts",
            limit: CONTACTS_MAX,
        });
    }
    for (_, whose) in &new.contacts {
        at_most("whose", whose, LINE_CHARS_MAX)?;
    }
    at_most("note", &new.note, NOTE_CHARS_MAX)?;
    at_most("arrangement", &new.arrangement, NOTE_CHARS_MAX)?;
    at_most("door", &new.door.number, LINE_CHARS_MAX)?;
    for member in &new.members {
        at_most("name", &member.name, LINE_CHARS_MAX)?;
        at_most("note", &member.note, NOTE_CHARS_MAX)?;
    }
    Ok(())
}

/// Returns the writes that say of a household what `new` says; what it is silent about stays.
///
/// `ids` are the members' ids, in `new`'s order: those matched with members that are there already,
/// or derived ones.
pub fn puts(new: &NewHousehold, ids: &[String], key: &IdKey) -> Vec<Put> {
    let mut puts = vec![Put::root("area", new.area.as_str())];
    if let Some(group) = new.door.group {
        puts.push(Put::root("group", i64::from(group)));
    }
    let text = |puts: &mut Vec<Put>, key: &str, value: &str| {
        if !value.is_empty() {
            puts.push(Put::root(key, value));
        }
    };
    text(&mut puts, "door", &new.door.number);
    text(
        &mut puts,
        "number",
        new.number.as_deref().unwrap_or_default(),
    );
    text(&mut puts, "phone", new.phone.as_deref().unwrap_or_default());
    text(
        &mut puts,
        "residence",
        new.residence.map_or("", Residence::code),
    );
    text(&mut puts, "note", &new.note);
    text(&mut puts, "arrangement", &new.arrangement);
    for (number, whose) in &new.contacts {
        let id = super::contact_id(number, 0);
        text(&mut puts, &format!("phone.{id}"), number);
        text(&mut puts, &format!("phone.{id}.whose"), whose);
    }
    if let Some(head) = ids.first() {
        puts.push(Put::root("head", head.as_str()));
    }
    for (member, id) in new.members.iter().zip(ids) {
        puts.extend(member_puts(member, id, key));
    }
    puts
}

/// Returns the writes that say of a member what `new` says.
pub fn member_puts(new: &NewMember, id: &str, key: &IdKey) -> Vec<Put> {
    let put = |field: &str, value: Scalar| Put::entry(MEMBERS, id, field, value);
    let mut puts = vec![put("name", new.name.as_str().into())];
    if let Some(sex) = new.sex {
        puts.push(put("sex", i64::from(sex).into()));
    }
    if let Some(birth) = birth_text(new.birth) {
        puts.push(put("birth", birth.into()));
    }
    if let Some(relation) = &new.relation {
        puts.push(put("relation", relation.as_str().into()));
    }
    if let Some(phone) = &new.phone {
        puts.push(put("phone", phone.as_str().into()));
    }
    if new.away {
        puts.push(put("away", true.into()));
    }
    if !new.note.is_empty() {
        puts.push(put("note", new.note.as_str().into()));
    }
    if let Some(number) = &new.id_number {
        // The key's name is part of the field: hashes of two keys are two facts, not a conflict.
        puts.push(put(
            &format!("id_hash.{}", key.name()),
            key.hash(number).into(),
        ));
    }
    for care in &new.care {
        puts.push(Put::entry(
            CARE,
            &format!("{id}.{}", care.code()),
            "tag",
            care.code(),
        ));
    }
    puts
}

pub(super) fn birth_text(birth: Option<(u16, u8)>) -> Option<String> {
    birth.map(|(year, month)| match month {
        0 => format!("{year:04}"),
        month => format!("{year:04}-{month:02}"),
    })
}
