//! A household 户: who lives behind a door, and what they may need.
//!
//! **Ids follow from what the sheet says** where it says enough: two laptops that import the same
//! family make one household and one document. What is not needed to serve is not modelled: no
//! religion, politics, ethnicity, income; an id number is only ever a keyed hash.

pub mod alias;
pub mod united;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wangge_crdt::{Fields, Put, Scalar};
use wangge_wire::{AreaCode, DocId, id};

use crate::care::Care;
use crate::door::Door;
use crate::id_number::IdNumber;
use crate::limits::{LINE_CHARS_MAX, MEMBERS_MAX, NOTE_CHARS_MAX, TooLong, at_most};
use crate::relation;

const MEMBERS: &str = "members";
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

/// A member as the document has them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Member {
    /// 32 hex digits.
    pub id: String,
    /// As spoken; empty for a newborn without a name (未取名).
    pub name: String,
    /// GB/T 2261.1: 1 male, 2 female, 0 unknown, 9 not said.
    pub sex: Option<i64>,
    /// `1967-09`, or `1967` where the month is not known.
    pub birth: Option<String>,
    /// GB/T 4761-2008, two digits.
    pub relation: Option<String>,
    /// The member's own telephone.
    pub phone: Option<String>,
    /// 外出务工.
    pub away: bool,
    /// 去世 迁出 婚嫁 分户 误录, as code; none while the member lives here.
    pub left: Option<String>,
    /// The member's own remark.
    pub note: String,
    /// Whether an id number was checked (证件已核); the number itself is nowhere.
    pub id_checked: bool,
    /// Care tags in force.
    pub care: Vec<Care>,
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
    /// Whether people live in it.
    pub residence: Residence,
    /// 户主, a member's id.
    pub head: Option<String>,
    /// Every member ever, by id.
    pub members: Vec<Member>,
    /// Remarks.
    pub note: String,
    /// 上门约定: what whoever knocks must know first.
    pub arrangement: String,
}

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
    /// The head first.
    pub members: Vec<NewMember>,
}

/// The key id numbers are hashed with, and its short name.
#[derive(Clone)]
pub struct IdKey {
    key: [u8; 32],
}

impl IdKey {
    /// Returns the key with its name.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Returns what tells two keys apart: hashes of different keys stand beside each other.
    pub fn name(&self) -> String {
        blake3::hash(&self.key).to_hex().chars().take(8).collect()
    }

    /// Returns the keyed hash of an id number, 32 hex digits.
    pub fn hash(&self, number: &IdNumber) -> String {
        let hash = blake3::keyed_hash(&self.key, number.digits().as_bytes());
        hash.to_hex().chars().take(32).collect()
    }
}

impl std::fmt::Debug for IdKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdKey({})", self.name())
    }
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

/// Returns the id that follows from what is said: village, group, door and head; without a door the
/// people ([`people_id`]).
pub fn derived_id(new: &NewHousehold, generation: u32) -> Option<DocId> {
    let village = new.area.at(wangge_wire::Level::Village)?;
    // A row whose name could not be read is still the household behind this door.
    let head = new.members.first()?.name.as_str();
    if new.door.number.is_empty() {
        return people_id(new, generation);
    }
    let group = new
        .door
        .group
        .map(|group| group.to_string())
        .unwrap_or_default();
    let generation = generation.to_string();
    Some(DocId(hash(&[
        "household",
        village.as_str(),
        &group,
        &new.door.number,
        head,
        &generation,
    ])))
}

/// Returns the id that follows from who lives together: village, names and birth months of all.
///
/// None where the head's birth is not known: a name alone is too common to be an identity.
pub fn people_id(new: &NewHousehold, generation: u32) -> Option<DocId> {
    let village = new.area.at(wangge_wire::Level::Village)?;
    new.members
        .first()
        .filter(|head| !head.name.is_empty())?
        .birth?;
    let mut people: Vec<String> = new
        .members
        .iter()
        .map(|member| {
            format!(
                "{} {}",
                member.name,
                birth_text(member.birth).unwrap_or_default()
            )
        })
        .collect();
    people.sort();
    let generation = generation.to_string();
    let mut parts = vec!["household of people", village.as_str(), &generation];
    parts.extend(people.iter().map(String::as_str));
    Some(DocId(hash(&parts)))
}

