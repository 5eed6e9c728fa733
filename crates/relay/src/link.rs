//! Keeps meeting the relay above while this one serves: after news, at an interval, and ever more rarely
//! while there is no link.
//!
//! A thread of its own with a runtime of its own: a slow line up delays nobody below.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::app::App;
use crate::error::RelayError;

/// How long a meeting that failed is not tried again, the first time; twice as long each time after.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// And at most.
const AGAIN_WITHIN: Duration = Duration::from_secs(300);

/// The thread that meets the relay above; none for a relay that only meets it when told.
pub(crate) struct Link {
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Link {
    /// Starts it; a relay that joins while it serves is met as well.
    pub(crate) fn start(app: &Arc<App>, news: Arc<Notify>) -> Result<Self, RelayError> {
        let Some(every) = app.relay.settings.upstream_every else {
            return Ok(Self { running: None });
        };
        let (stop, stopped) = oneshot::channel();
        let app = Arc::clone(app);
        let fail = |source| RelayError::io(std::path::Path::new(""), source);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().map_err(fail)?;
        let thread = std::thread::Builder::new().name("relay-link".into());
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = keep_meeting(&app, every, &news) => {}
                    _ = stopped => {}
                }
            });
        });
        let running = Some((stop, thread.map_err(fail)?));
        Ok(Self { running })
    }

    /// Ends it, in the middle of a meeting too: what was receipted or taken in stays.
    pub(crate) fn stop(self) {
        if let Some((stop, thread)) = self.running {
            let _ = stop.send(());
            if thread.join().is_err() {
                tracing::error!("the link upward panicked");
            }
        }
    }
}

async fn keep_meeting(app: &App, every: Duration, news: &Notify) {
    let mut pause = AGAIN_AFTER;
    loop {
        let below = match app.relay.upstream() {
            Ok(upstream) => upstream.is_some(),
            Err(error) => {
                tracing::error!(%error, "the relay above cannot be looked up");
                false
            }
        };
        if !below {
            tokio::time::sleep(every).await;
            continue;
        }
        match app.relay.meet_upstream().await {
            Ok(met) => {
                tracing::debug!(?met, "met the relay above");
                pause = AGAIN_AFTER;
                if !met.more {
                    let _ = tokio::time::timeout(every, news.notified()).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the relay above");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(AGAIN_WITHIN);
            }
        }
    }
}
