//! Firestore over REST, documents in memory:
//! <https://firebase.google.com/docs/firestore/reference/rest/v1/projects.databases.documents>.

mod field_path;
mod values;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Map, Value, json};

use super::bearers::Bearers;
use super::refusal::{Refusal, bad_field, refusal, unknown_field};
use crate::request::{Reply, Request};
use crate::server::Service;
use field_path::FieldPath;

const SCOPE: &str = "https://www.googleapis.com/auth/datastore";
/// Documents of a page unless more are asked for, and at most.
const PAGE: (usize, usize) = (20, 300);

/// Keeps the documents of a project's default database.
pub struct Firestore {
    project: String,
    bearers: Bearers,
    /// By path below `documents`.
    documents: BTreeMap<Vec<String>, Document>,
    /// Microseconds within a second, so that every write has a time of its own.
    writes: u32,
    /// Whether there is a database at all.
    pub exists: bool,
}

#[derive(Clone)]
struct Document {
    fields: Map<String, Value>,
    created: String,
    updated: String,
}

impl Firestore {
    /// An empty database.
    #[must_use]
    pub fn new(project: &str, bearers: Bearers) -> Self {
        Self {
            project: project.to_owned(),
            bearers,
            documents: BTreeMap::new(),
            writes: 0,
            exists: true,
        }
    }

    /// The fields of a document as they are stored, in Firestore's own form.
    #[must_use]
    pub fn stored(&self, path: &[&str]) -> Option<Value> {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        self.documents.get(&path).map(|document| Value::Object(document.fields.clone()))
    }

    fn name(&self, path: &[String]) -> String {
        let root = format!("projects/{}/databases/(default)/documents", self.project);
        format!("{root}/{}", path.join("/"))
    }

    fn shown(&self, path: &[String], document: &Document) -> Value {
        let mut shown = json!({
            "name": self.name(path),
            "createTime": document.created,
            "updateTime": document.updated
        });
        // Empty maps are left out, as protocol buffers do.
        if !document.fields.is_empty() {
            shown["fields"] = document.fields.clone().into();
        }
        shown
    }

    fn get(&self, path: &[String]) -> Result<Reply, Refusal> {
        match self.documents.get(path) {
            Some(document) => Ok(Reply::json(200, &self.shown(path, document))),
            None => Err(refusal(404, &format!("Document \"{}\" not found.", self.name(path)))),
        }
    }

    fn list(&self, collection: &[String], request: &Request) -> Result<Reply, Refusal> {
        allow(request, &["pageSize", "pageToken"])?;
        let size = match request.parameter("pageSize").map(str::parse::<usize>) {
            None | Some(Ok(0)) => PAGE.0,
            Some(Ok(size)) => size.min(PAGE.1),
            Some(Err(_)) => return Err(bad_field("page_size", "Invalid value at 'page_size'")),
        };
        let after = request.parameter("pageToken").map(|token| {
            let id = URL_SAFE_NO_PAD.decode(token).ok()?;
            String::from_utf8(id).ok()?.strip_prefix("after:").map(str::to_owned)
        });
        let after = match after {
            Some(None) => return Err(refusal(400, "Invalid page token.")),
            after => after.flatten(),
        };
        let inside = |path: &&Vec<String>| {
            path.len() == collection.len() + 1 && path.starts_with(collection)
        };
        let id = |path: &Vec<String>| path[path.len() - 1].clone();
        let mut found = self
            .documents
            .iter()
            .filter(|(path, _)| inside(path) && after.as_ref().is_none_or(|it| id(path) > *it));
        let page: Vec<_> = found.by_ref().take(size).collect();
        let mut answer = json!({});
        if !page.is_empty() {
            let shown: Vec<_> = page.iter().map(|(path, it)| self.shown(path, it)).collect();
            answer["documents"] = shown.into();
        }
        if let (Some((last, _)), Some(_)) = (page.last(), found.next()) {
            let token = URL_SAFE_NO_PAD.encode(format!("after:{}", id(last)));
            answer["nextPageToken"] = token.into();
        }
        Ok(Reply::json(200, &answer))
    }

