//! How many statements each request costs on Postgres, as Postgres counts them.

use std::time::Duration;

use portcullis_testkit::{Postgres, Redis};
use portcullis_tests::{Anonymous, Answer, PASSWORD, Server, eventually};
use reqwest::Method;
use serde_json::json;

use crate::backends::Backends;
use crate::letterbox::{RESET, VERIFICATION};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/statements.md");
const BEGIN: &str = "<!-- statements:begin -->\n";
const END: &str = "<!-- statements:end -->";

/// Letters come due in an hour, so that no worker's statements are counted.
const LETTERS_WAIT: &str = "CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.due_at := NEW.due_at + interval '1 hour'; RETURN NEW; END $$;
    CREATE TRIGGER later BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION later()";

/// What was executed since the last reset, without the workers' looks at the
/// outbox, at the jobs and at the clock and without the counting itself.
const EXECUTED: &str = "FROM pg_stat_statements JOIN pg_database ON dbid = pg_database.oid
    WHERE datname = current_database() AND query NOT LIKE '%pg_stat_statements%'
    AND query NOT LIKE 'SELECT EXISTS %FROM \"outbox\"%'
    AND query NOT LIKE 'SELECT EXISTS %FROM \"jobs\"%' AND query NOT LIKE '%clock_timestamp%'";

/// Counts statements, and writes the counts down.
pub(crate) struct Meter {
    postgres: Postgres,
    database: String,
    table: Vec<(&'static str, u32)>,
}

impl Meter {
    pub(crate) fn start() -> Self {
        let library = "shared_preload_libraries=pg_stat_statements";
        let postgres = Postgres::start(&[library]);
        let database = postgres.empty_database();
        postgres.sql(&database, "CREATE EXTENSION pg_stat_statements");
        Self { postgres, database, table: Vec::new() }
    }

    /// One connection is enough here, and its set-up is done with the first look
    /// at the outbox.
    pub(crate) fn backends(&self) -> Backends {
        Backends::on(&self.database).with("DATABASE_POOL_SIZE", "1")
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        self.postgres.sql(&self.database, sql).trim().to_owned()
    }

    /// From now on no letter comes due for an hour.
    pub(crate) fn let_letters_wait(&self) {
        self.sql(LETTERS_WAIT);
    }

    /// What is executed meanwhile: each statement with how often it was called.
    /// Its id tells it; of its text, the constants in it may come and go.
    pub(crate) fn statements_of<T>(&self, requests: impl FnOnce() -> T) -> (T, String) {
        self.sql("SELECT pg_stat_statements_reset()");
        let answers = requests();
        (
            answers,
            self.sql(&format!("SELECT calls, queryid, left(query, 90) {EXECUTED} ORDER BY 3, 2")),
        )
    }

    /// Counts what a request costs, which must succeed with that status.
    async fn count(
        &mut self,
        request: &'static str,
        status: u16,
        answer: impl Future<Output = Answer>,
    ) -> Answer {
        self.sql("SELECT pg_stat_statements_reset()");
        let answer = answer.await.expect(status);
        let count = self.sql(&format!("SELECT coalesce(sum(calls), 0) {EXECUTED}"));
        println!("{request}: {count}\n{}", self.sql(&format!("SELECT calls, query {EXECUTED}")));
        self.table.push((request, count.parse().unwrap()));
        answer
    }

    fn of(&self, request: &str) -> u32 {
        let row = self.table.iter().find(|(name, _)| *name == request);
        row.unwrap_or_else(|| panic!("{request} was not counted")).1
    }

    /// Lets the letters out that were written so far, and waits until the worker
    /// has nothing more to do.
    pub(crate) async fn deliver(&self) {
        self.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
        eventually("an empty outbox", Duration::from_secs(10), async || {
            let waiting = self.sql("SELECT count(*) FROM outbox WHERE settled_at IS NULL");
            (waiting == "0").then_some(())
        })
        .await;
    }

