//! What was typed, read in every way it can be meant, as probes in the order of their rank.
//!
//! **Reading never guesses one meaning away**: 陆 is a name and never door 6, but `5678` is a phone's
//! tail and perhaps a door, and `二队` a village group and perhaps a nickname.

use std::fmt;

use super::{Closeness, Kind, Match, Probe, TAIL_MIN, name_key, phone_digits, reversed};
use crate::door::{self, Door};
use crate::{phone::Phone, pinyin, text};

/// From here on the typed digits may be a phone's beginning: the whole number is being typed.
const NUMBER_MIN: usize = 5;
/// The fewest letters that are looked for inside a name.
const INSIDE_MIN: usize = 2;
/// Longer input is cut; nothing that is looked for is longer.
const TYPED_MAX: usize = 64;
/// The fewest hex digits that are taken for the beginning of an id.
const ID_PREFIX_MIN: usize = 6;
/// Hex digits of a whole id.
const ID_LENGTH: usize = 32;

/// What a worker typed, read in every way it can be meant.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Query {
    probes: Vec<Probe>,
    id_prefix: Option<String>,
    group: Option<u16>,
}

impl Query {
    /// Reads what was typed, full width or half, with or without spaces.
    ///
    /// Letters are initials, then a spelling, then sounds alike; digits are a door up to three or with
    /// a dash, else a phone's tail; Han is a name, and a door where it says so (`三组12号`); Han then
    /// letters is a name half written (`张sf`).
    pub fn parse(typed: &str) -> Query {
        let cut: String = typed.chars().take(TYPED_MAX).collect();
        let typed = text::compact(&cut).to_lowercase();
        let mut query = Query {
            probes: Vec::new(),
            id_prefix: id_prefix(&typed),
            group: None,
        };
        let spelled = letters(&typed);
        let has = |test: fn(char) -> bool| typed.chars().any(test);
        if spelled.chars().all(|c| c.is_ascii_lowercase()) {
            query.add_letters(&spelled);
        } else if has(|c| !c.is_ascii()) {
            query.add_han(&typed);
        } else if !has(|c| c.is_ascii_alphabetic()) && has(|c| c.is_ascii_digit()) {
            query.add_digits(&typed);
        } else {
            query.add(Kind::Number, Match::Exact, typed.clone());
            query.add(Kind::Name, Match::Contains, name_key(&typed));
            query.add(Kind::Door, Match::Contains, typed);
        }
        query.probes.sort_by_key(Probe::closeness);
        query
    }

    /// Returns what to look for, best closeness first; empty where nothing was typed.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Returns what may also be the beginning of a household's id, in lower-case hex digits.
    pub fn id_prefix(&self) -> Option<&str> {
        self.id_prefix.as_deref()
    }

    /// Returns the village group that was typed and nothing beside it: it is to be listed whole.
    pub fn group(&self) -> Option<u16> {
        self.group
    }

    /// Returns the query without what only stands somewhere inside: for naming one household.
    pub fn close(&self) -> Query {
        let mut close = self.clone();
        close
            .probes
            .retain(|probe| probe.closeness() < Closeness::Contains);
        close
    }

    fn add_letters(&mut self, spelled: &str) {
        for how in [Match::Exact, Match::Prefix] {
            for kind in [Kind::Initials, Kind::Full] {
                self.add(kind, how, spelled.to_owned());
            }
        }
        for key in pinyin::fold_initials(spelled) {
            self.add(Kind::Fuzzy, Match::Prefix, key);
        }
        self.add(Kind::Fuzzy, Match::Prefix, pinyin::fold(spelled));
        if spelled.len() >= INSIDE_MIN {
            self.add(Kind::Given, Match::Prefix, spelled.to_owned());
        }
    }