/// Returns the id of a member of an imported household: name, birth month and relation decide.
///
/// Twins of one name in one month get their order in the sheet as well.
pub fn member_id(household: &DocId, member: &NewMember, twin: usize) -> String {
    let birth = birth_text(member.birth).unwrap_or_default();
    let relation = member.relation.as_deref().unwrap_or_default();
    let relation = if relation::is_head(relation) {
        "02"
    } else {
        relation
    };
    let household = household.to_string();
    let twin = if twin == 0 {
        String::new()
    } else {
        twin.to_string()
    };
    let hash = hash(&["member", &household, &member.name, &birth, relation, &twin]);
    DocId(hash).to_string()
}

/// Returns an error if something is past its limit.
pub fn check(new: &NewHousehold) -> Result<(), TooLong> {
    if new.members.len() > MEMBERS_MAX {
        return Err(TooLong {
            field: "members",
            limit: MEMBERS_MAX,
        });
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
        residence: Residence::of(fields.root_text("residence")).unwrap_or(Residence::Resident),
        head: optional("head"),
        members: members(fields),
        note: text("note"),
        arrangement: text("arrangement"),
    }
}

fn members(fields: &Fields) -> Vec<Member> {
    let care = care_of_members(fields);
    let head = fields.root_text("head");
    let mut members: Vec<Member> = fields
        .entries(MEMBERS)
        .into_iter()
        .map(|(id, fields)| {
            let text = |key: &str| fields.get(key).and_then(|value| value.as_text());
            let owned = |key: &str| text(key).map(str::to_owned).filter(|text| !text.is_empty());
            Member {
                id: id.to_owned(),
                name: owned("name").unwrap_or_default(),
                sex: fields.get("sex").and_then(|value| value.as_int()),
                birth: owned("birth"),
                relation: owned("relation"),
                phone: owned("phone"),
                away: fields
                    .get("away")
                    .and_then(|value| value.as_bool())
                    .unwrap_or(false),
                left: owned("left"),
                note: owned("note").unwrap_or_default(),
                id_checked: fields.keys().any(|key| key.starts_with("id_hash.")),
                care: care.get(id).cloned().unwrap_or_default(),
            }
        })
        .collect();
    members.sort_by(|a, b| {
        let order = |m: &Member| {
            (
                m.id != head,
                m.relation.clone(),
                m.birth.clone(),
                m.id.clone(),
            )
        };
        order(a).cmp(&order(b))
    });
    members
}

fn care_of_members(fields: &Fields) -> BTreeMap<String, Vec<Care>> {
    let mut care: BTreeMap<String, Vec<Care>> = BTreeMap::new();
    for (entry, fields) in fields.entries(CARE) {
        let ended = fields
            .get("until")
            .is_some_and(|until| **until != Scalar::Null);
        let tag = fields
            .get("tag")
            .and_then(|tag| tag.as_text())
            .and_then(|tag| tag.parse().ok());
        if let (Some((member, _)), Some(tag), false) = (entry.split_once('.'), tag, ended) {
            care.entry(member.to_owned()).or_default().push(tag);
        }
    }
    care
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
}

fn birth_text(birth: Option<(u16, u8)>) -> Option<String> {
    birth.map(|(year, month)| match month {
        0 => format!("{year:04}"),
        month => format!("{year:04}-{month:02}"),
    })
}

