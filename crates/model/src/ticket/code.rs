//! The number of a ticket, sayable by phone: `0412-0127-6` is device, counter, check symbol.
//!
//! **A number never contains an area and never changes**, and is unique although made offline: the
//! device part is unique below the root, the counter within the device. A home that is not enrolled
//! has no device number; it writes four Crockford symbols instead, drawn from its device id, which
//! are likely but not sure to be unique, hence provisional. Their first two are letters: with only
//! one, a single wrong symbol could turn a number of one form into a number of the other.
//!
//! The check symbol catches each wrong symbol and each swap of two neighbours. All-digit numbers
//! take it from Damm's quasigroup of order 10 (H. M. Damm, 2004), so that it is a digit too;
//! provisional ones from the same construction over the field of 32 elements.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wangge_wire::DeviceId;
use wangge_wire::limits::DEVICE_NUMBER_MAX;

/// The symbols of Crockford's base 32: no I, L, O and U, which are misread or misheard.
const SYMBOLS: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many of [`SYMBOLS`] are digits.
const DIGITS: u32 = 10;
/// How many of [`SYMBOLS`] are letters; two of them begin a provisional device part.
const LETTERS: u32 = 22;
/// Symbols of the device part.
const DEVICE_SYMBOLS: usize = 4;
/// Symbols a counter has at least; it grows past them.
const COUNTER_SYMBOLS_MIN: usize = 4;

/// Damm's table of order 10: totally anti-symmetric, with zeros on the diagonal.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The number of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TicketCode {
    device: DevicePart,
    counter: u32,
}

/// Which device made a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum DevicePart {
    /// The number the root gave it, at most [`DEVICE_NUMBER_MAX`].
    Enrolled(u32),
    /// Values of four symbols, the first two letters.
    Provisional([u8; DEVICE_SYMBOLS]),
}

/// A text that is no ticket number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCode {
    /// A symbol that no number has: ask for it again.
    #[error("symbol {place} of a ticket number is neither a digit nor one of its letters")]
    Symbol {
        /// Which, counted from 1 without spaces and dashes.
        place: usize,
    },
    /// Fewer symbols than the shortest number has: something was left out.
    #[error("a ticket number has at least 9 symbols, this one {symbols}")]
    Short {
        /// How many there are.
        symbols: usize,
    },
    /// The parts do not read as device and counter.
    #[error("a ticket number is four symbols of a device, a counter and a check symbol")]
    Shape,
    /// The check symbol is another: one symbol is wrong, or two changed places.
    #[error("the check symbol does not fit: one symbol is wrong or two are swapped")]
    Check,
    /// The device's number does not fit into four digits.
    #[error("a device number in a ticket number is at most {DEVICE_NUMBER_MAX}")]
    DeviceNumber,
}

impl TicketCode {
    /// Returns the number of an enrolled device's ticket.
    pub fn enrolled(device_number: u32, counter: u32) -> Result<Self, BadCode> {
        if device_number > DEVICE_NUMBER_MAX {
            return Err(BadCode::DeviceNumber);
        }
        Ok(Self {
            device: DevicePart::Enrolled(device_number),
            counter,
        })
    }

    /// Returns the number of a ticket made before its device was enrolled.
    ///
    /// The first 20 bits of the device id, folded into two letters and two symbols.
    pub fn provisional(device: &DeviceId, counter: u32) -> Self {
        let [first, second, third, ..] = device.0;
        let bits = u32::from_be_bytes([0, first, second, third]) >> 4;
        let pair = bits % ((LETTERS * LETTERS) << 10);
        let letter = |value: u32| (DIGITS + value % LETTERS) as u8;
        let symbol = |shift: u32| ((pair >> shift) & 31) as u8;
        let device = [
            letter((pair >> 10) / LETTERS),
            letter(pair >> 10),
            symbol(5),
            symbol(0),
        ];
        let device = DevicePart::Provisional(device);
        Self { device, counter }
    }

