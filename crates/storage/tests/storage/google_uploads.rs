//! Uploads and copies that Google takes in several steps, as it publishes them:
//! emulators take each in one.

use portcullis_conformance::bucket::{bytes, in_pieces, name, plain};
use portcullis_domain::ports::{ObjectError, ObjectStore};
use portcullis_simulators::{Method, Reply, Request, Service, Simulator};
use portcullis_storage::GcsBucket;
use serde_json::json;

use crate::google::Account;

/// What Google keeps at once, in bytes: 256 KiB.
const UNIT: usize = 256 * 1024;

/// A service that keeps at most so many units of each piece, loses so many of its
/// answers, and copies in so many steps.
struct Slow {
    keeps: usize,
    loses: u32,
    /// With what every piece is refused.
    refuses: Option<(u16, &'static str)>,
    kept: Vec<u8>,
    total: Option<usize>,
    cancelled: bool,
    steps: u32,
}

impl Slow {
    fn new(keeps: usize) -> Self {
        Self {
            keeps,
            loses: 0,
            refuses: None,
            kept: Vec::new(),
            total: None,
            cancelled: false,
            steps: 3,
        }
    }

    fn begin(request: &Request) -> Reply {
        let host = request.header("host").unwrap();
        let body = request.json().unwrap();
        assert_eq!(request.header("x-upload-content-type"), Some("text/plain"));
        assert_eq!(
            (body["name"].as_str(), body["contentType"].as_str()),
            (Some("a"), Some("text/plain"))
        );
        let location = format!(
            "http://{host}/upload/storage/v1/b/bucket/o?uploadType=resumable&name=a&upload_id=id%2F1"
        );
        Reply::empty(200).with("location", &location)
    }

    fn piece(&mut self, request: &Request) -> Reply {
        if let Some((status, message)) = self.refuses {
            return Reply::json(status, &json!({"error": {"code": status, "message": message}}));
        }
        assert_eq!(request.parameter("upload_id"), Some("id/1"));
        let range = request.header("content-range").unwrap().strip_prefix("bytes ").unwrap();
        let (range, total) = range.split_once('/').unwrap();
        self.total = total.parse().ok();
        if let Some((first, last)) = range.split_once('-') {
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(last - first + 1, request.body.len());
            assert!(first <= self.kept.len(), "a gap");
            // Of what is there already, no notice is taken.
            let new = &request.body[(self.kept.len() - first).min(request.body.len())..];
            if self.total.is_none() {
                assert_eq!(request.body.len() % UNIT, 0, "a piece of an odd length");
            }
            let keeps = if new.len() <= self.keeps * UNIT { new.len() } else { self.keeps * UNIT };
            self.kept.extend_from_slice(&new[..keeps]);
        }
        if self.loses > 0 {
            self.loses -= 1;
            return Reply::empty(503);
        }
        if self.total == Some(self.kept.len()) {
            let size = self.kept.len().to_string();
            return Reply::json(
                200,
                &json!({"name": "a", "size": size, "contentType": "text/plain"}),
            );
        }
        match self.kept.len() {
            0 => Reply::empty(308),
            length => Reply::empty(308).with("range", &format!("bytes=0-{}", length - 1)),
        }
    }

    fn copy(&mut self, request: &Request) -> Reply {
        assert_eq!(request.header("content-length"), Some("0"), "Google wants to be told");
        let token = request.parameter("rewriteToken").map(str::to_owned);
        assert_eq!(token, (self.steps < 3).then(|| format!("step {}", self.steps)));
        self.steps -= 1;
        match self.steps {
            0 => Reply::json(200, &json!({"kind": "storage#rewriteResponse", "done": true})),
            step => {
                Reply::json(200, &json!({"done": false, "rewriteToken": format!("step {step}")}))
            }
        }
    }
}

impl Service for Slow {
    fn answer(&mut self, request: &Request) -> Reply {
        let kind = request.parameter("uploadType");
        match (&request.method, &request.segments()[..]) {
            (&Method::POST, ["upload", "storage", "v1", "b", "bucket", "o"])
                if kind == Some("resumable") =>
            {
                Self::begin(request)
            }
            (&Method::PUT, ["upload", ..]) => self.piece(request),
            (&Method::DELETE, ["upload", ..]) => {
                self.cancelled = true;
                Reply::empty(499)
            }
            (
                &Method::POST,
                ["storage", "v1", "b", "bucket", "o", "a", "rewriteTo", "b", "bucket", "o", "b/c"],
            ) => self.copy(request),
            _ => Reply::empty(404),
        }
    }

    fn refusal(&self, status: u16) -> Reply {
        Reply::json(status, &json!({"error": {"code": status, "message": "no"}}))
    }
}

fn bucket(keeps: usize) -> (GcsBucket, Simulator<Slow>, Account) {
    let (account, server) = (Account::new(), Simulator::start(Slow::new(keeps)));
    (account.storage(&server.url()).bucket("bucket").unwrap(), server, account)
}

#[tokio::test]
async fn what_google_did_not_keep_is_sent_again() {
    for (keeps, length) in [(10, 9), (10, 16), (30, 17), (100, 17)] {
        let (bucket, server, _account) = bucket(keeps);
        let content = bytes(length * 1024 * 1024, 1);
        let told = bucket.put_stream(&name("a"), in_pieces(&content, 900_000), plain()).await;
        assert_eq!(told.unwrap().size, content.len() as u64);
        assert!(server.with(|service| service.kept == content), "{keeps} units, {length} MiB");
    }
}

#[tokio::test]
async fn a_piece_whose_answer_was_lost_is_sent_again() {
    let (bucket, server, _account) = bucket(100);
    let content = bytes(9 * 1024 * 1024, 1);
    server.with(|service| service.loses = 2);
    bucket.put_stream(&name("a"), in_pieces(&content, 900_000), plain()).await.unwrap();
    assert!(server.with(|service| service.kept == content));
}

#[tokio::test]
async fn an_upload_of_which_nothing_is_kept_comes_to_an_end() {
    let (bucket, server, _account) = bucket(0);
    let content = bytes(9 * 1024 * 1024, 1);
    let failed = bucket.put_stream(&name("a"), in_pieces(&content, 900_000), plain()).await;
    assert!(matches!(failed, Err(ObjectError::Unavailable(_))), "{failed:?}");
    assert!(server.with(|service| service.cancelled), "its session is left");
}

#[tokio::test]
async fn a_session_that_google_has_let_go_of_is_no_missing_bucket() {
    let (bucket, server, _account) = bucket(100);
    let content = bytes(9 * 1024 * 1024, 1);
    let upload = async |status, message| {
        server.with(|service| service.refuses = Some((status, message)));
        bucket.put_stream(&name("a"), in_pieces(&content, 900_000), plain()).await.unwrap_err()
    };
    for (status, message) in [(404, "Not Found"), (410, "Gone"), (404, "")] {
        let lost = upload(status, message).await;
        assert!(matches!(lost, ObjectError::Unavailable(_)), "{status} {message}: {lost:?}");
    }
    let gone = upload(404, "The specified bucket does not exist.").await;
    assert!(matches!(gone, ObjectError::BucketNotFound(_)), "{gone:?}");
}

#[tokio::test]
async fn a_long_copy_goes_on_until_it_is_done() {
    let (bucket, server, _account) = bucket(0);
    bucket.copy(&name("a"), &name("b/c")).await.unwrap();
    assert_eq!(server.with(|service| service.steps), 0);
}
