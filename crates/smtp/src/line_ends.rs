//! Line ends as SMTP wants them.

/// The text with every line end, bare ones included, written `CRLF`.
///
/// lettre (RUSTSEC-2026-0561) adds the dot of transparency after `CRLF` only.
/// A server that takes a bare `LF` or `CR` for a line end would see the mail
/// end at a lone dot, and commands in what follows.
pub(crate) fn with_crlf(text: &str) -> String {
    let mut normal = String::with_capacity(text.len() + text.len() / 32);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                normal.push_str("\r\n");
            }
            '\n' => normal.push_str("\r\n"),
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_becomes_crlf() {
        assert_eq!(with_crlf("a\nb\rc\r\nd"), "a\r\nb\r\nc\r\nd");
        assert_eq!(with_crlf("\n.\n"), "\r\n.\r\n");
        assert_eq!(with_crlf("\r.\r"), "\r\n.\r\n");
    }

    #[test]
    fn no_line_is_lost_or_added() {
        assert_eq!(with_crlf("\n\n"), "\r\n\r\n");
        assert_eq!(with_crlf("\r\r\n\n"), "\r\n\r\n\r\n");
        assert_eq!(with_crlf("\n\r"), "\r\n\r\n");
    }

    #[test]
    fn text_without_line_ends_stays() {
        assert_eq!(with_crlf(""), "");
        assert_eq!(with_crlf("Grüße\tan 你"), "Grüße\tan 你");
    }

    #[test]
    fn doing_it_twice_changes_nothing() {
        let once = with_crlf("a\n.\r\r\n.\rb");
        assert_eq!(with_crlf(&once), once);
    }
}
