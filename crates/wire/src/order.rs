//! Orders: signed entries of the log that say who is who and who may do what.
//!
//! Each rests on the order before it of the same signer, up to the root that enrolment pins. The
//! crate `trust` judges them; here they are only bytes with names.

use minicbor::{Decode, Encode};

use crate::area::{AreaCode, Level};
use crate::id::{ChangeHash, DeviceId, PersonId, PublicKey, RelayId, Signature};
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
        /// The last batch number, per the device's actors, that is still good.
        #[n(1)]
        last_good_batch: u64,
    },
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
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
        }
    }

    /// Returns whether the role works at a desk: it accepts, assigns, closes and places.
    pub fn is_desk(self) -> bool {
        matches!(self, Role::Station | Role::Township | Role::County)
    }
}
