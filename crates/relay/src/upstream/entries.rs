//! What a meeting notes of single entries: what a receipt says of them, and what a page brings.

use rusqlite::Connection;
use wangge_sync::PageTaken;
use wangge_trust::KeyPair;
use wangge_trust::key::verify_batch;
use wangge_wire::batch::NO_DOC;
use wangge_wire::frame::{self, Surroundings, Unread};
use wangge_wire::receipt::ItemState;
use wangge_wire::{ChangeHash, DocId, DocKind, Order, PageBatch, Receipt};

use crate::accept::{self, Pushed};
use crate::holdings::SqlHoldings;
use crate::orders::{self, Standing};
use crate::pull::StepError;
use crate::risen::{self, Above};
use crate::{doubt, frames, log};

/// Notes what a receipt says of each item that this relay has, but for numbers past what was read.
pub(super) fn note_receipt(
    connection: &Connection,
    receipt: &Receipt,
    through: u64,
) -> rusqlite::Result<()> {
    let names = frames::names(connection, &receipt.batch)?;
    for (name, state) in names.iter().zip(&receipt.items) {
        let above = match state {
            ItemState::At(position) => Above::At(*position),
            ItemState::Waiting | ItemState::Inbox(_) => Above::Unnumbered,
            ItemState::Refused(_) => Above::Refused,
        };
        if !above.is_read(through) {
            continue;
        }
        note_item(connection, &name.doc, &name.hash, above)?;
    }
    Ok(())
}

pub(super) fn note_item(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
    above: Above,
) -> rusqlite::Result<()> {
    match log::position_of(connection, doc, hash)? {
        Some(position) => {
            doubt::proven(connection, doc, hash)?;
            risen::note(connection, position, above)
        }
        None => risen::note_parked(connection, doc, hash, above),
    }
}

pub(super) fn take_batch(
    connection: &Connection,
    standing: &Standing,
    page: &PageBatch,
    access_kinds: &[DocKind],
    (through, now_ms): (u64, i64),
) -> Result<PageTaken, StepError> {
    let held = SqlHoldings::new(connection);
    let rebuilt = frame::decode(&page.frame, &Surroundings::default(), &held);
    held.finish()?;
    let rebuilt = match rebuilt {
        Ok(rebuilt) => rebuilt,
        Err(Unread::NeedFull) => return Ok(PageTaken::NeedFull),
        Err(Unread::Malformed(error)) => return Err(error.into()),
    };
    let batch = rebuilt.batch;
    let names: Vec<_> = batch.items.iter().map(wangge_wire::Item::name).collect();
    let Some(signer) = standing.roster().known(&batch.head.device) else {
        tracing::warn!(device = %batch.head.device, "a batch from above of somebody unknown");
        let numbered = names.iter().zip(&page.positions).filter(|it| *it.1 > 0);
        let names = numbered.map(|(name, _)| (&name.doc, &name.hash));
        doubt::pass_by(connection, names, standing.at())?;
        return Ok(PageTaken::Applied);
    };
    if !verify_batch(&signer.key, &batch) {
        tracing::warn!(device = %batch.head.device, "a batch from above whose signature does not fit");
        return Ok(PageTaken::Applied);
    }
    let pushed = Pushed {
        batch,
        damaged: rebuilt.damaged,
        first_received_ms: Some(page.first_received_ms),
        of_sender: false,
        given_back: false,
        from_above: true,
    };
    accept::store(connection, standing.roster(), access_kinds, &pushed, now_ms)?;
    for (name, above) in names.iter().zip(&page.positions) {
        // A batch tells the numbers of all its items, also of those that stand further on: what is
        // believed is what the cursor's chain stands for.
        if (1..=through).contains(above) {
            note_item(connection, &name.doc, &name.hash, Above::At(*above))?;
        }
    }
    Ok(PageTaken::Applied)
}

pub(super) fn take_order(
    connection: &Connection,
    standing: &mut Standing,
    key: &KeyPair,
    bytes: &[u8],
    above: u64,
    now_ms: i64,
) -> Result<PageTaken, StepError> {
    let order = Order::read(bytes)?;
    orders::take(connection, standing, key, &order, now_ms)?;
    if let Some(position) = log::position_of(connection, &NO_DOC, &order.hash())? {
        risen::note(connection, position, Above::At(above))?;
    }
    Ok(PageTaken::Applied)
}
