//! Cloud Messaging:
//! <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>.

mod schema;

use std::collections::HashMap;

use http::Method;
use serde_json::{Value, json};

use super::bearers::Bearers;
use super::refusal::{Refusal, detailed, refusal};
use crate::request::{Reply, Request};
use crate::server::Service;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// The kind of detail that carries Cloud Messaging's own names of errors.
const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

/// What Cloud Messaging knows of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// An app of this project is there.
    Registered,
    /// It was there, and was removed.
    Unregistered,
    /// It is another project's.
    OtherSender,
    /// Its messages are too many.
    Flooded,
    /// Something is broken inside whenever it is looked up.
    Broken,
}

/// Takes messages for devices, and keeps those that would have gone out.
pub struct Messaging {
    project: String,
    bearers: Bearers,
    devices: HashMap<String, Device>,
    delivered: Vec<Value>,
    judged: usize,
}

impl Messaging {
    /// A project without devices.
    #[must_use]
    pub fn new(project: &str, bearers: Bearers) -> Self {
        Self {
            project: project.to_owned(),
            bearers,
            devices: HashMap::new(),
            delivered: Vec::new(),
            judged: 0,
        }
    }

    /// Makes a token known.
    pub fn put(&mut self, token: &str, device: Device) {
        self.devices.insert(token.to_owned(), device);
    }

    /// The messages that went out, in the order of their arrival.
    #[must_use]
    pub fn delivered(&self) -> &[Value] {
        &self.delivered
    }

    /// How many messages were only judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.judged
    }

    fn send(&mut self, body: &Value) -> Result<Reply, Refusal> {
        let message = &body["message"];
        schema::check(body)?;
        let token = message["token"].as_str().unwrap_or_default();
        match self.devices.get(token) {
            Some(Device::Registered) => Ok(self.take(body, message)),
            Some(Device::OtherSender) => Err(named(403, "SenderId mismatch", "SENDER_ID_MISMATCH")),
            Some(Device::Flooded) => Err(named(429, "Quota exceeded.", "QUOTA_EXCEEDED")),
            Some(Device::Broken) => Err(named(500, "Internal error encountered.", "INTERNAL")),
            None if !schema::looks_like_a_token(token) => Err(named(
                400,
                "The registration token is not a valid FCM registration token",
                "INVALID_ARGUMENT",
            )),
            Some(Device::Unregistered) | None => {
                Err(named(404, "Requested entity was not found.", "UNREGISTERED"))
            }
        }
    }

    fn take(&mut self, body: &Value, message: &Value) -> Reply {
        if body["validate_only"] == true || body["validateOnly"] == true {
            self.judged += 1;
            let name = format!("projects/{}/messages/fake_message_id", self.project);
            return Reply::json(200, &json!({"name": name}));
        }
        self.delivered.push(message.clone());
        let name = format!("projects/{}/messages/0:{}", self.project, self.delivered.len());
        Reply::json(200, &json!({"name": name}))
    }
}

/// A refusal with one of Cloud Messaging's own names.
fn named(status: u16, message: &str, name: &str) -> Refusal {
    detailed(status, message, &[json!({"@type": FCM_ERROR, "errorCode": name})])
}

impl Messaging {
    fn route(&mut self, request: &Request) -> Result<Reply, Refusal> {
        let ["v1", "projects", project, "messages:send"] = request.segments()[..] else {
            return Err(refusal(404, "Requested entity was not found."));
        };
        if request.method != Method::POST {
            return Err(refusal(404, "Requested entity was not found."));
        }
        self.bearers.check(request, SCOPE)?;
        if project != self.project {
            return Err(refusal(403, "Permission denied on resource project."));
        }
        if let Some((name, _)) = request.query.first() {
            return Err(refusal(400, &format!("Invalid query parameter {name}")));
        }
        match request.json() {
            Some(body @ Value::Object(_)) => self.send(&body),
            _ => Err(refusal(400, "Invalid JSON payload received. Expected an object.")),
        }
    }
}

impl Service for Messaging {
    fn answer(&mut self, request: &Request) -> Reply {
        self.route(request).unwrap_or_else(Reply::from)
    }

    fn refusal(&self, status: u16) -> Reply {
        refusal(status, "The service is currently unavailable.").into()
    }
}
