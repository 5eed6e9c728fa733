//! Areas: county, township, village, grid. A scope is the prefix of a code.
//!
//! The code is statistical (GB/T 2260 and the National Bureau of Statistics' extension) down to the
//! village; the three digits of the grid are this product's convention.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::id::{DocId, PersonId};

/// A code of 6, 9, 12 or 15 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode(Box<str>);

/// The level of an area; a greater level lies inside a smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// 县, 6 digits.
    County,
    /// 乡镇街道, 9 digits.
    Township,
    /// 村/社区, 12 digits.
    Village,
    /// 网格, 15 digits.
    Grid,
}

/// A text that is no area code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an area code has 6, 9, 12 or 15 digits")]
pub struct BadAreaCode;

/// Who receives a document beside those whose areas cover its home.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Everyone whose scope covers the area.
    Area(AreaCode),
    /// A unit outside the area tree.
    Unit(DocId),
    /// One person, on each of their devices.
    Person(PersonId),
}

impl AreaCode {
    /// Returns the code, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadAreaCode> {
        let fits = matches!(text.len(), 6 | 9 | 12 | 15);
        if fits && text.bytes().all(|digit| digit.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(BadAreaCode)
        }
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the level, which the length says.
    pub fn level(&self) -> Level {
        match self.0.len() {
            6 => Level::County,
            9 => Level::Township,
            12 => Level::Village,
            _ => Level::Grid,
        }
    }

    /// Returns whether `other` is this area or lies inside it.
    pub fn covers(&self, other: &AreaCode) -> bool {
        other.0.starts_with(&*self.0)
    }

    /// Returns the area this one lies directly in; a county has none here.
    pub fn parent(&self) -> Option<AreaCode> {
        self.0
            .get(..self.0.len().checked_sub(3)?)
            .and_then(|code| Self::parse(code).ok())
    }

    /// Returns the area of `level` that this one is or lies in.
    pub fn at(&self, level: Level) -> Option<AreaCode> {
        let digits = match level {
            Level::County => 6,
            Level::Township => 9,
            Level::Village => 12,
            Level::Grid => 15,
        };
        self.0.get(..digits).and_then(|code| Self::parse(code).ok())
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AreaCode({})", self.0)
    }
}

impl FromStr for AreaCode {
    type Err = BadAreaCode;

    fn from_str(text: &str) -> Result<Self, BadAreaCode> {
        Self::parse(text)
    }
}

impl serde::Serialize for AreaCode {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for AreaCode {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl<C> Encode<C> for AreaCode {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        to.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for AreaCode {
    fn decode(from: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::parse(from.str()?).map_err(|_| decode::Error::message("no area code"))
    }
}

impl<C> Encode<C> for Audience {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        to.array(2)?;
        match self {
            Audience::Area(code) => to.u8(0)?.encode_with(code, context)?,
            Audience::Unit(unit) => to.u8(1)?.encode_with(unit, context)?,
            Audience::Person(person) => to.u8(2)?.encode_with(person, context)?,
        }
        .ok()
    }
}

impl<'b, C> Decode<'b, C> for Audience {
    fn decode(from: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        if from.array()? != Some(2) {
            return Err(decode::Error::message("no audience"));
        }
        match from.u8()? {
            0 => Ok(Audience::Area(from.decode_with(context)?)),
            1 => Ok(Audience::Unit(from.decode_with(context)?)),
            2 => Ok(Audience::Person(from.decode_with(context)?)),
            _ => Err(decode::Error::message("unknown audience")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> AreaCode {
        AreaCode::parse(text).unwrap()
    }

    #[test]
    fn a_scope_is_a_prefix() {
        assert!(code("511724103").covers(&code("511724103202001")));
        assert!(!code("511724103").covers(&code("511724104")));
        assert!(!code("511724103202001").covers(&code("511724103")));
    }

    #[test]
    fn the_length_says_the_level() {
        assert_eq!(code("511724103202001").level(), Level::Grid);
        assert_eq!(code("511724103202001").parent(), Some(code("511724103202")));
        assert_eq!(code("511724").parent(), None);
        assert_eq!(
            code("511724103202001").at(Level::Township),
            Some(code("511724103"))
        );
        for bad in [
            "",
            "5117",
            "51172410",
            "51172410x",
            "５１１７２４",
            "5117241032020011",
        ] {
            assert_eq!(AreaCode::parse(bad), Err(BadAreaCode));
        }
    }
}
