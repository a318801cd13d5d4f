//! What is not there, and what is there for other methods.

use actix_web::dev::ResourceDef;
use actix_web::{HttpRequest, web};
use utoipa::openapi::{OpenApi, PathItem};

use crate::Api;
use crate::problem::Problem;

/// The paths that exist, with their methods.
pub(crate) struct KnownPaths(Vec<(ResourceDef, String)>);

impl KnownPaths {
    /// The paths of the document, and those that stand in none.
    pub(crate) fn of(
        document: &OpenApi,
        is_served: impl Fn(&str) -> bool,
        has_mailbox: bool,
        has_docs: bool,
    ) -> Self {
        let documented = document
            .paths
            .paths
            .iter()
            .filter(|(path, _)| is_served(path) && (has_docs || !is_docs(path)))
            .map(|(path, item)| (ResourceDef::new(path.as_str()), allow(item)));
        let mut others = vec!["/reset-password", "/assets/{name}"];
        if has_docs {
            others.extend(["/docs", "/docs/{tail}*", "/redoc", "/openapi.json"]);
        }
        let others = others.into_iter().map(|path| (ResourceDef::new(path), "GET".to_owned()));
        let mailbox =
            has_mailbox.then(|| (ResourceDef::new("/dev/mailbox"), "DELETE, GET".to_owned()));
        Self(documented.chain(others).chain(mailbox).collect())
    }

    fn methods(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.is_match(path)).map(|(_, methods)| methods.as_str())
    }
}

fn is_docs(path: &str) -> bool {
    path == "/openapi.json"
}

/// The `Allow` header of a path (RFC 9110 §10.2.1).
fn allow(item: &PathItem) -> String {
    let methods = [
        (&item.delete, "DELETE"),
        (&item.get, "GET"),
        (&item.patch, "PATCH"),
        (&item.post, "POST"),
        (&item.put, "PUT"),
    ];
    let known = methods.iter().filter(|(operation, _)| operation.is_some());
    known.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

/// The last resort of routing.
pub(crate) async fn fallback(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<actix_web::HttpResponse, Problem> {
    match api.known_paths.methods(request.match_info().as_str()) {
        Some(methods) => Err(Problem::method_not_allowed(methods.to_owned())),
        None => Err(Problem::not_found()),
    }
}
