//! Every route, once: what it is for and who may ask, what each role is answered, and the handler.
//!
//! The router is made of this table, and so are the tests that try a revoked device, or a stranger, on each:
//! **a route without its row, or without its cells, cannot be built**.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::cells::{Cells, DOCUMENTS, INBOX, OPEN, PEOPLE, RELAYS};
use super::{blob, card, device, enroll, frames, inbox, order, pack, repair, rise, sync, words};
use crate::app::App;

/// Who may ask on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Anybody,
    /// Whoever shows that they hold an invitation.
    Invited,
    /// A device, or a relay below, that is a member.
    Member,
    /// A device at a desk; what it may be told or order is asked of `trust`.
    Desk,
    /// A relay below.
    RelayBelow,
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As it is matched: `{hash}` stands for any name.
    pub path: &'static str,
    /// Who may ask.
    pub who: Who,
    /// What for, in a few words.
    pub action: &'static str,
    /// What each role is answered, by how far away it is.
    pub cells: Cells,
}

macro_rules! routes {
    ($($method:ident $path:literal $who:ident $cells:ident $action:literal => $handler:path;)*) => {
        /// Every route there is.
        pub const ROUTES: &[Route] = &[$(Route {
            method: method!($method),
            path: $path,
            who: Who::$who,
            action: $action,
            cells: $cells,
        }),*];

        /// Returns the router.
        pub(crate) fn router(app: Arc<App>) -> Router {
            Router::new()
                $(.route($path, axum::routing::$method($handler)))*
                .with_state(app)
        }

        /// Answers one request without a listener; 404 for what nobody asks in a simulation.
        pub(crate) async fn answer(app: &Arc<App>, request: Request) -> Response {
            let (path, state) = (request.uri().path().to_owned(), State(Arc::clone(app)));
            let method = request.method().as_str().to_owned();
            match (method.as_str(), path.as_str()) {
                $((method!($method), $path) => $handler(state, request).await,)*
                _ => words(StatusCode::NOT_FOUND, "not found"),
            }
        }
    };
}

macro_rules! method {
    (get) => {
        "GET"
    };
    (post) => {
        "POST"
    };
}

routes! {
    get  "/v1/relay"       Anybody    OPEN      "read the card"                       => card::card;
    post "/v1/enroll"      Invited    OPEN      "become a member"                     => enroll::enroll;
    post "/v1/sync"        Member     DOCUMENTS "hand in and read on"                 => sync::sync;
    post "/v1/order"       Desk       PEOPLE    "have an order made"                  => order::order;
    post "/v1/device"      Desk       PEOPLE    "ask about devices"                   => device::device;
    post "/v1/inbox"       Desk       INBOX     "ask what waits for a decision"       => inbox::inbox;
    post "/v1/rise"        RelayBelow RELAYS    "hand orders up"                      => rise::rise;
    post "/v1/repair"      Member     DOCUMENTS "find and fetch what differs"         => repair::repair;
    get  "/v1/blob/{hash}" Member     DOCUMENTS "read an attachment"                  => blob::read;
    post "/v1/blob/{hash}" Member     DOCUMENTS "bring an attachment"                 => blob::write;
    get  "/v1/packs"       Member     DOCUMENTS "read what a first download is of"    => pack::list;
    post "/v1/frames"      Member     DOCUMENTS "read frames of packs"                => frames::frames;
}
