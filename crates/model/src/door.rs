//! A door: the village group and the house number, in one form however they were written.
//!
//! A household's id is derived from its door, so **the same door typed in two ways must come out
//! equal**; what cannot be read with certainty is kept as typed and never guessed.

use serde::{Deserialize, Serialize};

use crate::text;

/// Words that mean village group after a numeral; 社 and 队 are the older names still in use.
const GROUP_WORDS: [&str; 8] = [
    "村民小组",
    "生产队",
    "生产小组",
    "合作社",
    "小组",
    "组",
    "社",
    "队",
];
/// Ends of the names of areas that may stand before the group and say nothing more about the door.
const AREA_ENDS: [&str; 9] = [
    "村民委员会",
    "居民委员会",
    "村委会",
    "居委会",
    "社区",
    "街道",
    "村",
    "镇",
    "乡",
];

/// Where a household's door is inside its village.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Door {
    /// The village group (组), where known.
    pub group: Option<u16>,
    /// The house number (`12`, `12附1`, `12-1`), or the address as typed where it holds no number.
    pub number: String,
}

impl Door {
    /// Reads an address, and the group from a cell of its own where the sheet has one.
    ///
    /// The group's own cell wins over a group inside the address. Without such a cell `3-12` is group
    /// 3 door 12; beside one that says another group it is door 12-1 of a yard.
    pub fn parse(address: &str, group_cell: &str) -> Door {
        let from_cell = group(group_cell);
        let read = read_address(address, from_cell);
        Door {
            group: from_cell.or(read.group),
            number: read.number,
        }
    }

    /// Returns `3-12`, `12` without a group, the typed text of an address without a number.
    pub fn short(&self) -> String {
        match self.group {
            Some(group) if self.is_numbered() => format!("{group}-{}", self.number),
            _ => self.number.clone(),
        }
    }

    /// Says whether the address was understood as a house number.
    pub fn is_numbered(&self) -> bool {
        self.number.starts_with(|c: char| c.is_ascii_digit())
            && self
                .number
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '-' | '附'))
    }
}

/// Returns the village group of `一组`, `第1组`, `3社`, `1`, `1.0`; 0 and everything else is none.
pub fn group(typed: &str) -> Option<u16> {
    let typed = text::compact(typed);
    let bare = GROUP_WORDS
        .iter()
        .find_map(|word| typed.strip_suffix(word))
        .unwrap_or(&typed);
    let bare = bare.strip_prefix('第').unwrap_or(bare);
    text::numeral(bare).filter(|number| (1..=999).contains(number))
}

/// Returns the group an address names by a word (`5组12号`, `XX村三社`); `5-12` may be another thing.
pub fn group_in_address(address: &str) -> Option<u16> {
    split_at_group(&text::compact(address)).map(|(_, group, _)| group)
}

fn read_address(address: &str, known_group: Option<u16>) -> Door {
    let typed = text::tidy(address);
    let joined = text::compact(&typed);
    let as_typed = |group| Door {
        group,
        number: typed.clone(),
    };
    if let Some((before, group, after)) = split_at_group(&joined) {
        let number = match after {
            _ if !is_area_name(before) => None,
            // A group alone is no door: half the group would live behind it.
            "" => Some(String::new()),
            _ => house_number(after),
        };
        return match number {
            Some(number) => Door {
                group: Some(group),
                number,
            },
            None => as_typed(Some(group)),
        };
    }
    if let Some((left, right)) = joined.split_once('-')
        && let (Some(group), Some(number)) = (plain_number(left), house_number(right))
        && known_group.is_none_or(|known| known == group)
        && !right.contains('-')
        && !joined.ends_with('号')
    {
        return Door {
            group: Some(group),
            number,
        };
    }
    let bare = strip_area_name(&joined);
    match house_number(bare) {
        Some(number) => Door {
            group: None,
            number,
        },
        None => as_typed(None),
    }
}

/// Splits `XX村第三组12号` into what stands before the group, the group, and what follows.
fn split_at_group(joined: &str) -> Option<(&str, u16, &str)> {
    for word in GROUP_WORDS {
        let Some((before, after)) = joined.split_once(word) else {
            continue;
        };
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| is_numeral_char(*c))
            .last()
            .map(|(start, _)| start)?;
        let (head, numeral) = before.split_at_checked(start)?;
        let number = text::numeral(numeral).filter(|number| (1..=999).contains(number))?;
        return Some((head.strip_suffix('第').unwrap_or(head), number, after));
    }
    None
}

fn is_numeral_char(c: char) -> bool {
    c.is_ascii_digit() || "零〇一二两三四五六七八九十百壹贰叁肆伍陆柒捌玖拾佰".contains(c)
}

