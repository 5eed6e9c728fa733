//! Orders: signed entries of the log that say who is who and who may do what.
//!
//! Each rests on the order before it of the same signer, up to the root that enrolment pins. The
//! crate `trust` judges them; here they are only bytes with names.

use minicbor::{Decode, Encode};

use crate::area::{AreaCode, Level};
use crate::day::Day;
use crate::id::{
    ChangeHash, CoverId, DeviceId, DocId, LifeNonce, PersonId, PublicKey, RelayId, Signature,
};
use crate::limits::{
    COVER_DAYS_MAX, COVER_NOTE_BYTES_MAX, GRANT_AREAS_MAX, NAME_BYTES_MAX, UNIT_PHONE_BYTES_MAX,
};
use crate::packing;

/// What a person works as.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[cbor(index_only)]
pub enum Role {
    /// 网格员: own grids.
    #[n(1)]
    Worker,
    /// 网格站: the village.
    #[n(2)]
    Station,
    /// 乡镇: the township.
    #[n(3)]
    Township,
    /// 县: the county.
    #[n(4)]
    County,
    /// 部门: tickets assigned to it.
    #[n(5)]
    Unit,
    /// 审计: the access log, no contents.
    #[n(6)]
    Auditor,
    /// A relay below: it reads and hands on what lives in its areas, and writes nothing itself. Never in
    /// a grant; an order `Below` makes it.
    #[n(7)]
    Relay,
}

/// A device and what its holder may see.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Grant {
    /// The device's key.
    #[n(0)]
    pub device_key: PublicKey,
    /// The person who holds the device.
    #[n(1)]
    pub person: PersonId,
    /// The person's name as colleagues read it.
    #[n(2)]
    pub name: String,
    /// What the person works as.
    #[n(3)]
    pub role: Role,
    /// The areas the person sees.
    #[n(4)]
    pub areas: Vec<AreaCode>,
    /// The device part of ticket numbers, unique below the root.
    #[n(5)]
    pub device_number: u32,
    /// The unit the person works for; none for those who work for areas.
    #[n(6)]
    pub unit: Option<DocId>,
    /// Absent for the grant an enrolment made; 1, 2, 3 … for those that replace it. The greatest stands.
    #[n(7)]
    pub n: Option<u64>,
}

/// Somebody is on leave; somebody else may stand in, for these areas and days.
///
/// The greatest `n` of one id stands, in whatever order they come. Nothing is taken from the absent
/// person; a cover that was ended early is one whose last day lies before its first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cover {
    /// Which cover.
    #[n(0)]
    pub id: CoverId,
    /// 0 for the first order of this id, one more for each that replaces it.
    #[n(1)]
    pub n: u64,
    /// Who is away.
    #[n(2)]
    pub absent: PersonId,
    /// Who stands in; none for a leave that nobody covers.
    #[n(3)]
    pub substitute: Option<PersonId>,
    /// The areas of the absent person that it is about.
    #[n(4)]
    pub areas: Vec<AreaCode>,
    /// The first day.
    #[n(5)]
    pub from: Day,
    /// The last day.
    #[n(6)]
    pub until: Day,
    /// What colleagues should know; never why somebody is away.
    #[n(7)]
    pub note: String,
}

/// An office outside the area tree that handles tickets.
///
/// The greatest `n` of one id stands, in whatever order they come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Unit {
    /// The unit, as audiences and tickets name it.
    #[n(0)]
    pub id: DocId,
    /// 0 for the first order of this id, one more for each that replaces it.
    #[n(1)]
    pub n: u64,
    /// What people call it.
    #[n(2)]
    pub name: String,
    /// The township or county it serves.
    #[n(3)]
    pub area: AreaCode,
    /// How to reach it; may be empty.
    #[n(4)]
    pub phone: String,
    /// It handles nothing any more.
    #[n(5)]
    pub closed: bool,
}

/// A relay below the signer: what it orders counts as far as its areas go.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayBelow {
    /// Its key.
    #[n(0)]
    pub key: PublicKey,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// Where in the tree it stands: below the signer.
    #[n(2)]
    pub level: LevelForm,
    /// The areas it serves.
    #[n(3)]
    pub areas: Vec<AreaCode>,
    /// The device numbers that it gives out, and nobody else; absent where nobody said.
    #[n(4)]
    pub numbers: Option<Vec<NumberRange>>,
}

/// Device numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct NumberRange {
    /// The first.
    #[n(0)]
    pub first: u32,
    /// The last.
    #[n(1)]
    pub last: u32,
}

/// The relay above the signer: whoever trusts the signer for everything trusts it too.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayAbove {
    /// Its key.
    #[n(0)]
    pub key: PublicKey,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// Where in the tree it stands: above the signer.
    #[n(2)]
    pub level: LevelForm,
    /// Where the signer reaches it; may be empty.
    #[n(3)]
    pub url: String,
}

/// A desk asks the relay for an order. `POST /v1/order`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OrderAsk {
    /// [`crate::PROTOCOL_VERSION`] of the sender.
    #[n(0)]
    pub version: u16,
    /// What it should say.
    #[n(1)]
    pub body: OrderBody,
}

