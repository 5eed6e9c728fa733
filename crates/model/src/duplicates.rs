//! Which households may be one family that two workers registered.
//!
//! Candidates only: a person merges, or says that they are two. **Households are compared only where
//! they share a telephone, an id number, a door, or a head's name where one has no door**, so that five thousand take no longer than five
//! thousand looks; what a crowd shares (the village office's telephone) says nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wangge_wire::DocId;

use crate::pinyin;

/// More households than this behind one telephone or door are a crowd.
const CROWD_MIN: usize = 9;

/// What is compared of a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    /// The household.
    pub id: DocId,
    /// The village's code, or the shorter area it lives in.
    pub village: String,
    /// 组; 0 where it is not known.
    pub group: u16,
    /// 门牌; empty where it is not known.
    pub door: String,
    /// Everybody's name, the head's first.
    pub names: Vec<String>,
    /// The household's and its members' telephones.
    pub phones: BTreeSet<String>,
    /// Keyed hashes of id numbers.
    pub id_hashes: BTreeSet<String>,
    /// Households it was told apart from.
    pub told_apart: BTreeSet<DocId>,
}

/// Why two households may be one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The same id number.
    IdNumber,
    /// The same telephone.
    Phone,
    /// The same name behind the same door.
    SameName,
    /// A name that sounds alike, or differs in one character, behind the same door.
    SimilarName,
    /// The same door, with other names.
    Door,
    /// The same head in one village, and one of them has no door to tell them apart.
    NameWithoutDoor,
}

/// Two households that may be one family; `a` has the smaller id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The one that would stand for both.
    pub a: DocId,
    /// The other.
    pub b: DocId,
    /// How much speaks for it, 1 to 100.
    pub score: u8,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
}

impl Reason {
    /// Returns the reason as JSON has it.
    pub fn code(self) -> &'static str {
        match self {
            Reason::IdNumber => "id_number",
            Reason::Phone => "phone",
            Reason::SameName => "same_name",
            Reason::SimilarName => "similar_name",
            Reason::Door => "door",
            Reason::NameWithoutDoor => "name_without_door",
        }
    }

    fn weight(self) -> u8 {
        match self {
            Reason::IdNumber => 50,
            Reason::SameName => 40,
            Reason::Phone => 30,
            Reason::SimilarName => 20,
            Reason::NameWithoutDoor => 15,
            Reason::Door => 10,
        }
    }
}

/// Returns the pairs, the likeliest first.
pub fn pairs(households: &[Traits]) -> Vec<Pair> {
    let mut reasons: BTreeMap<(usize, usize), BTreeSet<Reason>> = BTreeMap::new();
    let phones = shared(households, |traits| traits.phones.iter().cloned().collect());
    let hashes = shared(households, |traits| {
        traits.id_hashes.iter().cloned().collect()
    });
    for (pairs, reason) in [(phones, Reason::Phone), (hashes, Reason::IdNumber)] {
        for pair in pairs {
            reasons.entry(pair).or_default().insert(reason);
        }
    }
    for pair in shared(households, door_key) {
        if let (Some(a), Some(b)) = (households.get(pair.0), households.get(pair.1)) {
            let reason = by_names(&a.names, &b.names);
            reasons.entry(pair).or_default().insert(reason);
        }
    }
    for pair in shared(households, head_key) {
        let doorless = |at: usize| households.get(at).is_some_and(|one| one.door.is_empty());
        if doorless(pair.0) || doorless(pair.1) {
            let reasons = reasons.entry(pair).or_default();
            reasons.insert(Reason::NameWithoutDoor);
        }
    }
    let mut found: Vec<Pair> = reasons
        .into_iter()
        .filter_map(|((a, b), reasons)| pair(households.get(a)?, households.get(b)?, reasons))
        .collect();
    found.sort_by(|x, y| (y.score, x.a, x.b).cmp(&(x.score, y.a, y.b)));
    found
}

fn pair(a: &Traits, b: &Traits, reasons: BTreeSet<Reason>) -> Option<Pair> {
    if a.told_apart.contains(&b.id) || b.told_apart.contains(&a.id) {
        return None;
    }
    let score = reasons.iter().map(|reason| reason.weight()).sum::<u8>();
    Some(Pair {
        a: a.id.min(b.id),
        b: a.id.max(b.id),
        score: score.min(100),
        reasons: reasons.into_iter().collect(),
    })
}

/// Returns the pairs of households, by position, that have one of these keys in common.
fn shared(
    households: &[Traits],
    keys: impl Fn(&Traits) -> Vec<String>,
) -> BTreeSet<(usize, usize)> {
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, traits) in households.iter().enumerate() {
        for key in keys(traits) {
            by_key.entry(key).or_default().push(position);
        }
    }
    let mut pairs = BTreeSet::new();
    for positions in by_key.values().filter(|group| group.len() < CROWD_MIN) {
        for (nth, a) in positions.iter().enumerate() {
            pairs.extend(positions.iter().skip(nth + 1).map(|b| (*a, *b)));
        }
    }
    pairs
}

fn door_key(traits: &Traits) -> Vec<String> {
    if traits.door.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{} {} {}",
        traits.village, traits.group, traits.door
    )]
}

fn head_key(traits: &Traits) -> Vec<String> {
    let head = traits.names.first().filter(|head| !head.is_empty());
    let key = head.map(|head| format!("{} {head}", traits.village));
    key.into_iter().collect()
}

