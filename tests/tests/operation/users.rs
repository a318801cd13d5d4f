//! Moving accounts in and out.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use portcullis_tests::{Outcome, PASSWORD, Server, eventually, problem, program, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Hashes that others made: of [`PASSWORD`] by Python's bcrypt, argon2-cffi,
/// passlib and Django, and Firebase's published one.
const HASHES: &[(&str, &str, &str)] = &[
    ("bcrypt", PASSWORD, "$2b$05$jn0iB8LvxgiFW71x5KVqkux1ZEJRxBJccvwE6FK.nTQFhk.hX4126"),
    ("php", PASSWORD, "$2y$04$CrA9EoVLzlb0cOcBpmxmc.uJd/Cbp7.l8c8ou/96BTld/GRAHwYtW"),
    (
        "argon2id",
        PASSWORD,
        "$argon2id$v=19$m=7168,t=5,p=1$AI/gHF0cF1vKBUkstrinpQ$hJndd/u/X/MJ4r/p2zTDKJ2VEnk7kdbA0LRS4gBztBk",
    ),
    (
        "scrypt",
        PASSWORD,
        "$scrypt$ln=10,r=8,p=1$YWFhYWJiYmJjY2NjZGRkZA$1qBkx0xHoDykSjj4CYPj3wHSBjpX18b7f3nPkd+LdaE",
    ),
    (
        "django",
        PASSWORD,
        "pbkdf2_sha256$1000$seasalt2$FcOqJjD+azffPaEurbBnIGUrv+mWcr+gCBEG9dm24MQ=",
    ),
    (
        "firebase",
        "user1password",
        "$firebase-scrypt$mem=14,rounds=8,sep=Bw==,key=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    ),
];

const HASH: &str = HASHES[0].2;

/// An account with what it must have.
fn account(local: &str) -> Value {
    json!({
        "email": format!("{local}@example.com"),
        "email_verified": true,
        "name": "Ann Mary Lee",
        "password_hash": HASH,
    })
}

/// The same with other fields too.
fn account_with(local: &str, fields: &Value) -> Value {
    let mut account = account(local);
    for (name, value) in fields.as_object().unwrap() {
        account[name] = value.clone();
    }
    account
}

fn lines(accounts: &[Value]) -> String {
    accounts.iter().fold(String::new(), |mut text, account| {
        writeln!(text, "{account}").unwrap();
        text
    })
}

fn crowd(count: usize) -> Vec<Value> {
    (1..=count).map(|number| account(&format!("user{number}"))).collect()
}

fn import(folder: &Path, text: impl AsRef<[u8]>, arguments: &[&str]) -> Outcome {
    std::fs::write(folder.join("people.ndjson"), text).unwrap();
    run(folder, &[&["users", "import", "people.ndjson"], arguments].concat(), &[])
}

fn export(folder: &Path) -> String {
    let outcome = run(folder, &["users", "export"], &[]);
    assert!(outcome.status.success(), "{}", outcome.said());
    outcome.stdout
}

/// The accounts that are there, by their addresses.
fn there(folder: &Path) -> Vec<String> {
    let accounts = export(folder);
    let parsed = accounts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    parsed.map(|account| account["email"].as_str().unwrap().to_owned()).collect()
}

/// Insists on a summary.
#[track_caller]
fn counts(outcome: &Outcome, added: usize, already_there: usize, refused: usize) {
    let numbers: Vec<usize> = outcome
        .stdout
        .lines()
        .take(3)
        .map(|line| line.split_whitespace().last().unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, [added, already_there, refused], "{}", outcome.said());
    assert_eq!(outcome.status.success(), refused == 0, "{}", outcome.said());
}

/// The import of what is yet to be written to its standard input.
fn import_in_pieces(folder: &Path) -> Child {
    Command::new(program())
        .args(["users", "import", "-"])
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until so many accounts are there.
async fn has_come(folder: &Path, count: usize) {
    eventually("the accounts", Duration::from_secs(20), async || {
        (there(folder).len() == count).then_some(())
    })
    .await;
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// A bad line, and what is told of it.
fn told(line: impl AsRef<[u8]>, reason: &'static str) -> (Vec<u8>, &'static str) {
    (line.as_ref().to_vec(), reason)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn everybody_logs_in_with_the_password_they_had_and_gets_a_hash_of_our_own() {
    let folder = folder();
    let people: Vec<Value> = HASHES
        .iter()
        .map(|(name, _, hash)| {
            account_with(name, &json!({"password_hash": hash, "username": format!("{name}.user")}))
        })
        .collect();
    counts(&import(folder.path(), lines(&people), &[]), HASHES.len(), 0, 0);
    let server = Server::start_in(folder, &[]).await;
    for (name, password, _) in HASHES {
        let email = format!("{name}@example.com");
        let wrong = server.anonymous().log_in(&email, "not the password").await;
        wrong.is_problem(problem::BAD_LOGIN);
        server.anonymous().log_in(&email, password).await.is(200);
        // By the new hash.
        server.anonymous().log_in(&email, password).await.is(200);
        let username = format!("{name}.user");
        server.anonymous().log_in_by_form(&username, password).await.is(200);
    }
    let after = export(server.folder());
    let ours = after.lines().filter(|line| line.contains(r#""password_hash":"$bcrypt-sha256$"#));
    assert_eq!(ours.count(), HASHES.len(), "{after}");
    // They are known by their addresses and stay as they are.
    counts(&import(server.folder(), lines(&people), &[]), 0, HASHES.len(), 0);
}

#[tokio::test]
async fn ids_are_kept_and_the_next_account_gets_a_greater_number() {
    let folder = folder();
    let id = "7d5f0a3c-6f0e-4a43-9d0e-0f2a6a1d2b3c";
    let fields = json!({
        "id": id, "number": 4711, "username": "AnnLee", "first_name": "Ann", "last_name": "Lee",
        "created_at": "2021-03-04T05:06:07+01:00",
    });
    counts(&import(folder.path(), lines(&[account_with("ann", &fields)]), &[]), 1, 0, 0);
    let server = Server::start_in(folder, &[]).await;
    let ann = server.logged_in_again("ann@example.com").await;
    let me = ann.me().await;
    assert_eq!(me.str("/id"), id);
    assert_eq!(me.str("/name"), "Ann Mary Lee");
    assert!(me.str("/created_at").starts_with("2021-03-04T04:06:07"), "{me:?}");
    let me = ann.users_me().await.expect(200);
    assert_eq!(me.body["id"], 4711);
    assert_eq!((me.str("/username"), me.str("/first_name")), ("AnnLee", "Ann"));
    let bob = server.signed_up("bob", "bob@example.com").await;
    assert!(bob.users_me().await.body["id"].as_u64().unwrap() > 4711);
}

#[tokio::test]
async fn who_is_disabled_or_has_no_password_or_proof_does_not_get_in() {
    let folder = folder();
    let people = [
        account_with("disabled", &json!({"status": "disabled"})),
        account_with("nobody", &json!({"password_hash": "!"})),
        account_with("unproven", &json!({"email_verified": false})),
    ];
    let outcome = import(folder.path(), lines(&people), &[]);
    counts(&outcome, 3, 0, 0);
    assert!(outcome.stdout.contains("unproven       1 "), "{}", outcome.stdout);
    let server = Server::start_in(folder, &[]).await;
    for name in ["disabled", "nobody"] {
        let refused = server.anonymous().log_in(&format!("{name}@example.com"), PASSWORD).await;
        refused.is_problem(problem::BAD_LOGIN);
    }
    let refused = server.anonymous().log_in("unproven@example.com", PASSWORD).await;
    refused.is_problem(problem::NOT_VERIFIED);
    let token = server.reset_token("nobody@example.com").await;
    server.anonymous().confirm_reset(&token, PASSWORD).await.is(200);
    server.anonymous().log_in("nobody@example.com", PASSWORD).await.is(200);
}

#[test]
fn a_dry_run_says_what_would_happen_and_writes_nothing() {
    let folder = folder();
    counts(&import(folder.path(), lines(&[account("ann")]), &[]), 1, 0, 0);
    let before = export(folder.path());
    let people = [
        account("ann"),
        account_with("ann", &json!({"id": "7d5f0a3c-6f0e-4a43-9d0e-0f2a6a1d2b3c"})),
        account_with("bob", &json!({"username": "bobby"})),
        account_with("eve", &json!({"username": "BOBBY"})),
        account_with("ida", &json!({"password_hash": "hunter2"})),
    ];
    let rehearsed = import(folder.path(), lines(&people), &["--dry-run"]);
    counts(&rehearsed, 1, 1, 3);
    assert!(rehearsed.stdout.starts_with("would be added"), "{}", rehearsed.stdout);
    assert_eq!(export(folder.path()), before);
    let done = import(folder.path(), lines(&people), &[]);
    counts(&done, 1, 1, 3);
    assert_eq!(done.stderr, rehearsed.stderr, "it finds what it said");
}

#[test]
fn every_bad_line_is_told_by_its_number_and_the_others_are_imported() {
    let folder = folder();
    let wrong = |fields: &Value| account_with("wrong", fields).to_string();
    let long = account_with("wrong", &json!({"name": "x".repeat(70_000)})).to_string();
    let bad = [
        told(b"{\"email\": hunter2", "is not JSON: expected value (column 11)"),
        told(b"{\"email\": \"\xff\"}", "is not JSON: invalid unicode code point"),
        told(b"[1]", "is not a JSON object"),
        told(br#"{"email":"a@example.com","email":"b@example.com"}"#, "each field once"),
        told(b"{}", "email: is missing; password_hash: is missing; name: is missing"),
        told(wrong(&json!({"email": "no address"})), "email: value is not a valid"),
        told(wrong(&json!({"email": ["a@example.com"]})), "email: must be a text"),
        told(wrong(&json!({"name": "a\u{0}b"})), "name: control characters"),
        told(wrong(&json!({"password_hash": "hunter2"})), "password_hash: the hash is of an"),
        told(wrong(&json!({"password_hash": "$2b$10$hunter2"})), "not a whole bcrypt hash"),
        told(
            wrong(
                &json!({"password_hash": "pbkdf2_sha256$99999999$hunter2$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}),
            ),
            "asks for too much work: 10,000,000 iterations at most",
        ),
        told(wrong(&json!({"id": "auth0|hunter2"})), "id: must be a UUID"),
        told(wrong(&json!({"number": "7"})), "number: must be a whole number"),
        told(wrong(&json!({"number": -7})), "number: must be a whole number"),
        told(wrong(&json!({"username": "a"})), "username: username must be"),
        told(wrong(&json!({"status": "hunter2"})), "status: must be active or disabled"),
        told(wrong(&json!({"created_at": 1_700_000_000})), "created_at: must be a text"),
        told(wrong(&json!({"created_at": "yesterday"})), "created_at: must be a point"),
        told(wrong(&json!({"hash": "hunter2"})), "hash: is no field of an account"),
        told(
            account_with("good0", &json!({"id": "7d5f0a3c-6f0e-4a43-9d0e-0f2a6a1d2b3c"}))
                .to_string(),
            "email: held by another account",
        ),
        told(long, "is longer than 65536 bytes"),
    ];
    let mut text = "\u{feff}".as_bytes().to_vec();
    for (number, (line, _)) in bad.iter().enumerate() {
        writeln!(text, "{}", account(&format!("good{number}"))).unwrap();
        text.extend([line, &b"\r\n"[..]].concat());
    }
    text.extend(account("last").to_string().as_bytes());
    let outcome = import(folder.path(), &text, &[]);
    counts(&outcome, bad.len() + 1, 0, bad.len());
    for (told, (number, (_, reason))) in outcome.stderr.lines().zip(bad.iter().enumerate()) {
        let expected = format!("line {}: ", 2 * number + 2);
        assert!(told.starts_with(&expected) && told.contains(reason), "{expected}{reason}: {told}");
    }
    let last = outcome.stderr.lines().last().unwrap();
    assert_eq!(
        last,
        format!("portcullis: {0} of {1} lines were refused", bad.len(), 2 * bad.len() + 1)
    );
    assert!(!outcome.said().contains("hunter2"), "{}", outcome.said());
    assert_eq!(there(folder.path()).len(), bad.len() + 1);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let folder = folder();
    for file in ["nowhere.ndjson", "."] {
        let outcome = run(folder.path(), &["users", "import", file], &[]);
        assert!(!outcome.status.success());
        assert!(outcome.stderr.contains("directory"), "{}", outcome.said());
    }
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_when_it_is_repeated() {
    let folder = folder();
    let people = crowd(2_500);
    let mut child = import_in_pieces(folder.path());
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(lines(&people[..2_400]).as_bytes()).unwrap();
    stdin.flush().unwrap();
    has_come(folder.path(), 2_000).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(there(folder.path()).len(), 2_000, "half a batch is there");
    counts(&import(folder.path(), lines(&people), &[]), 500, 2_000, 0);
    counts(&import(folder.path(), lines(&people), &[]), 0, 2_500, 0);
    let expected: Vec<String> = (1..=2_500).map(|at| format!("user{at}@example.com")).collect();
    assert_eq!(there(folder.path()), expected);
}

#[tokio::test]
async fn an_import_that_is_asked_to_stop_ends_its_batch_and_says_how_to_go_on() {
    let folder = folder();
    let people = crowd(1_500);
    let mut child = import_in_pieces(folder.path());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines(&people[..1_200]).as_bytes()).unwrap();
    stdin.flush().unwrap();
    has_come(folder.path(), 1_000).await;
    send("-INT", &child);
    // It waits for more, and notices when it comes.
    tokio::time::sleep(Duration::from_millis(300)).await;
    stdin.write_all(lines(&people[1_200..]).as_bytes()).unwrap();
    drop(stdin);
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("as asked; what was added stays; run the same command again"), "{said}");
    let first = there(folder.path()).len();
    assert!((1_200..1_500).contains(&first), "{first}");
    counts(&import(folder.path(), lines(&people), &[]), 1_500 - first, first, 0);
}

#[test]
fn what_moves_out_moves_in_elsewhere_and_out_again_to_the_byte() {
    let (here, elsewhere) = (folder(), folder());
    let full = json!({
        "id": "7d5f0a3c-6f0e-4a43-9d0e-0f2a6a1d2b3c", "number": 4711, "username": "Ann.LEE",
        "name": "Lée, \"Ann\" \\ 🦀", "first_name": "Ann", "last_name": "Lée", "status": "disabled",
        "email_verified": null, "email_verified_at": "2021-03-04T05:06:07.000001Z",
        "password_changed_at": "2022-03-04T05:06:07.123456Z",
        "created_at": "1969-12-31T23:59:59.999999Z", "updated_at": "2023-03-04T05:06:07Z",
        "last_login_at": "2024-03-04T05:06:07Z",
    });
    let mut people = vec![account_with("ann", &full)];
    people.extend(crowd(1_100));
    people.extend(HASHES.iter().map(|(name, _, hash)| {
        account_with(name, &json!({"password_hash": hash, "email_verified": false}))
    }));
    counts(&import(here.path(), lines(&people), &[]), people.len(), 0, 0);
    let out = export(here.path());
    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    for (name, value) in full.as_object().unwrap() {
        if name != "email_verified" && !name.ends_with("_at") {
            assert_eq!(&first[name], value, "{name}");
        }
    }
    assert_eq!(first["created_at"], full["created_at"]);
    counts(&import(elsewhere.path(), &out, &[]), people.len(), 0, 0);
    assert_eq!(export(elsewhere.path()), out);
    counts(&import(here.path(), &out, &[]), 0, people.len(), 0);
}

#[test]
fn an_exported_file_is_its_owners_alone_and_replaces_none() {
    let folder = folder();
    counts(&import(folder.path(), lines(&[account("ann")]), &[]), 1, 0, 0);
    let out = export(folder.path());
    let export_to_file = || run(folder.path(), &["users", "export", "--output", "out.ndjson"], &[]);
    assert!(export_to_file().status.success());
    let file = folder.path().join("out.ndjson");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), out);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, "precious").unwrap();
    assert!(!export_to_file().status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn every_example_of_the_documentation_can_be_imported() {
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/moving-in.md");
    let text = std::fs::read_to_string(text).unwrap();
    let examples: Vec<&str> =
        text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let folder = folder();
        counts(&import(folder.path(), example, &["--dry-run"]), 1, 0, 0);
    }
}
