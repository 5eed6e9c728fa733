//! A desk's question about devices, asked of its relay. Nothing of the answer is kept here.

use wangge_wire::device::{DeviceAnswer, DeviceAsk, DeviceRefusal, DeviceWish};
use wangge_wire::limits::REPAIR_ANSWER_BYTES_MAX;
use wangge_wire::{PROTOCOL_VERSION, packing};

use super::http::{capped, refusal};
use super::sync::strange;
use crate::error::AgentError;
use crate::replica::Replica;

impl Replica {
    /// Asks the own relay about devices.
    pub(crate) async fn ask_devices(&self, wish: DeviceWish) -> Result<DeviceAnswer, AgentError> {
        if !self.role().is_desk() && self.member().is_some() {
            return Err(AgentError::NotYourRole);
        }
        let head = packing::encode(&DeviceAsk {
            version: PROTOCOL_VERSION,
            wish,
        });
        let response = self.ask_relay("/v1/device", &head).await?;
        let status = response.status();
        let bytes = capped(response, REPAIR_ANSWER_BYTES_MAX).await?;
        if status.is_success() {
            return packing::decode(&bytes, "devices").map_err(strange);
        }
        Err(match packing::decode::<DeviceRefusal>(&bytes, "refusal") {
            Ok(why) => AgentError::Device(why),
            Err(_) => refusal(status),
        })
    }
}