    fn add_digits(&mut self, typed: &str) {
        let digits = phone_digits(typed);
        let is_phone = matches!(Phone::parse(typed), Ok(Some(_)));
        if !is_phone && (typed.contains('-') || digits.len() <= TAIL_MIN) {
            self.add_door(typed_door(typed));
        }
        self.add(Kind::Number, Match::Exact, typed.to_owned());
        if is_phone || (!typed.contains('-') && digits.len() >= TAIL_MIN) {
            let tail = reversed(&digits);
            self.add(Kind::Phone, Match::Exact, tail.clone());
            if digits.len() >= NUMBER_MIN {
                self.add(Kind::Phone, Match::Contains, tail.clone());
            }
            self.add(Kind::Phone, Match::Prefix, tail);
        }
    }

    fn add_han(&mut self, typed: &str) {
        let says_door = typed.contains(|c: char| c.is_ascii_digit() || "组社队号".contains(c));
        let door = Door::parse(typed, "");
        if says_door && door.is_numbered() {
            self.add_door(door.short());
        } else if typed.ends_with(['组', '社', '队'])
            && let Some(group) = door::group(typed)
        {
            self.add(Kind::Door, Match::Prefix, format!("{group}-"));
            self.group = Some(group);
        }
        let name = name_key(typed);
        for how in [Match::Exact, Match::Prefix, Match::Contains] {
            self.add(Kind::Name, how, name.clone());
        }
        self.add(Kind::Door, Match::Contains, typed.to_owned());
        self.add_begun_name(&letters(typed));
    }

    /// `张sf` is kept as a key; `张shuf` is looked for as the spelling it begins.
    fn add_begun_name(&mut self, typed: &str) {
        let Some(start) = typed.find(|c: char| c.is_ascii_lowercase()) else {
            return;
        };
        let Some((written, rest)) = typed.split_at_checked(start) else {
            return;
        };
        if written.is_empty() || !rest.chars().all(|c| c.is_ascii_lowercase()) {
            return;
        }
        self.add(Kind::Initials, Match::Exact, typed.to_owned());
        self.add(Kind::Initials, Match::Prefix, typed.to_owned());
        for begun in pinyin::keys(written).full {
            self.add(Kind::Full, Match::Prefix, begun + rest);
        }
    }

    fn add_door(&mut self, key: String) {
        self.add(Kind::Door, Match::Exact, key.clone());
        self.add(Kind::Door, Match::Prefix, key);
    }

    fn add(&mut self, kind: Kind, how: Match, key: String) {
        let probe = Probe { kind, key, how };
        if !probe.key.is_empty() && !self.probes.contains(&probe) {
            self.probes.push(probe);
        }
    }
}

/// Shows the probes' kinds only: digits that may be an id may be a phone number as well.
impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.probes).finish()
    }
}

/// Typed letters with ü as `v`, without the signs that part syllables.
fn letters(typed: &str) -> String {
    typed
        .replace('ü', "v")
        .replace(['\'', '’', '‘', '`', '·', '-'], "")
}

/// `03-012` as `3-12`; a dash at the end stays, because the number is still to come.
fn typed_door(typed: &str) -> String {
    let parts = typed.split('-').filter(|part| !part.is_empty());
    let parts: Vec<&str> = parts
        .map(|part| match part.trim_start_matches('0') {
            "" => "0",
            bare => bare,
        })
        .collect();
    let open = if typed.ends_with('-') { "-" } else { "" };
    parts.join("-") + open
}