/// `12号`, `第12号`, `十二号`, `12号附1号`, `12-1号`, `12`, `012`, `12.0` as a house number.
fn house_number(typed: &str) -> Option<String> {
    let typed = typed.trim_start_matches(['-', ',', '第']);
    let typed = text::without_decimal_zeros(typed);
    let typed = typed.strip_prefix("门牌").unwrap_or(typed);
    if let Some((main, annex)) = typed.split_once('附') {
        let (main, annex) = (
            plain_number(strip_hao(main))?,
            plain_number(strip_hao(annex))?,
        );
        return Some(format!("{main}附{annex}"));
    }
    if let Some((main, part)) = typed.split_once('-') {
        let (main, part) = (
            plain_number(strip_hao(main))?,
            plain_number(strip_hao(part))?,
        );
        return Some(format!("{main}-{part}"));
    }
    plain_number(strip_hao(typed)).map(|number| number.to_string())
}

fn strip_hao(text: &str) -> &str {
    text.strip_suffix("号院")
        .or_else(|| text.strip_suffix('号'))
        .unwrap_or(text)
}

fn plain_number(text: &str) -> Option<u16> {
    text::numeral(text).filter(|number| *number > 0)
}

fn is_area_name(text: &str) -> bool {
    text.is_empty() || AREA_ENDS.iter().any(|end| text.ends_with(end))
}

/// Takes the area's name off `XX村12号`; a name that ends in anything else stays.
fn strip_area_name(text: &str) -> &str {
    let cut = AREA_ENDS
        .iter()
        .filter_map(|end| text.rfind(end).map(|at| at + end.len()))
        .max()
        .unwrap_or(0);
    match text.split_at_checked(cut) {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_however_it_was_written() {
        for (typed, number) in [
            ("一组", 1),
            ("第1组", 1),
            ("1", 1),
            ("1.0", 1),
            ("１", 1),
            ("第一村民小组", 1),
            ("十二组", 12),
            ("3社", 3),
            ("三队", 3),
            (" 八 组 ", 8),
            ("第二十三小组", 23),
        ] {
            assert_eq!(group(typed), Some(number), "{typed}");
        }
        for typed in ["", "组", "李家湾", "0", "第组", "1.5", "一二组"] {
            assert_eq!(group(typed), None, "{typed}");
        }
    }

    #[test]
    fn one_door_written_in_many_ways_is_one_door() {
        let cells = [
            ("8组12号", ""),
            ("八组12号", ""),
            ("第八组十二号", ""),
            ("12号", "8"),
            ("12", "八组"),
            ("12.0", "8.0"),
            ("8-12", ""),
            ("８－１２", ""),
            ("8组12号", "第8组"),
            ("8—12", "8"),
            ("012号", "8"),
            ("8社12号", ""),
            ("乌木镇XX村8组12号", ""),
            ("XX村12号", "8组"),
            ("8 组 12 号", ""),
            ("门牌12号", "8"),
        ];
        for (address, group_cell) in cells {
            assert_eq!(
                Door::parse(address, group_cell).short(),
                "8-12",
                "{address} {group_cell}"
            );
        }
    }

    #[test]
    fn a_door_of_a_yard_keeps_its_parts() {
        assert_eq!(Door::parse("12-1号", "3组").short(), "3-12-1");
        assert_eq!(Door::parse("12-1", "3组").short(), "3-12-1");
        assert_eq!(Door::parse("3组12-1号", "").short(), "3-12-1");
        assert_eq!(Door::parse("3组12号附1号", "").short(), "3-12附1");
        assert_eq!(Door::parse("12附1", "3").short(), "3-12附1");
    }

    #[test]
    fn an_address_without_a_number_stays_as_typed() {
        for (address, group_cell, group, number) in [
            ("老街 茶馆背后", "三组", Some(3), "老街 茶馆背后"),
            ("李家湾3组12号", "", Some(3), "李家湾3组12号"),
            ("幸福小区2栋1单元301", "", None, "幸福小区2栋1单元301"),
            ("村小学旁", "", None, "村小学旁"),
            ("三组", "", Some(3), ""),
            ("乌木镇XX村三组", "", Some(3), ""),
            ("", "三组", Some(3), ""),
        ] {
            let door = Door::parse(address, group_cell);
            assert_eq!(
                (door.group, door.number.as_str()),
                (group, number),
                "{address}"
            );
            assert!(!door.is_numbered(), "{address}");
            assert_eq!(door.short(), number);
        }
    }

    #[test]
    fn the_groups_own_cell_wins() {
        assert_eq!(Door::parse("5组12号", "4").short(), "4-12");
        assert_eq!(group_in_address("5组12号"), Some(5));
        assert_eq!(group_in_address("XX村三社"), Some(3));
        assert_eq!(group_in_address("5-12"), None);
        assert_eq!(Door::parse("18号", "").short(), "18");
    }
}
