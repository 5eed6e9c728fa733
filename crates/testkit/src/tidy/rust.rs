//! A Rust file line by line, with comments, literals and tests told apart.
//!
//! This is deliberately not a parser: rules look for a handful of words, and need only be sure that
//! a word is code, not part of a sentence about code.

/// One line of a Rust file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from one, as editors do.
    pub(super) number: usize,
    /// The line with comments and literals blanked.
    pub(super) code: String,
    /// The line with comments blanked and literals kept.
    pub(super) text: String,
    /// Whether it belongs to an item under `#[cfg(test)]`.
    pub(super) test: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

/// Splits a file into lines and marks those that belong to tests.
pub(super) fn lines(source: &str) -> Vec<Line> {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut text = String::with_capacity(source.len());
    let mut after_word = false;
    let mut rest = chars.as_slice();
    while !rest.is_empty() {
        let (length, part) = token(rest, after_word);
        let (token, tail) = rest.split_at(length.clamp(1, rest.len()));
        for &c in token {
            let blank = if c == '\n' { '\n' } else { ' ' };
            code.push(if part == Part::Code { c } else { blank });
            text.push(if part == Part::Comment { blank } else { c });
        }
        after_word = token.last().is_some_and(|&c| is_word(c));
        rest = tail;
    }
    let mut lines: Vec<Line> = code
        .lines()
        .zip(text.lines())
        .zip(1..)
        .map(|((code, text), number)| Line {
            number,
            code: code.to_owned(),
            text: text.to_owned(),
            test: false,
        })
        .collect();
    mark_tests(&mut lines);
    lines
}

/// Tells whether `code` holds `word` as a whole, not as a part of a longer name.
pub(super) fn mentions(code: &str, word: &str) -> bool {
    occurrences(code, word).next().is_some()
}

/// Returns what stands before each place where `word` stands as a whole.
pub(super) fn occurrences<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(word).filter_map(move |(at, _)| {
        let before = code.get(..at)?;
        let after = code.get(at + word.len()..)?;
        let longer =
            before.ends_with(is_word) || (word.ends_with(is_word) && after.starts_with(is_word));
        (!longer).then_some(before)
    })
}

/// Tells whether the whole file serves tests: test binaries, benches, `tests.rs` beside its topic.
pub(super) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the length and the kind of what `rest` begins with.
fn token(rest: &[char], after_word: bool) -> (usize, Part) {
    match rest {
        ['/', '/', ..] => (count_until(rest, '\n'), Part::Comment),
        ['/', '*', ..] => (block_comment(rest), Part::Comment),
        ['"', ..] => (string(rest), Part::Literal),
        // The escaped character may itself be a quote.
        ['\'', '\\', _, tail @ ..] => (count_until(tail, '\'') + 4, Part::Literal),
        // One character between quotes; anything else behind a quote is a lifetime.
        ['\'', _, '\'', ..] => (3, Part::Literal),
        ['r' | 'b' | 'c', ..] if !after_word => match raw_string(rest) {
            Some(length) => (length, Part::Literal),
            None => (1, Part::Code),
        },
        _ => (1, Part::Code),
    }
}

fn count_until(rest: &[char], end: char) -> usize {
    rest.iter().take_while(|&&c| c != end).count()
}

