//! Keeps meeting the relay above while this one serves: after news, at an interval, and soon again after a
//! line that broke.
//!
//! A thread of its own with a runtime of its own: a slow line up delays nobody below.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::app::App;
use crate::error::RelayError;

/// How long a meeting that failed is not tried again, the first time; twice as long each time after, and at
/// most as long as one that did not: a link that is there again must not be found late.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

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
    let mut pace = Pace::new(every);
    loop {
        let below = match app.relay.upstream() {
            Ok(upstream) => upstream.is_some(),
            Err(error) => {
                tracing::error!(%error, "the relay above cannot be looked up");
                false
            }
        };
        if !below {
            tokio::time::sleep(pace.every).await;
            continue;
        }
        match app.relay.meet_upstream().await {
            Ok(met) => {
                tracing::debug!(?met, "met the relay above");
                let wait = pace.met();
                if !met.more {
                    let _ = tokio::time::timeout(wait, news.notified()).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the relay above");
                tokio::time::sleep(pace.failed()).await;
            }
        }
    }
}

/// How long until the next meeting.
#[derive(Debug)]
struct Pace {
    every: Duration,
    pause: Duration,
}

impl Pace {
    fn new(every: Duration) -> Self {
        Self {
            every,
            pause: AGAIN_AFTER.min(every),
        }
    }

    /// Returns how long to wait at most after a meeting; news end it.
    fn met(&mut self) -> Duration {
        self.pause = AGAIN_AFTER.min(self.every);
        self.every
    }

    /// Returns how long to wait after a meeting that failed.
    fn failed(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.every);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::UPSTREAM_EVERY;

    /// A revocation above counts below once a meeting that begins after it has ended.
    #[test]
    fn a_relay_that_is_linked_begins_a_meeting_within_thirty_seconds_whatever_came_before() {
        let most = Duration::from_secs(30);
        assert!(UPSTREAM_EVERY <= most);
        for failures in 0..40 {
            let mut pace = Pace::new(UPSTREAM_EVERY);
            let waits: Vec<Duration> = (0..failures).map(|_| pace.failed()).collect();
            assert!(waits.iter().all(|wait| *wait <= most), "{waits:?}");
            let first: Vec<u64> = waits.iter().take(6).map(Duration::as_secs).collect();
            assert_eq!(first, [2, 4, 8, 16, 30, 30][..first.len()]);
            assert!(pace.met() <= most);
            assert_eq!(
                pace.failed(),
                AGAIN_AFTER,
                "a link that was there is tried soon"
            );
        }
    }
}