/// Returns what the names of two households behind one door say.
fn by_names(a: &[String], b: &[String]) -> Reason {
    let pairs = || {
        a.iter()
            .flat_map(|x| b.iter().map(move |y| (x.as_str(), y.as_str())))
            .filter(|(x, y)| !x.is_empty() && !y.is_empty())
    };
    if pairs().any(|(x, y)| x == y) {
        return Reason::SameName;
    }
    // Brothers differ in one character too: of similar names only the heads' count.
    match (a.first(), b.first()) {
        (Some(x), Some(y)) if is_similar(x, y) => Reason::SimilarName,
        _ => Reason::Door,
    }
}

/// Returns whether two names sound alike, or differ in one character.
pub fn is_similar(a: &str, b: &str) -> bool {
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let sounds = |name| pinyin::keys(name).full;
    sounds(a).iter().any(|sound| sounds(b).contains(sound)) || is_one_apart(a, b)
}

/// Returns whether one character more, less or other makes one name the other; of names of two
/// characters one character is too much.
fn is_one_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() < 3 || long.len() - short.len() > 1 {
        return false;
    }
    let same = |x: &char, y: &char| x == y;
    let front = short
        .iter()
        .zip(&long)
        .take_while(|(x, y)| same(x, y))
        .count();
    let (short_back, long_back) = (short.iter().rev(), long.iter().rev());
    let back = short_back
        .zip(long_back)
        .take_while(|(x, y)| same(x, y))
        .count();
    front + back + 1 >= long.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn household(n: u8, door: &str, head: &str, phone: &str) -> Traits {
        Traits {
            id: DocId([n; 16]),
            village: "511724103202".into(),
            group: 3,
            door: door.into(),
            names: vec![head.into()],
            phones: (!phone.is_empty())
                .then(|| phone.to_owned())
                .into_iter()
                .collect(),
            id_hashes: BTreeSet::new(),
            told_apart: BTreeSet::new(),
        }
    }

    fn found(households: &[Traits]) -> Vec<(u8, u8, Vec<Reason>)> {
        let pairs = pairs(households);
        let plain = |pair: &Pair| (pair.a.0[0], pair.b.0[0], pair.reasons.clone());
        pairs.iter().map(plain).collect()
    }

    #[test]
    fn a_telephone_a_number_and_a_door_each_bring_two_together() {
        let mut households = [
            household(4, "12", "张建国", "13800000001"),
            household(1, "13", "李四", "13800000001"),
            household(2, "14", "王五", ""),
            household(3, "15", "赵六", ""),
            household(5, "12", "何七", ""),
        ];
        households[2].id_hashes.insert("k:1".into());
        households[3].id_hashes.insert("k:1".into());
        assert_eq!(
            found(&households),
            [
                (2, 3, vec![Reason::IdNumber]),
                (1, 4, vec![Reason::Phone]),
                (4, 5, vec![Reason::Door]),
            ]
        );
    }

    #[test]
    fn names_behind_one_door_are_compared_by_sound_and_by_one_character() {
        for (a, b, expected) in [
            ("曾小红", "曾小红", Reason::SameName),
            ("曾小红", "曾晓红", Reason::SimilarName),
            ("单秀英", "单秀荣", Reason::SimilarName),
            ("张淑芬", "张芬", Reason::SimilarName),
            ("张三", "张四", Reason::Door),
            ("王建国", "李秀英", Reason::Door),
            ("", "李秀英", Reason::Door),
        ] {
            let households = [household(1, "12", a, ""), household(2, "12", b, "")];
            assert_eq!(found(&households), [(1, 2, vec![expected])], "{a} {b}");
        }
        let elsewhere = [
            household(1, "12", "曾小红", ""),
            household(2, "13", "曾小红", ""),
        ];
        assert!(found(&elsewhere).is_empty());
    }

    #[test]
    fn the_same_door_of_another_group_or_village_is_another_door() {
        let one = household(1, "12", "曾小红", "");
        let group = Traits {
            group: 4,
            ..household(2, "12", "曾小红", "")
        };
        let village = Traits {
            village: "511724103203".into(),
            ..household(3, "12", "曾小红", "")
        };
        assert!(found(&[one, group, village]).is_empty());
    }

    #[test]
    fn what_was_told_apart_is_not_offered_again() {
        let mut one = household(1, "12", "曾小红", "");
        one.told_apart.insert(DocId([2; 16]));
        assert!(found(&[one, household(2, "12", "曾小红", "")]).is_empty());
    }

    #[test]
    fn a_telephone_of_a_crowd_says_nothing() {
        let crowd = |count: u8| -> Vec<Traits> {
            (0..count)
                .map(|n| household(n, &n.to_string(), "村民", "08186200000"))
                .collect()
        };
        assert_eq!(found(&crowd(8)).len(), 28);
        assert!(found(&crowd(9)).is_empty());
    }

    #[test]
    fn more_reasons_weigh_more_and_the_order_is_always_the_same() {
        let mut households = vec![
            household(1, "12", "曾小红", "13800000001"),
            household(2, "12", "曾小红", "13800000001"),
            household(3, "12", "曾小红", ""),
        ];
        let pairs = pairs(&households);
        assert_eq!(pairs[0].reasons, [Reason::Phone, Reason::SameName]);
        assert_eq!((pairs[0].score, pairs[1].score), (70, 40));
        households.reverse();
        assert_eq!(super::pairs(&households), pairs);
    }
}
