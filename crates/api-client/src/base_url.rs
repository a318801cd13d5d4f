//! Where an API is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// What is escaped in a segment: all but the characters that RFC 3986 §3.3 lets
/// stand there.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The address below which an API's paths begin. What is sent to it stays
/// private: it begins with `https://`, or with `http://` to this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is no base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the base URL must begin with https://, or with http:// to this machine, and end before any `?`"
)]
pub struct InvalidBaseUrl;

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_end_matches('/');
        let url = Url::parse(&format!("{text}/")).map_err(|_| InvalidBaseUrl)?;
        let is_private = match url.scheme() {
            "https" => url.has_host(),
            "http" => url.host_str().is_some_and(is_this_machine),
            _ => false,
        };
        let has_login = !url.username().is_empty() || url.password().is_some();
        let is_bare = !has_login && url.query().is_none() && url.fragment().is_none();
        if is_private && is_bare { Ok(Self(url)) } else { Err(InvalidBaseUrl) }
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a URL can hold it. Escaped or not, these two mean another place.
pub(crate) fn can_be_segment(text: &str) -> bool {
    text != "." && text != ".."
}

impl BaseUrl {
    /// The URL of a path below it. Each segment is one, whatever stands in it: a
    /// slash is escaped. `.` and `..` cannot be segments, and vanish; a
    /// [`Call`](crate::Call) of such a path is not sent.
    #[must_use]
    pub fn join(&self, segments: &[&str]) -> Url {
        let mut path = self.0.path().trim_end_matches('/').to_owned();
        for segment in segments.iter().filter(|segment| can_be_segment(segment)) {
            path.push('/');
            // Escaped here: what reads a URL drops tabs and line ends without a
            // word, and the rest may be the name of something else.
            path.extend(utf8_percent_encode(segment, ESCAPED));
        }
        let mut url = self.0.clone();
        url.set_path(&path);
        url
    }

    /// Whether what is sent to it goes without TLS, and so must not leave this
    /// machine.
    pub(crate) fn is_unencrypted(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// The text, ending in a slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Option<String> {
        text.parse::<BaseUrl>().ok().map(|base| base.to_string())
    }

    #[test]
    fn a_base_url_keeps_what_is_sent_to_it_private() {
        assert_eq!(base("https://proxy.example/api").unwrap(), "https://proxy.example/api/");
        assert_eq!(base("https://api.example//").unwrap(), "https://api.example/");
        assert_eq!(base("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080/");
        assert_eq!(base("http://[::1]:8080/").unwrap(), "http://[::1]:8080/");
        assert_eq!(base("http://localhost:8080/v1").unwrap(), "http://localhost:8080/v1/");
        for url in [
            "http://api.example",
            "http://localhost.example",
            "ftp://api.example",
            "api.example",
            "https://user:password@api.example",
            "https://api.example/?a=b",
            "https://api.example/#a",
            "",
        ] {
            assert_eq!(base(url), None, "{url}");
        }
    }

    #[test]
    fn a_segment_stays_one() {
        let base: BaseUrl = "https://api.example/v1".parse().unwrap();
        let url = |segments: &[&str]| base.join(segments).to_string();
        assert_eq!(
            url(&["b", "my/file 100%?#.txt"]),
            "https://api.example/v1/b/my%2Ffile%20100%25%3F%23.txt"
        );
        assert_eq!(url(&["messages:send"]), "https://api.example/v1/messages:send");
        assert_eq!(url(&[]), "https://api.example/v1");
        assert_eq!(url(&["..", "up"]), "https://api.example/v1/up");
    }

    #[test]
    fn no_name_is_read_as_another() {
        let base: BaseUrl = "https://api.example/v1".parse().unwrap();
        for (name, written) in [
            ("an\tn", "an%09n"),
            ("an\nn", "an%0An"),
            ("an\rn", "an%0Dn"),
            ("\tann\n", "%09ann%0A"),
            (".\t.", ".%09."),
            (" ann ", "%20ann%20"),
            ("%2e", "%252e"),
            ("%2e%2E", "%252e%252E"),
            ("/", "%2F"),
            ("\\", "%5C"),
            ("..;a=b", "..;a=b"),
            ("...", "..."),
            ("", ""),
            ("ä|[]^`", "%C3%A4%7C%5B%5D%5E%60"),
        ] {
            let url = base.join(&["users", name, "last"]).to_string();
            assert_eq!(url, format!("https://api.example/v1/users/{written}/last"), "{name:?}");
        }
        let root: BaseUrl = "https://api.example".parse().unwrap();
        assert_eq!(root.join(&["a\tb"]).as_str(), "https://api.example/a%09b");
        assert_eq!(root.join(&[]).as_str(), "https://api.example/");
    }
}
