//! How a household is found by what a worker types: which keys are kept, and which are looked for.
//!
//! Keys and queries are made here and nowhere else, so that a store needs to know nothing of pinyin,
//! doors or phones: it keeps [`Row`]s and runs [`Probe`]s over them. **Every probe but a
//! [`Match::Contains`] is a range of a B-tree over (kind, key)**, which answers while a finger is
//! still on the key.

mod query;

use std::collections::BTreeMap;
use std::fmt;

use crate::door::Door;
use crate::{phone::Phone, pinyin, text};

pub use query::Query;

/// The fewest digits that are a phone's tail and no door.
const TAIL_MIN: usize = 4;

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// First letters of a name, also after a beginning in full: `zsf`, `张sf`.
    Initials,
    /// A name's whole spelling: `zhangshufen`.
    Full,
    /// Initials and spellings folded by [`pinyin::fold`].
    Fuzzy,
    /// Initials and spelling of a given name, and of what ends it: `sf`, `shufen`, `fen`.
    Given,
    /// The name as written, without gaps and dots.
    Name,
    /// 户编号, as the village's books have it.
    Number,
    /// A door in short form (`3-12`), its number alone (`12`), or an address as typed.
    Door,
    /// The digits of a phone number **from the last to the first**, so that a tail is a prefix.
    Phone,
}

/// How a probe's key meets a row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// The row's key is the probe's key.
    Exact,
    /// The row's key starts with the probe's key.
    Prefix,
    /// The probe's key stands anywhere in the row's key; only a scan answers this.
    ///
    /// The key is plain text: `%` and `_` are themselves, so SQL's `instr` fits and `LIKE` does not.
    Contains,
}

/// How good a hit is, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// What was typed is the whole key.
    Exact,
    /// What was typed begins the key.
    Prefix,
    /// It sounds alike.
    Fuzzy,
    /// It stands somewhere inside.
    Contains,
}

/// One look into the kept rows.
#[derive(Clone, PartialEq, Eq)]
pub struct Probe {
    /// Which rows to look at.
    pub kind: Kind,
    /// What to look for.
    pub key: String,
    /// How the row's key must meet it.
    pub how: Match,
}

/// One key of one household, as a store keeps it beside the household's id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What the key is made of.
    pub kind: Kind,
    /// The key.
    pub key: String,
    /// Whose it is: 0 the head's or the household's, from 1 the other members in their order.
    pub place: u16,
}

/// Where a hit belongs in the list: a smaller rank stands higher.
///
/// Closeness first, then the head before other members, then the likelier meaning of what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// How good the hit is.
    pub closeness: Closeness,
    /// Whose key was hit; see [`Row::place`].
    pub place: u16,
    /// The probe's position in [`Query::probes`].
    pub probe: u16,
}

/// The keys by which one household is found.
///
/// People are added head first and the living only; each name, 小名 and phone belongs to the person
/// added last, and what is added before anybody belongs to the household.
#[derive(Clone, Default)]
pub struct SearchKeys {
    rows: BTreeMap<(Kind, String), u16>,
    people: u16,
}

/// Returns the best rank by which the query finds the row.
pub fn rank(query: &Query, row: &Row) -> Option<Rank> {
    query
        .probes()
        .iter()
        .zip(0_u16..)
        .find(|(probe, _)| probe.matches(row.kind, &row.key))
        .map(|(probe, position)| probe.rank(position, row.place))
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Initials,
        Kind::Full,
        Kind::Fuzzy,
        Kind::Given,
        Kind::Name,
        Kind::Number,
        Kind::Door,
        Kind::Phone,
    ];

    /// Returns the name a store keeps; it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Initials => "initials",
            Kind::Full => "full",
            Kind::Fuzzy => "fuzzy",
            Kind::Given => "given",
            Kind::Name => "name",
            Kind::Number => "number",
            Kind::Door => "door",
            Kind::Phone => "phone",
        }
    }
}

impl Probe {
    /// Says whether the probe finds a row with this kind and key.
    pub fn matches(&self, kind: Kind, key: &str) -> bool {
        kind == self.kind
            && match self.how {
                Match::Exact => key == self.key,
                Match::Prefix => key.starts_with(&self.key),
                Match::Contains => key.contains(&self.key),
            }
    }

    /// Returns the key before which a prefix range over bytes ends: `key >= start AND key < end`.
    pub fn prefix_end(&self) -> String {
        format!("{}{}", self.key, char::MAX)
    }

    /// Returns how good a hit of this probe is.
    pub fn closeness(&self) -> Closeness {
        match (self.how, self.kind) {
            (Match::Contains, _) | (_, Kind::Given) => Closeness::Contains,
            (_, Kind::Fuzzy) => Closeness::Fuzzy,
            (Match::Exact, _) => Closeness::Exact,
            (Match::Prefix, _) => Closeness::Prefix,
        }
    }

