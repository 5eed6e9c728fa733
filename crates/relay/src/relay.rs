//! A relay's folder: its key, its database, and what an operator asks of them.
//!
//! One file of data (`relay.db`) and one secret (`relay.key`). **Opening never deletes and never
//! repairs**: a file that is damaged stays as it is, and the error names it.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use wangge_trust::enroll::Code;
use wangge_trust::{Invitation, KeyPair};
use wangge_wire::enroll::RelayCard;
use wangge_wire::order::LevelForm;
use wangge_wire::receipt::Reason;
use wangge_wire::{
    AreaCode, BatchHash, ChangeHash, DeviceId, DocId, HoldReason, Incarnation, Order, OrderBody,
    PROTOCOL_VERSION, PersonId, Role, Unit, packing,
};

use crate::audit::{self, About, What, Who};
use crate::ballast::{self, Ballast};
use crate::db;
use crate::doc_keys;
use crate::error::RelayError;
use crate::members::{self, NewInvitation};
use crate::orders::{self, Standing};
use crate::parked;
use crate::secrets::{self, Secrets};
use crate::settings::Settings;
use crate::{blobs, risen, room};

/// A relay that is open; [`crate::serve`] lets devices in.
pub struct Relay {
    pub(crate) place: db::Place,
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) identity: Identity,
    connection: Mutex<Connection>,
}

/// What a relay's log says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) incarnation: Incarnation,
    pub(crate) name: String,
    pub(crate) level: LevelForm,
}

/// A device as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The device.
    pub device: DeviceId,
    /// The device part of its ticket numbers.
    pub device_number: u32,
    /// Who holds it.
    pub person: PersonId,
    /// The person's name as colleagues read it.
    pub name: String,
    /// What the person works as.
    pub role: Role,
    /// The areas the person sees.
    pub areas: Vec<AreaCode>,
    /// When it was taken in, milliseconds since 1970.
    pub enrolled_ms: i64,
    /// When it last synced, to the minute, milliseconds since 1970.
    pub last_seen_ms: Option<i64>,
    /// Whether it may no longer take part.
    pub revoked: bool,
}

/// An item in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The device that wrote it.
    pub device: DeviceId,
    /// The document it concerns.
    pub doc: DocId,
    /// The batch it came in.
    pub batch: BatchHash,
    /// Why it did not take its place.
    pub reason: Reason,
    /// When it came, milliseconds since 1970.
    pub received_ms: i64,
}

/// A change that is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// The document.
    pub doc: DocId,
    /// The change.
    pub change: ChangeHash,
    /// Why it is held.
    pub reason: HoldReason,
    /// Since when, milliseconds since 1970.
    pub at_ms: i64,
}

/// How much a relay holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Entries of the log, which is the last position.
    pub entries: u64,
    /// Documents that live somewhere.
    pub documents: u64,
    /// Numbered changes.
    pub changes: u64,
    /// Items that wait for what they rest on.
    pub waiting: u64,
    /// Items in the inbox.
    pub inbox: u64,
    /// Devices ever taken in.
    pub devices: u64,
}

impl Relay {
    /// Opens the relay in `dir`; makes folder, key and database at the first start.
    pub fn open(dir: &Path, settings: &Settings) -> Result<Relay, RelayError> {
        std::fs::create_dir_all(dir).map_err(|source| RelayError::io(dir, source))?;
        let place = db::Place::in_folder(dir, settings.pages_max, &settings.dice);
        let key_path = dir.join(secrets::FILE);
        if !db::has_bytes(&place.path) && Relay::left_in(dir) {
            // Another log under the old key would be another relay that nobody is told of.
            return Err(RelayError::Gone { path: place.path });
        }
        let mut connection = db::open(&place)?;
        let fail = |source| RelayError::sqlite(&place.path, source);
        let known = identity(&connection).map_err(fail)?;
        if known.is_some() && !key_path.exists() {
            // A new key beside an old log would hide that the old one is lost.
            return Err(RelayError::Gone { path: key_path });
        }
        if doc_keys::is_sealed(&connection).map_err(fail)? && !place.keys.path().exists() {
            // New keys beside an old log would open none of it, and nobody would be told that they are lost.
            return Err(RelayError::Gone {
                path: place.keys.path().to_owned(),
            });
        }
        let joined = risen::upstream(&connection).map_err(fail)?.is_some();
        let secrets = secrets::load_or_make(&key_path, &settings.dice)?;
        let secrets = secrets::with_tree_key(secrets, &place.path, joined)?;
        let identity = match known {
            Some((public, identity)) if public == secrets.key.public().0 => identity,
            // The database rests on another key: its orders and receipts would not be ours.
            Some(_) => return Err(RelayError::Damaged { path: key_path }),
            None => begin(&mut connection, &secrets.key, settings, &place)?,
        };
        let connection = Mutex::new(connection);
        Ok(Relay {
            place,
            settings: settings.clone(),
            secrets,
            identity,
            connection,
        })
    }