/// Why an order that was asked for was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum OrderRefusal {
    /// A cover or unit with a value that cannot be, or another kind of order.
    #[n(1)]
    Malformed,
    /// The asker is at no desk, or an area lies outside what the desk works for.
    #[n(2)]
    NotAllowed,
    /// A person it names is not in the roster, or may not stand in for the other.
    #[n(3)]
    UnknownPerson,
    /// Somebody else changed it meanwhile: sync, look, ask again.
    #[n(4)]
    Changed,
    /// A unit of this name serves the area already.
    #[n(5)]
    NameTaken,
}

/// What an order says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum OrderBody {
    /// The root of a tree of relays: the key everything else rests on.
    #[n(0)]
    Root {
        /// The relay's key.
        #[n(0)]
        key: PublicKey,
        /// What people call the relay.
        #[n(1)]
        name: String,
        /// Where in the tree it stands.
        #[n(2)]
        level: LevelForm,
    },
    /// A device may take part.
    #[n(1)]
    Grant(#[n(0)] Grant),
    /// A device may no longer take part.
    #[n(2)]
    Revoke {
        /// The device.
        #[n(0)]
        device: DeviceId,
        /// The last batch number that is still good, the greatest of all its lives.
        #[n(1)]
        last_good_batch: u64,
        /// The last good batch of each life of its database; in a life that is not named none is good:
        /// whoever has the key begins a new one at will. Absent where only numbers count.
        #[n(2)]
        lives: Option<Vec<GoodLife>>,
    },
    /// Somebody is on leave, or somebody stands in for them.
    #[n(3)]
    Cover(#[n(0)] Cover),
    /// A unit, or what changed about it.
    #[n(4)]
    Unit(#[n(0)] Unit),
    /// A relay below may take people in and order within its areas.
    #[n(5)]
    Below(#[n(0)] RelayBelow),
    /// The signer is below another relay.
    #[n(6)]
    Above(#[n(0)] RelayAbove),
    /// Devices wrap the keys of their homes for this key too.
    #[n(7)]
    Recovery(#[n(0)] Recovery),
}

/// The recovery key of a tree of relays: whoever has its secret half opens a device's home without its word.
///
/// The greatest `n` stands, in whatever order they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recovery {
    /// The public half, a point of X25519.
    #[n(0)]
    pub key: PublicKey,
    /// 0 for the first, one more for each that replaces it. Homes stay open to the earlier ones.
    #[n(1)]
    pub n: u64,
}

/// Up to where what a life of a device's database wrote is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct GoodLife {
    /// The life.
    #[n(0)]
    pub nonce: LifeNonce,
    /// Its last good batch.
    #[n(1)]
    pub number: u64,
}

/// A signed order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Order {
    /// What it says.
    #[n(0)]
    pub body: OrderBody,
    /// The relay whose key signs.
    #[n(1)]
    pub signer: RelayId,
    /// The order before it of the same signer; zeros for the root.
    #[n(2)]
    pub rests_on: ChangeHash,
    /// The signer's clock, milliseconds since 1970.
    #[n(3)]
    pub at_ms: i64,
    /// Over [`Order::signed_bytes`].
    #[n(4)]
    pub signature: Signature,
}

/// A relay's place in the tree, as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum LevelForm {
    /// 县.
    #[n(0)]
    County,
    /// 乡镇街道.
    #[n(1)]
    Township,
    /// 村/社区.
    #[n(2)]
    Village,
}

impl From<LevelForm> for Level {
    fn from(form: LevelForm) -> Level {
        match form {
            LevelForm::County => Level::County,
            LevelForm::Township => Level::Township,
            LevelForm::Village => Level::Village,
        }
    }
}

impl Order {
    /// Returns the bytes the signer signs.
    pub fn signed_bytes(
        body: &OrderBody,
        signer: &RelayId,
        rests_on: &ChangeHash,
        at_ms: i64,
    ) -> Vec<u8> {
        let content = packing::encode(&(body, signer, rests_on, at_ms));
        [b"wangge order v0\0".as_slice(), &content].concat()
    }

    /// Returns the hash that the next order rests on.
    pub fn hash(&self) -> ChangeHash {
        ChangeHash(*blake3::hash(&self.bytes()).as_bytes())
    }

    /// Returns the bytes that are stored and sent.
    pub fn bytes(&self) -> Vec<u8> {
        packing::encode(self)
    }

    /// Returns the order in `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, crate::Malformed> {
        packing::decode(bytes, "order")
    }
}

impl Cover {
    /// Returns whether the cover runs on a day, or ran at most `late` days before it.
    pub fn runs(&self, day: Day, late: u32) -> bool {
        self.from <= self.until && self.from <= day && day.0 <= self.until.0.saturating_add(late)
    }

    /// Returns whether every value is within its limit and the days are in order, or it was ended.
    pub fn is_sound(&self) -> bool {
        let days = self.until.0.checked_sub(self.from.0);
        let ended = self.until.0.saturating_add(1) == self.from.0;
        (ended || days.is_some_and(|days| days < COVER_DAYS_MAX))
            && self.substitute != Some(self.absent)
            && (1..=GRANT_AREAS_MAX).contains(&self.areas.len())
            && self.note.len() <= COVER_NOTE_BYTES_MAX
    }
}

