//! What a device is told of packs, and the frames it may have.
//!
//! **The same question as for a page, asked for the whole pack**: a device reads it if it reads every
//! document that lives there. A pack that a document was moved out of since is nobody's until it is made
//! anew.

use rusqlite::Connection;
use wangge_trust::{Action, What, allowed};
use wangge_wire::enroll::OrderBytes;
use wangge_wire::pack::{PackInfo, PackOrder};
use wangge_wire::{
    AreaCode, Audience, CoversRead, Cursor, Day, DeviceId, FrameHash, Manifest, PROTOCOL_VERSION,
    PackKey, Signature,
};

use super::build;
use super::shelf::{self, Made};
use crate::log;
use crate::orders::{self, Standing};
use crate::pull::{StepError, widened};
use crate::relay::Relay;
use crate::scope::Scope;

/// An area in which nobody works: what is read there is read by name.
const NOWHERE: &str = "000000";

/// Who asks, and what is open.
pub(crate) struct Served<'a> {
    pub(crate) log: &'a Connection,
    pub(crate) packs: &'a Connection,
    pub(crate) standing: &'a Standing,
    pub(crate) device: DeviceId,
    pub(crate) day: Day,
}

impl Served<'_> {
    fn reads(&self, key: &PackKey) -> bool {
        let named;
        let nowhere = AreaCode::parse(NOWHERE);
        let what = match (key, &nowhere) {
            (PackKey::Home(home), _) => What {
                home,
                audiences: &[],
            },
            (PackKey::Named(audience), Ok(nowhere)) => {
                named = [audience.clone()];
                What {
                    home: nowhere,
                    audiences: &named,
                }
            }
            _ => return false,
        };
        let roster = self.standing.roster();
        allowed(roster, &self.device, Action::Read, &what, self.day).is_allowed()
    }
}

/// Returns the packs of what the device reads, or of one audience of it; none where pages are better.
pub(crate) fn manifest(
    served: &Served<'_>,
    relay: &Relay,
    audience: Option<&Audience>,
    now_ms: i64,
) -> Result<Option<Manifest>, StepError> {
    let Some(me) = served.standing.roster().member(&served.device) else {
        return Ok(None);
    };
    let asked = |key: &PackKey| match (audience, key) {
        (None, _) => true,
        (Some(Audience::Area(area)), PackKey::Home(home)) => area.covers(home),
        (Some(Audience::Area(area)), PackKey::Named(Audience::Area(named))) => area.covers(named),
        (Some(audience), PackKey::Named(named)) => audience == named,
        (Some(_), PackKey::Home(_)) => false,
    };
    if !shelf::is_whole(served.packs)? {
        return Ok(None);
    }
    let wanted = |key: &PackKey| asked(key) && served.reads(key);
    let packs: Vec<Made> = shelf::packs(served.packs)?;
    let packs: Vec<Made> = packs.into_iter().filter(|pack| wanted(&pack.key)).collect();
    let Some(position) = packs.iter().map(|pack| pack.position).min() else {
        return Ok(None);
    };
    if torn(served, &packs, position, &wanted)? {
        return Ok(None);
    }
    let Some(infos) = infos(served, packs)? else {
        return Ok(None);
    };
    let Some(chain) = log::chain_at(served.log, position)? else {
        return Ok(None);
    };
    let key = &relay.secrets.key;
    let scope = Scope {
        device: served.device,
        me,
        roster: served.standing.roster(),
        standing: served.standing,
        day: served.day,
    };
    let widened = widened(served.standing, &served.device);
    let lent = scope.roster.covering(me, served.day, 0).next().is_some();
    let covers = lent.then(|| CoversRead {
        day: served.day,
        orders: served.standing.at(),
    });
    let mut manifest = Manifest {
        version: PROTOCOL_VERSION,
        relay: key.public().relay(),
        incarnation: relay.identity.incarnation,
        at_ms: now_ms,
        cursor: Cursor {
            relay: key.public().relay(),
            incarnation: relay.identity.incarnation,
            position,
            chain,
            covers,
            granted: (position < widened).then(|| served.standing.at()),
        },
        packs: infos,
        orders: read_orders(served, &scope, position)?,
        signature: Signature([0; 64]),
    };
    key.sign_manifest(&mut manifest);
    Ok(Some(manifest))
}

/// Returns whether a document moved after one of the packs was made, out of it or into where it is not.
fn torn(
    served: &Served<'_>,
    packs: &[Made],
    position: u64,
    wanted: &dyn Fn(&PackKey) -> bool,
) -> Result<bool, StepError> {
    let stands = |key: &PackKey| packs.iter().find(|pack| pack.key == *key);
    for moved in build::moves(served.log, position)? {
        let at = moved.position;
        let left = |key: &PackKey| stands(key).is_some_and(|pack| pack.position < at);
        let missed = |key: &PackKey| stands(key).is_none_or(|pack| pack.position < at);
        let mut into = moved.into.iter().filter(|key| wanted(key));
        if moved.out.iter().any(left) || into.any(missed) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the packs with their frames; none where something is too large for a pack.
fn infos(served: &Served<'_>, packs: Vec<Made>) -> Result<Option<Vec<PackInfo>>, StepError> {
    let mut infos = Vec::with_capacity(packs.len());
    for pack in packs {
        let frames = shelf::frames(served.packs, &pack.key)?;
        if frames.is_empty() {
            return Ok(None);
        }
        infos.push(PackInfo {
            key: pack.key,
            position: pack.position,
            digest: pack.digest,
            documents: pack.documents,
            frames,
        });
    }
    Ok(Some(infos))
}

fn read_orders(
    served: &Served<'_>,
    scope: &Scope<'_>,
    until: u64,
) -> Result<Vec<PackOrder>, StepError> {
    let sql = "SELECT position FROM entry WHERE kind = 6 AND position <= ?1 ORDER BY position";
    let mut rows = served.log.prepare_cached(sql)?;
    let rows = rows.query_map([log::signed(until)], |row| row.get(0).map(log::unsigned))?;
    let mut found = Vec::new();
    for row in rows {
        let position = row?;
        if scope.reads_order(served.log, position)? {
            let order = OrderBytes(orders::bytes_at(served.log, position)?);
            found.push(PackOrder { position, order });
        }
    }
    Ok(found)
}

/// Returns a frame of a pack that the device reads; none for any other, there or not.
pub(crate) fn frame(served: &Served<'_>, hash: &FrameHash) -> Result<Option<Vec<u8>>, StepError> {
    for pack in shelf::packs(served.packs)? {
        if !served.reads(&pack.key) {
            continue;
        }
        let frames = shelf::frames(served.packs, &pack.key)?;
        if !frames.iter().any(|frame| frame.hash == *hash) {
            continue;
        }
        let moves = build::moves(served.log, pack.position)?;
        if moves.iter().any(|it| it.out.contains(&pack.key)) {
            continue;
        }
        return Ok(Some(shelf::bytes(served.packs, hash)?));
    }
    Ok(None)
}
