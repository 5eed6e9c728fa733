//! What is left of a resident's data where it is not read in full: away from the own grids, at desks,
//! on paper, in exports.
//!
//! **Enough to tell two families apart, not enough to find one**: a surname, the head and tail of a
//! telephone number, the village group, an age band.

use crate::phone::Phone;
use crate::{look, pinyin, text};

/// Digits in a row that are a number somebody can be found by.
const NUMBER_DIGITS_MIN: usize = 7;
/// Age bands: the first year of age of each but the first, and its word.
const BANDS: [(i32, &str); 6] = [
    (80, "80+"),
    (70, "70-79"),
    (60, "60-69"),
    (18, "18-59"),
    (7, "7-17"),
    (i32::MIN, "0-6"),
];

/// Returns a name of which the surname is left: `王**`, `欧阳*`; nothing of one that is a single sign.
pub fn name(name: &str) -> String {
    let signs: Vec<char> = name.chars().collect();
    let kept = match signs.as_slice() {
        [_] => 0,
        [first, second, _, ..] if pinyin::is_compound_surname(*first, *second) => 2,
        _ => 1,
    };
    signs
        .into_iter()
        .enumerate()
        .map(|(at, sign)| if at < kept { sign } else { '*' })
        .collect()
}

/// Returns a telephone number of which the middle is hidden: `138****5678`, `0818-***2345`.
pub fn phone(number: &str) -> String {
    match Phone::parse(number) {
        Ok(Some(phone)) => phone.masked(),
        _ => "*".repeat(number.chars().count().min(11)),
    }
}

/// Returns how somebody is reached, with whatever number or words it holds hidden.
pub fn contact(typed: &str) -> String {
    phone(typed)
}

/// Returns the village group, all that is left of an address: `3组`; empty where it is not known.
pub fn address(group: u16) -> String {
    match group {
        0 => String::new(),
        group => format!("{group}组"),
    }
}

/// Returns the line that tells a household apart: `3组 王**`.
pub fn household_line(group: u16, head: &str) -> String {
    format!("{} {}", address(group), name(head))
        .trim()
        .to_owned()
}

/// Returns the age band of a birth `1967-09` or `1967` in a month; none where it does not read.
///
/// Where only the year is known the birthday counts as past.
pub fn age_band(birth: &str, year: i32, month: u32) -> Option<&'static str> {
    let (born, born_in) = birth.split_once('-').unwrap_or((birth, "1"));
    let (born, born_in): (i32, u32) = (born.parse().ok()?, born_in.parse().ok()?);
    let age = year - born - i32::from(born_in > month);
    BANDS
        .iter()
        .find(|(from, _)| age >= *from)
        .map(|(_, band)| *band)
}

/// Returns a remark with every number somebody can be found by made stars; its words stay.
pub fn note(typed: &str) -> String {
    let masked = look::masked(typed, &look::look(typed));
    let mut out = String::with_capacity(masked.len());
    let mut run = String::new();
    for c in masked.chars().map(Some).chain([None]) {
        if let Some(c) = c.filter(|c| is_digit(*c)) {
            run.push(c);
            continue;
        }
        if run.chars().count() >= NUMBER_DIGITS_MIN {
            run = "*".repeat(run.chars().count());
        }
        out.push_str(&std::mem::take(&mut run));
        out.extend(c);
    }
    out
}

fn is_digit(c: char) -> bool {
    let folded = text::half_width(c.encode_utf8(&mut [0; 4]));
    folded.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surname_stays_of_a_name() {
        for (whole, shown) in [
            ("王小明", "王**"),
            ("王明", "王*"),
            ("欧阳修远", "欧阳**"),
            ("欧阳", "欧*"),
            ("甲", "*"),
            ("\u{20bb7}", "*"),
            ("", ""),
        ] {
            assert_eq!(name(whole), shown);
        }
    }

    #[test]
    fn three_and_four_digits_stay_of_a_mobile_number() {
        assert_eq!(phone("13812345678"), "138****5678");
        assert_eq!(phone("0818-6212345"), "0818-***2345");
        assert_eq!(phone("12345"), "*****");
        assert_eq!(contact("找他儿子王强"), "******");
        assert_eq!(phone(""), "");
    }

    #[test]
    fn an_address_is_its_group_and_a_birth_its_band() {
        assert_eq!(address(3), "3组");
        assert_eq!(household_line(3, "王小明"), "3组 王**");
        assert_eq!(household_line(0, "王小明"), "王**");
        for (birth, band) in [
            ("2026-01", "0-6"),
            ("2019-12", "0-6"),
            ("2019-11", "7-17"),
            ("2008-11", "18-59"),
            ("1966-12", "18-59"),
            ("1966-11", "60-69"),
            ("1956", "70-79"),
            ("1946", "80+"),
        ] {
            assert_eq!(age_band(birth, 2026, 11), Some(band), "{birth}");
        }
        assert_eq!(age_band("不详", 2026, 11), None);
    }

    #[test]
    fn a_note_keeps_its_words_and_loses_its_numbers() {
        assert_eq!(note("儿子13812345678，周五回"), "儿子***********，周五回");
        assert_eq!(
            note("水表１２３４５６７号，3组12号"),
            "水表*******号，3组12号"
        );
        assert_eq!(note("2026-11-23"), "2026-11-23");
    }
}
