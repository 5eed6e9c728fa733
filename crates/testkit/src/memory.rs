//! How much memory a process has, as the system says.
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

/// The memory of a process from a moment on.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    process: u32,
    begun_kib: u64,
}

impl Memory {
    /// Begins to watch a process: what it has now is the beginning.
    ///
    /// # Panics
    /// If the system does not tell.
    pub fn of(process: u32) -> Self {
        // Forgets the highest so far.
        std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
        Self {
            process,
            begun_kib: kib(process, "VmRSS"),
        }
    }

    /// Begins to watch a process: the most it ever had is the beginning.
    ///
    /// # Panics
    /// If the system does not tell.
    pub fn beyond(process: u32) -> Self {
        Self {
            process,
            begun_kib: kib(process, "VmHWM"),
        }
    }

    /// Returns by how much it was larger than in the beginning at its largest, KiB.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn grown_kib(&self) -> u64 {
        kib(self.process, "VmHWM").saturating_sub(self.begun_kib)
    }
}

fn kib(process: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(field)).unwrap();
    let mut words = line.split_whitespace();
    words.find_map(|word| word.parse().ok()).unwrap()
}
