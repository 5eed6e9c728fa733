//! The streamed answer of a sync: standing, verdicts as commits happen, pages, the end.
//!
//! **No transaction is open while a frame waits to be sent**: a slow link holds nothing but its own
//! next frame.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use wangge_wire::message::{AnswerKind, Standing as StandingFrame};
use wangge_wire::{
    DeviceId, Manifest, PurgeAnswer, Receipt, Role, Verdict, packing, stream as framing,
};

use super::purge;
use super::sync::{Pending, pushed_positions};
use crate::app::App;
use crate::audit;
use crate::pull::{Pull, Step, StepError};
use crate::writer::Unwritten;

/// Frames made ahead of the link.
const FRAMES_AHEAD: usize = 2;

/// Where frames go.
struct Out {
    frames: mpsc::Sender<Result<Vec<u8>, Infallible>>,
}

/// Why an answer ends early.
enum Ended {
    /// Nobody listens any more.
    Gone,
    /// The relay cannot go on; the device is told these words.
    Failed(&'static str),
}

/// What is to be said of the batches of a request.
pub(super) struct Verdicts {
    /// One that was waited for before the answer began, and which batch's it is.
    pub(super) first: Option<(usize, Receipt, Vec<bool>)>,
    /// The others, in the request's order.
    pub(super) pending: Vec<Pending>,
}

/// Returns the answer; its frames are made while it is sent. Where there are packs to take first, they
/// are told in the place of pages.
pub(super) fn stream(
    app: &Arc<App>,
    standing: StandingFrame,
    verdicts: Verdicts,
    pull: Pull,
    packs: Option<Manifest>,
) -> Response {
    let (frames, body) = mpsc::channel(FRAMES_AHEAD);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let out = Out { frames };
        let told = tell(&app, &out, standing, verdicts, pull, packs).await;
        if let Err(Ended::Failed(words)) = told {
            let _ = out.send(AnswerKind::FAILED, words.as_bytes()).await;
        }
    });
    let body = Body::from_stream(ReceiverStream::new(body));
    super::bytes(StatusCode::OK, "application/octet-stream", body)
}

async fn tell(
    app: &Arc<App>,
    out: &Out,
    standing: StandingFrame,
    verdicts: Verdicts,
    mut pull: Pull,
    packs: Option<Manifest>,
) -> Result<(), Ended> {
    let Verdicts { mut first, pending } = verdicts;
    out.send(AnswerKind::STANDING, &packing::encode(&standing))
        .await?;
    let mut index = 0;
    for pending in pending {
        out.first(&mut first, &mut index, &mut pull).await?;
        match pending {
            Pending::Verdict(verdict) => out.verdict(&verdict).await?,
            Pending::Writing(reply, bodies) => {
                let receipt = reply.await.unwrap_or(Err(Unwritten::Busy));
                out.receipt(receipt.map_err(unwritten)?, &bodies, &mut pull)
                    .await?;
            }
        }
        index += 1;
    }
    out.first(&mut first, &mut index, &mut pull).await?;
    match packs {
        Some(packs) => {
            out.send(AnswerKind::MANIFEST, &packing::encode(&packs))
                .await
        }
        None => pages(app, out, pull).await,
    }
}

async fn pages(app: &Arc<App>, out: &Out, mut pull: Pull) -> Result<(), Ended> {
    loop {
        let own = Arc::clone(app);
        let stepped = app.read(move |connection, standing| {
            let mut step = pull.step(connection, standing)?;
            if let Step::End(end) = &mut step {
                let (relay, at_ms) = (&own.relay, own.now_ms());
                let word = audit::checkpoint(connection, relay, pull.witnessed, at_ms)?;
                end.audit = Some(Box::new(word));
            }
            let role = standing.roster().member(&pull.device).map(|me| me.role);
            Ok((pull, step, role))
        });
        let (back, step, role) = stepped.await.map_err(|error| failed(&error))?;
        pull = back;
        match step {
            Step::Page(packed, entries) => {
                tracing::debug!(device = %pull.device, entries, bytes = packed.len(), "page");
                out.send(AnswerKind::PAGE, &packed).await?;
            }
            Step::Moved => {}
            Step::End(mut end) => {
                let days = role.and_then(|role| app.relay.settings.lease_days.of(role));
                if let Some(days) = days {
                    let lease = app.lease(pull.device, days);
                    (end.lease, end.lease_key) = (Some(Box::new(lease.0)), Some(lease.1));
                }
                return out.send(AnswerKind::END, &packing::encode(&*end)).await;
            }
            Step::NotAMember => return purged(app, out, pull.device).await,
        }
    }
}

/// Ends the answer to a device that was revoked since it began.
async fn purged(app: &Arc<App>, out: &Out, device: DeviceId) -> Result<(), Ended> {
    let is_relay = app.read(move |_, standing| {
        let known = standing.roster().known(&device);
        Ok(known.is_some_and(|known| known.role == Role::Relay))
    });
    if is_relay.await.map_err(|error| failed(&error))? {
        return Err(Ended::Failed("revoked"));
    }
    let order = purge::order(app, device).await;
    let answer = PurgeAnswer {
        order: order.map_err(|error| failed(&error))?,
        verdicts: None,
        blob: None,
    };
    out.send(AnswerKind::PURGE, &packing::encode(&answer)).await
}

impl Out {
    /// Tells the verdict that was waited for before the answer began, when its turn has come.
    async fn first(
        &self,
        first: &mut Option<(usize, Receipt, Vec<bool>)>,
        index: &mut usize,
        pull: &mut Pull,
    ) -> Result<(), Ended> {
        match first.take_if(|(at, ..)| at == index) {
            Some((_, receipt, bodies)) => {
                *index += 1;
                self.receipt(receipt, &bodies, pull).await
            }
            None => Ok(()),
        }
    }

    async fn receipt(
        &self,
        receipt: Receipt,
        bodies: &[bool],
        pull: &mut Pull,
    ) -> Result<(), Ended> {
        pull.skip(pushed_positions(&receipt, bodies));
        self.verdict(&Verdict::Receipt(receipt)).await
    }

    async fn verdict(&self, verdict: &Verdict) -> Result<(), Ended> {
        self.send(AnswerKind::VERDICT, &packing::encode(verdict))
            .await
    }

    async fn send(&self, kind: AnswerKind, payload: &[u8]) -> Result<(), Ended> {
        let frame = framing::frame(kind.0, payload);
        self.frames.send(Ok(frame)).await.map_err(|_| Ended::Gone)
    }
}

fn unwritten(why: Unwritten) -> Ended {
    Ended::Failed(match why {
        Unwritten::Full => "full",
        Unwritten::Busy => "busy",
        Unwritten::Damaged => "damaged",
        Unwritten::Failed => "internal",
    })
}

fn failed(error: &StepError) -> Ended {
    tracing::error!(%error, "an answer broke off");
    Ended::Failed("internal")
}
