//! What kind of answer a client would rather have.

use actix_web::HttpRequest;
use actix_web::http::header;

/// Whether HTML is named before JSON: browsers do, programs do not.
pub(crate) fn prefers_html(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let Some(accept) = accept else { return false };
    let quality = |wanted: &str| {
        let entries = accept.split(',').filter_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let is_wanted = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            is_wanted.then(|| quality.unwrap_or(1.0))
        });
        entries.fold(0.0, f32::max)
    };
    quality("text/html") > quality("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn browsers_get_pages_and_programs_documents() {
        let prefers = |accept: &str| {
            prefers_html(&TestRequest::get().insert_header(("accept", accept)).to_http_request())
        };
        assert!(prefers("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(prefers("text/html, application/json;q=0.5"));
        for accept in ["*/*", "application/json", "application/json, text/html;q=0.5", "", "text/*"]
        {
            assert!(!prefers(accept), "{accept}");
        }
    }
}
