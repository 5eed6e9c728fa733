//! Rateless set reconciliation: who lacks what, for a price that grows with the difference alone.
//!
//! After arXiv 2402.02668: each fingerprint is added into an endless row of symbols, ever more thinly;
//! the other side takes its own from them, and what is left peels off one by one. A few more symbols
//! than one and a third for each difference are enough, however large the sets. **A wrong answer costs
//! a repeated question, never a change**: what is then sent is judged like everything else.

use std::collections::{BTreeSet, VecDeque};

/// Bytes of one symbol on the way.
pub const SYMBOL_BYTES: usize = 16;

/// Symbols asked for at first when little differs: nearly always enough for a hundred differences.
const SYMBOLS_MIN: usize = 200;
/// A few more, for the time that they are not.
const SYMBOLS_NEXT: usize = 256;

/// Returns how many symbols to ask for where the counts of the two sets are so far apart.
pub fn enough(apart: usize) -> usize {
    // One and a half for each, and some for what differs both ways.
    SYMBOLS_MIN.max(apart.saturating_add(apart / 2).saturating_add(40))
}

/// Returns how many are to be there where so many did not tell.
pub fn more(count: usize) -> usize {
    if count < SYMBOLS_NEXT {
        SYMBOLS_NEXT
    } else {
        count.saturating_mul(2)
    }
}

/// A symbol: what was added into it, mixed, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Symbol {
    sum: u64,
    check: u32,
    count: i32,
}

/// What two sets do not share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Fingerprints that only the other side has.
    pub theirs: BTreeSet<u64>,
    /// Fingerprints that only this side has.
    pub ours: BTreeSet<u64>,
}

/// Returns the first `count` symbols of a set.
pub fn symbols(set: impl IntoIterator<Item = u64>, count: usize) -> Vec<Symbol> {
    let mut row = vec![Symbol::default(); count];
    for fingerprint in set {
        add(&mut row, fingerprint, 1);
    }
    row
}

/// Returns what differs between the set behind `theirs` and that behind `ours`, which are as many
/// symbols; none if it takes more of them to tell.
pub fn difference(theirs: &[Symbol], ours: &[Symbol]) -> Option<Difference> {
    let mut row: Vec<Symbol> = theirs
        .iter()
        .zip(ours)
        .map(|(theirs, ours)| Symbol {
            sum: theirs.sum ^ ours.sum,
            check: theirs.check ^ ours.check,
            count: theirs.count.wrapping_sub(ours.count),
        })
        .collect();
    let mut found = Difference::default();
    let mut open: VecDeque<usize> = (0..row.len()).collect();
    while let Some(at) = open.pop_front() {
        let Some(symbol) = row.get(at).copied().filter(Symbol::is_one) else {
            continue;
        };
        let side = match symbol.count {
            1 => &mut found.theirs,
            _ => &mut found.ours,
        };
        if !side.insert(symbol.sum) {
            // The same one twice: the symbols are not of two sets.
            return None;
        }
        open.extend(add(&mut row, symbol.sum, symbol.count.wrapping_neg()));
    }
    row.iter()
        .all(|symbol| *symbol == Symbol::default())
        .then_some(found)
}

/// Returns symbols as they travel: sum, check and count, little-endian.
pub fn to_bytes(row: &[Symbol]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(row.len() * SYMBOL_BYTES);
    for symbol in row {
        bytes.extend(symbol.sum.to_le_bytes());
        bytes.extend(symbol.check.to_le_bytes());
        bytes.extend(symbol.count.to_le_bytes());
    }
    bytes
}

/// Returns the symbols in `bytes`; what is left over at the end is none.
pub fn from_bytes(bytes: &[u8]) -> Vec<Symbol> {
    let (whole, _) = bytes.as_chunks::<SYMBOL_BYTES>();
    whole.iter().filter_map(read).collect()
}

fn read(bytes: &[u8; SYMBOL_BYTES]) -> Option<Symbol> {
    let (sum, rest) = bytes.split_first_chunk::<8>()?;
    let (check, count) = rest.split_first_chunk::<4>()?;
    Some(Symbol {
        sum: u64::from_le_bytes(*sum),
        check: u32::from_le_bytes(*check),
        count: i32::from_le_bytes(count.try_into().ok()?),
    })
}