    fn patch(&mut self, path: &[String], request: &Request) -> Result<Reply, Refusal> {
        allow(request, &["updateMask.fieldPaths", "currentDocument.exists"])?;
        let given = fields_of_body(request)?;
        let mask = mask(request)?;
        let before = self.documents.get(path);
        match (request.parameter("currentDocument.exists"), before) {
            (Some("true"), None) => {
                return Err(refusal(404, &format!("No document to update: {}", self.name(path))));
            }
            (Some("false"), Some(_)) => {
                return Err(refusal(409, &format!("Document already exists: {}", self.name(path))));
            }
            (None | Some("true" | "false"), _) => {}
            (Some(_), _) => {
                return Err(bad_field("current_document.exists", "Invalid value (TYPE_BOOL)"));
            }
        }
        self.writes += 1;
        let now = format!("2026-01-01T00:00:00.{:06}Z", self.writes);
        let fields = if mask.is_empty() {
            given
        } else {
            let mut fields = before.map(|it| it.fields.clone()).unwrap_or_default();
            for path in &mask {
                path.copy(&given, &mut fields);
            }
            fields
        };
        let created = before.map_or_else(|| now.clone(), |it| it.created.clone());
        let document = Document { fields, created, updated: now };
        let reply = Reply::json(200, &self.shown(path, &document));
        self.documents.insert(path.to_vec(), document);
        Ok(reply)
    }

    fn route(&mut self, request: &Request) -> Result<Reply, Refusal> {
        let path = match &request.path[..] {
            [v1, projects, project, databases, database, documents, path @ ..]
                if [v1, projects, databases, documents]
                    == ["v1", "projects", "databases", "documents"] =>
            {
                if *project != self.project {
                    return Err(refusal(403, "Missing or insufficient permissions."));
                }
                if !self.exists || database != "(default)" {
                    return Err(refusal(
                        404,
                        &format!(
                            "The database {database} does not exist for project {project} Please visit \
                         https://console.cloud.google.com/datastore/setup to add a database."
                        ),
                    ));
                }
                path
            }
            _ => return Err(refusal(404, "Requested entity was not found.")),
        };
        if path.is_empty() || path.iter().any(|name| !values::is_name(name)) {
            return Err(refusal(400, "Invalid resource path."));
        }
        let is_document = path.len().is_multiple_of(2);
        match (&request.method, is_document) {
            (&Method::GET, true) => allow(request, &[]).and_then(|()| self.get(path)),
            (&Method::GET, false) => self.list(path, request),
            (&Method::PATCH, true) => self.patch(path, request),
            (&Method::DELETE, true) => {
                allow(request, &[])?;
                self.documents.remove(path);
                Ok(Reply::json(200, &json!({})))
            }
            _ => Err(refusal(400, "Invalid resource path.")),
        }
    }
}

fn allow(request: &Request, known: &[&str]) -> Result<(), Refusal> {
    match request.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(unknown_field(name, "")),
        None => Ok(()),
    }
}

fn fields_of_body(request: &Request) -> Result<Map<String, Value>, Refusal> {
    let body = request.json().filter(Value::is_object);
    let body = body.ok_or_else(|| refusal(400, "Invalid JSON payload received."))?;
    let unknown = body.as_object().and_then(|body| {
        body.keys()
            .find(|name| !["name", "fields", "createTime", "updateTime"].contains(&name.as_str()))
    });
    if let Some(name) = unknown {
        return Err(unknown_field(name, "document"));
    }
    match body.get("fields") {
        None => Ok(Map::new()),
        Some(Value::Object(fields)) => {
            values::check_fields(fields, "document.fields")?;
            Ok(fields.clone())
        }
        Some(_) => Err(bad_field("document.fields", "Invalid value at 'document.fields'")),
    }
}

fn mask(request: &Request) -> Result<Vec<FieldPath>, Refusal> {
    let given = request.query.iter().filter(|(name, _)| name == "updateMask.fieldPaths");
    let paths = given.map(|(_, path)| {
        FieldPath::parse(path)
            .ok_or_else(|| refusal(400, &format!("Invalid property path \"{path}\".")))
    });
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    for (index, path) in paths.iter().enumerate() {
        let is_twice = |(other, it): (usize, &FieldPath)| other != index && path.holds(it);
        if paths.iter().enumerate().any(is_twice) {
            return Err(refusal(400, "Conflicting field paths in the update mask."));
        }
    }
    Ok(paths)
}

impl Service for Firestore {
    fn answer(&mut self, request: &Request) -> Reply {
        let allowed = self.bearers.check(request, SCOPE);
        allowed.and_then(|()| self.route(request)).unwrap_or_else(Reply::from)
    }

    fn refusal(&self, status: u16) -> Reply {
        refusal(status, "The service is currently unavailable.").into()
    }
}
