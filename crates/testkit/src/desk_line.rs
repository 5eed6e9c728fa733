//! How the device in memory asks for orders and about other devices, as a desk does.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use wangge_wire::device::{DeviceAnswer, DeviceAsk, DeviceWish};
use wangge_wire::{OrderAsk, OrderBody, PROTOCOL_VERSION, packing};

use crate::device::Device;
use crate::wire_client::{self, Reply};

impl Device {
    /// Asks the relay for an order; returns the reply as it is.
    pub fn ask_order(&mut self, relay: SocketAddr, now_ms: i64, body: OrderBody) -> Reply {
        let version = PROTOCOL_VERSION;
        let head = packing::encode(&OrderAsk { version, body });
        let request = self.request_at("/v1/order", relay, now_ms, &head, &[]);
        wire_client::send_raw(relay, &request)
    }

    /// Asks the relay about devices; returns the reply as it is.
    pub fn post_devices(&mut self, relay: SocketAddr, now_ms: i64, wish: DeviceWish) -> Reply {
        let version = PROTOCOL_VERSION;
        let head = packing::encode(&DeviceAsk { version, wish });
        let request = self.request_at("/v1/device", relay, now_ms, &head, &[]);
        wire_client::send_raw(relay, &request)
    }

    /// Asks the relay about devices.
    pub fn ask_devices(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        wish: DeviceWish,
    ) -> DeviceAnswer {
        let reply = self.post_devices(relay, now_ms, wish);
        assert_eq!(reply.status, 200, "{}", reply.text());
        packing::decode(&reply.body, "devices").unwrap()
    }
}
