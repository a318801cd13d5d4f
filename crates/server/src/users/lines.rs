//! A file line by line, in bounded memory.

use std::io::{self, BufRead, Read};

/// Longest line in bytes. An account takes less than two thousand.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// The lines of a file, with their numbers from 1.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
    position: u64,
}

/// A line, or why there is none to be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The bytes of the line without its end.
    Whole(&'a [u8]),
    /// It is longer than [`MAX_LINE`], and was passed over.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), number: 0, position: 0 }
    }

    /// The number of the line that was read last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes were read so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next line; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        // One byte more for the line's end.
        let limit = MAX_LINE as u64 + 1;
        let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.position += read as u64;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if self.buffer.len() > MAX_LINE {
            self.pass_over()?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Whole(&self.buffer)))
    }

    /// Reads to the line's end and keeps nothing.
    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            let available = self.reader.fill_buf()?;
            let end = available.iter().position(|byte| *byte == b'\n');
            let (used, is_over) = match end {
                Some(end) => (end + 1, true),
                None => (available.len(), available.is_empty()),
            };
            self.reader.consume(used);
            self.position += used as u64;
            if is_over {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_its_newline_or_with_the_file() {
        let mut lines = Lines::of(&b"one\n\nthree"[..]);
        for (number, text) in [(1, "one"), (2, ""), (3, "three")] {
            assert_eq!(lines.next().unwrap(), Some(Line::Whole(text.as_bytes())));
            assert_eq!(lines.number(), number);
        }
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.position(), 10);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_is_read() {
        let longest = vec![b'x'; MAX_LINE];
        let text = [&longest[..], b"\n", &longest, b"x\n", &longest, &longest, b"\nend"].concat();
        // A small buffer, so that a line arrives in many pieces.
        let mut lines = Lines::of(io::BufReader::with_capacity(1_000, &text[..]));
        assert_eq!(lines.next().unwrap(), Some(Line::Whole(&longest)));
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next().unwrap(), Some(Line::Whole(b"end")));
        assert_eq!(lines.number(), 4);
        assert_eq!(lines.position(), text.len() as u64);
    }

    #[test]
    fn a_file_may_end_in_a_line_that_is_too_long() {
        let text = vec![b'x'; 3 * MAX_LINE];
        let mut lines = Lines::of(&text[..]);
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next().unwrap(), None);
    }
}
