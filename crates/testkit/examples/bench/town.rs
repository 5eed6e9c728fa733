//! A town before the clock starts: its people enrolled, their households at the relay, their days made.
//!
//! **Nothing here is measured**, so that it is done the quick way: two threads, light packing. What is
//! sent later with the clock running was packed as a device packs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use wangge_relay::Role;
use wangge_testkit::workload::{GRID_HOUSEHOLDS, Op, TOWNSHIP, Workload, grid};
use wangge_wire::Cursor;

use super::crowd::{Load, Packing, Walker, enroll, request};
use super::measures::{area, text};
use super::server::RelayProcess;
use super::talk::Line;

/// Threads that make what is sent.
const MAKERS: usize = 2;
/// People who fill a relay.
const WRITERS: u32 = 40;

/// Workers with a grid each: who they are, what they had, what they do.
pub(super) struct Crowd {
    made: Vec<Made>,
}

struct Made {
    walker: Walker,
    households: Vec<Load>,
    days: Vec<Load>,
}

/// Walkers that stand at the end of the log, and what each has to send, a day a load.
pub(super) type Settled = (Vec<(Walker, Cursor)>, Vec<Vec<Load>>);

impl Crowd {
    /// Makes so many workers with so many days each.
    pub(super) fn make(folder: Option<&Path>, devices: usize, days: usize) -> Result<Self, String> {
        Self::make_in(folder, devices, days, None)
    }

    /// Makes them, and their days in requests of so many changes and places each, where a number is said.
    pub(super) fn make_in(
        folder: Option<&Path>,
        devices: usize,
        days: usize,
        each: Option<usize>,
    ) -> Result<Self, String> {
        let workload = Workload::open(folder, devices * GRID_HOUSEHOLDS);
        let (send, receive) = sync_channel::<(usize, Vec<Op>)>(MAKERS * 2);
        let receive = Mutex::new(receive);
        let made = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            let makers: Vec<_> = (0..MAKERS)
                .map(|_| scope.spawn(|| make_some(&workload, (days, each), &receive, &made)))
                .collect();
            let dealt = deal(&workload, devices, send);
            let made = makers.into_iter().try_for_each(|maker| {
                maker
                    .join()
                    .unwrap_or_else(|_| Err("making panicked".into()))
            });
            dealt.and(made)
        })?;
        let made = made.into_inner().map_err(text)?;
        Ok(Self {
            made: made.into_values().collect(),
        })
    }

    /// Enrols everybody, hands in their households, and lets them stand at the end of the log.
    pub(super) fn settle(self, relay: &RelayProcess) -> Result<Settled, String> {
        let walkers: Vec<&Walker> = self.made.iter().map(|made| &made.walker).collect();
        enroll(relay, &walkers, Role::Worker)?;
        let loads = self
            .made
            .iter()
            .map(|made| (&made.walker, made.households.as_slice()));
        let end = send_all(relay, loads)?;
        let (mut settled, mut days) = (Vec::new(), Vec::new());
        for made in self.made {
            settled.push((made.walker, end));
            days.push(made.days);
        }
        Ok((settled, days))
    }
}

/// Hands on the households of one worker after the other.
fn deal(
    workload: &Workload,
    devices: usize,
    send: std::sync::mpsc::SyncSender<(usize, Vec<Op>)>,
) -> Result<(), String> {
    let mut open: Vec<Op> = Vec::new();
    workload.each_household(&mut |number, mut ops| {
        let (device, last) = (number / GRID_HOUSEHOLDS, number % GRID_HOUSEHOLDS + 1);
        // Its past visits are of no matter here.
        ops.truncate(1);
        open.append(&mut ops);
        if last == GRID_HOUSEHOLDS && device < devices {
            send.send((device, std::mem::take(&mut open)))
                .map_err(text)?;
        }
        Ok(())
    })
}

fn make_some(
    workload: &Workload,
    (days, each): (usize, Option<usize>),
    receive: &Mutex<Receiver<(usize, Vec<Op>)>>,
    made: &Mutex<BTreeMap<usize, Made>>,
) -> Result<(), String> {
    loop {
        let next = receive.lock().map_err(text)?.recv();
        let Ok((device, households)) = next else {
            return Ok(());
        };
        let number = u32::try_from(device).map_err(text)?;
        let mut walker = Walker::new(number, grid(device * GRID_HOUSEHOLDS));
        let households = walker.live(&households, Packing::Quick)?;
        let mut loads = Vec::new();
        for day in 0..days {
            let ops = workload.rush_on(device, 1 + day)?;
            loads.extend(match each {
                None => walker.live(&ops, Packing::Device)?,
                Some(each) => walker.push_each(&ops, each)?,
            });
        }
        walker.forget();
        let one = Made {
            walker,
            households,
            days: loads,
        };
        made.lock().map_err(text)?.insert(device, one);
    }
}

/// Sends everything and returns the end of the log.
fn send_all<'a>(
    relay: &RelayProcess,
    loads: impl Iterator<Item = (&'a Walker, &'a [Load])>,
) -> Result<Cursor, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(text)?;
    let to = relay.address();
    runtime.block_on(async {
        let mut line = Line::open(to).await?;
        let (mut nonce, mut end) = (1 << 48, None);
        for (walker, loads) in loads {
            for load in loads
                .iter()
                .chain([&Load::default()])
                .take(loads.len().max(1))
            {
                nonce += 1;
                let sent = request(
                    &walker.key,
                    walker.actor(),
                    (relay.id(), &to.to_string()),
                    end,
                    load,
                    nonce,
                );
                let heard = line.exchange(&sent).await?;
                if heard.status != 200 || heard.numbered != load.items {
                    return Err(format!("of {} items: {heard:?}", load.items));
                }
                end = heard.cursor.or(end);
            }
        }
        end.ok_or_else(|| "nobody sent anything".to_owned())
    })
}

/// Fills a relay with households and all their visits, as forty people at the township wrote them;
/// returns how many changes there are.
pub(super) fn fill(relay: &RelayProcess, ops: Vec<Op>) -> Result<usize, String> {
    let mut people: BTreeMap<String, Vec<Op>> = BTreeMap::new();
    for op in ops {
        people.entry(op.by.clone()).or_default().push(op);
    }
    let mut walkers = Vec::new();
    for (number, _) in (10_000..).zip(&people).take(WRITERS as usize * 4) {
        walkers.push(Walker::new(number, area(TOWNSHIP)?));
    }
    enroll(relay, &walkers.iter().collect::<Vec<_>>(), Role::Township)?;
    let mut changes = 0;
    let mut loads = Vec::new();
    for (mut walker, ops) in walkers.into_iter().zip(people.into_values()) {
        let load = walker.live(&ops, Packing::Quick)?;
        walker.forget();
        changes += load.iter().map(|load| load.changes).sum::<usize>();
        loads.push((walker, load));
    }
    send_all(
        relay,
        loads.iter().map(|(walker, load)| (walker, load.as_slice())),
    )?;
    Ok(changes)
}
