//! Leases: until when a device may show other people's data, and the codes that renew one by telephone.
//!
//! A code says nothing but that the relay lets this device read up to a day. It is an HMAC over both, cut
//! to what a person can type; **it opens no door but the one on the device it is for**, and only for days
//! that have not begun to be over.

use std::ops::RangeInclusive;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wangge_wire::{Day, DeviceId, LeaseKey, packing};

use crate::enroll::{BadCode, CODE_CHARS, letters, normal};

/// Returns the key of one device's codes.
pub fn key_of(seed: &[u8; 32], device: &DeviceId) -> LeaseKey {
    LeaseKey(*blake3::keyed_hash(seed, device.as_bytes()).as_bytes())
}

/// Returns the code that lets a device read up to and with a day.
pub fn code(key: &LeaseKey, device: &DeviceId, until: Day) -> String {
    // HMAC fills a short key with zeros up to the block; doing so here leaves nothing that can fail.
    let mut block = [0; 64];
    block
        .iter_mut()
        .zip(&key.0)
        .for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&packing::encode(&("wangge lease code v0", device, until)));
    let tag: [u8; 32] = mac.finalize().into_bytes().into();
    letters(tag.get(..CODE_CHARS).unwrap_or_default())
}

/// Returns the day that a typed code is good for, if it is one of these.
pub fn day_of(
    key: &LeaseKey,
    device: &DeviceId,
    typed: &str,
    days: RangeInclusive<u32>,
) -> Result<Option<Day>, BadCode> {
    let typed = normal(typed)?;
    if typed.len() != CODE_CHARS {
        return Err(BadCode);
    }
    let fits = |day: &Day| {
        let good = code(key, device, *day);
        // How many letters are right must not be told by how long it takes.
        let differs = good.bytes().zip(typed.bytes()).map(|(a, b)| a ^ b);
        differs.fold(0, |all, one| all | one) == 0
    };
    // The latest first: a code may fit only one in ten to the fifteenth, and then the longer lease is said.
    Ok(days.rev().map(Day).find(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_for_its_device_its_day_and_its_relay_only() {
        let (li, wang) = (DeviceId([1; 16]), DeviceId([2; 16]));
        let key = key_of(&[7; 32], &li);
        let (others, elsewhere) = (key_of(&[7; 32], &wang), key_of(&[8; 32], &li));
        let spoken = code(&key, &li, Day(20_014));
        assert_eq!(spoken.len(), CODE_CHARS);
        let (first, second) = spoken.split_at(5);
        let typed = format!("{} {second}", first.to_lowercase());
        let found = |key, device, days| day_of(key, device, &typed, days).unwrap();
        assert_eq!(found(&key, &li, 20_000..=20_060), Some(Day(20_014)));
        assert_eq!(found(&key, &li, 20_015..=20_060), None, "its day is over");
        assert_eq!(found(&key, &wang, 20_000..=20_060), None);
        assert_eq!(
            found(&others, &li, 20_000..=20_060),
            None,
            "each device has a key of its own"
        );
        assert_eq!(found(&elsewhere, &li, 20_000..=20_060), None);
        for bad in ["", "012345678", "01234567890", "012345678!"] {
            assert_eq!(day_of(&key, &li, bad, 0..=9), Err(BadCode), "{bad}");
        }
    }
}
