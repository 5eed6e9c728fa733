//! This relay as a client of the one above it: how it joins, and what an operator asks about it.
//!
//! **Joining changes nothing for anybody below**: this relay goes on as the one its devices pinned, and
//! says with its own signature who is above it.

mod blobs;
mod carrier;
mod entries;
mod line;
mod meeting;

use rusqlite::TransactionBehavior;
use wangge_trust::enroll::{Code, Side, check_proof, proof};
use wangge_trust::{Invitation, Roster};
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, EnrollRefusal, RelayCard};
use wangge_wire::order::LevelForm;
use wangge_wire::{AreaCode, DeviceId, Order, OrderBody, RelayAbove, packing};

use crate::audit::Who;
use crate::error::RelayError;
use crate::orders::{self, Standing};
use crate::relay::{self, Relay};
use crate::{numbers, risen, secrets};
pub use carrier::{Carried, Carrier, SharedCarrier};
use line::{Address, Line};
pub use meeting::Met;

/// Why the relay above was of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamTrouble {
    /// No connection, or it broke. Try again later; nothing is lost.
    #[error("no link: {reason}")]
    NoLink {
        /// The system's reason.
        reason: String,
    },
    /// The address is none, or plain http to another machine.
    #[error("an address that must not be used")]
    Address,
    /// It does not let this relay in. Join again with a new code.
    #[error("not let in")]
    Refused,
    /// The code is not good.
    #[error("the code is not good: {0:?}")]
    Code(EnrollRefusal),
    /// Somebody answered who does not know the code's secret.
    #[error("another relay answers")]
    WrongRelay,
    /// It stands no higher than this relay.
    #[error("the relay stands no higher than this one")]
    NotHigher,
    /// The code is for a person's device. Ask for one in the role relay.
    #[error("the code is for a device")]
    ForDevice,
    /// Its answer does not read.
    #[error("a strange answer: {what}")]
    Strange {
        /// What did not read.
        what: &'static str,
    },
    /// No connection while joining: nothing was joined. Try the same again.
    #[error("no link, and nothing was joined: {reason}")]
    NotJoined {
        /// The system's reason.
        reason: String,
    },
    /// This relay is below another one already, or below the same at another address.
    #[error("this relay is below {name} at {url}")]
    Below {
        /// What people call the relay above.
        name: String,
        /// Where it is reached.
        url: String,
    },
    /// This relay is below nobody.
    #[error("this relay is below nobody")]
    None,
}

/// The relay above, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamView {
    /// Where it is reached.
    pub url: String,
    /// What people call it.
    pub name: String,
    /// Where in the tree it stands.
    pub level: LevelForm,
    /// The areas it gave this relay.
    pub areas: Vec<AreaCode>,
    /// When the last meeting ended whole, milliseconds since 1970; none for never.
    pub met_ms: Option<i64>,
    /// When one was last tried, milliseconds since 1970; none for never.
    pub tried_ms: Option<i64>,
    /// Why the last one failed, for a log; empty if it did not.
    pub failure: String,
    /// Entries and parked items it was not told yet.
    pub waiting: u64,
    /// What is there without a number, there or further up, or was refused.
    pub exceptions: u64,
    /// Per level above: up to which own position all is durable there.
    pub watermarks: Vec<(LevelForm, u64)>,
    /// Whether its digests were equal to this relay's at the last end.
    pub complete: bool,
}

/// A relay below, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BelowView {
    /// Its id, as a member.
    pub device: DeviceId,
    /// What people call it.
    pub name: String,
    /// The areas it was given.
    pub areas: Vec<AreaCode>,
    /// When it last met this relay, to the minute, milliseconds since 1970; none for never, and for one
    /// that meets another relay below this one.
    pub met_ms: Option<i64>,
}

impl Relay {
    /// Goes below the relay at `url` by an invitation for a relay: its code, or the text of the whole, whose
    /// key must be the one that answers.
    ///
    /// Joining the same relay again tells it everything again, which changes nothing that it holds.
    pub async fn join(&self, code: &str, url: &str) -> Result<(), RelayError> {
        let joined = self.ask_to_join(code, url).await;
        joined.map_err(|error| match error {
            // Unlike a meeting, which comes again by itself.
            RelayError::Upstream(UpstreamTrouble::NoLink { reason }) => {
                UpstreamTrouble::NotJoined { reason }.into()
            }
            other => other,
        })
    }

