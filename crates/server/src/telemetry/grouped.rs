//! Lines of the log, written in groups.
//!
//! A thread that serves requests goes on with several of them at a time: in turns. The
//! lines of a turn are written at once, by a task that has its turn after all that were
//! ready when the first of them was said. Whoever sends an answer becomes ready only
//! after its line was said, so that no answer goes out before its line.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use tokio::runtime::Handle;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How many bytes wait at most: what a pipe holds by default (pipe(7)).
const MOST: usize = 64 * 1024;

thread_local! {
    static HAS_TURNS: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Waiting> =
        const { RefCell::new(Waiting { lines: Vec::new(), out: to_stderr }) };
}

/// Where lines go in the end.
type Out = fn(&[u8]);

fn to_stderr(lines: &[u8]) {
    // A reader that is gone must not take the requests along.
    drop(io::stderr().lock().write_all(lines));
}

/// Lines that a thread has said and not written.
struct Waiting {
    lines: Vec<u8>,
    out: Out,
}

impl Waiting {
    fn write(&mut self) {
        if !self.lines.is_empty() {
            (self.out)(&self.lines);
            self.lines.clear();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.write();
    }
}

/// Writes lines to the standard error stream: those of a turn together, warnings and
/// errors at once, and whatever is said elsewhere at once, too.
pub(super) struct Grouped(Out);

impl Grouped {
    pub(super) const fn to_stderr() -> Self {
        Self(to_stderr)
    }
}

impl<'a> MakeWriter<'a> for Grouped {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { out: self.0, may_wait: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        Line { out: self.0, may_wait: *metadata.level() > Level::WARN }
    }
}

/// Takes one line, whole.
pub(super) struct Line {
    out: Out,
    may_wait: bool,
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_first = WAITING.try_with(|waiting| waiting.borrow().lines.is_empty());
        let waits = self.may_wait && is_first.is_ok_and(|is_first| !is_first || write_later());
        let said = WAITING.try_with(|waiting| {
            let mut waiting = waiting.borrow_mut();
            waiting.out = self.out;
            waiting.lines.extend_from_slice(line);
            if !waits || waiting.lines.len() > MOST {
                waiting.write();
            }
        });
        // The thread is about to end.
        if said.is_err() {
            (self.out)(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what waits when its turn comes, or when there will be no more turns.
struct AtTurn;

impl Drop for AtTurn {
    fn drop(&mut self) {
        // Where there is nothing any more, it was written when the thread ended.
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().write());
    }
}

/// From now on lines of this thread are written in groups. It has to be one that runs
/// all tasks of its runtime itself.
pub(crate) fn group_lines_of_this_thread() {
    HAS_TURNS.set(true);
}

/// Says whether this thread has turns, and will write what waits at the next.
fn write_later() -> bool {
    let runtime = if HAS_TURNS.get() { Handle::try_current().ok() } else { None };
    let Some(runtime) = runtime else { return false };
    let at_turn = AtTurn;
    runtime.spawn(async move { drop(at_turn) });
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tracing::{info, warn};

    /// What is written in these tests, a text for each time.
    static WRITTEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    /// They have it one after the other.
    static ONE: Mutex<()> = Mutex::new(());

    fn keep(lines: &[u8]) {
        WRITTEN.lock().unwrap().push(String::from_utf8(lines.to_vec()).unwrap());
    }

    fn written_by(happens: impl FnOnce()) -> Vec<String> {
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        WRITTEN.lock().unwrap().clear();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .with_writer(Grouped(keep))
            .finish();
        tracing::subscriber::with_default(subscriber, happens);
        WRITTEN.lock().unwrap().clone()
    }

    fn turns<T>(happens: impl Future<Output = T>) -> T {
        group_lines_of_this_thread();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(happens)
    }

    #[test]
    fn the_lines_of_a_turn_are_written_together_and_before_their_answers() {
        let written = written_by(|| {
            turns(async {
                let ask = |number: u8| tokio::spawn(async move { info!("{number}") });
                let (first, second) = (ask(1), ask(2));
                let answer = |request: tokio::task::JoinHandle<()>| async move {
                    request.await.unwrap();
                    keep(b"answer");
                };
                let sender = tokio::spawn(answer(first));
                answer(second).await;
                sender.await.unwrap();
            });
        });
        assert_eq!(written, ["1\n2\n", "answer", "answer"]);
    }

    #[test]
    fn warnings_are_written_at_once_after_what_waits() {
        let written = written_by(|| {
            turns(async {
                info!("1");
                warn!("2");
                info!("3");
                tokio::task::yield_now().await;
                keep(b"later");
            });
        });
        assert_eq!(written, ["1\n2\n", "3\n", "later"]);
    }

    #[test]
    fn where_there_are_no_turns_lines_are_written_at_once() {
        let written = written_by(|| {
            info!("1");
            keep(b"then");
        });
        assert_eq!(written, ["1\n", "then"]);
    }

    #[test]
    fn a_thread_that_works_for_others_writes_at_once() {
        let written = written_by(|| {
            let subscriber = tracing::dispatcher::get_default(Clone::clone);
            turns(async {
                let work = move || {
                    tracing::dispatcher::with_default(&subscriber, || info!("1"));
                    keep(b"then");
                };
                Handle::current().spawn_blocking(work).await.unwrap();
            });
        });
        assert_eq!(written, ["1\n", "then"]);
    }

    #[test]
    fn nothing_is_lost_when_the_turns_end() {
        assert_eq!(written_by(|| turns(async { info!("1") })), ["1\n"]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let line = "x".repeat(1_000);
        let written = written_by(|| {
            turns(async {
                for _ in 0..100 {
                    info!("{line}");
                }
                keep(b"later");
            });
        });
        assert_eq!(written.len(), 3, "a full group, what comes after, and the rest");
        assert_eq!(written[1], "later");
        assert_eq!(written[0].len() + written[2].len(), 100 * 1_001);
    }
}