    fn written(&self) -> String {
        let rows = self.table.iter().map(|(request, count)| format!("| {request} | {count} |\n"));
        format!("| request | statements |\n|---|---|\n{}", rows.collect::<String>())
    }
}

async fn post(anonymous: &Anonymous, path: &str, email: &str) -> Answer {
    let request = anonymous.request(Method::POST, &format!("/api/v1/auth/{path}"));
    Answer::to(request.json(&json!({"email": email}))).await
}

/// From no account to a verified one.
async fn arrive(meter: &mut Meter, server: &Server) {
    let (anonymous, ann) = (server.anonymous(), "ann@example.com");
    meter.count("register", 201, anonymous.register(ann)).await;
    meter.count("sign up", 201, anonymous.sign_up("johndoe", "john@example.com")).await;
    let resend = post(&anonymous, "verify-email/resend", ann);
    meter.count("ask for the verification mail again", 200, resend).await;
    meter.deliver().await;
    let token = server.mailbox().mail(ann, VERIFICATION).await.token();
    meter.count("verify", 200, anonymous.verify(&token)).await;
    meter.deliver().await;
}

/// Logging in, with what is right and with what is wrong.
async fn log_in(meter: &mut Meter, server: &Server) {
    let (anonymous, ann) = (server.anonymous(), "ann@example.com");
    meter.count("log in (JSON)", 200, anonymous.log_in(ann, PASSWORD)).await;
    meter.count("log in (form)", 200, anonymous.log_in_by_form("johndoe", PASSWORD)).await;
    meter.count("log in, wrong password", 400, anonymous.log_in(ann, "wrong password")).await;
    let stranger = anonymous.log_in("nobody@example.com", PASSWORD);
    meter.count("log in, unknown address", 400, stranger).await;
}

/// What a session is for.
async fn use_session(meter: &mut Meter, server: &Server) {
    let ann = server.logged_in_again("ann@example.com").await;
    meter.count("read the profile", 200, ann.me()).await;
    meter.count("read the profile (contract B)", 200, ann.users_me()).await;
    let rename = json!({"name": "Ann Other"});
    meter.count("change the profile", 200, ann.patch_me(&rename)).await;
    let refresh = ann.anonymous().refresh(&ann.refresh);
    meter.count("refresh", 200, refresh).await;
    let replay = ann.anonymous().refresh(&ann.refresh);
    meter.count("refresh, a second tab", 200, replay).await;
    meter.count("log out", 204, ann.log_out()).await;
    let ann = server.logged_in_again("ann@example.com").await;
    meter.count("log out (contract B)", 200, ann.log_out_without_body()).await;
    meter.count("read the profile, logged out", 401, ann.me()).await;
}

/// Choosing a new password.
async fn reset(meter: &mut Meter, server: &Server) {
    let (anonymous, ann) = (server.anonymous(), "ann@example.com");
    let ask = post(&anonymous, "password-reset/request", ann);
    meter.count("ask for a password reset", 200, ask).await;
    meter.deliver().await;
    let token = server.mailbox().mail(ann, RESET).await.token();
    let confirm = anonymous.confirm_reset(&token, "NewSecurePass456!");
    meter.count("reset the password", 200, confirm).await;
    meter.deliver().await;
}

/// What Redis saves.
async fn read_with_redis(meter: &mut Meter) {
    let redis = Redis::start();
    let server = meter.backends().with_redis(&redis).instance().await;
    let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
    let john = server.anonymous().with_tokens_of(&answer);
    meter.count("read the profile, with Redis, first", 200, john.me()).await;
    meter.count("read the profile, with Redis, again", 200, john.me()).await;
}

#[tokio::test]
async fn each_request_costs_what_was_promised_and_what_the_documentation_says() {
    let mut meter = Meter::start();
    let server = meter.backends().instance().await;
    meter.let_letters_wait();
    arrive(&mut meter, &server).await;
    log_in(&mut meter, &server).await;
    use_session(&mut meter, &server).await;
    reset(&mut meter, &server).await;
    let anonymous = server.anonymous();
    // What was found at the start is not told any more.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    meter.count("health", 200, anonymous.get("/health")).await;
    drop(server);
    read_with_redis(&mut meter).await;

    for (request, promised) in [
        ("read the profile", 1),
        ("read the profile (contract B)", 1),
        ("read the profile, with Redis, again", 0),
        ("refresh", 1),
        ("log in (JSON)", 2),
        ("log in (form)", 2),
        ("log in, wrong password", 1),
    ] {
        assert_eq!(meter.of(request), promised, "{request}");
    }
    is_documented(&meter.written());
}

/// `UPDATE_DOCS=1` writes the table into the page.
fn is_documented(table: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, table, "docs/statements.md: write it anew with UPDATE_DOCS=1");
    }
}
