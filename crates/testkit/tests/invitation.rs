//! Whatever an invitation says reads back from its text, and whatever a text says never panics.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use proptest::prelude::*;
use wangge_relay::{LevelForm, NewInvitation, RelayError, Settings, UpstreamTrouble};
use wangge_testkit::district::{District, wait};
use wangge_trust::Invitation;
use wangge_trust::enroll::Code;
use wangge_wire::{AreaCode, PublicKey, Role};

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

#[test]
fn a_relay_goes_below_another_by_the_text_and_only_below_the_one_that_is_meant() {
    let quiet = |name: &str, level| {
        District::with(Settings {
            upstream_every: None,
            ..Settings::new(name, level)
        })
    };
    let township = quiet("杨家镇", LevelForm::Township);
    let other = quiet("石河镇", LevelForm::Township);
    let village = quiet("民主村", LevelForm::Village);
    let new = NewInvitation {
        name: "民主村".into(),
        role: Role::Relay,
        areas: vec![AreaCode::parse("511724103202").unwrap()],
    };
    let relay = township.relay();
    let now_ms = Settings::new("", LevelForm::County).clock.now_ms();
    let text = relay.invitation(&relay.invite(&new, now_ms).unwrap(), None);
    let join = |to: &District| {
        let url = format!("http://{}", to.address());
        wait(village.relay().join(&text, &url))
    };
    let wrong = join(&other);
    assert!(
        matches!(
            wrong,
            Err(RelayError::Upstream(UpstreamTrouble::WrongRelay))
        ),
        "{wrong:?}"
    );
    join(&township).unwrap();
    assert_eq!(village.relay().upstream().unwrap().unwrap().name, "杨家镇");
}
