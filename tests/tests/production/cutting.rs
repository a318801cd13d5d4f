//! Connections to the database that are cut again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::backends::Backends;

/// Cuts every connection again and again while it is told to, until it is dropped:
/// a test that fails leaves nobody behind who goes on.
pub(crate) struct Cutting {
    is_on: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<u32>>,
}

impl Cutting {
    /// With that pause before each cut.
    pub(crate) fn after(pause: Duration, backends: &Backends, is_on: bool) -> Self {
        let (is_on, ends) = (Arc::new(AtomicBool::new(is_on)), Arc::new(AtomicBool::new(false)));
        let (backends, on, ending) = (backends.clone(), Arc::clone(&is_on), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            let mut cuts = 0;
            while !ending.load(Ordering::SeqCst) {
                std::thread::sleep(pause);
                if on.load(Ordering::SeqCst) {
                    backends.cut_connections();
                    cuts += 1;
                }
            }
            cuts
        });
        Self { is_on, ends, thread: Some(thread) }
    }

    /// What says whether connections are cut now.
    pub(crate) fn switch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_on)
    }

    /// Ends it; tells how often it cut.
    pub(crate) fn stop(mut self) -> u32 {
        self.ends.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Cutting {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        drop(self.thread.take().map(JoinHandle::join));
    }
}
