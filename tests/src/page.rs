//! What a page loads, and from where.

/// The addresses from which a page loads its scripts, styles and images.
#[must_use]
pub fn resources(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in ["<script", "<link", "<img", "<iframe"] {
        for (start, _) in html.match_indices(tag) {
            let tag = &html[start..];
            let tag = &tag[..tag.find('>').expect("a tag ends")];
            found.extend(["src", "href"].into_iter().filter_map(|name| attribute(tag, name)));
        }
    }
    found
}

/// Those of a page's resources that come from another host.
#[must_use]
pub fn foreign_hosts(html: &str) -> Vec<String> {
    let is_foreign = |address: &String| address.contains("://") || address.starts_with("//");
    resources(html).into_iter().filter(is_foreign).collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}="))?;
    let value = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split(quote).next()?,
        _ => rest.split_whitespace().next()?,
    };
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_styles_and_images_are_found_however_they_are_quoted() {
        let html = r#"<link rel="x" href="./a.css"><script async src='b.js'></script>
                      <img src=//cdn.example/c.png><a href="https://elsewhere.example/">"#;
        assert_eq!(resources(html), ["b.js", "./a.css", "//cdn.example/c.png"]);
        assert_eq!(foreign_hosts(html), ["//cdn.example/c.png"]);
    }
}
