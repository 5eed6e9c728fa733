//! Witnesses of a relay's audit chain: whether what it says of its end fits what was seen before.
//!
//! **A chain only grows.** It may begin anew behind an earlier row where the relay was restored from a
//! backup; then it has a row that says so, and the relay's log another life.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wangge_wire::{AuditCheckpoint, PublicKey, packing};

use crate::key::verify;

/// Why a chain does not fit what was seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainDoubt {
    /// It ends before a row that was there.
    Cut,
    /// A row is another one than was there.
    Changed,
}

/// Returns whether the checkpoint is signed by `key` and comes from its relay.
pub fn verify_checkpoint(key: &PublicKey, checkpoint: &AuditCheckpoint) -> bool {
    let bytes = checkpoint.signed_bytes();
    checkpoint.relay == key.relay() && verify(key, &bytes, &checkpoint.signature)
}

/// Returns why a new checkpoint of a relay does not fit the one that is kept; none where it does.
///
/// The new one answers for the row of the kept one, else it is no answer and the chain is taken for cut.
pub fn doubt(kept: &AuditCheckpoint, new: &AuditCheckpoint) -> Option<ChainDoubt> {
    if kept.n == 0 {
        return None;
    }
    if new.asked == kept.n && new.asked_hash == Some(kept.hash) {
        return (new.n < kept.n).then_some(ChainDoubt::Cut);
    }
    // Restored behind a row that was seen: the chain says so in a row that was not known of.
    let restored = kept.restored < new.asked_restored && new.asked_restored <= kept.n;
    if new.asked == kept.n && restored && new.incarnation != kept.incarnation {
        return None;
    }
    Some(match new.n < kept.n || new.asked != kept.n {
        true => ChainDoubt::Cut,
        false => ChainDoubt::Changed,
    })
}

/// Returns a checkpoint as one word that can be carried to whoever verifies the chain.
pub fn text(checkpoint: &AuditCheckpoint) -> String {
    URL_SAFE_NO_PAD.encode(packing::encode(checkpoint))
}

/// Returns the checkpoint in a word; none where it is no such word.
pub fn read(text: &str) -> Option<AuditCheckpoint> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok()?;
    packing::decode(&bytes, "checkpoint").ok()
}

#[cfg(test)]
mod tests {
    use wangge_wire::{AuditHash, Incarnation, Signature};

    use super::*;
    use crate::KeyPair;

    fn key() -> KeyPair {
        KeyPair::from_secret(&[4; 32])
    }

    fn at(n: u64, hash: u8) -> AuditCheckpoint {
        let mut checkpoint = AuditCheckpoint {
            relay: key().public().relay(),
            incarnation: Incarnation([1; 16]),
            n,
            hash: AuditHash([hash; 32]),
            at_ms: 5,
            restored: 0,
            asked: 0,
            asked_hash: None,
            asked_restored: 0,
            signature: Signature([0; 64]),
        };
        key().sign_checkpoint(&mut checkpoint);
        checkpoint
    }

    fn answer(kept: &AuditCheckpoint, n: u64, hash: u8, there: Option<u8>) -> AuditCheckpoint {
        AuditCheckpoint {
            asked: kept.n,
            asked_hash: there.map(|hash| AuditHash([hash; 32])),
            ..at(n, hash)
        }
    }

    #[test]
    fn a_chain_that_grew_fits_and_one_that_was_cut_or_written_anew_does_not() {
        let kept = at(20, 7);
        assert_eq!(doubt(&at(0, 0), &answer(&at(0, 0), 3, 1, Some(0))), None);
        assert_eq!(doubt(&kept, &answer(&kept, 20, 7, Some(7))), None);
        assert_eq!(doubt(&kept, &answer(&kept, 31, 9, Some(7))), None);
        let cut = Some(ChainDoubt::Cut);
        assert_eq!(doubt(&kept, &answer(&kept, 19, 6, None)), cut);
        assert_eq!(doubt(&kept, &answer(&kept, 0, 0, None)), cut);
        // It does not answer for the row that was asked for.
        assert_eq!(doubt(&kept, &at(31, 9)), cut);
        let changed = Some(ChainDoubt::Changed);
        assert_eq!(doubt(&kept, &answer(&kept, 20, 8, Some(8))), changed);
        // Cut, and grown past what was seen.
        assert_eq!(doubt(&kept, &answer(&kept, 40, 9, Some(8))), changed);
    }

    #[test]
    fn a_restore_explains_another_chain_only_with_its_row_and_another_life() {
        let kept = at(20, 7);
        let life = Incarnation([2; 16]);
        let shorter = AuditCheckpoint {
            restored: 16,
            asked_restored: 16,
            incarnation: life,
            ..answer(&kept, 16, 8, None)
        };
        assert_eq!(doubt(&kept, &shorter), None);
        let grown = AuditCheckpoint {
            n: 30,
            asked_hash: Some(AuditHash([8; 32])),
            ..shorter.clone()
        };
        assert_eq!(doubt(&kept, &grown), None);
        let again = AuditCheckpoint {
            restored: 28,
            ..grown.clone()
        };
        assert_eq!(doubt(&kept, &again), None, "restored twice");
        for (wrong, why) in [
            (
                AuditCheckpoint {
                    incarnation: kept.incarnation,
                    ..grown.clone()
                },
                "in the same life",
            ),
            (
                AuditCheckpoint {
                    restored: 25,
                    asked_restored: 0,
                    ..grown.clone()
                },
                "restored behind what was seen: that is still in it",
            ),
        ] {
            assert!(doubt(&kept, &wrong).is_some(), "{why}");
        }
        let known = AuditCheckpoint {
            restored: 16,
            ..kept
        };
        assert!(doubt(&known, &grown).is_some(), "a row that was known of");
    }

    #[test]
    fn a_checkpoint_is_one_word_and_every_field_of_it_is_signed() {
        let made = at(20, 7);
        assert_eq!(read(&text(&made)), Some(made.clone()));
        assert_eq!(read(&format!(" {}\n", text(&made))), Some(made.clone()));
        assert!(read("x").is_none() && read("").is_none());
        let public = key().public();
        assert!(verify_checkpoint(&public, &made));
        type Change = fn(&mut AuditCheckpoint);
        let changes: [Change; 8] = [
            |it| it.incarnation = Incarnation([9; 16]),
            |it| it.n += 1,
            |it| it.hash = AuditHash([9; 32]),
            |it| it.at_ms += 1,
            |it| it.restored += 1,
            |it| it.asked += 1,
            |it| it.asked_hash = Some(AuditHash([9; 32])),
            |it| it.asked_restored += 1,
        ];
        for change in changes {
            let mut other = made.clone();
            change(&mut other);
            assert!(!verify_checkpoint(&public, &other));
        }
    }
}