/// Returns the length of a block comment; they nest.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    for pair in rest.windows(2).enumerate() {
        match pair {
            (index, _) if index < at => {}
            (index, ['/', '*']) => (depth, at) = (depth + 1, index + 2),
            (index, ['*', '/']) => (depth, at) = (depth.saturating_sub(1), index + 2),
            (index, _) => at = index + 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Returns the length of a string with escapes, both quotes counted.
fn string(rest: &[char]) -> usize {
    let mut escaped = false;
    for (index, &c) in rest.iter().enumerate().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Returns the length of a raw string with its prefix, or `None` where there is none.
fn raw_string(rest: &[char]) -> Option<usize> {
    let prefix = match rest {
        ['r', ..] => 1,
        ['b' | 'c', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = rest
        .get(prefix..)?
        .iter()
        .take_while(|&&c| c == '#')
        .count();
    let body = rest.get(prefix + hashes..)?;
    if body.first() != Some(&'"') {
        return None;
    }
    let mut end = vec!['"'];
    end.resize(hashes + 1, '#');
    let found = body
        .get(1..)?
        .windows(end.len())
        .position(|window| window == end);
    Some(found.map_or(rest.len(), |at| prefix + hashes + 1 + at + end.len()))
}

/// Marks the items under `#[cfg(test)]`, from the attribute to the brace or semicolon that ends them.
fn mark_tests(lines: &mut [Line]) {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut open: Option<usize> = None;
    for line in lines {
        let start = match open {
            Some(_) => 0,
            None => match line.code.find(ATTRIBUTE) {
                Some(at) => {
                    open = Some(0);
                    at + ATTRIBUTE.len()
                }
                None => continue,
            },
        };
        line.test = true;
        for c in line.code.get(start..).unwrap_or_default().chars() {
            open = match (open, c) {
                (Some(depth), '(' | '[' | '{') => Some(depth + 1),
                (Some(1), '}') | (Some(0), ';') => None,
                (Some(depth), ')' | ']' | '}') => Some(depth.saturating_sub(1)),
                (state, _) => state,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        let lines: Vec<_> = lines(source).into_iter().map(|line| line.code).collect();
        lines.join("\n")
    }

    #[test]
    fn comments_are_blanked_even_where_they_nest() {
        assert_eq!(code("a // b\nc"), "a     \nc");
        assert_eq!(code("a /* b /* c */ d */ e"), "a                   e");
        assert_eq!(code("a /*/ b */ c"), "a          c");
        assert_eq!(code("a /* never closed"), "a                ");
    }

    #[test]
    fn strings_are_blanked_in_code_and_kept_in_text() {
        let line = lines(r#"f("x \" // y") // z"#).remove(0);
        assert_eq!(line.code, "f(           )     ");
        assert_eq!(line.text, r#"f("x \" // y")     "#);
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        assert_eq!(code("r#\"a\" b\"# c"), "          c");
        assert_eq!(code("br\"a\\\" c"), "       c");
        assert_eq!(code("r#type + number\"a\""), "r#type + number   ");
        assert_eq!(code("r\"never closed"), "              ");
    }

    #[test]
    fn a_lifetime_is_no_character() {
        assert_eq!(code("x<'a>('b', '\\'', '\"')"), "x<'a>(   ,     ,    )");
    }

    #[test]
    fn lines_of_a_literal_keep_their_numbers() {
        let found = lines("let a = \"\n\n\";\nb");
        assert_eq!(found.last().unwrap().number, 4);
        assert_eq!(found.last().unwrap().code, "b");
    }

    #[test]
    fn tests_reach_to_the_brace_that_closes_them() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() -> [u8; 2] { }\n}\nfn c() {}\n";
        let marks: Vec<_> = lines(source).iter().map(|line| line.test).collect();
        assert_eq!(marks, [false, true, true, true, true, false]);
    }

    #[test]
    fn a_test_module_in_its_own_file_ends_at_the_semicolon() {
        let source = "#[cfg(test)]\nmod tests;\nfn c() {}\n";
        let marks: Vec<_> = lines(source).iter().map(|line| line.test).collect();
        assert_eq!(marks, [true, true, false]);
    }

    #[test]
    fn a_longer_name_is_no_mention() {
        assert!(mentions("std::println!(x)", "println!"));
        assert!(!mentions("eprintln!(x)", "println!"));
        assert!(!mentions("let ignored = 1", "ignore"));
    }

    #[test]
    fn test_files_are_known_by_their_place() {
        assert!(is_test_file("crates/cli/tests/visit.rs"));
        assert!(is_test_file("crates/sync/src/session/tests.rs"));
        assert!(!is_test_file("crates/testkit/src/tidy.rs"));
    }
}
