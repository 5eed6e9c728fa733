//! A desk's wish, made an order by the relay: a leave, a cover, a unit.
//!
//! **Only what the relay signed is kept**; without a link nothing is promised and nothing changes.

use wangge_wire::enroll::OrderBytes;
use wangge_wire::limits::ANSWER_BYTES_MAX;
use wangge_wire::{Order, OrderAsk, OrderBody, OrderRefusal, PROTOCOL_VERSION, packing};

use super::http::{capped, refusal};
use crate::error::AgentError;
use crate::replica::Replica;

impl Replica {
    /// Asks the relay for an order and keeps what it signed.
    pub(crate) async fn order(&mut self, body: OrderBody) -> Result<(), AgentError> {
        let head = packing::encode(&OrderAsk {
            version: PROTOCOL_VERSION,
            body: body.clone(),
        });
        let asked = self.ask_relay("/v1/order", &head);
        let response = asked.await.map_err(|error| match error {
            AgentError::NoLink { reason, .. } => AgentError::OrderUnsent { reason },
            other => other,
        })?;
        let status = response.status();
        let bytes = capped(response, ANSWER_BYTES_MAX).await?;
        if !status.is_success() {
            return Err(match packing::decode::<OrderRefusal>(&bytes, "refusal") {
                Ok(why) => AgentError::Order(why),
                Err(_) => refusal(status),
            });
        }
        let strange = |reason: String| AgentError::StrangeAnswer { reason };
        let order: OrderBytes =
            packing::decode(&bytes, "answer").map_err(|error| strange(error.to_string()))?;
        let order = Order::read(&order.0).map_err(|error| strange(error.to_string()))?;
        let is_it = match (&order.body, &body) {
            // The relay says which lives there are, and which batch was the last.
            (OrderBody::Revoke { device: taken, .. }, OrderBody::Revoke { device, .. }) => {
                taken == device
            }
            (made, asked) => made == asked,
        };
        if !is_it {
            return Err(strange("another order than the one asked for".to_owned()));
        }
        // Judged on a copy: a wrong signature must leave the roster as it is.
        let judged = self.roster.clone().take_some(&order);
        judged.map_err(|error| strange(error.to_string()))?;
        self.home.store.keep_orders(&[order])?;
        self.load_roster()
    }
}
