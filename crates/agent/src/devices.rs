//! Devices 设备, as a desk sees those of its own areas: who has them, when they came, and taking one out.
//!
//! Names and areas are the roster's; the rest is what the relay says now, and is not kept. **A desk asks, the
//! relay orders.**

use serde::Serialize;
use wangge_wire::device::{DeviceRow, DeviceWish};
use wangge_wire::{AreaCode, DeviceId, OrderBody, PersonId, Role};

use crate::error::{AgentError, Sought};
use crate::people::shown;
use crate::replica::Replica;

/// Hex digits from which an id may be said by its beginning.
const ID_DIGITS_MIN: usize = 6;

/// A device of the desk's areas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceView {
    /// 32 hex digits.
    pub device: DeviceId,
    /// The device part of ticket numbers.
    pub device_number: u32,
    /// Who has it.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// `worker station township county unit auditor`.
    pub role: Role,
    /// What it reads.
    pub areas: Vec<AreaCode>,
    /// When it last came to the relay, milliseconds since 1970; none for never.
    pub last_seen_ms: Option<i64>,
    /// The number of its last batch there, and when that came.
    pub last_batch: Option<u64>,
    /// When that came, milliseconds since 1970.
    pub last_batch_ms: Option<i64>,
    /// The last day of the lease it was given, `2026-12-15`.
    pub lease_until: Option<String>,
    /// Whether it was taken out.
    pub revoked: bool,
    /// When, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_ms: Option<i64>,
    /// Its last good batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good_batch: Option<u64>,
    /// When it was first told to purge, milliseconds since 1970; none while it has not come since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_told_ms: Option<i64>,
    /// When it was last told so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_told_last_ms: Option<i64>,
}

/// What taking a device out does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevokeView {
    /// The device.
    #[serde(flatten)]
    pub device: DeviceView,
    /// The last good batch; 0 for none.
    pub last_good: u64,
    /// Batches past it that have their numbers already, and keep them.
    pub numbered_after: u64,
    /// Whether it was only looked at.
    pub dry_run: bool,
}

/// A code that is read out by telephone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaseCodeView {
    /// Whose device it is for.
    pub name: String,
    /// The device, 32 hex digits.
    pub device: DeviceId,
    /// The code.
    pub code: String,
    /// The last day it is good for, `2026-12-15`.
    pub until: String,
}

impl Replica {
    /// Returns the devices this desk may take out, by number.
    pub async fn devices(&self) -> Result<Vec<DeviceView>, AgentError> {
        let (mut views, mut after) = (Vec::new(), None);
        loop {
            let answer = self.ask_devices(DeviceWish::All { after }).await?;
            views.extend(answer.rows.iter().filter_map(|row| self.device_view(row)));
            match answer.rows.last().filter(|_| answer.more) {
                Some(last) if after != Some(last.device) => after = Some(last.device),
                _ => break,
            }
        }
        views.sort_by_key(|view| (view.device_number, view.device));
        Ok(views)
    }

    /// Returns the device that is named: its id or the beginning of it, `#7`, or whose it is.
    pub async fn device_named(&self, typed: &str) -> Result<DeviceView, AgentError> {
        pick(self.devices().await?, typed)
    }

    /// Returns what taking a device out would do. Without a last good batch it is the last one that the relay
    /// received.
    pub async fn revoking(
        &self,
        typed: &str,
        last_good: Option<u64>,
    ) -> Result<RevokeView, AgentError> {
        let device = self.device_named(typed).await?;
        let last = device.last_batch.unwrap_or(0);
        let last_good = last_good.unwrap_or(last);
        Ok(RevokeView {
            // Only the newest life has batches past it: those of the earlier ones are good to their end.
            numbered_after: last.saturating_sub(last_good),
            device,
            last_good,
            dry_run: true,
        })
    }

    /// Takes a device out: it is told to purge and nothing else from then on.
    pub async fn revoke(
        &mut self,
        device: &DeviceId,
        last_good: Option<u64>,
    ) -> Result<(), AgentError> {
        let body = OrderBody::Revoke {
            device: *device,
            last_good_batch: last_good.unwrap_or(u64::MAX),
            lives: None,
        };
        self.order(body).await
    }