impl Unit {
    /// Returns whether every value is within its limit and the area may have units.
    pub fn is_sound(&self) -> bool {
        !self.name.trim().is_empty()
            && self.name.len() <= NAME_BYTES_MAX
            && self.phone.len() <= UNIT_PHONE_BYTES_MAX
            && self.area.level() <= Level::Township
    }
}

impl Role {
    /// Returns the role as commands and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Worker => "worker",
            Role::Station => "station",
            Role::Township => "township",
            Role::County => "county",
            Role::Unit => "unit",
            Role::Auditor => "auditor",
            Role::Relay => "relay",
        }
    }

    /// Returns whether the role works at a desk: it accepts, assigns, closes and places.
    pub fn is_desk(self) -> bool {
        matches!(self, Role::Station | Role::Township | Role::County)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: &str = "820181a6005820010101010101010101010101010101010101010101010101010101010101010101\
        50020202020202020202020202020202020266e69d8ee6a285030104816f35313137323431303332\
        30323030310507";
    const COVER: &str = "820381a8004803030303030303030101025004040404040404040404040404040404035005050505\
        05050505050505050505050504816935313137323431303305194e2006194e260760";
    const UNIT: &str = "820481a600500606060606060606060606060606060601000269e6b0b4e58aa1e7ab990369353131\
        37323431303304643038313805f4";

    const REVOKE: &str = "820282500909090909090909090909090909090905";
    const BELOW: &str = "0163e7ab99020203816c353131373234313033323032";
    const ABOVE: &str = "0163e995870201036a687474703a2f2f613a31";

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    fn grant(unit: Option<DocId>) -> OrderBody {
        OrderBody::Grant(Grant {
            device_key: PublicKey([1; 32]),
            person: PersonId([2; 16]),
            name: "李梅".into(),
            role: Role::Worker,
            areas: vec![area("511724103202001")],
            device_number: 7,
            unit,
            n: None,
        })
    }

    fn cover() -> Cover {
        Cover {
            id: CoverId([3; 8]),
            n: 1,
            absent: PersonId([4; 16]),
            substitute: Some(PersonId([5; 16])),
            areas: vec![area("511724103")],
            from: Day(20_000),
            until: Day(20_006),
            note: String::new(),
        }
    }

    fn unit() -> Unit {
        Unit {
            id: DocId([6; 16]),
            n: 0,
            name: "水务站".into(),
            area: area("511724103"),
            phone: "0818".into(),
            closed: false,
        }
    }

    fn below() -> RelayBelow {
        RelayBelow {
            key: PublicKey([7; 32]),
            name: "站".into(),
            level: LevelForm::Village,
            areas: vec![area("511724103202")],
            numbers: None,
        }
    }

    fn above() -> RelayAbove {
        RelayAbove {
            key: PublicKey([8; 32]),
            name: "镇".into(),
            level: LevelForm::Township,
            url: "http://a:1".into(),
        }
    }

    fn revoke(lives: Option<Vec<GoodLife>>) -> OrderBody {
        OrderBody::Revoke {
            device: DeviceId([9; 16]),
            last_good_batch: 5,
            lives,
        }
    }

    fn relay_hex(number: &str, key: &str) -> String {
        format!("82{number}81a4005820{}", key.repeat(32))
    }

    fn hex(body: &OrderBody) -> String {
        let bytes = packing::encode(body);
        assert_eq!(
            packing::decode::<OrderBody>(&bytes, "body").as_ref(),
            Ok(body)
        );
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A grant without a unit has the bytes it had before units, a relay below without numbers those it
    /// had before numbers.
    #[test]
    fn the_bytes_of_each_body_stand_still() {
        let unit_id = DocId([6; 16]);
        for (body, expected) in [
            (grant(None), GRANT.to_owned()),
            (
                grant(Some(unit_id)),
                GRANT.replacen("81a6", "81a7", 1) + "06" + "50" + &"06".repeat(16),
            ),
            (OrderBody::Cover(cover()), COVER.to_owned()),
            (OrderBody::Unit(unit()), UNIT.to_owned()),
            (OrderBody::Below(below()), relay_hex("05", "07") + BELOW),
            (
                OrderBody::Below(RelayBelow {
                    numbers: Some(vec![NumberRange {
                        first: 30,
                        last: 39,
                    }]),
                    ..below()
                }),
                relay_hex("05", "07").replacen("81a4", "81a5", 1) + BELOW + "048182181e1827",
            ),
            (OrderBody::Above(above()), relay_hex("06", "08") + ABOVE),
            (revoke(None), REVOKE.to_owned()),
            (
                revoke(Some(vec![GoodLife {
                    nonce: LifeNonce([10; 8]),
                    number: 5,
                }])),
                REVOKE.replacen("8250", "8350", 1) + "8182480a0a0a0a0a0a0a0a05",
            ),
        ] {
            assert_eq!(hex(&body), expected, "{body:?}");
        }
    }
}