    /// Returns the number as a person typed or said it.
    ///
    /// Full-width symbols, lower case, spaces, any dashes or none, `O` for 0 and `I` or `L` for 1
    /// are what people write; the check symbol tells whether the guess was right.
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        let typed = text
            .chars()
            .map(half_width)
            .filter(|symbol| !is_gap(*symbol));
        let values = typed
            .enumerate()
            .map(|(index, symbol)| value_of(symbol).ok_or(BadCode::Symbol { place: index + 1 }))
            .collect::<Result<Vec<u8>, BadCode>>()?;
        let short = BadCode::Short {
            symbols: values.len(),
        };
        let (check, body) = values.split_last().ok_or(short)?;
        let (device, counter) = body.split_first_chunk::<DEVICE_SYMBOLS>().ok_or(short)?;
        if counter.len() < COUNTER_SYMBOLS_MIN {
            return Err(short);
        }
        let code = Self {
            device: DevicePart::read(device)?,
            counter: read_counter(counter)?,
        };
        if code.check_value() == *check {
            Ok(code)
        } else {
            Err(BadCode::Check)
        }
    }

    /// Returns whether the number was made by a device that was not enrolled yet.
    pub fn is_provisional(&self) -> bool {
        matches!(self.device, DevicePart::Provisional(_))
    }

    /// Returns the counter, which grows by one a ticket within the device.
    pub fn counter(&self) -> u32 {
        self.counter
    }

    /// Returns the device's number, unless the number is provisional.
    pub fn device_number(&self) -> Option<u32> {
        match self.device {
            DevicePart::Enrolled(number) => Some(number),
            DevicePart::Provisional(_) => None,
        }
    }

    fn check_value(&self) -> u8 {
        let counter = decimal(self.counter);
        match self.device {
            DevicePart::Enrolled(number) => decimal(number).chain(counter).fold(0, damm),
            DevicePart::Provisional(values) => values.into_iter().chain(counter).fold(0, damm_32),
        }
    }
}

impl DevicePart {
    fn read(values: &[u8; DEVICE_SYMBOLS]) -> Result<Self, BadCode> {
        match values {
            [first, second, ..] if is_letter(*first) && is_letter(*second) => {
                Ok(DevicePart::Provisional(*values))
            }
            digits => read_decimal(digits)
                .map(DevicePart::Enrolled)
                .ok_or(BadCode::Shape),
        }
    }
}

/// Returns the counter, refusing the second spelling that a needless zero would give it.
fn read_counter(values: &[u8]) -> Result<u32, BadCode> {
    if values.len() > COUNTER_SYMBOLS_MIN && values.first() == Some(&0) {
        return Err(BadCode::Shape);
    }
    read_decimal(values).ok_or(BadCode::Shape)
}

fn read_decimal(values: &[u8]) -> Option<u32> {
    values.iter().try_fold(0_u32, |number, value| {
        let digit = u32::from(*value);
        let shifted = number.checked_mul(DIGITS)?;
        if digit < DIGITS {
            shifted.checked_add(digit)
        } else {
            None
        }
    })
}

/// Returns the digits of a part, at least four of them.
fn decimal(number: u32) -> impl Iterator<Item = u8> {
    format!("{number:04}")
        .into_bytes()
        .into_iter()
        .map(|digit| digit.saturating_sub(b'0'))
}

/// Returns the next interim digit of Damm's algorithm.
fn damm(interim: u8, digit: u8) -> u8 {
    let row = DAMM.get(usize::from(interim));
    row.and_then(|row| row.get(usize::from(digit)))
        .copied()
        .unwrap_or_default()
}

/// Returns the next interim value over the field of 32 elements: `2 × (interim + value)`.
///
/// A symbol's weight is a power of 2, never 0, so each wrong symbol shows; neighbours' weights
/// differ, so each swap shows. The field is built on x⁵ + x² + 1.
fn damm_32(interim: u8, value: u8) -> u8 {
    let doubled = (interim ^ value) << 1;
    if doubled & 0b10_0000 == 0 {
        doubled
    } else {
        doubled ^ 0b10_0101
    }
}

/// Returns the ASCII form of a full-width symbol, in upper case.
fn half_width(symbol: char) -> char {
    let ascii = match symbol {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(symbol) - 0xfee0).unwrap_or(symbol),
        _ => symbol,
    };
    ascii.to_ascii_uppercase()
}

/// Returns whether a symbol only parts the number: a space, a dash, a minus, an underscore, a dot.
fn is_gap(symbol: char) -> bool {
    let dash = matches!(
        symbol,
        '-' | '_' | '.' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}'
    );
    dash || symbol.is_whitespace()
}

fn is_letter(value: u8) -> bool {
    u32::from(value) >= DIGITS
}

fn value_of(symbol: char) -> Option<u8> {
    let meant = match symbol {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = SYMBOLS
        .iter()
        .position(|known| char::from(*known) == meant)?;
    u8::try_from(place).ok()
}

fn symbol_of(value: u8) -> char {
    SYMBOLS
        .get(usize::from(value))
        .map_or('0', |symbol| char::from(*symbol))
}

impl fmt::Display for TicketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.device {
            DevicePart::Enrolled(number) => write!(f, "{number:04}")?,
            DevicePart::Provisional(values) => {
                values
                    .into_iter()
                    .try_for_each(|value| write!(f, "{}", symbol_of(value)))?;
            }
        }
        write!(f, "-{:04}-{}", self.counter, symbol_of(self.check_value()))
    }
}

