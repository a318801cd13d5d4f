//! `portcullis users import`.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use portcullis_app::{ACCOUNTS_AT_ONCE, Arrival, MoveIn};
use portcullis_crypto::SystemIds;
use portcullis_domain::error::with_causes;

use super::interrupt::Interrupt;
use super::lines::{Line, Lines, MAX_LINE};
use super::progress::Progress;
use super::tally::Tally;
use super::{archive, arrival};

/// The byte order mark in UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// How a run ended that nothing prevented.
enum Ending {
    EndOfFile,
    Interrupted,
}

/// Imports a file, or standard input if it is `-`.
///
/// # Errors
/// When any line was refused, or not all were read.
pub(crate) fn import(file: &Path, is_rehearsal: bool) -> Result<(), Box<dyn Error>> {
    let (reader, size) = open(file)?;
    let runtime = crate::runtime()?;
    let (archive, clock) = runtime.block_on(archive::open())?;
    let mut move_in = MoveIn::new(archive, clock, Arc::new(SystemIds));
    // Kept until the end, and then removed with the store in it.
    let folder = is_rehearsal.then(tempfile::tempdir).transpose()?;
    if let Some(folder) = &folder {
        move_in = move_in.rehearsed_on(archive::scratch(folder.path())?);
    }
    let mut run = Run {
        lines: Lines::of(reader),
        move_in,
        batch: Vec::with_capacity(ACCOUNTS_AT_ONCE),
        tally: Tally::new(is_rehearsal),
        progress: Progress::over(size),
        settled: 0,
    };
    let ending = runtime.block_on(async {
        let interrupt = Interrupt::listen()?;
        run.until_its_end(&interrupt).await
    });
    run.progress.finish();
    print!("{}", run.tally);
    let go_on = if is_rehearsal {
        "nothing was written"
    } else {
        "what was added stays; run the same command again to go on"
    };
    match ending {
        Err(error) => {
            let cause = with_causes(&*error);
            Err(format!("stopped after line {}: {cause}; {go_on}", run.settled).into())
        }
        Ok(Ending::Interrupted) => {
            Err(format!("stopped after line {}, as asked; {go_on}", run.settled).into())
        }
        Ok(Ending::EndOfFile) if run.tally.refused() > 0 => {
            Err(format!("{} of {} lines were refused", run.tally.refused(), run.tally.lines())
                .into())
        }
        Ok(Ending::EndOfFile) => Ok(()),
    }
}

type Reader = Box<dyn BufRead>;

/// Opens a file, and tells its size if it has one.
fn open(file: &Path) -> Result<(Reader, Option<u64>), Box<dyn Error>> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin().lock()), None));
    }
    let explain = |error| format!("{}: {error}", file.display());
    let opened = File::open(file).map_err(explain)?;
    let about = opened.metadata().map_err(explain)?;
    let size = about.is_file().then_some(about.len());
    Ok((Box::new(BufReader::with_capacity(1 << 18, opened)), size))
}

/// An import under way.
struct Run {
    lines: Lines<Reader>,
    move_in: MoveIn,
    /// What was read and is not settled yet, with its line: an account, or why
    /// there is none.
    batch: Vec<(u64, Result<Arrival, String>)>,
    tally: Tally,
    progress: Progress,
    /// The line up to which all is done.
    settled: u64,
}

impl Run {
    async fn until_its_end(&mut self, interrupt: &Interrupt) -> Result<Ending, Box<dyn Error>> {
        while self.read_line()? {
            let is_over = interrupt.was_asked();
            if is_over || self.batch.len() == ACCOUNTS_AT_ONCE {
                self.move_batch().await?;
            }
            if is_over {
                return Ok(Ending::Interrupted);
            }
        }
        self.move_batch().await?;
        Ok(Ending::EndOfFile)
    }

    /// Reads a line into the batch; says whether there was one.
    fn read_line(&mut self) -> Result<bool, Box<dyn Error>> {
        let read = match self.lines.next()? {
            None => return Ok(false),
            Some(Line::TooLong) => Err(format!("is longer than {MAX_LINE} bytes")),
            Some(Line::Whole(line)) => {
                // Some programs begin a text file with a mark of its encoding.
                let line = line.strip_prefix(MARK).unwrap_or(line).trim_ascii();
                if line.is_empty() {
                    return Ok(true);
                }
                arrival::read(line)
            }
        };
        self.batch.push((self.lines.number(), read));
        Ok(true)
    }

    /// Moves the accounts of the batch in, and reports on its lines in their order.
    async fn move_batch(&mut self) -> Result<(), Box<dyn Error>> {
        let mut arrivals = Vec::with_capacity(self.batch.len());
        let mut lines = Vec::with_capacity(self.batch.len());
        for (line, read) in self.batch.drain(..) {
            let about = read.map(|arrival| {
                let waits_for_proof = arrival.waits_for_proof();
                arrivals.push(arrival);
                waits_for_proof
            });
            lines.push((line, about));
        }
        let mut outcomes = self.move_in.import(arrivals).await?.into_iter();
        for (line, about) in lines {
            let refused = match about {
                Err(reason) => {
                    self.tally.refuse();
                    Some(reason)
                }
                Ok(waits_for_proof) => outcomes
                    .next()
                    .and_then(|outcome| self.tally.count(line, waits_for_proof, &outcome)),
            };
            if let Some(reason) = refused {
                self.report(line, &reason);
            }
        }
        self.settled = self.lines.number();
        self.progress.advance(self.lines.position(), format!("{} lines", self.tally.lines()));
        Ok(())
    }

    fn report(&self, line: u64, reason: &str) {
        self.progress.say(&format!("line {line}: {reason}"));
    }
}
