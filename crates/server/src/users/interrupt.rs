//! Ctrl-C and SIGTERM, which stop an import between two batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody asked to stop.
#[derive(Clone, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. The second time ends the program at once: then the
    /// batch under way is undone.
    pub(super) fn listen() -> std::io::Result<Self> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let asked = Self::default();
        let shared = asked.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if shared.0.swap(true, Ordering::SeqCst) {
                    std::process::exit(130);
                }
                eprintln!("stopping after this batch; once more stops at once");
            }
        });
        Ok(asked)
    }

    /// Whether to stop.
    pub(super) fn was_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
