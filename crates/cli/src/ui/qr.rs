//! A text as a picture of half blocks that a camera reads from a terminal.

use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Says whether somebody looks at what is told.
pub(crate) fn is_looked_at() -> bool {
    io::stderr().is_terminal()
}

/// Returns the picture with a quiet zone around it, black on white whatever the terminal's colours; the text
/// itself where it is too long for one.
pub(crate) fn picture(text: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return text.to_owned();
    };
    let drawn = code.render::<Dense1x2>().quiet_zone(true).build();
    let style = Style::new()
        .fg_color(Some(AnsiColor::Black.into()))
        .bg_color(Some(AnsiColor::BrightWhite.into()));
    let line = |line: &str| format!("{style}{line}{style:#}");
    drawn.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws the blocks as modules again, two to a sign.
    fn modules(picture: &str) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in picture.lines() {
            let bare: String = line.chars().filter(|it| " ▀▄█".contains(*it)).collect();
            rows.push(bare.chars().map(|it| "▀█".contains(it)).collect());
            rows.push(bare.chars().map(|it| "▄█".contains(it)).collect());
        }
        rows
    }

    #[test]
    fn a_picture_has_every_module_of_its_code_and_four_of_quiet_around_it() {
        let text = "wangge:1?u=http://10.0.0.5:8720&k=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc&c=123456789A";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let (drawn, width) = (modules(&picture(text)), code.width());
        let dark = code.to_colors();
        for (y, row) in drawn.iter().enumerate() {
            for (x, is_dark) in row.iter().enumerate() {
                let inside = |at: usize| at.checked_sub(4).filter(|at| *at < width);
                let expected = match (inside(x), inside(y)) {
                    (Some(x), Some(y)) => dark[y * width + x] == qrcode::Color::Dark,
                    _ => false,
                };
                assert_eq!(*is_dark, expected, "{x} {y}");
            }
        }
        assert!(drawn.len() >= width + 8 && drawn[0].len() == width + 8);
        assert!(drawn[0].len() <= 80, "it fits a terminal");
    }
}
