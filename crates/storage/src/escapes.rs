//! Names as parts of URLs: all but what RFC 3986 calls unreserved is escaped,
//! which is also how Signature Version 4 counts.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, but for slashes.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// As a value in a query.
pub(crate) fn in_query(text: &str) -> impl fmt::Display + '_ {
    percent_encode(text.as_bytes(), QUERY)
}

/// As the end of a path; slashes part its segments.
pub(crate) fn in_path(text: &str) -> impl fmt::Display + '_ {
    percent_encode(text.as_bytes(), PATH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_url_is_escaped() {
        let text = "a b/ü?#%&+=~-._";
        assert_eq!(in_query(text).to_string(), "a%20b%2F%C3%BC%3F%23%25%26%2B%3D~-._");
        assert_eq!(in_path(text).to_string(), "a%20b/%C3%BC%3F%23%25%26%2B%3D~-._");
    }
}