    /// Returns whether a folder holds anything that only a relay leaves: its database, a key, attachments.
    pub fn left_in(dir: &Path) -> bool {
        let left = [
            db::FILE,
            doc_keys::FILE,
            secrets::FILE,
            secrets::TREE_FILE,
            blobs::FOLDER,
        ];
        left.iter().any(|name| match dir.join(name).metadata() {
            // A database without a byte is none.
            Ok(found) => found.is_dir() || found.len() > 0,
            Err(_) => false,
        })
    }

    /// Refuses a folder whose disk has no room to serve it; asked before the relay is opened.
    pub fn check_room(dir: &Path) -> Result<(), RelayError> {
        room::to_serve(dir)
    }

    /// Returns what the relay says of itself to anybody.
    pub fn card(&self, now_ms: i64) -> RelayCard {
        RelayCard {
            version: PROTOCOL_VERSION,
            key: self.secrets.key.public(),
            incarnation: self.identity.incarnation,
            name: self.identity.name.clone(),
            level: self.identity.level,
            at_ms: now_ms,
        }
    }

    /// Makes an invitation; its code is nowhere but in the answer.
    ///
    /// May run in another process than the one that serves.
    pub fn invite(&self, new: &NewInvitation, now_ms: i64) -> Result<Code, RelayError> {
        self.invite_for(new, None, now_ms)
    }

    /// Returns an invitation as one text: the code with this relay's key, and where it is reached.
    pub fn invitation(&self, code: &Code, url: Option<&str>) -> String {
        let invitation = Invitation {
            url: url.map(|url| url.trim().trim_end_matches('/').to_owned()),
            relay: self.secrets.key.public(),
            code: code.clone(),
        };
        invitation.text()
    }

    /// Makes an invitation for a device of a unit; the unit must have been made by a desk.
    pub fn invite_unit(&self, name: &str, unit: &DocId, now_ms: i64) -> Result<Code, RelayError> {
        let mut units = self.units()?.into_iter();
        let open = units.find(|known| known.id == *unit && !known.closed);
        let known = open.ok_or(RelayError::UnknownUnit)?;
        let new = NewInvitation {
            name: name.to_owned(),
            role: Role::Unit,
            areas: vec![known.area],
        };
        self.invite_for(&new, Some(&known.id), now_ms)
    }

    fn invite_for(
        &self,
        new: &NewInvitation,
        unit: Option<&DocId>,
        now_ms: i64,
    ) -> Result<Code, RelayError> {
        new.check()?;
        self.check_reach(new)?;
        let dice = &self.settings.dice;
        let person = dice.random()?;
        let mut connection = self.connection();
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let code = members::draw_code(&connection, dice)?;
        let internal = RelayError::Internal {
            what: "the code makes no key",
        };
        let proof_key = code.proof_key().map_err(|_| internal)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        members::forget_dead(&transaction, now_ms).map_err(fail)?;
        members::keep(
            &transaction,
            &code,
            &proof_key,
            PersonId(person),
            new,
            unit,
            now_ms,
        )
        .map_err(fail)?;
        let about = About::Person(PersonId(person));
        audit::note(&transaction, now_ms, What::Invited, Who::Operator, about).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        tracing::info!(role = new.role.as_str(), areas = new.areas.len(), "invited");
        Ok(code)
    }

