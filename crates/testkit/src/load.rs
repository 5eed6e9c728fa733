//! Devices that hand in one batch after the other, as fast as a relay answers.
#![allow(
    clippy::indexing_slicing,
    reason = "a test's own machinery may fail loudly"
)]

use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use wangge_wire::receipt::ItemState;
use wangge_wire::{ChangeHash, DocId};

use crate::device::{Device, read_answer};
use crate::wire_client::try_send_raw;

const GRID: &str = "511724103202001";

/// A change, and where a receipt said that it stands.
pub type Told = ((DocId, ChangeHash), u64);

/// Hands in batches until nobody answers any more, and says what each receipt told; `round` makes the
/// documents' names, and those of two rounds are not the same.
pub fn hand_in(
    device: &mut Device,
    relay: SocketAddr,
    round: u64,
    now_ms: impl Fn() -> i64,
    says: &Sender<Told>,
) {
    for number in 0_u64.. {
        let mut id = [device.id().0[0]; 16];
        id[..8].copy_from_slice(&round.to_be_bytes());
        id[8..15].copy_from_slice(&number.to_be_bytes()[1..]);
        let doc = DocId(id);
        device.begin(doc, GRID);
        let changes = [("door", "3-12"), ("note", "血压高")];
        let hashes = changes.map(|(field, text)| device.write(doc, field, text));
        let batch = device.batch();
        let frames = Device::full(std::slice::from_ref(&batch));
        let ask = device.ask(1, true);
        let request = device.request(relay, now_ms(), &ask.bytes(), &frames);
        let Some(reply) = try_send_raw(relay, &request) else {
            return;
        };
        let answer = read_answer(&reply);
        let receipts = answer.receipts();
        let Some(receipt) = receipts.first() else {
            return;
        };
        for (item, state) in batch.items.iter().zip(&receipt.items) {
            let name = item.name();
            if let ItemState::At(position) = state
                && hashes.contains(&name.hash)
            {
                // Who listens may have heard enough.
                let _ = says.send(((name.doc, name.hash), *position));
            }
        }
    }
}