    async fn ask_to_join(&self, code: &str, url: &str) -> Result<(), RelayError> {
        let refused = |why| RelayError::Upstream(UpstreamTrouble::Code(why));
        let wrong = |_| refused(EnrollRefusal::WrongCode);
        let (code, invited) = if Invitation::is_meant(code) {
            let text = Invitation::parse(code).map_err(|_| refused(EnrollRefusal::WrongCode))?;
            (text.code, Some(text.relay))
        } else {
            (Code::parse(code).map_err(wrong)?, None)
        };
        let address = Address::parse(url)?;
        let carrier = self.settings.upstream_carrier.clone();
        let mut line = Line::to_nobody_yet(address.clone(), carrier)?;
        let card: RelayCard = line.card().await?;
        if invited.is_some_and(|relay| relay != card.key) {
            return Err(UpstreamTrouble::WrongRelay.into());
        }
        let mut line = line.pinned(card.key)?;
        if card.level >= self.identity.level {
            return Err(UpstreamTrouble::NotHigher.into());
        }
        let proof_key = code
            .proof_key()
            .map_err(|_| refused(EnrollRefusal::WrongCode))?;
        let device = self.secrets.key.public();
        let nonce: [u8; 16] = self.settings.dice.random()?;
        let ask = EnrollAsk {
            invitation: code.public().to_owned(),
            device_key: device,
            nonce,
            proof: proof(&proof_key, Side::Device, &card.key, &device, &nonce),
        };
        let answer: EnrollAnswer = line.enroll(&ask).await?;
        let side = Side::Relay;
        if !check_proof(&answer.proof, &proof_key, side, &card.key, &device, &nonce) {
            return Err(UpstreamTrouble::WrongRelay.into());
        }
        let orders = self.check_orders(&card, &answer)?;
        secrets::keep_tree_key(&self.place.path, &answer.id_key)?;
        self.go_below(&card, &address, &orders)?;
        tracing::info!(above = %card.key.relay(), "joined");
        Ok(())
    }

    /// Returns the answer's orders, which must be of the relay whose card it is, and name this one.
    fn check_orders(
        &self,
        card: &RelayCard,
        answer: &EnrollAnswer,
    ) -> Result<Vec<Order>, RelayError> {
        let strange = |what| RelayError::Upstream(UpstreamTrouble::Strange { what });
        let (mut roster, mut orders) = (Roster::default(), Vec::new());
        for bytes in &answer.orders {
            let order = Order::read(&bytes.0).map_err(|_| strange("an order"))?;
            roster.take_some(&order).map_err(|_| strange("an order"))?;
            orders.push(order);
        }
        let root = roster.root().is_some_and(|(key, ..)| *key == card.key);
        let me = self.secrets.key.public().relay();
        let named = roster.relays_below().any(|(id, _)| *id == me);
        match (root, named) {
            (true, true) => Ok(orders),
            (false, _) => Err(strange("the root")),
            // An invitation for a person's device.
            (true, false) => Err(UpstreamTrouble::ForDevice.into()),
        }
    }

    fn go_below(
        &self,
        card: &RelayCard,
        address: &Address,
        orders: &[Order],
    ) -> Result<(), RelayError> {
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        let mut standing = Standing::default();
        standing.refresh(&transaction).map_err(fail)?;
        let known = standing.roster().relay(&card.key.relay());
        let body = OrderBody::Above(RelayAbove {
            key: card.key,
            name: card.name.clone(),
            level: card.level,
            url: address.text(),
        });
        let (me, now_ms) = (&self.secrets.key, self.settings.clock.now_ms());
        if known.is_none_or(|known| known.url != address.text()) {
            orders::append(&transaction, &mut standing, me, body, Who::Operator, now_ms)
                .map_err(fail)?;
        }
        // Its device numbers from now on, before it takes anybody in or meets the one above.
        for order in orders {
            orders::take(&transaction, &mut standing, me, order, now_ms).map_err(fail)?;
        }
        numbers::top_up(&transaction, &mut standing, me, now_ms).map_err(fail)?;
        let (key, name) = (&card.key, &card.name);
        risen::join(&transaction, &address.text(), key, name, card.level).map_err(fail)?;
        transaction.commit().map_err(fail)
    }

    /// Returns the relays that were joined below this one, or below one of those, by name.
    pub fn below(&self) -> Result<Vec<BelowView>, RelayError> {
        self.read(|connection| {
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            let mut rows = Vec::new();
            for (id, known) in standing.roster().relays_below() {
                rows.push(BelowView {
                    device: DeviceId(id.0),
                    name: known.member.name.clone(),
                    areas: known.member.areas.clone(),
                    met_ms: relay::last_seen(connection, &DeviceId(id.0))?,
                });
            }
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(rows)
        })
    }

    /// Returns the relay above; none for one that is below nobody.
    pub fn upstream(&self) -> Result<Option<UpstreamView>, RelayError> {
        let me = self.secrets.key.public().relay();
        self.read(|connection| {
            let Some(upstream) = risen::upstream(connection)? else {
                return Ok(None);
            };
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            let known = standing.roster().relay(&me);
            Ok(Some(UpstreamView {
                areas: known
                    .map(|known| known.member.areas.clone())
                    .unwrap_or_default(),
                met_ms: Some(upstream.met_ms).filter(|at| *at > 0),
                tried_ms: Some(upstream.tried_ms).filter(|at| *at > 0),
                failure: upstream.failure,
                waiting: risen::untold(connection)?,
                exceptions: risen::exceptions(connection)?.len() as u64,
                watermarks: risen::watermarks(connection)?,
                complete: upstream.complete,
                url: upstream.url,
                name: upstream.name,
                level: upstream.level,
            }))
        })
    }
}

impl From<UpstreamTrouble> for RelayError {
    fn from(trouble: UpstreamTrouble) -> Self {
        RelayError::Upstream(trouble)
    }
}

/// Returns the refusal in the body of an answer to an enrolment.
fn refusal(body: &[u8]) -> UpstreamTrouble {
    match packing::decode::<EnrollRefusal>(body, "refusal") {
        Ok(why) => UpstreamTrouble::Code(why),
        Err(_) => UpstreamTrouble::Strange {
            what: "an enrolment",
        },
    }
}
