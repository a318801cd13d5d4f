//! Lines of the log, written in groups.
//!
//! A thread that serves requests goes on with several of them at a time: in turns. The
//! lines by which those of a turn say that they are answered are written at once, before
//! any of the answers goes out, and at the end of the turn at the latest.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use portcullis_http::ANSWERED;
use tokio::runtime::Handle;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How many bytes of several lines are written at once at most: what others who write
/// to the same pipe cannot come in between of (pipe(7), `PIPE_BUF`).
const MOST: usize = 4096;

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

/// Writes lines to the standard error stream: those of requests that are answered in
/// groups, all others at once, after what waits.
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
        let may_wait = *metadata.level() == Level::INFO && metadata.target() == ANSWERED;
        Line { out: self.0, may_wait }
    }
}

/// Takes one line, whole.
pub(super) struct Line {
    out: Out,
    may_wait: bool,
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let waits = self.may_wait && HAS_TURNS.get();
        let said = WAITING.try_with(|waiting| {
            let mut waiting = waiting.borrow_mut();
            waiting.out = self.out;
            if waiting.lines.len() + line.len() > MOST {
                waiting.write();
            }
            let is_first = waiting.lines.is_empty();
            waiting.lines.extend_from_slice(line);
            if !waits {
                waiting.write();
            }
            is_first
        });
        match said {
            Ok(is_first) if waits && is_first => write_later(),
            Ok(_) => {}
            // The thread is about to end.
            Err(_) => (self.out)(line),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on lines of this thread are written in groups. It has to be one that runs
/// all tasks of its runtime itself.
pub(crate) fn group_lines_of_this_thread() {
    HAS_TURNS.set(true);
}

/// Writes what this thread has said so far. To be called before an answer goes out.
pub(crate) fn write_waiting_lines() {
    // Where there is nothing any more, it was written when the thread ended.
    let _ = WAITING.try_with(|waiting| waiting.borrow_mut().write());
}

/// Writes what waits when its turn comes, or when there will be no more turns.
struct AtTurn;

impl Drop for AtTurn {
    fn drop(&mut self) {
        write_waiting_lines();
    }
}

/// Sees to it that what waits is written, also if no answer goes out: after the tasks
/// that are ready now.
fn write_later() {
    let at_turn = AtTurn;
    // Where there is no runtime, at once.
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move { drop(at_turn) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Connection;
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll};
    use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
    use tracing::{error, info};

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

    macro_rules! answered {
        ($($said:tt)*) => { info!(target: ANSWERED, $($said)*) };
    }

    fn turns<T>(happens: impl Future<Output = T>) -> T {
        group_lines_of_this_thread();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().build().unwrap().block_on(happens)
    }

    #[test]
    fn the_lines_of_a_turn_are_written_together() {
        let written = written_by(|| {
            turns(async {
                let ask = |number: u8| tokio::spawn(async move { answered!("{number}") });
                let (first, second) = (ask(1), ask(2));
                first.await.unwrap();
                second.await.unwrap();
                tokio::task::yield_now().await;
                keep(b"later");
            });
        });
        assert_eq!(written, ["1\n2\n", "later"]);
    }

    /// Keeps what is written on a connection among the lines.
    struct Client;

    impl AsyncRead for Client {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Client {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            keep(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn an_answer_does_not_go_out_before_what_waits() {
        let written = written_by(|| {
            turns(async {
                let mut connection = Connection::new(Client, 0);
                answered!("1");
                answered!("2");
                connection.write_all(b"answer").await.unwrap();
                answered!("3");
                let answer = [io::IoSlice::new(b"answer")];
                assert_eq!(connection.write_vectored(&answer).await.unwrap(), 6);
            });
        });
        assert_eq!(written, ["1\n2\n", "answer", "3\n", "answer"]);
    }

    #[test]
    fn other_lines_are_written_at_once_after_what_waits() {
        let written = written_by(|| {
            turns(async {
                answered!("1");
                info!("2");
                keep(b"then");
                answered!("3");
                error!(target: ANSWERED, "4");
                keep(b"then");
            });
        });
        assert_eq!(written, ["1\n2\n", "then", "3\n4\n", "then"]);
    }

    #[test]
    fn where_there_are_no_turns_lines_are_written_at_once() {
        let written = written_by(|| {
            answered!("1");
            keep(b"then");
        });
        assert_eq!(written, ["1\n", "then"]);
        let written = written_by(|| {
            group_lines_of_this_thread();
            answered!("1");
            keep(b"then");
        });
        assert_eq!(written, ["1\n", "then"], "there is no runtime");
    }

    #[test]
    fn a_thread_that_works_for_others_writes_at_once() {
        let written = written_by(|| {
            let subscriber = tracing::dispatcher::get_default(Clone::clone);
            turns(async {
                let work = move || {
                    tracing::dispatcher::with_default(&subscriber, || answered!("1"));
                    keep(b"then");
                };
                Handle::current().spawn_blocking(work).await.unwrap();
            });
        });
        assert_eq!(written, ["1\n", "then"]);
    }

    #[test]
    fn nothing_is_lost_when_the_turns_end() {
        assert_eq!(written_by(|| turns(async { answered!("1") })), ["1\n"]);
    }

    #[test]
    fn nobody_else_comes_in_between() {
        let line = "x".repeat(999);
        let long = "y".repeat(2 * MOST);
        let written = written_by(|| {
            turns(async {
                for _ in 0..5 {
                    answered!("{line}");
                }
                answered!("{long}");
                answered!("{line}");
            });
        });
        let lengths: Vec<_> = written.iter().map(String::len).collect();
        assert_eq!(lengths, [4 * 1_000, 1_000, 2 * MOST + 1, 1_000]);
        assert!(written.iter().all(|group| group.ends_with('\n')));
    }
}
