//! What a name says about its content.

use portcullis_domain::{ContentType, ObjectName};

/// The content type that goes with a name's extension; bytes of which nothing
/// is known if it has none, or one that is not registered.
#[must_use]
pub fn content_type_of(name: &ObjectName) -> ContentType {
    let guessed = name.extension().and_then(|end| mime_guess::from_ext(end).first_raw());
    let guessed = guessed.and_then(|guessed| ContentType::parse(guessed).ok());
    guessed.unwrap_or_else(ContentType::unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_says_what_it_is() {
        for (name, kind) in [
            ("a.d/ann.PNG", "image/png"),
            ("page.html", "text/html"),
            ("a.json", "application/json"),
            ("archive.tar.gz", "application/gzip"),
            ("png", "application/octet-stream"),
            (".html", "application/octet-stream"),
            ("a.nobody-knows", "application/octet-stream"),
        ] {
            let name = ObjectName::parse(name).unwrap();
            assert_eq!(content_type_of(&name).as_str(), kind, "{name}");
        }
    }
}