    /// Returns the rank of a hit, given the probe's position in the query and the row's place.
    pub fn rank(&self, position: u16, place: u16) -> Rank {
        Rank {
            closeness: self.closeness(),
            place,
            probe: position,
        }
    }
}

/// Shows no key: it may be a name or a phone number.
impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.key.chars().count();
        write!(
            f,
            "Probe({} {:?}, {length} characters)",
            self.kind.as_str(),
            self.how
        )
    }
}

/// Shows no key: it may be a name or a phone number.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.key.chars().count();
        write!(
            f,
            "Row({} {length} characters, place {})",
            self.kind.as_str(),
            self.place
        )
    }
}

impl SearchKeys {
    /// Returns the keys of nobody.
    pub fn new() -> SearchKeys {
        SearchKeys::default()
    }

    /// Adds a person who lives there; the first is the head.
    pub fn add_person(&mut self, name: &str) {
        self.people = self.people.saturating_add(1);
        self.add_name(name, pinyin::keys(name));
    }

    /// Adds a 小名 of the person added last.
    pub fn add_nickname(&mut self, nickname: &str) {
        self.add_name(nickname, pinyin::nickname_keys(nickname));
    }

    /// Adds a phone number of the person added last; what holds no four digits has no tail.
    pub fn add_phone(&mut self, number: &str) {
        let digits = phone_digits(number);
        if digits.len() >= TAIL_MIN {
            self.add(Kind::Phone, reversed(&digits), self.place());
        }
    }

    /// Adds the household's number in the village's books.
    pub fn add_number(&mut self, number: &str) {
        self.add(Kind::Number, door_key(number), 0);
    }

    /// Adds the household's door.
    pub fn add_door(&mut self, door: &Door) {
        let number = door_key(&door.number);
        if let Some(group) = door.group {
            self.add(Kind::Door, format!("{group}-{number}"), 0);
        }
        self.add(Kind::Door, number, 0);
    }

    /// Returns the rows to keep, sorted, each key once with its best place.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.rows.iter().map(|((kind, key), place)| Row {
            kind: *kind,
            key: key.clone(),
            place: *place,
        })
    }

    fn add_name(&mut self, name: &str, keys: pinyin::NameKeys) {
        let place = self.place();
        self.add(Kind::Name, name_key(name), place);
        for key in keys.initials.into_iter().chain(keys.mixed) {
            self.add(Kind::Initials, key, place);
        }
        for key in keys.full {
            self.add(Kind::Full, key, place);
        }
        for key in keys.given {
            self.add(Kind::Given, key, place);
        }
        for key in keys.fuzzy {
            self.add(Kind::Fuzzy, key, place);
        }
    }

    fn place(&self) -> u16 {
        self.people.saturating_sub(1)
    }

    fn add(&mut self, kind: Kind, key: String, place: u16) {
        if !key.is_empty() {
            let kept = self.rows.entry((kind, key)).or_insert(place);
            *kept = place.min(*kept);
        }
    }
}

/// A name as it is compared: without gaps, dots and capital letters.
fn name_key(name: &str) -> String {
    text::person_name(name)
        .to_lowercase()
        .replace([' ', '·'], "")
}

/// An address as it is compared.
fn door_key(number: &str) -> String {
    text::compact(number).to_lowercase()
}

/// The digits of a number, without the country's where it is a whole one.
fn phone_digits(number: &str) -> String {
    let known = Phone::parse(number).ok().flatten();
    let number = text::compact(known.as_ref().map_or(number, Phone::as_str));
    number.chars().filter(char::is_ascii_digit).collect()
}

fn reversed(digits: &str) -> String {
    digits.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_key_keeps_its_best_place() {
        let mut keys = SearchKeys::new();
        keys.add_phone("138 1234 5678");
        keys.add_person("张三");
        keys.add_person("张山");
        keys.add_phone("13812345678");
        let places = |kind| {
            keys.rows()
                .filter(move |row| row.kind == kind)
                .map(|row| row.place)
        };
        assert_eq!(places(Kind::Phone).collect::<Vec<_>>(), [0]);
        assert_eq!(places(Kind::Name).collect::<Vec<_>>(), [0, 1]);
        assert!(
            keys.rows()
                .filter(|row| row.key == "zs")
                .all(|row| row.place == 0)
        );
    }

    #[test]
    fn debug_shows_no_name_and_no_number() {
        let mut keys = SearchKeys::new();
        keys.add_person("张三");
        keys.add_phone("13812345678");
        let query = [Query::parse("张三"), Query::parse("13812345678")];
        let shown = format!("{:?} {query:?}", keys.rows().collect::<Vec<_>>());
        for secret in ["张", "zs", "8765", "1381"] {
            assert!(!shown.contains(secret), "{secret}");
        }
    }
}
