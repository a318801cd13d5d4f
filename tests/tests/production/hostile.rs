//! Rows of the security list that need a real Postgres, Redis or SMTP server.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis, SmtpSink};
use portcullis_tests::{PASSWORD, at_once, eventually};
use serde_json::json;

use crate::backends::{Backends, SECRET};
use crate::letterbox::{Letterbox, RESET, VERIFICATION};

const REGISTER: &str = "/api/v1/auth/register";

/// Postgres keeps no NUL: one that reached it would be an error of the database.
#[tokio::test]
async fn in_07_nul_never_reaches_postgres() {
    let server = Backends::new().instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let anonymous = server.anonymous();
    let nul = "a\0b";
    let register = |email: &str, name: &str| {
        let body = json!({"email": email, "name": name, "password": PASSWORD});
        let anonymous = anonymous.clone();
        async move { anonymous.post(REGISTER, &body).await }
    };
    let mut answers = vec![
        anonymous.register_with("ann@example.com", "pass\0word-81-Zx").await,
        register("bob@example.com", nul).await,
        register("c\0@example.com", "C").await,
        anonymous.verify(nul).await,
        anonymous.get("/api/v1/auth/verify-email/a%00b").await,
        anonymous.log_in(nul, PASSWORD).await,
        anonymous.log_in("john@example.com", nul).await,
        anonymous.log_in_by_form(nul, nul).await,
        anonymous.refresh(nul).await,
        anonymous.request_reset(nul).await,
        anonymous.confirm_reset(nul, PASSWORD).await,
        john.log_out_with(nul).await,
        john.patch_me(&json!({"name": nul})).await,
    ];
    for field in 0..5 {
        let mut fields = [
            ("username", "newuser"),
            ("email", "new@example.com"),
            ("password", PASSWORD),
            ("first_name", "New"),
            ("last_name", "User"),
        ];
        fields[field].1 = nul;
        answers.push(anonymous.post_form("/api/v1/auth/signup", &fields).await);
    }
    for answer in answers {
        assert!(answer.status < 500, "{answer:?}");
    }
    assert!(!server.log().contains("ERROR"), "{}", server.log());
    john.is_alive().await;
}

/// The owner migrates; the server itself may read and write rows, and no more.
#[tokio::test]
async fn op_08_the_server_runs_with_no_more_rights_than_to_rows() {
    let backends = Backends::new();
    let folder = tempfile::tempdir().unwrap();
    let migrated = portcullis_tests::run(folder.path(), &["migrate"], &backends.settings());
    assert!(migrated.status.success(), "{}", migrated.said());
    for sql in [
        "CREATE ROLE least LOGIN PASSWORD 'canary-least'",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO least",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO least",
        "REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM least",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO least",
    ] {
        backends.sql(sql);
    }
    let database = backends.database().rsplit('/').next().unwrap().to_owned();
    let url = Postgres::shared().url_of("least", "canary-least", &database);
    let server = Backends::on(&url).instance().await;
    let ann = server.logged_in("ann@example.com").await;
    ann.patch_me(&json!({"name": "Ann Other"})).await.is(200);
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
    server.signed_up("johndoe", "john@example.com").await.log_out().await.is(204);
    let psql = Command::new("psql").args(["-X", "-q", &url, "-c", "CREATE TABLE t ()"]).output();
    assert!(!psql.unwrap().status.success(), "the role may create tables");
    // Whoever may not migrate is told so only when there is something to migrate.
    backends.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    let on_its_rights = Backends::on(&url);
    let settings = on_its_rights.settings();
    let refused = portcullis_tests::run(folder.path(), &["migrate"], &settings);
    assert!(refused.said().contains("newer version"), "{}", refused.said());
}

