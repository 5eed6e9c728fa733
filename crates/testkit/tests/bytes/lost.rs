//! What is said of a lost device, and to it: revocation by lives, purge order, lease, questions of a desk.

use wangge_testkit::device::Device;
use wangge_trust::lease;
use wangge_wire::device::{
    AreaCount, DeviceAnswer, DeviceAsk, DeviceRefusal, DeviceRow, DeviceWish, GrantRow, Incident,
    KindCount, LastBatch, LeaseCode, RevokedRow, WaitingBatch,
};
use wangge_wire::{
    AuditCheckpoint, AuditHash, BatchHash, BlobState, Day, DeviceId, DurableLife, End, GoodLife,
    Incarnation, Lease, LeaseKey, LifeNonce, OrderBody, PurgeAnswer, PurgeOrder, Role, Signature,
    Verdict, packing,
};

use super::{GRID, Lines, area, cursor, relay_key};

const UNTIL: Day = Day(20_014);

fn device() -> DeviceId {
    Device::new(3).id()
}

pub(super) fn lines(lines: &mut Lines) {
    revoked(lines);
    purged(lines);
    leased(lines);
    asked(lines);
    answered(lines);
}

fn revoked(lines: &mut Lines) {
    let body = OrderBody::Revoke {
        device: device(),
        last_good_batch: 9,
        lives: Some(vec![GoodLife {
            nonce: LifeNonce([3; 8]),
            number: 9,
        }]),
    };
    lines.insert("order-revoke-lives", packing::encode(&body));
}

fn purged(lines: &mut Lines) {
    let key = relay_key();
    let mut order = PurgeOrder {
        device: device(),
        relay: key.public().relay(),
        incarnation: Incarnation([7; 16]),
        at_ms: 5,
        lives: vec![DurableLife {
            nonce: LifeNonce([3; 8]),
            number: 9,
            batch: BatchHash([6; 32]),
            count: 9,
        }],
        signature: Signature([0; 64]),
    };
    key.sign_purge(&mut order);
    lines.insert("purge-signed", order.signed_bytes());
    let answer = PurgeAnswer {
        order,
        verdicts: None,
        blob: None,
    };
    lines.insert("purge-answer", packing::encode(&answer));
    let sync = PurgeAnswer {
        verdicts: Some(vec![Verdict::NeedFull { index: 1 }]),
        ..answer.clone()
    };
    lines.insert("purge-answer-sync", packing::encode(&sync));
    let blob = PurgeAnswer {
        blob: Some(BlobState {
            durable: 8,
            whole: true,
        }),
        ..answer
    };
    lines.insert("purge-answer-blob", packing::encode(&blob));
}

fn leased(lines: &mut Lines) {
    let key = relay_key();
    let mut given = Lease {
        device: device(),
        relay: key.public().relay(),
        until: UNTIL,
        at_ms: 5,
        signature: Signature([0; 64]),
    };
    key.sign_lease(&mut given);
    lines.insert("lease-signed", given.signed_bytes());
    let lease_key = LeaseKey([8; 32]);
    let end = End {
        cursor: cursor(),
        digests: Vec::new(),
        watermarks: Vec::new(),
        inbox: 0,
        above: None,
        decisions: None,
        waiting: None,
        undecided: None,
        lost: None,
        lease: Some(Box::new(given)),
        lease_key: Some(lease_key),
        audit: None,
    };
    lines.insert("end-leased", packing::encode(&end));
    let mut seen = AuditCheckpoint {
        relay: key.public().relay(),
        incarnation: cursor().incarnation,
        n: 9,
        hash: AuditHash([9; 32]),
        at_ms: 5,
        restored: 3,
        asked: 4,
        asked_hash: Some(AuditHash([4; 32])),
        asked_restored: 3,
        signature: Signature([0; 64]),
    };
    key.sign_checkpoint(&mut seen);
    lines.insert("audit-checkpoint-signed", seen.signed_bytes());
    let end = End {
        audit: Some(Box::new(seen)),
        ..end
    };
    lines.insert("end-with-audit", packing::encode(&end));
    let code = lease::code(&lease_key, &device(), UNTIL);
    lines.insert("lease-code", code.into_bytes());
}

fn asked(lines: &mut Lines) {
    let ask = |wish| packing::encode(&DeviceAsk { version: 0, wish });
    let device = device();
    for (name, wish) in [
        ("device-ask-first", DeviceWish::All { after: None }),
        (
            "device-ask-all",
            DeviceWish::All {
                after: Some(device),
            },
        ),
        ("device-ask-incident", DeviceWish::Incident(device)),
        (
            "device-ask-lease",
            DeviceWish::Lease {
                device,
                days: Some(14),
            },
        ),
    ] {
        lines.insert(name, ask(wish));
    }
    let refusals = [
        DeviceRefusal::NotAllowed,
        DeviceRefusal::Unknown,
        DeviceRefusal::Revoked,
        DeviceRefusal::BadDays,
    ];
    let refusals = refusals.iter().flat_map(packing::encode);
    lines.insert("device-refusals", refusals.collect());
}

fn answered(lines: &mut Lines) {
    let waiting = WaitingBatch {
        batch: BatchHash([6; 32]),
        number: 10,
        received_ms: 7,
        items: 2,
    };
    let answer = DeviceAnswer {
        rows: vec![DeviceRow {
            device: device(),
            seen_ms: Some(5),
            last: Some(LastBatch {
                number: 9,
                received_ms: 4,
                batch: BatchHash([5; 32]),
            }),
            lease: Some(UNTIL),
            revoked: Some(RevokedRow {
                at_ms: 6,
                last_good_batch: 9,
                told_ms: Some(7),
                told_last_ms: Some(8),
            }),
        }],
        more: false,
        incident: Some(Incident {
            grants: vec![GrantRow {
                at_ms: 1,
                role: Role::Worker,
                areas: vec![area(GRID)],
            }],
            areas: vec![AreaCount {
                area: area(GRID),
                documents: vec![KindCount { kind: 1, count: 3 }],
            }],
            named: 1,
            inbox: vec![waiting],
            numbered_after: Vec::new(),
        }),
        code: Some(LeaseCode {
            code: "0123456789".into(),
            until: UNTIL,
        }),
    };
    lines.insert("device-answer", packing::encode(&answer));
}