impl Symbol {
    /// Returns whether exactly one fingerprint is in it.
    fn is_one(&self) -> bool {
        self.count.abs() == 1 && self.check == check(self.sum)
    }
}

/// Adds a fingerprint to every symbol it belongs into, and returns which those are.
fn add(row: &mut [Symbol], fingerprint: u64, times: i32) -> Vec<usize> {
    let mut touched = Vec::new();
    let mut places = Places::of(fingerprint);
    while let Some(symbol) = row.get_mut(places.at) {
        symbol.sum ^= fingerprint;
        symbol.check ^= check(fingerprint);
        symbol.count = symbol.count.wrapping_add(times);
        touched.push(places.at);
        places.step();
    }
    touched
}

fn check(fingerprint: u64) -> u32 {
    let mixed = (fingerprint ^ (fingerprint >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)) as u32
}

/// The symbols a fingerprint belongs into: the first always, the one at i with chance 1/(1 + i/2).
struct Places {
    at: usize,
    state: u64,
}

impl Places {
    fn of(fingerprint: u64) -> Self {
        Self {
            at: 0,
            state: fingerprint | 1,
        }
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(0xda94_2042_e4dd_58b5);
        // The upper half of a product is the better mixed one. Division and square root are the same
        // on every machine; 2^32 is exact.
        let chance = (self.state >> 32) as f64 + 1.0;
        let leap = (self.at as f64 + 1.5) * (65_536.0 / chance.sqrt() - 1.0);
        // As large as the row is not: a row has an end.
        self.at = self.at.saturating_add(leap.ceil().max(1.0) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same in every run.
    fn numbers(seed: u64) -> impl Iterator<Item = u64> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        })
    }

    #[test]
    fn any_difference_is_found_on_its_side_with_symbols_enough() {
        for (shared, theirs, ours, seed) in [
            (0, 0, 0, 1),
            (1_000, 0, 0, 2),
            (1_000, 1, 0, 3),
            (1_000, 0, 1, 4),
            (5_000, 60, 40, 5),
            (0, 30, 30, 6),
            (20, 500, 3, 7),
        ] {
            let mut all = numbers(seed);
            let mut take = |count: usize| -> BTreeSet<u64> { all.by_ref().take(count).collect() };
            let (both, theirs, ours) = (take(shared), take(theirs), take(ours));
            let count = 8 + 2 * (theirs.len() + ours.len());
            let row = |own: &BTreeSet<u64>| symbols(both.union(own).copied(), count);
            let expected = Difference {
                theirs: theirs.clone(),
                ours: ours.clone(),
            };
            assert_eq!(
                difference(&row(&theirs), &row(&ours)),
                Some(expected),
                "seed {seed}"
            );
        }
    }

    #[test]
    fn too_few_symbols_say_so_and_never_lie() {
        let theirs: BTreeSet<u64> = numbers(11).take(200).collect();
        for count in [0, 1, 10, 100, 200] {
            let told = difference(&symbols(theirs.iter().copied(), count), &symbols([], count));
            assert!(told.is_none() || told.is_some_and(|told| told.theirs == theirs || count == 0));
        }
    }

    #[test]
    fn a_hundred_differences_take_about_one_and_a_half_symbols_each() {
        let mut needed = Vec::new();
        for seed in 0..40 {
            let mut all = numbers(1_000 + seed);
            let both: Vec<u64> = all.by_ref().take(2_000).collect();
            let theirs: Vec<u64> = all.by_ref().take(100).collect();
            let row = |count| {
                let whole = symbols(both.iter().chain(&theirs).copied(), count);
                (whole, symbols(both.iter().copied(), count))
            };
            let (whole, own) = row(400);
            let enough = (100..400).find(|count| {
                difference(whole.get(..*count).unwrap(), own.get(..*count).unwrap()).is_some()
            });
            needed.push(enough.unwrap());
        }
        needed.sort_unstable();
        let (median, most) = (needed.get(20).unwrap(), needed.last().unwrap());
        assert!(
            *median <= 155 && *most <= 220,
            "median {median}, most {most}"
        );
    }

    #[test]
    fn symbols_read_back_from_their_bytes() {
        let row = symbols(numbers(5).take(50), 30);
        let bytes = to_bytes(&row);
        assert_eq!(bytes.len(), 30 * SYMBOL_BYTES);
        assert_eq!(from_bytes(&bytes), row);
    }
}
