//! Invitations and enrolment, as the database sees them.
//!
//! **A lost answer must not spend an invitation**: the device that spent it may ask again and gets
//! the same grant. A wrong proof is counted durably before it is answered.

use rusqlite::{Connection, OptionalExtension, params};
use wangge_trust::enroll::{CODE_CHARS, Code, LIFE_MS, Side, TRIES_MAX, check_proof, proof};
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, EnrollRefusal, OrderBytes};
use wangge_wire::limits::{GRANT_AREAS_MAX, NAME_BYTES_MAX};
use wangge_wire::order::LevelForm;
use wangge_wire::{
    AreaCode, DocId, Grant, Level, OrderBody, PersonId, PublicKey, RelayBelow, RelayId, Role,
    packing,
};

use crate::audit::{self, About, What, Who};
use crate::error::RelayError;
use crate::log;
use crate::numbers;
use crate::orders::{self, Standing};
use crate::secrets::Secrets;
use crate::settings::Dice;

/// How long a dead invitation is kept, so that a late device hears why, milliseconds.
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;
const CODES_TRIED_MAX: u32 = 64;

/// Whom to invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// The person's name as colleagues read it.
    pub name: String,
    /// What the person works as.
    pub role: Role,
    /// The areas the person will see.
    pub areas: Vec<AreaCode>,
}

impl NewInvitation {
    /// Returns what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), RelayError> {
        let what = if self.name.trim().is_empty() {
            "name is empty"
        } else if self.name.len() > NAME_BYTES_MAX {
            "name is too long"
        } else if self.areas.is_empty() {
            "areas are missing"
        } else if self.areas.len() > GRANT_AREAS_MAX {
            "areas are too many"
        } else if self.role == Role::Relay && self.areas.iter().any(is_grid) {
            "areas are grids, and a relay serves villages at the least"
        } else {
            return Ok(());
        };
        Err(RelayError::BadInvitation { what })
    }
}

fn is_grid(area: &AreaCode) -> bool {
    area.level() == Level::Grid
}

/// Returns the code and proof key of an invitation nobody else has; makes a row of it later.
pub(crate) fn draw_code(connection: &Connection, dice: &Dice) -> Result<Code, RelayError> {
    for _ in 0..CODES_TRIED_MAX {
        let random: [u8; CODE_CHARS] = dice.random()?;
        let code = Code::from_random(&random);
        let taken = connection
            .query_row(
                "SELECT 1 FROM invitation WHERE public = ?1",
                [code.public()],
                |_| Ok(()),
            )
            .optional()
            .map_err(|source| RelayError::Sqlite { source })?;
        if taken.is_none() {
            return Ok(code);
        }
    }
    Err(RelayError::BadInvitation {
        what: "codes are all in use",
    })
}

/// Forgets invitations long dead.
pub(crate) fn forget_dead(connection: &Connection, now_ms: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM invitation WHERE expires_ms < ?1";
    connection
        .execute(sql, [now_ms.saturating_sub(KEPT_MS)])
        .map(|_| ())
}

/// Keeps an invitation; its person gets an id here, before anybody has the code.
pub(crate) fn keep(
    connection: &Connection,
    code: &Code,
    proof_key: &[u8; 32],
    person: PersonId,
    new: &NewInvitation,
    unit: Option<&DocId>,
    now_ms: i64,
) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO invitation (public, proof_key, person, name, role, areas, expires_ms, unit)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                code.public(),
                proof_key,
                person.0,
                new.name,
                new.role.as_str(),
                packing::encode(&new.areas),
                now_ms.saturating_add(LIFE_MS),
                unit.map_or(&[] as &[u8], |unit| unit.as_bytes()),
            ],
        )
        .map(|_| ())
}

struct Invitation {
    proof_key: [u8; 32],
    person: PersonId,
    name: String,
    role: Role,
    areas: Vec<AreaCode>,
    unit: Option<DocId>,
    expires_ms: i64,
    wrong_tries: u32,
    spent_by: Option<PublicKey>,
}

impl Invitation {
    /// Returns the order that takes its device in, or its relay.
    fn order(&self, standing: &Standing, me: &RelayId, key: PublicKey) -> OrderBody {
        let (name, areas) = (self.name.clone(), self.areas.clone());
        if self.role == Role::Relay {
            let (level, roster) = (level(&areas), standing.roster());
            return OrderBody::Below(RelayBelow {
                key,
                name,
                level,
                areas,
                numbers: numbers::for_below(roster, me, &key.relay(), level),
            });
        }
        let known = standing.roster().known(&key.device());
        OrderBody::Grant(Grant {
            device_key: key,
            person: self.person,
            name,
            role: self.role,
            areas,
            device_number: numbers::next(standing.roster(), me),
            unit: self.unit,
            n: known.map(|known| known.n.saturating_add(1)),
        })
    }
}

