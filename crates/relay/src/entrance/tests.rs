//! Who is let in, who makes room and who never does; the time is an argument.

use std::time::Duration;

use super::*;
use crate::limits::Share;

fn small() -> Limits {
    Limits {
        connections: 8,
        connections_of_peer: 3,
        begun_of_peer: Share {
            at_once: 20,
            a_second: 1,
        },
        handshakes: 2,
        requests: 3,
        requests_of_device: 2,
        asked_of_device: Share {
            at_once: 4,
            a_second: 1,
        },
        bytes_of_device: Share {
            at_once: 100,
            a_second: 10,
        },
        wrong_of_peer: Share {
            at_once: 2,
            a_second: 1,
        },
        ..Limits::default()
    }
}

fn li() -> DeviceId {
    DeviceId([1; 16])
}

fn wang() -> DeviceId {
    DeviceId([2; 16])
}

fn at(last: u8) -> Peer {
    Peer::of(IpAddr::from([192, 168, 1, last]))
}

fn is_closed(arrival: &mut Arrival) -> bool {
    use tokio::sync::oneshot::error::TryRecvError;
    arrival.closed.try_recv() == Err(TryRecvError::Closed)
}

#[test]
fn the_oldest_that_only_stands_there_makes_room_and_who_is_at_work_never_does() {
    // All of them came before now, which is when a work ends.
    let long_ago = Instant::now() - Duration::from_secs(60);
    let (entrance, now) = (Entrance::new(small()), long_ago);
    let after = |ms| now + Duration::from_millis(ms);
    // Seven of eight: from the next on one is closed for each.
    let mut lines: Vec<Arrival> = (0..7)
        .map(|n| entrance.enter(Peer::Here, false, after(n)).unwrap())
        .collect();
    let work = lines[0].guest(Peer::Here);
    work.proven(li(), false, 0, after(10)).unwrap();
    assert!(lines.iter_mut().all(|line| !is_closed(line)));
    let more = entrance.enter(Peer::Here, false, after(20)).unwrap();
    assert_eq!(entrance.lines(), 7);
    assert!(!is_closed(&mut lines[0]) && is_closed(&mut lines[1]));
    assert!(!is_closed(&mut lines[2]));
    // Whoever's work has ended is as young as its end.
    drop(work);
    let third = entrance.enter(Peer::Here, false, after(30)).unwrap();
    assert!(!is_closed(&mut lines[0]) && is_closed(&mut lines[2]));
    drop((more, third, lines));
    assert_eq!(entrance.lines(), 0);
}

#[test]
fn asking_without_being_anybody_makes_no_one_younger() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let after = |ms| now + Duration::from_millis(ms);
    let mut lines: Vec<Arrival> = (0..7)
        .map(|n| entrance.enter(Peer::Here, false, after(n)).unwrap())
        .collect();
    drop(lines[0].guest(Peer::Here));
    let _more = entrance.enter(Peer::Here, false, after(20)).unwrap();
    assert!(is_closed(&mut lines[0]) && !is_closed(&mut lines[1]));
}

#[test]
fn with_all_at_work_the_last_place_is_given_and_none_past_it() {
    let limits = Limits {
        requests: 100,
        requests_of_device: 100,
        ..small()
    };
    let (entrance, now) = (Entrance::new(limits), Instant::now());
    let mut kept = Vec::new();
    for n in 0..8 {
        let line = entrance.enter(Peer::Here, false, now).unwrap();
        let guest = line.guest(Peer::Here);
        guest.proven(DeviceId([n; 16]), false, 0, now).unwrap();
        kept.push((guest, line));
    }
    assert!(entrance.enter(Peer::Here, false, now).is_none());
    kept.pop();
    assert!(entrance.enter(Peer::Here, false, now).is_some());
}

#[test]
fn an_address_has_its_connections_and_closes_its_own_oldest_past_them() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let mut of_one: Vec<Arrival> = (0..3)
        .map(|n| {
            let at_ms = now + Duration::from_millis(n);
            entrance.enter(at(1), false, at_ms).unwrap()
        })
        .collect();
    let mut of_other = entrance.enter(at(2), false, now).unwrap();
    let _fourth = entrance.enter(at(1), false, now).unwrap();
    assert!(is_closed(&mut of_one[0]) && !is_closed(&mut of_one[1]));
    assert!(!is_closed(&mut of_other));
}

#[test]
fn an_address_begins_connections_up_to_its_share_and_this_machine_any_number() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    for _ in 0..20 {
        assert!(entrance.enter(at(1), false, now).is_some());
    }
    assert!(entrance.enter(at(1), false, now).is_none());
    assert!(entrance.enter(at(2), false, now).is_some());
    assert!(
        entrance
            .enter(at(1), false, now + Duration::from_secs(1))
            .is_some()
    );
    for _ in 0..100 {
        assert!(entrance.enter(Peer::Here, false, now).is_some());
    }
}