    /// Returns a code that lets a device read on.
    pub async fn lease_code(
        &self,
        typed: &str,
        days: Option<u32>,
    ) -> Result<LeaseCodeView, AgentError> {
        let view = self.device_named(typed).await?;
        let device = view.device;
        let answer = self.ask_devices(DeviceWish::Lease { device, days }).await?;
        let code = answer.code.ok_or_else(|| AgentError::StrangeAnswer {
            reason: "no code of a lease".into(),
        })?;
        Ok(LeaseCodeView {
            name: view.name,
            device,
            code: code.code,
            until: shown(code.until),
        })
    }

    /// Returns a device as the roster and the relay have it; none of one whose order did not come here yet.
    pub(crate) fn device_view(&self, row: &DeviceRow) -> Option<DeviceView> {
        let known = self.roster.known(&row.device)?;
        let revoked = row.revoked.as_ref();
        Some(DeviceView {
            device: row.device,
            device_number: known.device_number,
            person: known.person,
            name: known.name.clone(),
            role: known.role,
            areas: known.areas.clone(),
            last_seen_ms: row.seen_ms,
            last_batch: row.last.map(|last| last.number),
            last_batch_ms: row.last.map(|last| last.received_ms),
            lease_until: row.lease.map(shown),
            revoked: revoked.is_some(),
            revoked_ms: revoked.map(|revoked| revoked.at_ms),
            last_good_batch: revoked.map(|revoked| revoked.last_good_batch),
            purge_told_ms: revoked.and_then(|revoked| revoked.told_ms),
            purge_told_last_ms: revoked.and_then(|revoked| revoked.told_last_ms),
        })
    }
}

/// Returns the one device that fits what was typed.
fn pick(mut views: Vec<DeviceView>, typed: &str) -> Result<DeviceView, AgentError> {
    let names: Vec<DeviceName<'_>> = views
        .iter()
        .map(|view| DeviceName {
            id: view.device.to_string(),
            number: view.device_number,
            name: &view.name,
        })
        .collect();
    let at = named(&names, typed)?;
    Ok(views.swap_remove(at))
}

/// What a device may be named by.
#[derive(Debug, Clone)]
pub struct DeviceName<'a> {
    /// 32 hex digits.
    pub id: String,
    /// The device part of ticket numbers; 0 for a relay.
    pub number: u32,
    /// Whose it is.
    pub name: &'a str,
}

/// Returns which of them is named: by the id or the beginning of it, by `#7`, or by whose it is.
pub fn named(names: &[DeviceName<'_>], typed: &str) -> Result<usize, AgentError> {
    let typed = typed.trim();
    let number = typed.strip_prefix(['#', '＃']).unwrap_or(typed);
    let number: Option<u32> = number.parse().ok().filter(|number| *number > 0);
    let begins = |name: &DeviceName<'_>| {
        typed.len() >= ID_DIGITS_MIN && name.id.starts_with(&typed.to_ascii_lowercase())
    };
    let fits = |name: &DeviceName<'_>| {
        name.name == typed || begins(name) || number.is_some_and(|number| name.number == number)
    };
    let found: Vec<usize> = (0..)
        .zip(names)
        .filter_map(|(at, name)| fits(name).then_some(at))
        .collect();
    match found.as_slice() {
        [] => Err(AgentError::NotFound {
            what: Sought::Device,
            name: typed.to_owned(),
        }),
        [only] => Ok(*only),
        several => Err(AgentError::Ambiguous {
            name: typed.to_owned(),
            candidates: several
                .iter()
                .filter_map(|at| names.get(*at))
                .map(|name| (name.id.clone(), format!("#{} {}", name.number, name.name)))
                .collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_its_number_its_holder_or_the_beginning_of_its_id_and_never_guessed() {
        let names = [
            ("a1b2c3d4", 7, "李梅"),
            ("a1b2c3ff", 70, "李梅"),
            ("0012345", 12, "王芳"),
        ]
        .map(|(id, number, name)| DeviceName {
            id: id.into(),
            number,
            name,
        });
        let at = |typed: &str| named(&names, typed);
        assert_eq!(at("#7").unwrap(), 0);
        assert_eq!(at(" ＃70 ").unwrap(), 1);
        assert_eq!(at("王芳").unwrap(), 2);
        assert_eq!(at("A1B2C3D").unwrap(), 0);
        for several in ["李梅", "a1b2c3"] {
            let error = at(several).unwrap_err();
            assert!(
                matches!(error, AgentError::Ambiguous { candidates, .. } if candidates.len() == 2)
            );
        }
        for nobody in ["", "#0", "李", "a1b2", "#8"] {
            assert!(
                matches!(at(nobody), Err(AgentError::NotFound { .. })),
                "{nobody}"
            );
        }
    }
}