/// Returns the level of a relay that serves these areas: that of the largest.
pub(crate) fn level(areas: &[AreaCode]) -> LevelForm {
    match areas.iter().map(AreaCode::level).min() {
        Some(Level::County) => LevelForm::County,
        Some(Level::Township) => LevelForm::Township,
        Some(Level::Village | Level::Grid) | None => LevelForm::Village,
    }
}

/// Takes a device in, or says why not.
pub(crate) fn enroll(
    connection: &Connection,
    standing: &mut Standing,
    secrets: &Secrets,
    ask: &EnrollAsk,
    now_ms: i64,
) -> rusqlite::Result<Result<EnrollAnswer, EnrollRefusal>> {
    let Some(invitation) = find(connection, &ask.invitation)? else {
        return Ok(Err(EnrollRefusal::WrongCode));
    };
    let relay = secrets.key.public();
    let proven = check_proof(
        &ask.proof,
        &invitation.proof_key,
        Side::Device,
        &relay,
        &ask.device_key,
        &ask.nonce,
    );
    match invitation.spent_by {
        Some(device) if device == ask.device_key && proven => {}
        Some(_) => return Ok(Err(EnrollRefusal::Spent)),
        None if invitation.wrong_tries >= TRIES_MAX => return Ok(Err(EnrollRefusal::TooManyTries)),
        None if now_ms >= invitation.expires_ms => return Ok(Err(EnrollRefusal::Expired)),
        None if !proven => {
            let sql = "UPDATE invitation SET wrong_tries = wrong_tries + 1 WHERE public = ?1";
            connection.execute(sql, [&ask.invitation])?;
            return Ok(Err(EnrollRefusal::WrongCode));
        }
        None => {
            let body = invitation.order(standing, &relay.relay(), ask.device_key);
            let (who, about) = (ask.device_key.device(), About::Person(invitation.person));
            let who = Who::Device(who);
            audit::note(connection, now_ms, What::InvitationUsed, who, about)?;
            orders::append(connection, standing, &secrets.key, body, who, now_ms)?;
            let sql = "UPDATE invitation SET spent_by = ?2 WHERE public = ?1";
            connection.execute(sql, params![ask.invitation, ask.device_key.0])?;
        }
    }
    let orders = own_orders(connection, standing, &ask.device_key)?;
    let proof = proof(
        &invitation.proof_key,
        Side::Relay,
        &relay,
        &ask.device_key,
        &ask.nonce,
    );
    Ok(Ok(EnrollAnswer {
        proof,
        orders,
        id_key: secrets.id_key.0,
    }))
}

/// Returns the root and the device's grant; those of its colleagues come with its first page.
fn own_orders(
    connection: &Connection,
    standing: &Standing,
    device_key: &PublicKey,
) -> rusqlite::Result<Vec<OrderBytes>> {
    let root: i64 = connection
        .prepare_cached("SELECT min(position) FROM entry WHERE kind = 6")?
        .query_row([], |row| row.get(0))?;
    let granted = standing
        .granted(&device_key.device())
        .map(|granted| granted.last);
    let mut orders = Vec::new();
    for position in [Some(log::unsigned(root)), granted].into_iter().flatten() {
        orders.push(OrderBytes(orders::bytes_at(connection, position)?));
    }
    Ok(orders)
}

fn find(connection: &Connection, public: &str) -> rusqlite::Result<Option<Invitation>> {
    let found = connection
        .prepare_cached(
            "SELECT proof_key, person, name, role, areas, expires_ms, wrong_tries, spent_by, unit
             FROM invitation WHERE public = ?1",
        )?
        .query_row([public], |row| {
            let (role, areas): (String, Vec<u8>) = (row.get(3)?, row.get(4)?);
            let (spent_by, unit): (Vec<u8>, Vec<u8>) = (row.get(7)?, row.get(8)?);
            let known = role_of(&role).zip(packing::decode(&areas, "areas").ok());
            let (role, areas) = known.ok_or(rusqlite::Error::IntegralValueOutOfRange(3, 0))?;
            Ok(Invitation {
                proof_key: row.get(0)?,
                person: PersonId(row.get(1)?),
                name: row.get(2)?,
                role,
                areas,
                unit: DocId::from_slice(&unit),
                expires_ms: row.get(5)?,
                wrong_tries: row.get(6)?,
                spent_by: PublicKey::from_slice(&spent_by),
            })
        })
        .optional()?;
    Ok(found)
}

fn role_of(text: &str) -> Option<Role> {
    [
        Role::Worker,
        Role::Station,
        Role::Township,
        Role::County,
        Role::Unit,
        Role::Auditor,
        Role::Relay,
    ]
    .into_iter()
    .find(|role| role.as_str() == text)
}
