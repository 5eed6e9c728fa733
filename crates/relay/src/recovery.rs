//! The recovery key of a tree: made here, ordered here, and its secret half kept by nobody here.
//!
//! **The secret half is on the disk it was asked to before anybody hears of the other one**: homes that are
//! wrapped for a key nobody has would be open to nobody.

use std::io::Write as _;
use std::path::Path;

use wangge_trust::vault::{RecoveryKey, RecoverySecret};
use wangge_wire::OrderBody;
use wangge_wire::Recovery;

use crate::audit::Who;
use crate::backup::{BackupTrouble, failed, private, sync_folder};
use crate::error::RelayError;
use crate::relay::Relay;
use crate::{orders, risen};

impl Relay {
    /// Makes a recovery key, writes its secret half to a file that is not there yet, and orders that every
    /// home below is wrapped for it.
    ///
    /// # Errors
    /// [`RelayError::BelowAnother`]: the relay at the top of the tree makes the key. [`BackupTrouble`] for a
    /// file that is there or cannot be written. In both cases nothing was ordered.
    pub fn order_recovery(&self, file: &Path, now_ms: i64) -> Result<RecoveryKey, RelayError> {
        if self.read(risen::upstream)?.is_some() {
            return Err(RelayError::BelowAnother);
        }
        let secret = RecoverySecret::new(self.settings.dice.random()?);
        keep(&secret, file)?;
        let public = secret.public();
        self.write_order(|transaction, standing| {
            let n = standing.roster().recovery().map_or(0, |known| known.n + 1);
            let body = OrderBody::Recovery(Recovery { key: public.0, n });
            orders::append(
                transaction,
                standing,
                &self.secrets.key,
                body,
                Who::Operator,
                now_ms,
            )
            .map(drop)
            .map_err(|source| RelayError::sqlite(&self.place.path, source))
        })?;
        tracing::info!("a recovery key was ordered");
        Ok(public)
    }
}

fn keep(secret: &RecoverySecret, file: &Path) -> Result<(), RelayError> {
    if file.symlink_metadata().is_ok() {
        return Err(BackupTrouble::Exists(file.to_owned()).into());
    }
    let write = || {
        let mut kept = private(file)?;
        writeln!(kept, "{}", secret.shown().as_str())?;
        kept.sync_all()?;
        sync_folder(file)
    };
    write().map_err(|error| failed(file, error))
}
