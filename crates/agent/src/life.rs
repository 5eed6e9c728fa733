//! The life of a database: kept beside it and inside, so that no copy writes as what it was copied from.
//!
//! A database that was copied, restored or lost must not write as the actor it was before: its changes
//! would have numbers that others have already. **What cannot be told from the original at once is told
//! by the relay at the next sync**, which knows the actor's last batch.

use std::fs;
use std::path::Path;

use wangge_wire::LifeNonce;

use crate::error::AgentError;
use crate::home::{Home, write_whole};
use crate::machine::Machine;

/// The file: the life, how many batches it has signed, and when the file of its database was made,
/// milliseconds since 1970, where the folder says.
pub(crate) const FILE: &str = "life";
/// The life as the database knows it; another one beside it means the database is a copy.
const LIFE_META: &str = "life";
/// The lives before it, eight bytes each.
const LIVES_META: &str = "lives";

/// What stands beside the database.
struct Beside {
    life: LifeNonce,
    batches: u64,
    born_ms: Option<i64>,
}

impl Beside {
    fn read(dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(dir.join(FILE)).ok()?;
        let mut words = text.split_whitespace();
        Some(Self {
            life: words.next()?.parse().ok()?,
            batches: words.next().unwrap_or("0").parse().ok()?,
            born_ms: words.next().and_then(|word| word.parse().ok()),
        })
    }
}

/// What was known of a database's file before it was put in the place of another, sealed one.
pub(crate) struct Before {
    /// Whether the file was the one that its life was noted beside.
    own: bool,
    born_ms: Option<i64>,
}

impl Before {
    pub(crate) fn look(dir: &Path, machine: &Machine, database: &Path) -> Self {
        let noted = Beside::read(dir).and_then(|beside| beside.born_ms);
        let born_ms = (machine.born_ms)(database);
        Self {
            own: noted.is_some() && noted == born_ms,
            born_ms,
        }
    }

    /// Notes the new file as the life's own, if the old one was: a home that was sealed is no copy.
    pub(crate) fn carry_over(
        &self,
        dir: &Path,
        machine: &Machine,
        database: &Path,
    ) -> Result<(), AgentError> {
        let born_ms = (machine.born_ms)(database);
        match (Beside::read(dir), born_ms) {
            (Some(beside), Some(ms)) if self.own && born_ms != self.born_ms => {
                let Beside { life, batches, .. } = beside;
                write_whole(&dir.join(FILE), format!("{life} {batches} {ms}").as_bytes())
            }
            _ => Ok(()),
        }
    }
}

/// Says whether a folder has had a database.
pub(crate) fn had_one(dir: &Path) -> bool {
    dir.join(FILE).exists()
}

impl Home {
    /// Begins a new life of the database: from now on this device writes as another actor.
    ///
    /// The lives before it are kept: what they wrote and has not been sent is still theirs to sign.
    pub fn new_life(&mut self, machine: &Machine) -> Result<(), AgentError> {
        let life = LifeNonce(machine.random()?);
        let mut lives = self.store.meta(LIVES_META)?.unwrap_or_default();
        lives.extend(self.store.meta(LIFE_META)?.unwrap_or_default());
        self.store.set_meta(LIVES_META, &lives)?;
        self.store.set_meta(LIFE_META, life.as_bytes())?;
        self.life = life;
        self.mark_life()
    }

    /// Returns every life of this database, the present one last.
    pub fn lives(&self) -> Result<Vec<LifeNonce>, AgentError> {
        let past = self.store.meta(LIVES_META)?.unwrap_or_default();
        let mut lives: Vec<LifeNonce> = past
            .chunks_exact(8)
            .filter_map(LifeNonce::from_slice)
            .collect();
        lives.retain(|life| *life != self.life);
        lives.push(self.life);
        Ok(lives)
    }

    /// Notes beside the database how far its life has come: one that is behind was put back from an
    /// older copy, and must not write again what it wrote before.
    pub fn mark_life(&self) -> Result<(), AgentError> {
        let (number, _) = self
            .store
            .last_batch(&self.key.public().actor(&self.life))?;
        let born = self.born_ms.map_or(String::new(), |ms| format!(" {ms}"));
        write_whole(
            &self.dir.join(FILE),
            format!("{} {number}{born}", self.life).as_bytes(),
        )
    }

    /// Goes on with the life that file and database agree on, or begins a new one.
    pub(crate) fn settle_life(&mut self, machine: &Machine) -> Result<(), AgentError> {
        let beside = Beside::read(&self.dir);
        let inside = self
            .store
            .meta(LIFE_META)?
            .and_then(|bytes| LifeNonce::from_slice(&bytes));
        let reached = match inside {
            Some(life) => self.store.last_batch(&self.key.public().actor(&life))?.0,
            None => 0,
        };
        self.born_ms = (machine.born_ms)(self.store.path());
        match (beside, inside) {
            (Some(beside), Some(inside)) if beside.life == inside && beside.batches <= reached => {
                let before = beside.born_ms.filter(|_| self.born_ms.is_some());
                if before.is_some() && before != self.born_ms {
                    // The whole folder was copied, or put back: the file is another one.
                    self.copied = true;
                    return self.new_life(machine);
                }
                self.life = inside;
                if beside.born_ms.is_none() && self.born_ms.is_some() {
                    self.mark_life()?;
                }
                Ok(())
            }
            (_, inside) => {
                self.copied = inside.is_some();
                self.new_life(machine)
            }
        }
    }
}
