//! A phone number: a mobile of eleven digits or a landline with its area code.
//!
//! Kept as digits only (a landline with one dash after the area code), so that the same number typed
//! in two ways is one number.

use std::fmt;

use crate::text;

/// A number that can be dialled from a mobile phone anywhere in the country.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phone {
    number: String,
}

/// The typed text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number: a mobile has 11 digits, a landline its area code (0818-6212345)")]
pub struct NotAPhone;

impl Phone {
    /// Reads a typed number; `无`, `没有` and `-` mean there is none.
    ///
    /// Full width, spaces, dashes, `+86` and a spreadsheet's `.0` are accepted. A landline without
    /// its area code is refused: it cannot be dialled from a mobile.
    pub fn parse(typed: &str) -> Result<Option<Phone>, NotAPhone> {
        if text::means_none(typed) {
            return Ok(None);
        }
        let typed = text::compact(typed);
        let typed = typed.trim_matches(['\'', '‘', '’', '`', '"', '=']);
        let typed = text::without_decimal_zeros(typed);
        let digits: String = typed
            .chars()
            .filter(|c| !matches!(c, '-' | '(' | ')' | '.'))
            .collect();
        let digits = without_country(&digits);
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
            return Err(NotAPhone);
        }
        mobile(digits)
            .or_else(|| landline(digits))
            .map(|number| Some(Phone { number }))
            .ok_or(NotAPhone)
    }

    /// Returns the number: `13812345678`, or `0818-6212345`.
    pub fn as_str(&self) -> &str {
        &self.number
    }

    /// Returns the number with its middle hidden: `138****5678`, `0818-***2345`.
    pub fn masked(&self) -> String {
        let shown_tail = self.number.chars().count().saturating_sub(4);
        let (hidden_from, area) = match self.number.split_once('-') {
            Some((area, _)) => (area.len() + 1, true),
            None => (3, false),
        };
        self.number
            .chars()
            .enumerate()
            .map(|(i, c)| match i {
                i if i < hidden_from || i >= shown_tail => c,
                _ if area && c == '-' => c,
                _ => '*',
            })
            .collect()
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

fn without_country(digits: &str) -> &str {
    for prefix in ["+86", "0086", "86"] {
        if let Some(rest) = digits.strip_prefix(prefix)
            && rest.len() >= 10
        {
            return rest;
        }
    }
    digits
}

fn mobile(digits: &str) -> Option<String> {
    let second = digits.chars().nth(1)?;
    let fits = digits.len() == 11 && digits.starts_with('1') && matches!(second, '3'..='9');
    fits.then(|| digits.to_owned())
}

/// Area codes are 010 and 02x with eight digits after them, all others four digits with seven or eight.
fn landline(digits: &str) -> Option<String> {
    let short = digits.starts_with("010") || digits.starts_with("02");
    let (area, local) = digits.split_at_checked(if short { 3 } else { 4 })?;
    let length_fits = if short {
        local.len() == 8
    } else {
        matches!(local.len(), 7 | 8)
    };
    let area_fits =
        area.starts_with('0') && !area.starts_with("00") && (short || !area.starts_with("01"));
    let fits = area_fits && length_fits && !local.starts_with(['0', '1']);
    fits.then(|| format!("{area}-{local}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Option<String> {
        Phone::parse(typed)
            .ok()
            .flatten()
            .map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn a_mobile_is_read_however_it_was_typed() {
        for typed in [
            "13812345678",
            "１３８１２３４５６７８",
            "138 1234 5678",
            "138-1234-5678",
            "13812345678.0",
            "+8613812345678",
            "86 13812345678",
            "'13812345678",
            "008613812345678",
        ] {
            assert_eq!(parse(typed).as_deref(), Some("13812345678"), "{typed}");
        }
    }

    #[test]
    fn a_landline_keeps_its_area_code() {
        for (typed, number) in [
            ("0818-6212345", "0818-6212345"),
            ("08186212345", "0818-6212345"),
            ("(028)86123456", "028-86123456"),
            ("010-62345678", "010-62345678"),
        ] {
            assert_eq!(parse(typed).as_deref(), Some(number), "{typed}");
        }
    }

    #[test]
    fn words_for_none_are_no_number_and_no_error() {
        for typed in ["无", "没有", "-", "", " － "] {
            assert_eq!(Phone::parse(typed), Ok(None), "{typed}");
        }
    }

    #[test]
    fn other_numbers_are_refused() {
        for typed in [
            "1381234567",
            "138123456789",
            "12812345678",
            "6212345",
            "1.38E+10",
            "电话",
            "13812345678/",
            "0818-62123",
            "0018-6212345",
            "110",
        ] {
            assert_eq!(Phone::parse(typed), Err(NotAPhone), "{typed}");
        }
    }

    #[test]
    fn a_masked_number_shows_three_and_four() {
        let masked = |typed| Phone::parse(typed).unwrap().unwrap().masked();
        assert_eq!(masked("13812345678"), "138****5678");
        assert_eq!(masked("0818-6212345"), "0818-***2345");
        assert_eq!(
            format!("{:?}", Phone::parse("13812345678").unwrap().unwrap()),
            "Phone(138****5678)"
        );
    }
}