/// Somebody holds a row that a request needs.
#[tokio::test]
async fn do_08_a_request_that_waits_for_a_row_is_given_up_and_gives_its_connection_back() {
    // Forty logins at once are forty attempts before the first succeeds.
    let backends =
        Backends::new().with("LOCKOUT_THRESHOLD", "1000").with("LOCKOUT_ACCOUNT_THRESHOLD", "1000");
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let database = backends.database().to_owned();
    let holder = std::thread::spawn(move || {
        let sql = "BEGIN; SELECT * FROM users FOR UPDATE; SELECT * FROM sessions FOR UPDATE; \
                   SELECT pg_sleep(8); COMMIT";
        Postgres::shared().sql(&database, sql)
    });
    let locked = async || {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event = 'PgSleep'";
        (backends.sql(sql) != "0").then_some(())
    };
    eventually("the lock", Duration::from_secs(5), locked).await;
    let started = Instant::now();
    let answers = at_once(24, |number| {
        let (john, anonymous) = (john.clone(), server.anonymous());
        async move {
            match number % 3 {
                0 => anonymous.refresh(&john.refresh).await,
                1 => john.patch_me(&json!({"name": format!("John {number}")})).await,
                _ => john.log_out().await,
            }
        }
    })
    .await;
    let took = started.elapsed();
    let given_up = answers.iter().filter(|answer| answer.status == 503).count();
    println!("24 requests on held rows were answered in {took:?}, {given_up} of them with 503");
    for answer in answers {
        assert!([200, 204, 401, 503].contains(&answer.status), "{answer:?}");
    }
    assert!(given_up > 0 && took < Duration::from_secs(10), "{given_up} in {took:?}");
    holder.join().unwrap();
    // All connections are back: as many at once as the pool has, and more.
    let answers = at_once(40, |_| {
        let anonymous = server.anonymous();
        async move { anonymous.log_in_by_form("johndoe", PASSWORD).await.status }
    })
    .await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
}

/// Connections of the server that do something.
fn busy(backends: &Backends) -> usize {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'portcullis'
               AND state <> 'idle'";
    backends.sql(sql).parse().unwrap()
}

#[tokio::test]
async fn do_07_r_50_who_hangs_up_during_a_login_leaves_no_connection_to_postgres_busy() {
    let many = "100000";
    let backends =
        Backends::new().with("LOCKOUT_THRESHOLD", many).with("LOCKOUT_ACCOUNT_THRESHOLD", many);
    let server = backends.instance().await;
    server.signed_up("johndoe", "john@example.com").await;
    let port = server.port();
    let body = format!("username=johndoe&password={PASSWORD}");
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    std::thread::scope(|scope| {
        for client in 0..20_u64 {
            let request = &request;
            scope.spawn(move || {
                for number in 0..25 {
                    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                    drop(stream.write_all(request.as_bytes()));
                    let wait = (client * 31 + number * 17) % 90;
                    std::thread::sleep(Duration::from_millis(wait));
                }
            });
        }
    });
    let idle = async || (busy(&backends) == 0).then_some(());
    eventually("no connection busy", Duration::from_mins(1), idle).await;
    for _ in 0..50 {
        let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await;
        // What still waits in the queue for hashes may come first.
        assert!([200, 503].contains(&answer.status), "{answer:?}");
    }
    for _ in 0..10 {
        server.anonymous().log_in_by_form("johndoe", PASSWORD).await.is(200);
    }
    eventually("no connection busy", Duration::from_secs(10), idle).await;
}

/// The tables that grow with use.
const GROWING: [&str; 6] =
    ["one_time_tokens", "sessions", "login_failures", "outbox", "audit_events", "jobs"];