#[test]
fn a_handshake_that_stalls_makes_room_for_the_next_one() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let mut first = entrance.enter(Peer::Here, true, now).unwrap();
    let second = entrance
        .enter(Peer::Here, true, now + Duration::from_millis(1))
        .unwrap();
    second.shook_hands();
    let mut third = entrance.enter(Peer::Here, true, now).unwrap();
    assert!(!is_closed(&mut first));
    let _fourth = entrance.enter(Peer::Here, true, now).unwrap();
    assert!(is_closed(&mut first) && !is_closed(&mut third));
}

#[test]
fn a_device_asks_up_to_its_share_and_another_one_is_not_touched_by_it() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let line = entrance.enter(Peer::Here, false, now).unwrap();
    let ask = |device, now| line.guest(Peer::Here).proven(device, false, 0, now);
    for _ in 0..4 {
        ask(li(), now).unwrap();
    }
    assert_eq!(ask(li(), now), Err(NotNow::Share(BUSY_AGAIN_S)));
    ask(wang(), now).unwrap();
    ask(li(), now + Duration::from_secs(1)).unwrap();
}

#[test]
fn a_device_sends_bytes_up_to_its_share_and_is_told_once_it_is_past_it() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let line = entrance.enter(Peer::Here, false, now).unwrap();
    let send = |bytes, now| line.guest(Peer::Here).proven(li(), false, bytes, now);
    send(99, now).unwrap();
    send(1, now).unwrap();
    assert_eq!(send(1, now), Err(NotNow::Share(BUSY_AGAIN_S)));
    send(1, now + Duration::from_secs(1)).unwrap();
}

#[test]
fn a_device_has_so_many_requests_at_once_and_a_relay_more() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let line = entrance.enter(Peer::Here, false, now).unwrap();
    let other = entrance.enter(Peer::Here, false, now).unwrap();
    let third = entrance.enter(Peer::Here, false, now).unwrap();
    let guests = [&line, &other, &third].map(|line| line.guest(Peer::Here));
    guests[0].proven(li(), false, 0, now).unwrap();
    guests[1].proven(li(), false, 0, now).unwrap();
    let third = &guests[2];
    assert_eq!(
        third.proven(li(), false, 0, now),
        Err(NotNow::Share(BUSY_AGAIN_S))
    );
    third.proven(li(), true, 0, now).unwrap();
}

#[test]
fn past_all_requests_at_once_the_relay_is_busy_until_one_has_ended() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let lines: Vec<Arrival> = (0..4)
        .map(|_| entrance.enter(Peer::Here, false, now).unwrap())
        .collect();
    let mut guests: Vec<Guest> = lines.iter().map(|line| line.guest(Peer::Here)).collect();
    let last = guests.pop().unwrap();
    for (n, guest) in (1..).zip(&guests) {
        guest.proven(DeviceId([n; 16]), false, 0, now).unwrap();
    }
    let busy = Err(NotNow::Busy(BUSY_AGAIN_S));
    assert_eq!(last.proven(wang(), false, 0, now), busy);
    guests.pop();
    last.proven(wang(), false, 0, now).unwrap();
}

#[test]
fn an_address_is_wrong_up_to_its_share_and_this_machine_speaks_for_others() {
    let (entrance, now) = (Entrance::new(small()), Instant::now());
    let line = entrance.enter(at(1), false, now).unwrap();
    let guest = line.guest(at(1));
    for _ in 0..2 {
        guest.may_try(now).unwrap();
        guest.was_wrong(now);
    }
    assert_eq!(guest.may_try(now), Err(NotNow::Busy(BUSY_AGAIN_S)));
    line.guest(at(2)).may_try(now).unwrap();
    guest.may_try(now + Duration::from_secs(1)).unwrap();
    let here = line.guest(Peer::Here);
    for _ in 0..10 {
        here.was_wrong(now);
        here.may_try(now).unwrap();
    }
}

#[test]
fn addresses_that_were_here_long_ago_are_forgotten_and_those_that_are_here_are_not() {
    let (entrance, now) = (Entrance::new(Limits::default()), Instant::now());
    let long = |n: usize| {
        let bytes = (n as u64).to_be_bytes();
        let mut segments = [0x2001, 0, 0, 0, 0, 0, 0, 0];
        segments[2] = u16::from_be_bytes([bytes[4], bytes[5]]);
        segments[3] = u16::from_be_bytes([bytes[6], bytes[7]]);
        Peer::of(IpAddr::from(segments))
    };
    let _kept = entrance.enter(long(0), false, now).unwrap();
    for n in 1..PEERS_MAX * 2 {
        let ms = Duration::from_millis(n as u64);
        drop(entrance.enter(long(n), false, now + ms));
    }
    let inner = entrance.lock();
    assert!(inner.peers.len() <= PEERS_MAX);
    assert_eq!(inner.peers.get(&long(0)).map(|it| it.lines), Some(1));
}

#[test]
fn a_household_is_one_address_and_this_machine_is_none() {
    let of = |text: &str| Peer::of(text.parse().unwrap());
    assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:3:4:5:6"));
    assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
    assert_eq!(of("::ffff:192.168.1.5"), of("192.168.1.5"));
    assert_ne!(of("192.168.1.5"), of("192.168.1.6"));
    for here in ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(of(here), Peer::Here, "{here}");
    }
}
