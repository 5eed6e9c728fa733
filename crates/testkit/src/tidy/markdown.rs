//! What the rules need to know of a Markdown page: headings, blocks of code, links, spans of code.
//!
//! Fenced blocks only; an indented one is text to us.

/// One page, taken apart.
#[derive(Debug, Default)]
pub(super) struct Page<'a> {
    /// How many lines are headings.
    pub(super) headings: usize,
    /// How many fenced blocks there are.
    pub(super) blocks: usize,
    /// Targets of links and images with their lines.
    pub(super) links: Vec<(usize, &'a str)>,
    /// Words that stand in code, a span or a block, with their lines.
    pub(super) words: Vec<(usize, &'a str)>,
}

impl<'a> Page<'a> {
    /// Takes a page apart.
    pub(super) fn of(text: &'a str) -> Self {
        let mut page = Self::default();
        let mut fence: Option<&str> = None;
        for (line, number) in text.lines().zip(1..) {
            let trimmed = line.trim_start();
            match (fence, fence_of(trimmed)) {
                (None, Some(opening)) => {
                    page.blocks += 1;
                    fence = Some(opening);
                }
                (Some(opening), Some(closing)) if closing.starts_with(opening) => fence = None,
                (Some(_), _) => page.take_words(number, line),
                (None, None) => page.take_line(number, line),
            }
        }
        page
    }

    fn take_line(&mut self, number: usize, line: &'a str) {
        let hashes = line.chars().take_while(|&c| c == '#').count();
        if (1..=6).contains(&hashes) && line.get(hashes..).is_some_and(|rest| rest.starts_with(' '))
        {
            self.headings += 1;
        }
        // Between backticks every second part is code; links are looked for in the others only.
        for (part, index) in line.split('`').zip(0..) {
            if index % 2 == 1 {
                self.take_words(number, part);
            }
        }
        for target in line.split("](").skip(1) {
            let target = target.split([')', ' ']).next().unwrap_or_default();
            self.links.push((number, target));
        }
        if let Some((label, target)) = line.split_once("]: ")
            && label.starts_with('[')
        {
            self.links.push((number, target.trim()));
        }
    }

    fn take_words(&mut self, number: usize, code: &'a str) {
        let words = code.split_whitespace();
        self.words.extend(words.map(|word| (number, word)));
    }
}

/// Returns the backticks or tildes a fence is made of.
fn fence_of(line: &str) -> Option<&str> {
    ['`', '~'].into_iter().find_map(|mark| {
        let length = line.chars().take_while(|&c| c == mark).count();
        let fence = line.get(..length)?;
        // ```` ```a``` ```` on one line is a span.
        let span = mark == '`' && line.get(length..)?.contains('`');
        (length >= 3 && !span).then_some(fence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_blocks_are_counted_apart() {
        let page = Page::of("# A\n\n```sh\n# no heading\n```\n\n## B\n#no\n\n~~~\n```\n~~~\n");
        assert_eq!((page.headings, page.blocks), (2, 2));
    }

    #[test]
    fn a_longer_fence_holds_a_shorter_one() {
        let page = Page::of("````md\n```\n# A\n```\n````\n# B\n");
        assert_eq!((page.headings, page.blocks), (1, 1));
    }

    #[test]
    fn words_come_from_spans_and_blocks_only() {
        let page = Page::of("run `scripts/test now` or else\n```\ncd docs\n```\n");
        assert_eq!(
            page.words,
            [(1, "scripts/test"), (1, "now"), (3, "cd"), (3, "docs")]
        );
    }

    #[test]
    fn links_of_every_shape_are_found() {
        let page = Page::of("[a](b.md#c) ![d](e.png \"f\")\n[g]: ../h.md\n");
        assert_eq!(page.links, [(1, "b.md#c"), (1, "e.png"), (2, "../h.md")]);
    }
}