/// Returns a 16-byte id of these parts; a separator no text contains keeps them apart.
fn hash(parts: &[&str]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    id::truncate(hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;
    use wangge_crdt::Document;
    use wangge_wire::ActorId;

    pub(crate) fn family() -> NewHousehold {
        NewHousehold {
            area: AreaCode::parse("511724103202001").unwrap(),
            door: Door {
                group: Some(3),
                number: "12".into(),
            },
            number: Some("7".into()),
            phone: Some("13800000001".into()),
            residence: None,
            note: String::new(),
            arrangement: String::new(),
            members: vec![
                NewMember {
                    name: "曾小红".into(),
                    relation: Some("02".into()),
                    birth: Some((1950, 3)),
                    care: vec![Care::LivingAloneElder],
                    ..NewMember::default()
                },
                NewMember {
                    name: "曾小明".into(),
                    relation: Some("20".into()),
                    away: true,
                    ..NewMember::default()
                },
            ],
        }
    }

    fn write(new: &NewHousehold, actor: u8) -> (Document, Vec<u8>) {
        let id = derived_id(new, 0).unwrap();
        let ids: Vec<String> = new.members.iter().map(|m| member_id(&id, m, 0)).collect();
        let mut doc = Document::begin(&kind::shape(kind::HOUSEHOLD).unwrap(), &id).unwrap();
        let puts = puts(new, &ids, &IdKey::new([1; 32]));
        let written = doc.write(&ActorId([actor; 8]), 1, &puts).unwrap().unwrap();
        (doc, written.raw)
    }

    #[test]
    fn a_household_reads_back_as_it_was_written() {
        let (doc, _) = write(&family(), 1);
        let read = read(doc.id().unwrap(), &doc.fields());
        assert_eq!(read.head_member().unwrap().name, "曾小红");
        assert_eq!(
            read.head_member().unwrap().care,
            vec![Care::LivingAloneElder]
        );
        assert!(read.members[1].away);
        assert_eq!(
            (read.door.short(), read.number.as_str()),
            ("3-12".to_owned(), "7")
        );
        assert_eq!(read.residence, Residence::Resident);
    }

    #[test]
    fn two_devices_that_add_the_same_family_make_one_household_and_no_conflict() {
        let renumbered = NewHousehold {
            number: Some("99".into()),
            ..family()
        };
        assert_eq!(derived_id(&family(), 0), derived_id(&renumbered, 0));
        let (mut a, _) = write(&family(), 1);
        let (_, raw) = write(&family(), 2);
        a.apply(&[raw]);
        let fields = a.fields();
        assert_eq!(fields.conflicts().count(), 0);
        assert_eq!(read(a.id().unwrap(), &fields).members.len(), 2);
    }

    #[test]
    fn an_id_number_is_nowhere_in_the_document() {
        let mut new = family();
        let number = "11010519491231002X";
        new.members[0].id_number = Some(IdNumber::parse(number).unwrap());
        let (doc, raw) = write(&new, 1);
        assert!(read(doc.id().unwrap(), &doc.fields()).members[0].id_checked);
        for part in [number, "19491231", "002X"] {
            let found = raw
                .windows(part.len())
                .any(|window| window == part.as_bytes());
            assert!(!found, "{part} is in the change");
        }
    }

    #[test]
    fn a_household_without_a_door_is_known_by_its_people_or_not_at_all() {
        let mut new = family();
        new.door = Door::default();
        let id = derived_id(&new, 0);
        assert!(id.is_some());
        new.members.reverse();
        assert_eq!(derived_id(&new, 0), None, "the head's birth is not known");
        new.members.reverse();
        new.number = Some("99".into());
        assert_eq!(
            derived_id(&new, 0),
            id,
            "a renumbered sheet is the same family"
        );
        new.members.pop();
        assert_ne!(derived_id(&new, 0), id);
        let mut new = family();
        new.members.clear();
        assert_eq!(derived_id(&new, 0), None);
    }

    #[test]
    fn forty_members_fit_and_one_more_does_not() {
        let mut new = family();
        new.members = vec![NewMember::default(); MEMBERS_MAX];
        assert!(check(&new).is_ok());
        new.members.push(NewMember::default());
        assert_eq!(
            check(&new),
            Err(TooLong {
                field: "members",
                limit: MEMBERS_MAX
            })
        );
    }
}
