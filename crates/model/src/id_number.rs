//! A citizen's identity number (GB 11643), checked when it is typed and never shown again.
//!
//! The rule it keeps: **no way to print the digits**. They are lent out for keyed hashing only; what
//! a screen may say is that a number was checked.

use std::fmt;

use chrono::NaiveDate;

use crate::text;

/// Weights of the first seventeen digits, GB 11643-1999, 5.3.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check character for each remainder of the weighted sum modulo 11.
const CHECK: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// Birth years a number may carry (the standard's own example was born in 1880). There is no clock
/// here, so a birth in the near future passes.
const BIRTH_YEARS: std::ops::RangeInclusive<u16> = 1800..=2099;

/// A number of eighteen characters that passed its check digit and its date.
#[derive(Clone, PartialEq, Eq)]
pub struct IdNumber {
    digits: String,
    birth_year: u16,
    birth_month: u8,
    sex: u8,
}

/// Why a typed identity number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A number of fifteen digits, as cards had before 1999: the newer card has to be looked at.
    #[error("an identity number of fifteen digits is no longer valid")]
    FifteenDigits,
    /// Neither eighteen nor fifteen characters.
    #[error("an identity number has 18 characters, not {length}")]
    Length {
        /// Characters typed, spaces not counted.
        length: usize,
    },
    /// Something other than digits with an X at the end.
    #[error("an identity number is seventeen digits and a digit or X")]
    Characters,
    /// A spreadsheet kept fifteen digits and made the rest zeros (or wrote `5.1E+17`).
    #[error(
        "a spreadsheet rounded this identity number; format the column as text and type it again"
    )]
    Rounded,
    /// Characters 7 to 14 are no date.
    #[error("the birth date inside the identity number does not exist")]
    Date,
    /// The last character does not fit the others: a slip of the keyboard.
    #[error("the check character of the identity number is wrong")]
    Checksum,
}

impl IdNumber {
    /// Reads a typed number: full width, spaces and a lower-case x are accepted.
    ///
    /// A number that ends in `000` is refused as [`IdError::Rounded`] even where the check character
    /// happens to fit (one in eleven does): rounding gives people born on one day in one place the
    /// same number, and an import that matches by number would make them one person.
    pub fn parse(typed: &str) -> Result<IdNumber, IdError> {
        let digits = text::compact(typed)
            .trim_matches(['\'', '‘', '’', '`', '"', '='])
            .to_ascii_uppercase();
        if is_scientific(&digits) {
            return Err(IdError::Rounded);
        }
        let length = digits.chars().count();
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        match length {
            18 => {}
            15 if plain(&digits) => return Err(IdError::FifteenDigits),
            _ => return Err(IdError::Length { length }),
        }
        let (Some(body), Some(check)) = (digits.get(..17), digits.chars().last()) else {
            return Err(IdError::Characters);
        };
        if !plain(body) || !(check.is_ascii_digit() || check == 'X') {
            return Err(IdError::Characters);
        }
        if digits.ends_with("000") {
            return Err(IdError::Rounded);
        }
        let (birth_year, birth_month) = birth(body).ok_or(IdError::Date)?;
        if check_character(body) != Some(check) {
            return Err(IdError::Checksum);
        }
        let odd = body
            .chars()
            .last()
            .and_then(|c| c.to_digit(10))
            .is_some_and(|d| d % 2 == 1);
        let sex = if odd { 1 } else { 2 };
        Ok(IdNumber {
            digits,
            birth_year,
            birth_month,
            sex,
        })
    }

    /// Returns the birth year.
    pub fn birth_year(&self) -> u16 {
        self.birth_year
    }

    /// Returns the birth month, 1 to 12.
    pub fn birth_month(&self) -> u8 {
        self.birth_month
    }

    /// Returns the sex by GB/T 2261.1: 1 male, 2 female.
    pub fn sex(&self) -> u8 {
        self.sex
    }

    /// Lends the eighteen characters, **for keyed hashing only**: never store, show or log them.
    pub fn digits(&self) -> &str {
        &self.digits
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdNumber(redacted)")
    }
}

