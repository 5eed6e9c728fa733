//! An invitation as one text, for a picture that a camera reads: where the relay is, which key it has, the code.
//!
//! **The key in it is the one that must answer**: whoever reads the text on paper needs to believe nobody on
//! the line. Without an address the text is typed with one.
//!
//! ```text
//! wangge:1?u=http://10.0.0.5:8720&k=BASE64URL(32 bytes of the relay's key)&c=TEN CHARACTERS
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wangge_wire::PublicKey;

use crate::enroll::Code;

/// What the text begins with; the number changes with its form.
const BEGINS: &str = "wangge:1?";
/// Bytes of a text that are looked at: what a camera reads is no longer.
const BYTES_MAX: usize = 2_048;

/// What an invitation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Where the relay is reached; none where nobody said.
    pub url: Option<String>,
    /// The relay's key.
    pub relay: PublicKey,
    /// The code.
    pub code: Code,
}

/// A text that is no invitation, or of a later form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no invitation that this program reads")]
pub struct BadInvitation;

impl Invitation {
    /// Says whether a text wants to be an invitation rather than a typed code.
    pub fn is_meant(text: &str) -> bool {
        text.trim_start().starts_with("wangge:")
    }

    /// Returns the invitation in a text. What it does not know is passed over, and blanks and line ends in
    /// it too: whoever copies one brings some.
    pub fn parse(text: &str) -> Result<Self, BadInvitation> {
        if text.len() > BYTES_MAX {
            return Err(BadInvitation);
        }
        let text: String = text.split_whitespace().collect();
        let fields = text.strip_prefix(BEGINS).ok_or(BadInvitation)?;
        let (mut url, mut relay, mut code) = (None, None, None);
        for (name, value) in fields.split('&').filter_map(|field| field.split_once('=')) {
            let first = match name {
                "u" => url.replace(unescaped(value)?).is_none(),
                "k" => relay.replace(key(value)?).is_none(),
                "c" => code
                    .replace(Code::parse(value).map_err(|_| BadInvitation)?)
                    .is_none(),
                _ => true,
            };
            // Said twice: nobody could tell which one is meant.
            if !first {
                return Err(BadInvitation);
            }
        }
        Ok(Self {
            url,
            relay: relay.ok_or(BadInvitation)?,
            code: code.ok_or(BadInvitation)?,
        })
    }

    /// Returns the text.
    pub fn text(&self) -> String {
        let url = self.url.as_deref();
        let url = url.map_or(String::new(), |url| format!("u={}&", escaped(url)));
        let relay = URL_SAFE_NO_PAD.encode(self.relay.0);
        format!("{BEGINS}{url}k={relay}&c={}", self.code.shown())
    }
}

fn key(value: &str) -> Result<PublicKey, BadInvitation> {
    let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| BadInvitation)?;
    PublicKey::from_slice(&bytes).ok_or(BadInvitation)
}

/// Returns an address with what would end it written as `%XX`.
fn escaped(url: &str) -> String {
    let mut text = String::new();
    for byte in url.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'[' | b']' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn unescaped(value: &str) -> Result<String, BadInvitation> {
    let (mut bytes, mut rest) = (Vec::new(), value.bytes());
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = rest.next().and_then(|digit| char::from(digit).to_digit(16));
            digit.and_then(|digit| u8::try_from(digit).ok())
        };
        let (high, low) = (digit(), digit());
        bytes.push(
            high.zip(low)
                .map(|(high, low)| high << 4 | low)
                .ok_or(BadInvitation)?,
        );
    }
    String::from_utf8(bytes).map_err(|_| BadInvitation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_one_text_without_blanks_and_reads_back_however_it_was_copied() {
        let invitation = Invitation {
            url: Some("http://10.0.0.5:8720".into()),
            relay: PublicKey([7; 32]),
            code: Code::from_random(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        };
        let text = invitation.text();
        assert_eq!(
            text,
            "wangge:1?u=http://10.0.0.5:8720&k=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc&c=123456789A"
        );
        assert_eq!(Invitation::parse(&text), Ok(invitation.clone()));
        let (first, second) = text.split_at(40);
        let copied = format!("  {first}\n {second}&x=later\n");
        assert_eq!(Invitation::parse(&copied), Ok(invitation));
    }

    #[test]
    fn what_is_no_invitation_is_said_to_be_none() {
        let good = "k=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc&c=123456789A";
        assert!(Invitation::parse(&format!("wangge:1?{good}")).is_ok());
        for bad in [
            "".to_owned(),
            "123456789A".into(),
            format!("wangge:2?{good}"),
            format!("http://a?{good}"),
            format!("wangge:1?{good}&c=123456789A"),
            format!("wangge:1?u=%zz&{good}"),
            format!("wangge:1?u=%ff&{good}"),
            "wangge:1?c=123456789A".into(),
            "wangge:1?k=BwcH&c=123456789A".into(),
            "wangge:1?k=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc&c=1".into(),
            format!("wangge:1?{good}&x={}", "a".repeat(BYTES_MAX)),
        ] {
            assert_eq!(Invitation::parse(&bad), Err(BadInvitation), "{bad}");
        }
    }
}
