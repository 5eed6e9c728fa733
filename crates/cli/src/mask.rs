//! What others may not read over a shoulder: numbers always, names and doors away from the own grid.
//!
//! In a worker's own grids names and doors are clear. At a desk they are masked in everything a
//! command shows.

/// Returns a phone number of which the middle is hidden: `138****5678`.
pub(crate) fn phone(number: &str) -> String {
    let signs: Vec<char> = number.chars().collect();
    if signs.len() < 7 {
        return "*".repeat(signs.len());
    }
    let ahead = if signs.len() >= 11 { 3 } else { 2 };
    signs
        .iter()
        .enumerate()
        .map(|(at, sign)| {
            if at < ahead || at + 4 >= signs.len() {
                *sign
            } else {
                '*'
            }
        })
        .collect()
}

/// Returns a name of which only the first sign is left.
pub(crate) fn name(name: &str) -> String {
    let mut signs = name.chars();
    match signs.next() {
        None => String::new(),
        Some(first) => std::iter::once(first).chain(signs.map(|_| '*')).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_and_four_digits_stay_of_a_mobile_number() {
        assert_eq!(phone("13812345678"), "138****5678");
        assert_eq!(phone("0818-6212345"), "081*****2345");
        assert_eq!(phone("12345"), "*****");
        assert_eq!(phone(""), "");
    }

    #[test]
    fn one_sign_stays_of_a_name() {
        assert_eq!(name("王小明"), "王**");
        assert_eq!(name("\u{20bb7}"), "\u{20bb7}");
        assert_eq!(name(""), "");
    }
}
