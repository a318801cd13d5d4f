//! One conversation, held with every mix of adapters: the answers are the same,
//! byte for byte.
//!
//! Time, ids and randomness are ports, so what the server says depends on what
//! it is told and on nothing else. The conversation with the first mix is kept
//! in `golden.txt`, to be read; `UPDATE_GOLDEN=1` writes it anew.
//!
//! What is left out of the transcript, and why:
//! * `date`, `connection`, `content-length`, `transfer-encoding`: they tell of
//!   the transport, and the body is there itself;
//! * the order within `access-control-…` lists, which are sets;
//! * the entry `redis` of the `checks` of `/health`, which only mixes with Redis
//!   have;
//! * bodies of documentation and of assets, which are files of the repository;
//! * a mail's `Date` and its encoding, which only mails over SMTP have; its HTML
//!   part where a mail of the same subject has been shown before;
//! * races, which have no order, and failures of dependencies (503, 500) or of
//!   clients (408), which the tests of `faults` and of the adapters provoke.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conversation;
mod coverage;
mod delivery;
mod diff;
mod mixes;
mod request;
mod stories;
mod transcript;

use std::path::PathBuf;

use tokio::sync::{Mutex, OnceCell};

use crate::conversation::Conversation;
use crate::diff::first_difference;
use crate::mixes::{Limits, Mail, Mix, Storage};
use crate::transcript::Transcript;

/// Fewest requests that make a conversation worth comparing.
const ENOUGH: usize = 150;

/// One mix at a time: Redis is given up after a quarter of a second, which
/// twelve servers at once on a small machine might take.
static TURN: Mutex<()> = Mutex::const_new(());

/// The conversation that all others are held against.
static FIRST: OnceCell<Transcript> = OnceCell::const_new();

const FIRST_MIX: Mix =
    Mix { storage: Storage::Memory, limits: Limits::InProcess, mail: Mail::Mailbox };

async fn transcript_of(mix: Mix) -> Transcript {
    let _turn = TURN.lock().await;
    let mut conversation = Conversation::with(mixes::start(mix).await);
    stories::tell(&mut conversation).await;
    conversation.end().await
}

async fn first() -> &'static Transcript {
    FIRST.get_or_init(|| transcript_of(FIRST_MIX)).await
}

fn golden_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcript/golden.txt")
}

#[track_caller]
fn is_same(mix: &Mix, expected: &str, got: &str) {
    if let Some(difference) = first_difference(expected, got) {
        panic!("{mix}: {difference}");
    }
}

#[tokio::test]
async fn the_first_mix_says_what_is_written_down() {
    let got = first().await.to_string();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden_file(), &got).unwrap();
    }
    is_same(&FIRST_MIX, &std::fs::read_to_string(golden_file()).unwrap(), &got);
}

#[tokio::test]
async fn the_conversation_covers_the_contract() {
    let transcript = first().await;
    let requests = transcript.requests();
    assert!(requests.len() >= ENOUGH, "only {} requests", requests.len());
    assert_eq!(coverage::operations_left_out(requests), Vec::<String>::new());
    assert_eq!(coverage::error_codes_left_out(transcript), Vec::<String>::new());
}

/// A test per mix besides the first: it says what the first one says.
macro_rules! mixes {
    ($($name:ident: $storage:ident, $limits:ident, $mail:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let mix =
                Mix { storage: Storage::$storage, limits: Limits::$limits, mail: Mail::$mail };
            let expected = first().await.to_string();
            is_same(&mix, &expected, &transcript_of(mix).await.to_string());
        }
    )*};
}

mixes! {
    memory_in_process_smtp: Memory, InProcess, Smtp;
    memory_redis_mailbox: Memory, Redis, Mailbox;
    memory_redis_smtp: Memory, Redis, Smtp;
    sqlite_in_process_mailbox: Sqlite, InProcess, Mailbox;
    sqlite_in_process_smtp: Sqlite, InProcess, Smtp;
    sqlite_redis_mailbox: Sqlite, Redis, Mailbox;
    sqlite_redis_smtp: Sqlite, Redis, Smtp;
    postgres_in_process_mailbox: Postgres, InProcess, Mailbox;
    postgres_in_process_smtp: Postgres, InProcess, Smtp;
    postgres_redis_mailbox: Postgres, Redis, Mailbox;
    postgres_redis_smtp: Postgres, Redis, Smtp;
}