fn id_prefix(typed: &str) -> Option<String> {
    let is_hex = typed.bytes().all(|c| c.is_ascii_hexdigit());
    let has_digit = typed.bytes().any(|c| c.is_ascii_digit());
    let fits = typed.len() == ID_LENGTH
        || (has_digit && (ID_PREFIX_MIN..ID_LENGTH).contains(&typed.len()));
    (is_hex && fits).then(|| typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes(typed: &str) -> Vec<String> {
        let probes = Query::parse(typed).probes;
        let line = |probe: &Probe| format!("{} {:?} {}", probe.kind.as_str(), probe.how, probe.key);
        probes.iter().map(line).collect()
    }

    #[test]
    fn letters_are_initials_then_a_spelling_then_sounds() {
        let expected = [
            "initials Exact nfs",
            "full Exact nfs",
            "initials Prefix nfs",
            "full Prefix nfs",
            "fuzzy Prefix lfs",
            "fuzzy Prefix nfs",
            "given Prefix nfs",
        ];
        assert_eq!(probes("nfs"), expected);
        assert_eq!(probes("Ｎ ＦＳ"), expected);
        assert!(probes("lü'ying").contains(&"full Exact lvying".to_owned()));
    }

    #[test]
    fn up_to_three_digits_or_a_dash_is_a_door() {
        assert_eq!(
            probes("12"),
            ["door Exact 12", "number Exact 12", "door Prefix 12"]
        );
        assert!(probes("03—012").starts_with(&["door Exact 3-12".to_owned()]));
        assert!(probes("3-").contains(&"door Prefix 3-".to_owned()));
        assert_eq!(probes("３－１２－１")[0], "door Exact 3-12-1");
    }

    #[test]
    fn four_digits_are_a_phones_tail_read_from_the_end() {
        assert_eq!(
            probes("5678"),
            [
                "door Exact 5678",
                "number Exact 5678",
                "phone Exact 8765",
                "door Prefix 5678",
                "phone Prefix 8765"
            ]
        );
        assert_eq!(
            probes("45678"),
            [
                "number Exact 45678",
                "phone Exact 87654",
                "phone Prefix 87654",
                "phone Contains 87654"
            ]
        );
        let phone = "phone Exact 87654321831".to_owned();
        assert!(probes("+86 138-1234-5678").contains(&phone));
        assert!(probes("0818-6212345").contains(&"phone Exact 54321268180".to_owned()));
    }

    #[test]
    fn han_is_a_name_and_a_door_where_it_says_so() {
        assert_eq!(
            probes("福生"),
            [
                "name Exact 福生",
                "name Prefix 福生",
                "name Contains 福生",
                "door Contains 福生"
            ]
        );
        assert!(probes("三组12号").starts_with(&["door Exact 3-12".to_owned()]));
        assert!(probes("12号").starts_with(&["door Exact 12".to_owned()]));
        assert!(probes("3组").contains(&"door Prefix 3-".to_owned()));
        // 陆 is a surname, not a door number 6.
        assert!(probes("陆").iter().all(|probe| !probe.contains('6')));
    }

    #[test]
    fn han_then_letters_is_a_name_half_written() {
        let found = probes("张sf");
        assert!(found.contains(&"initials Exact 张sf".to_owned()));
        assert!(found.contains(&"full Prefix zhangsf".to_owned()));
    }

    #[test]
    fn hex_with_a_digit_may_be_an_id() {
        let whole = "0190a1b2c3d4e5f60190a1b2c3d4e5f6";
        assert_eq!(Query::parse(whole).id_prefix(), Some(whole));
        assert_eq!(Query::parse("0190A1").id_prefix(), Some("0190a1"));
        assert_eq!(Query::parse("123456").id_prefix(), Some("123456"));
        let letters_only = "abcdefabcdefabcdefabcdefabcdefab";
        assert_eq!(Query::parse(letters_only).id_prefix(), Some(letters_only));
        for typed in [
            "0190a",
            "abcdef",
            "zjg123",
            "张0190a1",
            &format!("{whole}0"),
        ] {
            assert_eq!(Query::parse(typed).id_prefix(), None, "{typed}");
        }
    }

    #[test]
    fn nothing_typed_looks_for_nothing() {
        for typed in ["", " 　", "-", "'", "—", "·"] {
            assert!(probes(typed).is_empty(), "{typed}: {:?}", probes(typed));
        }
    }
}
