//! `portcullis users seed`.

use std::error::Error;
use std::sync::Arc;

use portcullis_app::{Seeded, Seeding};
use portcullis_crypto::{HashingPool, PoolSettings, SystemIds, SystemRandomness};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Cancellation, IdGenerator, PasswordHasher, Randomness};
use portcullis_domain::{DemoUsers, Job, NewJob, Password, PasswordHash, PasswordPolicy};

use super::interrupt::Interrupt;
use super::progress::Progress;
use crate::cli::Seed;
use crate::settings::Settings;
use crate::storage::Storage;

/// Adds demo users, or orders them from a running server.
///
/// # Errors
/// When not all were added: there are other accounts and nobody said `--yes`, the
/// password is weak, it was interrupted, or the store is away.
pub(crate) async fn seed(order: Seed) -> Result<(), Box<dyn Error>> {
    let settings = Settings::load()?;
    let policy = settings.rules.password_policy;
    if let Some(password) = &order.password {
        policy.check(password).map_err(|weak| format!("--password: {weak}"))?;
    }
    let storage = Storage::open(&settings).await?;
    let mut seeding =
        Seeding::new(Arc::clone(&storage.archive), Arc::clone(&storage.clock), Arc::new(SystemIds));
    if !order.yes && seeding.is_among_strangers().await? {
        return Err("this database holds accounts that are no demo users. Demo users share one \
                    password, and whoever has it can log in as any of them; with --yes they are \
                    added all the same"
            .into());
    }
    let (password, is_drawn) = match order.password {
        Some(password) => (password, false),
        None => (drawn(policy, &SystemRandomness)?, true),
    };
    let users = DemoUsers {
        first: 1,
        count: order.count,
        password_hash: hash(&settings, password.clone()).await?,
    };
    println!("demo users     1 to {}, verified, at demo.example.com", users.count);
    if is_drawn {
        // Told before anybody is there: a run that is killed leaves users behind.
        println!("password       {} (kept nowhere, told this once)", password.expose());
    }
    if order.in_background {
        return enqueue(&storage, users).await;
    }
    let interrupt = Interrupt::listen()?;
    let progress = Progress::over(Some(users.count.into()));
    let password = if is_drawn { " with that password as --password" } else { "" };
    let ended = add(&mut seeding, users, &interrupt, &progress, password).await;
    progress.finish();
    ended
}

async fn add(
    seeding: &mut Seeding,
    users: DemoUsers,
    interrupt: &Interrupt,
    progress: &Progress,
    password: &str,
) -> Result<(), Box<dyn Error>> {
    let mut seeded = Seeded::default();
    let mut left = Some(users);
    let mut failed = None;
    while let Some(users) = left.take() {
        if interrupt.was_asked() {
            failed = Some("as asked".to_owned());
            break;
        }
        match seeding.batch(&users).await {
            Ok((batch, rest)) => {
                seeded += batch;
                left = rest;
                progress.advance(seeded.total(), format!("{} users", seeded.total()));
            }
            Err(failure) => {
                failed = Some(with_causes(&failure));
                break;
            }
        }
    }
    progress.finish();
    println!("added          {}", seeded.added);
    println!("already there  {} (with the password they had)", seeded.already_there);
    if seeded.in_the_way > 0 {
        println!("not added      {} (somebody else has their username)", seeded.in_the_way);
    }
    let done = seeded.total();
    failed.map_or(Ok(()), |cause| {
        Err(format!(
            "stopped after {done}: {cause}; what was added stays; run the same command again\
             {password} to go on"
        )
        .into())
    })
}

async fn enqueue(storage: &Storage, users: DemoUsers) -> Result<(), Box<dyn Error>> {
    let (id, created_at) = (SystemIds.job(), storage.clock.now());
    let job = NewJob { id, job: Job::SeedUsers(users), key: None, created_at };
    storage.jobs.enqueue(job).await?;
    println!("job            {id}");
    println!("a running server adds them; `portcullis jobs list --pending` tells what is left");
    Ok(())
}

/// Hashes the one password of all.
async fn hash(settings: &Settings, password: Password) -> Result<PasswordHash, Box<dyn Error>> {
    let pool = PoolSettings { threads: 1, queue: 1, patience: settings.hashing_patience };
    let hasher = HashingPool::start(settings.hashing, pool)?;
    let turn = hasher.admit(Cancellation::default())?;
    Ok(hasher.hash(turn, password).await?)
}

/// 64 characters, of which a byte chooses one evenly; none needs quotes in a shell.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// Draws a password of 96 bits, again until the policy likes it.
fn drawn(policy: PasswordPolicy, randomness: &dyn Randomness) -> Result<Password, Box<dyn Error>> {
    loop {
        let bytes = randomness.seed().0;
        let text = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)]));
        let password = Password::parse(&text.collect::<String>())?;
        if policy.check(&password).is_ok() {
            return Ok(password);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_password_pleases_every_policy_and_is_never_the_same() {
        for policy in [PasswordPolicy::Basic, PasswordPolicy::Composition] {
            let draw = || drawn(policy, &SystemRandomness).unwrap();
            let (one, other) = (draw(), draw());
            assert_eq!(policy.check(&one), Ok(()));
            assert_eq!(one.expose().len(), 16);
            assert_ne!(one.expose(), other.expose());
        }
    }
}