fn birth(body: &str) -> Option<(u16, u8)> {
    let year: u16 = body.get(6..10)?.parse().ok()?;
    let month: u8 = body.get(10..12)?.parse().ok()?;
    let day: u32 = body.get(12..14)?.parse().ok()?;
    NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), day)?;
    BIRTH_YEARS.contains(&year).then_some((year, month))
}

fn check_character(body: &str) -> Option<char> {
    let sum: u32 = body
        .chars()
        .zip(WEIGHTS)
        .map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight)
        .sum();
    CHECK.get(usize::try_from(sum % 11).ok()?).copied()
}

/// `5.11799E+17`: what a spreadsheet writes into a CSV for a long number.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once('E') else {
        return false;
    };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    !mantissa.is_empty()
        && mantissa.chars().all(|c| c.is_ascii_digit() || c == '.')
        && !exponent.is_empty()
        && exponent.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_examples_pass() {
        let woman = IdNumber::parse("11010519491231002X").unwrap();
        assert_eq!(
            (woman.birth_year(), woman.birth_month(), woman.sex()),
            (1949, 12, 2)
        );
        let man = IdNumber::parse("440524188001010014").unwrap();
        assert_eq!(
            (man.birth_year(), man.birth_month(), man.sex()),
            (1880, 1, 1)
        );
    }

    #[test]
    fn lower_case_full_width_spaces_and_quotes_are_accepted() {
        let plain = IdNumber::parse("51179919680822935X").unwrap();
        for typed in [
            "51179919680822935x",
            "５１１７９９１９６８０８２２９３５Ｘ",
            " 511799 19680822 935X ",
            "'51179919680822935X",
            "=\"51179919680822935X\"",
        ] {
            assert_eq!(IdNumber::parse(typed).unwrap(), plain, "{typed}");
        }
        assert_eq!(plain.sex(), 1);
    }

    #[test]
    fn each_kind_of_wrong_number_has_its_own_reason() {
        let cases = [
            ("511799670903907", IdError::FifteenDigits),
            ("51179919670903907", IdError::Length { length: 17 }),
            ("5117991967090390755", IdError::Length { length: 19 }),
            ("", IdError::Length { length: 0 }),
            ("51179919670903907A", IdError::Characters),
            ("5117991967O9039075", IdError::Characters),
            ("511799196709039000", IdError::Rounded),
            ("5.11799E+17", IdError::Rounded),
            ("5.11799196709039e+17", IdError::Rounded),
            ("511799196713039075", IdError::Date),
            ("511799196702309075", IdError::Date),
            ("511799210002289075", IdError::Date),
            ("511799196709039076", IdError::Checksum),
            ("511799196709030975", IdError::Checksum),
        ];
        for (typed, reason) in cases {
            assert_eq!(IdNumber::parse(typed), Err(reason), "{typed}");
        }
    }

    #[test]
    fn every_single_wrong_digit_is_caught() {
        let good = "511799196709039075";
        for place in 0..18 {
            for digit in '0'..='9' {
                let typed: String = good
                    .chars()
                    .enumerate()
                    .map(|(i, c)| if i == place { digit } else { c })
                    .collect();
                assert_eq!(IdNumber::parse(&typed).is_ok(), typed == good, "{typed}");
            }
        }
    }

    #[test]
    fn a_rounded_number_is_refused_even_where_the_check_character_fits() {
        let body = (0..10)
            .map(|d| format!("5117991967090{d}900"))
            .find(|body| birth(body).is_some() && check_character(body) == Some('0'));
        let number = format!("{}0", body.unwrap());
        assert_eq!(IdNumber::parse(&number), Err(IdError::Rounded));
    }

    #[test]
    fn the_digits_never_reach_a_log() {
        let number = IdNumber::parse("511799196709039075").unwrap();
        assert_eq!(format!("{number:?}"), "IdNumber(redacted)");
        for error in [
            IdNumber::parse("511799196709039076"),
            IdNumber::parse("51179919670903907A"),
        ] {
            assert!(!format!("{error:?} {}", error.clone().unwrap_err()).contains("5117"));
        }
    }
}