    /// A relay below another invites nobody whom the one above would not know, and no relay that
    /// stands as high as itself.
    fn check_reach(&self, new: &NewInvitation) -> Result<(), RelayError> {
        let me = self.secrets.key.public().relay();
        let own = self.read(|connection| {
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            let known = standing.roster().relay(&me);
            Ok(known
                .map(|known| known.member.areas.clone())
                .unwrap_or_default())
        })?;
        let inside = |area: &AreaCode| own.iter().any(|own| own.covers(area));
        let outside = !own.is_empty() && !new.areas.iter().all(inside);
        let what = if outside {
            "areas lie outside what this relay serves"
        } else if new.role == Role::Relay && members::level(&new.areas) <= self.identity.level {
            "areas are too large for a relay below this one"
        } else {
            return Ok(());
        };
        Err(RelayError::BadInvitation { what })
    }

    /// Takes a device out by the number of its last good batch alone, whatever the life: as orders of relays
    /// that knew no lives say it. [`Relay::revoke_device`] names them.
    ///
    /// May run in another process than the one that serves.
    pub fn revoke(
        &self,
        device: &DeviceId,
        last_good_batch: u64,
        now_ms: i64,
    ) -> Result<(), RelayError> {
        let body = OrderBody::Revoke {
            device: *device,
            last_good_batch,
            lives: None,
        };
        self.write_order(|transaction, standing| {
            if standing.roster().known(device).is_none() {
                return Err(RelayError::UnknownDevice);
            }
            let key = &self.secrets.key;
            orders::append(
                transaction,
                standing,
                key,
                body.clone(),
                Who::Operator,
                now_ms,
            )
            .map(drop)
            .map_err(|source| RelayError::sqlite(&self.place.path, source))
        })?;
        tracing::info!(%device, "revoked");
        Ok(())
    }

    /// Writes an order; where the disk is full, in the room that is kept for that.
    pub(crate) fn write_order(
        &self,
        write: impl Fn(&Transaction<'_>, &mut Standing) -> Result<(), RelayError>,
    ) -> Result<(), RelayError> {
        let mut connection = self.connection();
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let once = |connection: &mut Connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(fail)?;
            let mut standing = Standing::default();
            standing.refresh(&transaction).map_err(fail)?;
            write(&transaction, &mut standing)?;
            transaction.commit().map_err(fail)
        };
        match once(&mut connection) {
            Err(RelayError::Full) => {
                let ballast = Ballast::beside(&self.place.path);
                let again = || ballast::past_the_limit(&mut *connection, |it| it, once);
                ballast.instead(again).unwrap_or(Err(RelayError::Full))
            }
            written => written,
        }
    }

    /// Returns every unit, also those that are closed.
    pub fn units(&self) -> Result<Vec<Unit>, RelayError> {
        self.read(|connection| {
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            Ok(standing.roster().units().cloned().collect())
        })
    }

    /// Returns every device ever taken in, by number.
    pub fn devices(&self) -> Result<Vec<DeviceRow>, RelayError> {
        self.read(|connection| {
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            let roster = standing.roster().clone();
            let mut rows = Vec::new();
            for (device, member) in roster.members() {
                rows.push(DeviceRow {
                    device: *device,
                    device_number: member.device_number,
                    person: member.person,
                    name: member.name.clone(),
                    role: member.role,
                    areas: member.areas.clone(),
                    enrolled_ms: standing.granted(device).map_or(0, |granted| granted.at_ms),
                    last_seen_ms: last_seen(connection, device)?,
                    revoked: roster.is_revoked(device),
                });
            }
            rows.sort_by_key(|row| row.device_number);
            Ok(rows)
        })
    }

    /// Returns what waits for a person's decision, the oldest first.
    pub fn inbox(&self) -> Result<Vec<InboxRow>, RelayError> {
        self.read(|connection| {
            let mut rows = connection.prepare(
                "SELECT p.device, p.doc, b.hash, p.reason, p.received_ms
                 FROM parked p JOIN batch b ON b.id = p.batch WHERE p.state = 2 ORDER BY p.id",
            )?;
            rows.query_map([], |row| {
                Ok(InboxRow {
                    device: DeviceId(row.get(0)?),
                    doc: DocId(row.get(1)?),
                    batch: BatchHash(row.get(2)?),
                    reason: parked::reason(row.get(3)?),
                    received_ms: row.get(4)?,
                })
            })?
            .collect()
        })
    }

