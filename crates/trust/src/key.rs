//! Ed25519 keys: one per device, one per relay.
//!
//! **A secret is never shown**: its type has no way to print it.

use ed25519_dalek::{Signature as DalekSignature, Signer, SigningKey, VerifyingKey};
use wangge_wire::batch::signed_bytes;
use wangge_wire::order::OrderBody;
use wangge_wire::{
    AuditCheckpoint, Batch, ChangeHash, Lease, Manifest, Order, PublicKey, PurgeOrder, Receipt,
    Ruling, Signature,
};

/// A key pair; made from 32 random bytes that the caller draws.
pub struct KeyPair {
    inner: SigningKey,
}

impl KeyPair {
    /// Returns the pair of a secret.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self {
            inner: SigningKey::from_bytes(secret),
        }
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.inner.verifying_key().to_bytes())
    }

    /// Returns the signature over `bytes`.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature(self.inner.sign(bytes).to_bytes())
    }

    /// Signs a batch in place.
    pub fn sign_batch(&self, batch: &mut Batch) {
        batch.signature = self.sign(&signed_bytes(&batch.hash()));
    }

    /// Signs a receipt in place.
    pub fn sign_receipt(&self, receipt: &mut Receipt) {
        receipt.signature = self.sign(&receipt.signed_bytes());
    }

    /// Signs a hold or its release in place.
    pub fn sign_ruling(&self, ruling: &mut Ruling) {
        ruling.signature = self.sign(&ruling.signed_bytes());
    }

    /// Signs a manifest in place.
    pub fn sign_manifest(&self, manifest: &mut Manifest) {
        manifest.signature = self.sign(&manifest.signed_bytes());
    }

    /// Signs a purge order in place.
    pub fn sign_purge(&self, order: &mut PurgeOrder) {
        order.signature = self.sign(&order.signed_bytes());
    }

    /// Signs a checkpoint of the audit chain in place.
    pub fn sign_checkpoint(&self, checkpoint: &mut AuditCheckpoint) {
        checkpoint.signature = self.sign(&checkpoint.signed_bytes());
    }

    /// Signs a lease in place.
    pub fn sign_lease(&self, lease: &mut Lease) {
        lease.signature = self.sign(&lease.signed_bytes());
    }

    /// Returns a signed order that rests on `rests_on`.
    pub fn sign_order(&self, body: OrderBody, rests_on: ChangeHash, at_ms: i64) -> Order {
        let signer = self.public().relay();
        let signature = self.sign(&Order::signed_bytes(&body, &signer, &rests_on, at_ms));
        Order {
            body,
            signer,
            rests_on,
            at_ms,
            signature,
        }
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyPair({})", self.public())
    }
}

/// Returns whether `signature` is by `key` over `bytes`.
pub fn verify(key: &PublicKey, bytes: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else {
        return false;
    };
    key.verify_strict(bytes, &DalekSignature::from_bytes(&signature.0))
        .is_ok()
}

/// Returns whether the batch is signed by `key` and comes from its device.
pub fn verify_batch(key: &PublicKey, batch: &Batch) -> bool {
    batch.head.device == key.device() && verify(key, &signed_bytes(&batch.hash()), &batch.signature)
}

/// Returns whether the receipt is signed by `key` and comes from its relay.
pub fn verify_receipt(key: &PublicKey, receipt: &Receipt) -> bool {
    receipt.relay == key.relay() && verify(key, &receipt.signed_bytes(), &receipt.signature)
}

/// Returns whether the hold or release is signed by `key` and comes from its relay.
pub fn verify_ruling(key: &PublicKey, ruling: &Ruling) -> bool {
    ruling.relay == key.relay() && verify(key, &ruling.signed_bytes(), &ruling.signature)
}

/// Returns whether the manifest is signed by `key` and comes from its relay.
pub fn verify_manifest(key: &PublicKey, manifest: &Manifest) -> bool {
    manifest.relay == key.relay() && verify(key, &manifest.signed_bytes(), &manifest.signature)
}

/// Returns whether the purge order is signed by `key` and comes from its relay.
pub fn verify_purge(key: &PublicKey, order: &PurgeOrder) -> bool {
    order.relay == key.relay() && verify(key, &order.signed_bytes(), &order.signature)
}

/// Returns whether the lease is signed by `key` and comes from its relay.
pub fn verify_lease(key: &PublicKey, lease: &Lease) -> bool {
    lease.relay == key.relay() && verify(key, &lease.signed_bytes(), &lease.signature)
}

/// Returns whether the order is signed by `key` and names it as signer.
pub fn verify_order(key: &PublicKey, order: &Order) -> bool {
    let bytes = Order::signed_bytes(&order.body, &order.signer, &order.rests_on, order.at_ms);
    order.signer == key.relay() && verify(key, &bytes, &order.signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_good_for_its_bytes_and_key_only() {
        let (li, wang) = (
            KeyPair::from_secret(&[1; 32]),
            KeyPair::from_secret(&[2; 32]),
        );
        let signature = li.sign(b"visit");
        assert!(verify(&li.public(), b"visit", &signature));
        assert!(!verify(&li.public(), b"visits", &signature));
        assert!(!verify(&wang.public(), b"visit", &signature));
        assert!(!verify(&PublicKey([0xff; 32]), b"visit", &signature));
    }

    #[test]
    fn a_secret_is_never_shown() {
        let shown = format!("{:?}", KeyPair::from_secret(&[0x5a; 32]));
        assert!(!shown.contains("5a5a5a"), "{shown}");
    }
}