impl FromStr for TicketCode {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        Self::parse(text)
    }
}

impl TryFrom<String> for TicketCode {
    type Error = BadCode;

    fn try_from(text: String) -> Result<Self, BadCode> {
        Self::parse(&text)
    }
}

impl From<TicketCode> for String {
    fn from(code: TicketCode) -> Self {
        code.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<TicketCode> {
        let devices: Vec<DeviceId> = (0..=255_u8)
            .step_by(5)
            .map(|n| DeviceId([n.wrapping_mul(37); 16]))
            .collect();
        let counters = [0, 1, 127, 9_999, 10_000, 123_456, 4_294_967_295];
        let enrolled = [0, 1, 412, 9_999]
            .map(|number| counters.map(|n| TicketCode::enrolled(number, n).unwrap()));
        let provisional = devices
            .iter()
            .flat_map(|device| counters.map(|n| TicketCode::provisional(device, n)));
        enrolled.into_iter().flatten().chain(provisional).collect()
    }

    #[test]
    fn a_number_reads_back_as_it_is_written() {
        assert_eq!(
            TicketCode::enrolled(412, 127).unwrap().to_string(),
            "0412-0127-1"
        );
        for code in samples() {
            assert_eq!(TicketCode::parse(&code.to_string()), Ok(code), "{code}");
        }
    }

    #[test]
    fn what_people_type_is_the_same_number() {
        let code = TicketCode::enrolled(412, 127).unwrap();
        for typed in [
            "041201271",
            " 0412 0127 1 ",
            "０４１２－０１２７－１",
            "0412—0127—1",
            "o4l2-oi27-I",
            "0412　01271",
        ] {
            assert_eq!(TicketCode::parse(typed), Ok(code), "{typed}");
        }
        let home = TicketCode::provisional(&DeviceId([0xd3; 16]), 7);
        assert!(home.is_provisional());
        assert_eq!(
            TicketCode::parse(&home.to_string().to_lowercase().replace('-', "")),
            Ok(home)
        );
    }

    #[test]
    fn each_wrong_symbol_is_noticed() {
        for code in samples() {
            let right: Vec<u8> = code
                .to_string()
                .bytes()
                .filter(|symbol| *symbol != b'-')
                .collect();
            for place in 0..right.len() {
                for symbol in SYMBOLS.into_iter().filter(|symbol| *symbol != right[place]) {
                    let mut wrong = right.clone();
                    wrong[place] = symbol;
                    let wrong = String::from_utf8(wrong).unwrap();
                    assert!(TicketCode::parse(&wrong).is_err(), "{wrong} for {code}");
                }
            }
        }
    }

    #[test]
    fn each_swap_of_neighbours_is_noticed() {
        for code in samples() {
            let right: Vec<u8> = code
                .to_string()
                .bytes()
                .filter(|symbol| *symbol != b'-')
                .collect();
            for place in 1..right.len() {
                let mut wrong = right.clone();
                wrong.swap(place - 1, place);
                if wrong != right {
                    let wrong = String::from_utf8(wrong).unwrap();
                    assert!(TicketCode::parse(&wrong).is_err(), "{wrong} for {code}");
                }
            }
        }
    }

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(TicketCode::parse("0412-00127-1"), Err(BadCode::Shape));
        assert_eq!(
            TicketCode::parse("0412-127-1"),
            Err(BadCode::Short { symbols: 8 })
        );
        assert_eq!(TicketCode::parse(""), Err(BadCode::Short { symbols: 0 }));
        assert_eq!(
            TicketCode::parse("0412-0127-U"),
            Err(BadCode::Symbol { place: 9 })
        );
        assert_eq!(TicketCode::parse("0412-01A7-1"), Err(BadCode::Shape));
        assert_eq!(TicketCode::parse("0A12-0127-1"), Err(BadCode::Shape));
        assert_eq!(TicketCode::parse("0412-42949672960-1"), Err(BadCode::Shape));
        assert_eq!(TicketCode::enrolled(10_000, 1), Err(BadCode::DeviceNumber));
    }

    #[test]
    fn a_provisional_number_begins_with_two_letters() {
        for first in 0..=255_u8 {
            for second in [0, 127, 255] {
                let mut id = [0xa5; 16];
                id[0] = first;
                id[1] = second;
                let code = TicketCode::provisional(&DeviceId(id), 1).to_string();
                assert!(
                    code.bytes()
                        .take(2)
                        .all(|symbol| symbol.is_ascii_uppercase()),
                    "{code}"
                );
            }
        }
    }
}
