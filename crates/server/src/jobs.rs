//! `portcullis jobs`: what is still to be done, and what was given up.

use std::error::Error;
use std::io::Write;

use portcullis_domain::ports::OwedJob;
use portcullis_domain::{Job, JobId};
use uuid::Uuid;

use crate::given_up;
use crate::settings::Settings;
use crate::storage::Storage;

/// Jobs listed at once, at most.
const LISTED: u32 = 1_000;

/// Lists jobs that were given up, or those that wait.
pub(crate) async fn list(pending: bool) -> Result<(), Box<dyn Error>> {
    let storage = Storage::open(&Settings::load()?).await?;
    let jobs = storage.jobs.list(!pending, LISTED).await?;
    let mut out = std::io::stdout().lock();
    if jobs.is_empty() {
        let none = if pending { "no job is waiting" } else { "no job was given up" };
        writeln!(out, "{none}")?;
        return Ok(());
    }
    let heading = if pending { "DUE" } else { "GIVEN UP" };
    writeln!(out, "{:<36}  {:<27}  {heading:<27}  TRIES  WHAT IS LEFT, REASON", "ID", "ORDERED")?;
    for job in &jobs {
        line(&mut out, job)?;
    }
    if u32::try_from(jobs.len()).is_ok_and(|count| count == LISTED) {
        writeln!(out, "… and perhaps more: these are the oldest {LISTED}")?;
    }
    Ok(())
}

fn line(out: &mut impl Write, owed: &OwedJob) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<36}  {:<27}  {:<27}  {:>5}  {}{}",
        owed.id.to_string(),
        owed.created_at.to_string(),
        owed.buried_at.unwrap_or(owed.due_at).to_string(),
        owed.attempts,
        what_is_left(owed),
        owed.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default(),
    )
}

fn what_is_left(owed: &OwedJob) -> String {
    match &owed.job {
        Ok(Job::SignInNotice { user, .. }) => format!("a notice of a sign-in of user {user}"),
        Ok(Job::SeedUsers(users)) => {
            format!("{} demo users from number {}", users.count, users.first)
        }
        Err(unknown) => unknown.to_string(),
    }
}

/// Makes jobs due again that were given up: these, or all.
pub(crate) async fn retry(ids: &[Uuid], all: bool) -> Result<(), Box<dyn Error>> {
    let storage = Storage::open(&Settings::load()?).await?;
    let given_up = if all { storage.jobs.list(true, LISTED).await? } else { Vec::new() };
    let mut chosen: Vec<Uuid> = given_up.iter().map(|owed| owed.id.as_uuid()).collect();
    chosen.extend(ids);
    let revive = async |id| storage.jobs.revive(JobId::new(id), storage.clock.now()).await;
    given_up::revive(&chosen, revive, "a running server does them").await
}
