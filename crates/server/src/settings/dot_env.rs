//! Lines of a `.env` file.
//!
//! Deliberately little: no substitution and no escapes, so that a secret with a
//! `$` or a backslash in it arrives as it was written.

/// The line is neither a pair, nor empty, nor a comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAPair;

/// `NAME=value`, where the value may stand in quotes; unquoted, it ends before
/// ` #`. `None` for an empty line or a comment.
pub(super) fn parse(line: &str) -> Result<Option<(&str, &str)>, NotAPair> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').ok_or(NotAPair)?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(NotAPair);
    }
    for quote in ['\'', '"'] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (inner, after) = rest.split_once(quote).ok_or(NotAPair)?;
            let is_over = after.trim().is_empty() || after.trim().starts_with('#');
            return if is_over { Ok(Some((name, inner))) } else { Err(NotAPair) };
        }
    }
    Ok(Some((name, value.split_once(" #").map_or(value, |(value, _)| value.trim_end()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_as_they_are_written() {
        for (line, value) in [
            ("A=b", "b"),
            ("  export A = b c ", "b c"),
            ("A=a$b\\n", "a$b\\n"),
            ("A='b # c' # d", "b # c"),
            ("A=\"b 'c'\"", "b 'c'"),
            ("A=Foo <a@b.c> # the sender", "Foo <a@b.c>"),
            ("A=b=c#d", "b=c#d"),
            ("A=", ""),
        ] {
            assert_eq!(parse(line), Ok(Some(("A", value))), "{line}");
        }
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        assert_eq!(parse(""), Ok(None));
        assert_eq!(parse("  # A=b"), Ok(None));
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for line in ["A", "=b", "A B=c", "A='b", "A='b' c"] {
            assert_eq!(parse(line), Err(NotAPair), "{line}");
        }
    }
}
