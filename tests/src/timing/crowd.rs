//! The people whom the experiment is about, and the requests about them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::TRIES;
use super::comparison::Comparison;
use crate::{Connection, PASSWORD, Server, post_of, run};

const WRONG: &str = "wrong password";
/// Locked names of each kind; being locked, they can be asked for ever.
const LOCKED: usize = 25;
/// `LOCKOUT_THRESHOLD`.
const GUESSES: usize = 10;

/// Accounts in every state, so many of each that none is tried too often.
pub(super) struct Crowd {
    pairs: usize,
    in_packets: usize,
}

/// An address of the crowd; all are of one length.
fn address(kind: &str, number: usize) -> String {
    assert_eq!(kind.len(), 4);
    format!("{kind}{number:06}@example.com")
}

fn post(path: &str, body: &Value) -> Vec<u8> {
    post_of(&format!("/api/v1/auth/{path}"), &[], body)
}

fn login(kind: &str, number: usize, password: &str) -> Vec<u8> {
    post("login", &json!({"email": address(kind, number), "password": password}))
}

/// Locks names that exist and names that do not.
pub(super) fn lock(connection: &mut Connection, progress: impl Fn(usize, usize)) {
    for number in 0..LOCKED {
        progress(number, LOCKED);
        for kind in ["lock", "nolk"] {
            for _ in 0..GUESSES {
                let answer = connection.ask(&login(kind, number, WRONG));
                assert_eq!(answer.status(), Some(400), "{answer:?}");
            }
        }
    }
}

impl Crowd {
    /// Brings the people in: enough for so many pairs, and so many in packets.
    pub(super) async fn settle(
        server: &Server,
        settings: &[(&str, &str)],
        (pairs, in_packets): (usize, usize),
    ) -> Self {
        let size = (pairs + in_packets).div_ceil(TRIES) + 1;
        // One hash of the server's own making is everybody's.
        server.anonymous().register(&address("seed", 0)).await.is(201);
        let exported = run(server.folder(), &["users", "export"], settings);
        let seed: Value = serde_json::from_str(exported.stdout.trim()).expect("one account");
        let mut lines = String::new();
        let mut settle = |kind: &str, count: usize, more: Value| {
            for number in 0..count {
                let mut account = json!({
                    "email": address(kind, number), "email_verified": true, "name": "Ann Lee",
                    "password_hash": seed["password_hash"],
                });
                for (name, value) in more.as_object().into_iter().flatten() {
                    account[name] = value.clone();
                }
                writeln!(lines, "{account}").unwrap();
            }
        };
        settle("actv", size, json!({}));
        settle("mail", size, json!({}));
        settle("unvf", size, json!({"email_verified": false}));
        settle("disa", size, json!({"status": "disabled"}));
        settle("nopw", size, json!({"password_hash": "!"}));
        settle("lock", LOCKED, json!({}));
        std::fs::write(server.folder().join("crowd.ndjson"), lines).unwrap();
        let imported = run(server.folder(), &["users", "import", "crowd.ndjson"], settings);
        assert!(imported.status.success(), "{}", imported.said());
        Self { pairs, in_packets }
    }

    /// Logins of strangers against logins in each state.
    pub(super) fn logins(&self) -> Vec<Comparison> {
        let compare = |what, stranger: &'static str, kind: &'static str, password| {
            let requests = (0..self.pairs).map(|pair| {
                let number = pair / TRIES;
                (login(stranger, number, password), login(kind, number, password))
            });
            Comparison { what, status: 400, requests: requests.collect() }
        };
        let locked = (0..self.pairs).map(|pair| {
            let number = pair % LOCKED;
            (login("nolk", number, WRONG), login("lock", number, WRONG))
        });
        vec![
            compare("login: another stranger (control)", "str0", "str1", WRONG),
            compare("login: wrong password", "str2", "actv", WRONG),
            compare("login: unverified, wrong password", "str3", "unvf", WRONG),
            compare("login: disabled, right password", "str4", "disa", PASSWORD),
            compare("login: no usable hash", "str5", "nopw", WRONG),
            Comparison {
                what: "login: locked, against a locked stranger",
                status: 429,
                requests: locked.collect(),
            },
        ]
    }

    /// Requests that owe a mail.
    pub(super) fn mails(&self) -> Vec<Comparison> {
        let reset = |kind: &str, number| {
            post("password-reset/request", &json!({"email": address(kind, number)}))
        };
        let register = |kind: &str, number| {
            let email = address(kind, number);
            post("register", &json!({"email": email, "name": "Ann Lee", "password": PASSWORD}))
        };
        let resets =
            (0..self.pairs).map(|pair| (reset("str6", pair / TRIES), reset("mail", pair / TRIES)));
        let registrations =
            (0..self.pairs).map(|pair| (register("free", pair), register("mail", pair / TRIES)));
        vec![
            Comparison { what: "reset request: known", status: 200, requests: resets.collect() },
            Comparison {
                what: "hidden registration: taken, against free",
                status: 201,
                requests: registrations.collect(),
            },
        ]
    }

    /// Logins for pairs in one packet: of people who were not asked about yet.
    pub(super) fn packets(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let first = self.pairs.div_ceil(TRIES);
        let tries = (0..self.in_packets).map(|pair| first + pair / TRIES);
        tries.map(|number| (login("str7", number, WRONG), login("actv", number, WRONG))).collect()
    }
}
