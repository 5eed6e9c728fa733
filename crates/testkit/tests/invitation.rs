//! Whatever an invitation says reads back from its text, and whatever a text says never panics.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use proptest::prelude::*;
use wangge_trust::Invitation;
use wangge_trust::enroll::Code;
use wangge_wire::PublicKey;

fn invitation() -> impl Strategy<Value = Invitation> {
    let url = proptest::option::of(any::<String>());
    (url, any::<[u8; 32]>(), any::<[u8; 10]>()).prop_map(|(url, relay, code)| Invitation {
        url,
        relay: PublicKey(relay),
        code: Code::from_random(&code),
    })
}

proptest! {
    #[test]
    fn an_invitation_reads_back_whatever_its_address_is(invitation in invitation()) {
        let text = invitation.text();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{}", text);
        prop_assume!(text.len() <= 2_048);
        prop_assert_eq!(Invitation::parse(&text), Ok(invitation));
    }

    #[test]
    fn a_text_with_a_changed_byte_is_another_invitation_or_none(
        invitation in invitation(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let text = invitation.text();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes) {
            let read = Invitation::parse(&changed);
            // A code is read however it is typed; its key is none of what may be changed unseen.
            if let Ok(read) = read {
                let key = text.find("k=").unwrap();
                let in_key = (key + 2..key + 45).contains(&at);
                prop_assert!(!in_key || read.relay != invitation.relay, "{}", changed);
            }
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        let _ = Invitation::parse(&text);
        let _ = Invitation::parse(&format!("wangge:1?{text}"));
    }
}
