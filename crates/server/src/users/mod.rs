//! `portcullis users`: moving accounts in and out, as newline-delimited JSON, and
//! making up some.

mod archive;
mod arrival;
mod departure;
mod export;
mod fields;
mod import;
mod interrupt;
mod lines;
mod object;
mod progress;
mod seed;
mod tally;

#[cfg(fuzzing)]
pub(crate) use fuzzing::faults_of;

/// What is wrong with the lines of a file, for the fuzzer.
#[cfg(fuzzing)]
mod fuzzing {
    use super::arrival;
    use super::lines::{Line, Lines};

    pub(crate) fn faults_of(file: &[u8]) -> Vec<String> {
        let mut lines = Lines::of(file);
        let mut faults = Vec::new();
        while let Ok(Some(line)) = lines.next() {
            if let Line::Whole(line) = line {
                faults.extend(arrival::read(line).err());
            }
        }
        faults
    }
}

pub(crate) use export::export;
pub(crate) use import::import;
pub(crate) use seed::seed;
