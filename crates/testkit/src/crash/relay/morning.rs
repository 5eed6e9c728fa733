//! A relay's morning: let pass once on a disk that keeps its journal, and again on one that fails.

use super::*;

/// How a relay's morning goes.
#[derive(Debug, Clone, Copy)]
pub struct Morning {
    /// What it decides beside the rest.
    pub seed: u64,
    /// How often somebody records and syncs.
    pub steps: usize,
    /// Syncs before those that bring nothing: so many commits are soon past a checkpoint.
    pub idle: usize,
    /// After how many of the steps the relay is started anew.
    pub restart_every: usize,
    /// What is broken about its disk.
    pub weak: Option<Weak>,
    /// What is broken about itself, once everybody was let in.
    pub sabotage: Option<Sabotage>,
}

impl Morning {
    /// Returns a usual morning.
    pub fn of(seed: u64) -> Self {
        Self {
            seed,
            steps: 12,
            idle: 0,
            restart_every: 5,
            weak: None,
            sabotage: None,
        }
    }

    /// Lets it pass: the relay's first start, who is let in, and the work.
    ///
    /// # Panics
    /// If a step fails, or the machine gives no folder.
    pub fn pass(self) -> Village {
        let mut village = Village::new(self.seed);
        village.tale.disk.weaken(self.weak);
        let mounted = village.tale.disk.mount(village.dir.path()).unwrap();
        village.start().unwrap();
        village.enroll();
        let begun = village.tale.disk.content(DATABASE);
        switch(self.sabotage);
        for _ in 0..self.idle {
            village.now.fetch_add(61_000, Ordering::SeqCst);
            village.sync(0).unwrap();
        }
        for step in 1..=self.steps {
            village.work().unwrap();
            if step % self.restart_every == 0 {
                village.stop();
                village.start().unwrap();
            }
        }
        switch(None);
        village.copied_back = village.tale.disk.content(DATABASE) != begun;
        village.stop();
        drop(mounted);
        village
    }
}

/// What devices asked of a relay on a morning, to be asked again of the same relay as it was before.
pub struct Script {
    village: Village,
    before: Image,
    requests: Vec<Request<Vec<u8>>>,
    /// The names in each batch that got a receipt.
    batches: BTreeMap<BatchHash, Vec<Name>>,
}

/// A relay that a script is read to.
pub struct Run<'a> {
    script: &'a Script,
    /// Its disk, and what was receipted.
    pub tale: Tale,
    line: Line,
    _mounted: Mounted,
}

impl Morning {
    /// Lets it pass without a new start, and writes down what was asked.
    ///
    /// # Panics
    /// If a step fails, or the machine gives no folder.
    pub fn script(self) -> Script {
        let mut village = Village::new(self.seed);
        let mounted = village.tale.disk.mount(village.dir.path()).unwrap();
        village.start().unwrap();
        village.enroll();
        village.stop();
        let before = village.tale.disk.image();
        village.start().unwrap();
        village.line.requests.lock().unwrap().clear();
        let began_ms = village.now.load(Ordering::SeqCst);
        for _ in 0..4 {
            village.work().unwrap();
        }
        village.stop();
        // A relay takes no request of before its own start: each run starts it where the script began.
        village.now.store(began_ms, Ordering::SeqCst);
        drop(mounted);
        let requests = std::mem::take(&mut *village.line.requests.lock().unwrap());
        let pushed = |request: &Request<Vec<u8>>| request.uri().path() == "/v1/sync";
        Script {
            before,
            requests: requests.into_iter().filter(pushed).collect(),
            batches: std::mem::take(&mut village.batches),
            village,
        }
    }
}

impl Script {
    /// Returns how many requests it has.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// Returns how many changes and places got a receipt.
    pub fn promises(&self) -> usize {
        self.batches.values().map(Vec::len).sum()
    }

    /// Returns the relay's folder.
    pub fn dir(&self) -> &Path {
        self.village.dir.path()
    }

    /// Returns the program that opens images of this relay's disk.
    pub fn program(&self) -> OnRelay {
        // Where an entry stands depends on what failed before it.
        OnRelay {
            positions: BTreeMap::new(),
            ..self.village.program()
        }
    }

    /// Returns the relay as it was before the first request; it is off.
    ///
    /// # Panics
    /// If the folder is gone.
    pub fn run(&self) -> Run<'_> {
        let mut tale = Tale::of(Disk::of(&self.before));
        let all: Vec<Name> = self.batches.values().flatten().copied().collect();
        tale.begun(0, &all);
        let mounted = tale.disk.mount(self.dir()).unwrap();
        let line = Line {
            disk: tale.disk.clone(),
            ..Line::default()
        };
        Run {
            script: self,
            tale,
            line,
            _mounted: mounted,
        }
    }
}

impl Run<'_> {
    /// Returns whether the relay is on.
    pub fn is_on(&self) -> bool {
        self.line.inline.lock().unwrap().is_some()
    }

    /// Starts the relay.
    pub fn start(&mut self) -> Result<(), RelayError> {
        let village = &self.script.village;
        let _on = village.runtime.enter();
        for name in [DATABASE, KEYS] {
            let there = self.tale.disk.content(name);
            mark(
                self.script.dir(),
                name,
                there.is_some_and(|it| !it.is_empty()),
            )
            .unwrap();
        }
        let relay = Relay::open(self.script.dir(), &settings(&village.now))?;
        *self.line.inline.lock().unwrap() = Some(Arc::new(Inline::open(relay)?));
        Ok(())
    }

    /// Stops the relay.
    pub fn stop(&mut self) {
        self.line.inline.lock().unwrap().take();
        self.script.village.settle();
    }

    /// Asks what was asked then; returns the status.
    ///
    /// # Panics
    /// If the relay is off, or there are fewer requests.
    pub fn ask(&mut self, number: usize) -> u16 {
        let request = again(self.script.requests.get(number).unwrap());
        let inline = self.line.inline.lock().unwrap().clone().unwrap();
        let runtime = &self.script.village.runtime;
        let answer = runtime.block_on(inline.answer(request, usize::MAX));
        self.line.hear(answer.body());
        self.script.village.settle();
        for (receipt, at) in std::mem::take(&mut *self.line.receipts.lock().unwrap()) {
            let names = self.script.batches.get(&receipt.batch).unwrap();
            for (name, state) in names.iter().zip(&receipt.items) {
                if matches!(state, ItemState::At(_)) {
                    self.tale.told_at(at, *name);
                }
            }
        }
        answer.status().as_u16()
    }
}
