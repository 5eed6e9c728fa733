//! What can go wrong with a relay's folder and with the relay above it, in words and exit codes.

use wangge_relay::{BackupTrouble, BadCertificate, EnrollRefusal, RelayError, UpstreamTrouble};

use super::Told;
use crate::exit::Exit;
use crate::text::Lang;

pub(super) fn told(error: &RelayError, lang: Lang) -> Told {
    let (kind, exit, message) = match error {
        RelayError::Upstream(trouble) => upstream(trouble, lang),
        RelayError::Backup(trouble) => backup(trouble, lang),
        RelayError::Damaged { path } => (
            "damaged",
            Exit::Damaged,
            lang.relay_damaged(&path.display().to_string()),
        ),
        RelayError::Gone { path } => (
            "gone",
            Exit::Damaged,
            lang.relay_gone(&path.display().to_string()),
        ),
        RelayError::TooNew { .. } => ("too_new", Exit::Damaged, lang.too_new().to_owned()),
        RelayError::Full => ("disk_full", Exit::Failed, lang.relay_full().to_owned()),
        RelayError::Busy => ("busy", Exit::NoLink, lang.relay_busy().to_owned()),
        RelayError::Served => ("served", Exit::Refused, lang.relay_served().to_owned()),
        RelayError::BadInvitation { what } => {
            ("bad_invitation", Exit::Usage, lang.bad_invitation(what))
        }
        RelayError::PlainElsewhere => ("not_loopback", Exit::Usage, lang.not_loopback("--listen")),
        RelayError::Certificate(why) => ("bad_certificate", Exit::Usage, certificate(*why, lang)),
        RelayError::BelowAnother => (
            "not_the_top",
            Exit::Refused,
            lang.recovery_at_the_top().to_owned(),
        ),
        RelayError::UnknownUnit => ("not_found", Exit::Failed, lang.unknown_unit().to_owned()),
        RelayError::UnknownDevice => ("not_found", Exit::Failed, lang.unknown_device().to_owned()),
        RelayError::Io { path, source } => {
            let path = path.display().to_string();
            (
                "unreadable",
                Exit::Failed,
                lang.unreadable(&path, lang.system_word(&source.to_string())),
            )
        }
        RelayError::OldSqlite { .. }
        | RelayError::Random
        | RelayError::Sqlite { .. }
        | RelayError::Internal { .. } => {
            ("internal", Exit::Failed, lang.internal(&error.to_string()))
        }
    };
    Told {
        kind,
        exit,
        message,
        hint: match error {
            RelayError::Upstream(
                UpstreamTrouble::Code(_)
                | UpstreamTrouble::WrongRelay
                | UpstreamTrouble::ForDevice
                | UpstreamTrouble::NotJoined { .. },
            ) => "wangge relay join CODE --relay URL",
            RelayError::Upstream(_) => "wangge relay status",
            RelayError::Backup(BackupTrouble::Unreadable { .. }) => "wangge help relay restore",
            RelayError::Backup(_) => "wangge help relay backup",
            RelayError::BadInvitation { .. } => "wangge relay invite --name NAME --area CODE",
            RelayError::UnknownUnit => "wangge unit list",
            RelayError::UnknownDevice => "wangge relay devices",
            RelayError::Damaged { .. } | RelayError::Gone { .. } => {
                "wangge --home DIR relay restore FILE"
            }
            RelayError::Full => "wangge relay status",
            RelayError::Served => "wangge --home DIR relay serve",
            _ => "wangge help relay serve",
        }
        .to_owned(),
    }
}

/// Why a certificate cannot be shown.
fn certificate(why: BadCertificate, lang: Lang) -> String {
    match why {
        BadCertificate::NoCertificate => lang.no_certificate().to_owned(),
        BadCertificate::NoKey => lang.no_certificate_key().to_owned(),
        BadCertificate::Mismatch => lang.certificate_mismatch().to_owned(),
        BadCertificate::SetUp => lang.internal(&why.to_string()),
    }
}

/// Why a backup was not made or not restored; what was there is as it was.
fn backup(trouble: &BackupTrouble, lang: Lang) -> (&'static str, Exit, String) {
    match trouble {
        BackupTrouble::Exists(path) => (
            "file_exists",
            Exit::Refused,
            lang.backup_exists(&path.display().to_string()),
        ),
        BackupTrouble::NoRoom => ("disk_full", Exit::Failed, lang.backup_no_room().to_owned()),
        BackupTrouble::Unwritable { path, reason } => (
            "unwritable",
            Exit::Failed,
            lang.backup_unwritable(&path.display().to_string(), lang.system_word(reason)),
        ),
        BackupTrouble::Unreadable { path, reason } => (
            "unreadable",
            Exit::Failed,
            lang.unreadable(&path.display().to_string(), lang.system_word(reason)),
        ),
        BackupTrouble::NotWhole(path) => (
            "damaged_backup",
            Exit::Damaged,
            lang.backup_not_whole(&path.display().to_string()),
        ),
        BackupTrouble::NoKeys(path) => (
            "no_keys",
            Exit::Usage,
            lang.backup_no_keys(&path.display().to_string()),
        ),
        BackupTrouble::NotEmpty(path) => (
            "not_empty",
            Exit::Refused,
            lang.restore_not_empty(&path.display().to_string()),
        ),
    }
}

/// What can go wrong with the relay above; nothing of this relay is lost by it.
fn upstream(trouble: &UpstreamTrouble, lang: Lang) -> (&'static str, Exit, String) {
    match trouble {
        UpstreamTrouble::NoLink { .. } => ("no_link", Exit::NoLink, lang.no_link_up().to_owned()),
        UpstreamTrouble::Address => (
            "unsafe_address",
            Exit::Usage,
            lang.bad_address_up().to_owned(),
        ),
        UpstreamTrouble::Refused => ("refused", Exit::Refused, lang.refused_up().to_owned()),
        UpstreamTrouble::Code(why) => match why {
            EnrollRefusal::TooManyTries => (
                "too_many_tries",
                Exit::Refused,
                lang.too_many_tries().to_owned(),
            ),
            EnrollRefusal::Spent => ("spent", Exit::Refused, lang.code_spent().to_owned()),
            EnrollRefusal::Expired => ("expired", Exit::Refused, lang.code_expired().to_owned()),
            EnrollRefusal::WrongCode | EnrollRefusal::Malformed => {
                ("wrong_code", Exit::Refused, lang.wrong_code().to_owned())
            }
        },
        UpstreamTrouble::WrongRelay => {
            ("wrong_relay", Exit::Refused, lang.wrong_relay().to_owned())
        }
        UpstreamTrouble::ForDevice => (
            "for_device",
            Exit::Refused,
            lang.code_for_device().to_owned(),
        ),
        UpstreamTrouble::NotHigher => ("not_higher", Exit::Usage, lang.not_higher().to_owned()),
        UpstreamTrouble::Strange { what } => {
            ("strange_answer", Exit::Failed, lang.strange_up(what))
        }
        UpstreamTrouble::NotJoined { .. } => {
            ("no_link", Exit::NoLink, lang.join_no_link().to_owned())
        }
        UpstreamTrouble::Below { name, url } => {
            ("below_another", Exit::Usage, lang.below_another(name, url))
        }
        UpstreamTrouble::None => ("below_nobody", Exit::Usage, lang.below_nobody().to_owned()),
    }
}