/// Everything that grows with use is emptied of what is past its time.
#[tokio::test]
async fn do_10_do_11_what_grows_is_emptied_again() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let ann = server.logged_in("ann@example.com").await;
    server.anonymous().log_in("ghost@example.com", PASSWORD).await.is(400);
    server.anonymous().request_reset("ann@example.com").await.is(200);
    server.registered("never@example.com").await;
    ann.log_out().await.is(204);
    backends.outbox_is_settled().await;
    backends.sql(
        "INSERT INTO jobs (id, kind, payload, created_at, attempts, due_at, settled_at)
         VALUES (gen_random_uuid(), 'seed_users', '1 1 !', now(), 1, now(), now())",
    );
    drop(server);
    // Two years go by.
    for table in GROWING.into_iter().chain(["users"]) {
        let columns = backends.sql(&format!(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' \
             AND table_name = '{table}' AND data_type LIKE 'timestamp%'"
        ));
        let changes: Vec<_> = columns
            .lines()
            .map(|column| format!("{column} = {column} - make_interval(years => 2)"))
            .collect();
        assert!(!changes.is_empty(), "{table} has no times");
        backends.sql(&format!("UPDATE {table} SET {}", changes.join(", ")));
    }
    // A start begins with a purge.
    let server = backends.instance().await;
    for table in GROWING {
        eventually(&format!("an empty {table}"), Duration::from_secs(10), async || {
            let left = backends.sql(&format!("SELECT count(*) FROM {table}"));
            (left == "0").then_some(())
        })
        .await;
    }
    // Who was verified stays; who never was is gone.
    assert_eq!(backends.sql("SELECT email FROM users"), "ann@example.com");
    drop(server);
}

/// What leaves the server's own process: rows, keys and values, and lines.
#[tokio::test]
async fn op_01_do_10_planted_secrets_are_neither_in_postgres_nor_in_redis_nor_in_the_log() {
    let (redis, sink) = (Redis::start(), SmtpSink::start().await);
    let backends = Backends::new().with_redis(&redis).with_smtp(&sink.url());
    let backends = backends.with("LOG_LEVEL", "trace").with("LOG_FORMAT", "json");
    let server = backends.instance().await;
    let anonymous = server.anonymous();
    let mut secrets = vec![SECRET.to_owned()];
    for round in 0..6 {
        let email = format!("ann{round}@example.com");
        let [first, second, wrong] =
            ["first", "second", "wrong"].map(|what| format!("canary-{what}-{round}-Zx81!"));
        anonymous.register_with(&email, &first).await.is(201);
        let verification = sink.mail(&email, VERIFICATION).await.token();
        anonymous.verify(&verification).await.is(200);
        let answer = anonymous.log_in(&email, &first).await.expect(200);
        let ann = anonymous.with_tokens_of(&answer);
        let renewed = ann.refreshed().await;
        renewed.me().await.is(200);
        renewed.me().await.is(200);
        anonymous.log_in(&email, &wrong).await.is(400);
        anonymous.request_reset(&email).await.is(200);
        let reset = sink.mail(&email, RESET).await.token();
        anonymous.confirm_reset(&reset, &second).await.is(200);
        let again = anonymous.log_in(&email, &second).await.expect(200);
        let again = anonymous.with_tokens_of(&again);
        again.me().await.is(200);
        secrets.extend([first, second, wrong, verification, reset, again.access, again.refresh]);
        secrets.extend([ann.access, ann.refresh, renewed.access, renewed.refresh]);
    }
    let kept = contents(&redis);
    let dump = pg_dump(backends.database());
    assert!(dump.contains("ann0@example.com"), "nothing was dumped");
    assert!(!kept.is_empty(), "Redis holds nothing");
    let log = server.log();
    for secret in &secrets {
        let hex = secret.bytes().fold(String::new(), |all, byte| all + &format!("{byte:02x}"));
        for (place, text) in [("the database", &dump), ("Redis", &kept), ("the log", &log)] {
            let is_there = text.contains(secret.as_str()) || text.contains(&hex);
            assert!(!is_there, "{secret} is in {place}");
        }
    }
    let sizes = [dump.len(), kept.len(), log.len()];
    println!("{} secrets; bytes of database, Redis and log: {sizes:?}", secrets.len());
}

/// All keys and values of a Redis.
fn contents(redis: &Redis) -> String {
    let mut kept = String::new();
    for key in redis.command(&["KEYS", "*"]).lines().filter(|key| !key.is_empty()) {
        // Nothing is kept for ever: some may be gone already.
        let left: i64 = redis.command(&["PTTL", key]).trim().parse().unwrap();
        assert_ne!(left, -1, "{key} never expires");
        kept += key;
        kept += &redis.command(&["DUMP", key]);
    }
    kept
}

fn pg_dump(url: &str) -> String {
    let output = Command::new("pg_dump").args(["--inserts", url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