    /// Returns when the entry with this hash was first received by any relay, and when by this one,
    /// milliseconds since 1970; none if it has no number here.
    pub fn entry_times(&self, hash: &ChangeHash) -> Result<Option<(i64, i64)>, RelayError> {
        self.read(|connection| {
            let sql = "SELECT first_received_ms, received_ms FROM entry WHERE hash = ?1";
            let times = connection.query_row(sql, [hash.0], |row| Ok((row.get(0)?, row.get(1)?)));
            times.optional()
        })
    }

    /// Returns how much the relay holds.
    pub fn counts(&self) -> Result<Counts, RelayError> {
        self.read(|connection| {
            let mut standing = Standing::default();
            standing.refresh(connection)?;
            let count = |sql: &str| {
                connection.query_row(sql, [], |row| row.get(0).map(crate::log::unsigned))
            };
            Ok(Counts {
                entries: count("SELECT ifnull(max(position), 0) FROM entry")?,
                documents: count("SELECT count(*) FROM document")?,
                changes: count("SELECT ifnull(sum(changes), 0) FROM document")?,
                waiting: count("SELECT count(*) FROM parked WHERE state = 1")?,
                inbox: count("SELECT count(*) FROM parked WHERE state = 2")?,
                devices: standing.roster().members().count() as u64,
            })
        })
    }

    pub(crate) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, RelayError> {
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let mut connection = self.connection();
        let transaction = connection.transaction().map_err(fail)?;
        ask(&transaction).map_err(fail)
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({})", self.secrets.key.public().relay())
    }
}

/// Returns when a device, or a relay below, last synced.
pub(crate) fn last_seen(
    connection: &Connection,
    device: &DeviceId,
) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row(
            "SELECT seen_ms FROM device_seen WHERE device = ?1",
            [device.0],
            |row| row.get(0),
        )
        .optional()
}

fn identity(connection: &Connection) -> rusqlite::Result<Option<([u8; 32], Identity)>> {
    let sql = "SELECT relay_key, incarnation, name, level FROM meta WHERE id = 1";
    let found = connection.query_row(sql, [], |row| {
        let level: u8 = row.get(3)?;
        let level = packing::decode(&[level], "level");
        let level = level.map_err(|_| rusqlite::Error::IntegralValueOutOfRange(3, 0))?;
        let incarnation = Incarnation(row.get(1)?);
        Ok((
            row.get(0)?,
            Identity {
                incarnation,
                name: row.get(2)?,
                level,
            },
        ))
    });
    found.optional()
}

/// Writes down who this relay is and its root order, once.
fn begin(
    connection: &mut Connection,
    key: &KeyPair,
    settings: &Settings,
    place: &db::Place,
) -> Result<Identity, RelayError> {
    let fail = |source| RelayError::sqlite(&place.path, source);
    let incarnation: [u8; 16] = settings.dice.random()?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fail)?;
    if let Some((public, identity)) = identity(&transaction).map_err(fail)? {
        // Another process began while this one waited.
        let same = public == key.public().0;
        return if same {
            Ok(identity)
        } else {
            Err(RelayError::Busy)
        };
    }
    let (name, level) = (settings.name.clone(), settings.level);
    transaction
        .execute(
            "INSERT INTO meta (id, relay_key, incarnation, name, level) VALUES (1, ?1, ?2, ?3, ?4)",
            params![key.public().0, incarnation, name, level_number(level)],
        )
        .map_err(fail)?;
    let body = OrderBody::Root {
        key: key.public(),
        name: name.clone(),
        level,
    };
    let mut standing = Standing::default();
    let now_ms = settings.clock.now_ms();
    let root: Order = orders::append(
        &transaction,
        &mut standing,
        key,
        body,
        Who::Operator,
        now_ms,
    )
    .map_err(fail)?;
    transaction.commit().map_err(fail)?;
    tracing::info!(relay = %root.signer, "began a log");
    Ok(Identity {
        incarnation: Incarnation(incarnation),
        name,
        level,
    })
}

fn level_number(level: LevelForm) -> u8 {
    packing::encode(&level).first().copied().unwrap_or(0)
}
