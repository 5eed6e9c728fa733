//! A desk's question about devices, asked of its relay. Nothing of the answer is kept here.

use wangge_wire::device::{DeviceAnswer, DeviceAsk, DeviceRefusal, DeviceWish};
use wangge_wire::limits::REPAIR_ANSWER_BYTES_MAX;
use wangge_wire::{PROTOCOL_VERSION, packing};

use super::address::Address;
use super::http::{capped, refusal};
use super::sync::strange;
use crate::error::AgentError;
use crate::replica::Replica;

impl Replica {
    /// Asks the own relay about devices.
    pub(crate) async fn ask_devices(&self, wish: DeviceWish) -> Result<DeviceAnswer, AgentError> {
        let link = self.home.profile.relay.clone();
        let link = link.filter(|_| self.member().is_some());
        let link = link.ok_or(AgentError::NotEnrolled)?;
        if !self.role().is_desk() {
            return Err(AgentError::NotYourRole);
        }
        let mut line = self.line(Address::kept(&link.url)?, link.key)?;
        let head = packing::encode(&DeviceAsk {
            version: PROTOCOL_VERSION,
            wish,
        });
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
        let whole = [length.to_be_bytes().as_slice(), &head].concat();
        let (key, machine, mut offset_ms) = (&self.home.key, &self.machine, 0);
        let posted = line.post_told("/v1/device", &head, &whole, key, machine, &mut offset_ms);
        let response = posted.await?;
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
