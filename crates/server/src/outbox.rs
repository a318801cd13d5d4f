//! `portcullis outbox`: what is still to be sent, and what was given up.

use std::error::Error;
use std::io::Write;

use portcullis_domain::LetterId;
use portcullis_domain::ports::OwedLetter;
use uuid::Uuid;

use crate::given_up;
use crate::settings::Settings;
use crate::storage::Storage;

/// Letters listed at once, at most.
const LISTED: u32 = 1_000;

/// Lists letters that were given up, or those that wait.
pub(crate) async fn list(pending: bool) -> Result<(), Box<dyn Error>> {
    let storage = Storage::open(&Settings::load()?).await?;
    let letters = storage.outbox.list(!pending, LISTED).await?;
    let mut out = std::io::stdout().lock();
    if letters.is_empty() {
        let none = if pending { "no letter is waiting" } else { "no letter was given up" };
        writeln!(out, "{none}")?;
        return Ok(());
    }
    let heading = if pending { "DUE" } else { "GIVEN UP" };
    writeln!(
        out,
        "{:<36}  {:<21}  {:<27}  {heading:<27}  TRIES  RECIPIENT, REASON",
        "ID", "KIND", "WRITTEN"
    )?;
    for letter in &letters {
        line(&mut out, letter)?;
    }
    if u32::try_from(letters.len()).is_ok_and(|count| count == LISTED) {
        writeln!(out, "… and perhaps more: these are the oldest {LISTED}")?;
    }
    Ok(())
}

fn line(out: &mut impl Write, owed: &OwedLetter) -> std::io::Result<()> {
    let letter = &owed.letter;
    writeln!(
        out,
        "{:<36}  {:<21}  {:<27}  {:<27}  {:>5}  {}{}",
        letter.id.as_uuid().to_string(),
        format!("{:?}", letter.kind),
        letter.created_at.to_string(),
        owed.buried_at.unwrap_or(owed.due_at).to_string(),
        owed.attempts,
        letter.recipient.canonical(),
        owed.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default(),
    )
}

/// Makes letters due again that were given up: these, or all.
pub(crate) async fn retry(ids: &[Uuid], all: bool) -> Result<(), Box<dyn Error>> {
    let storage = Storage::open(&Settings::load()?).await?;
    let given_up = if all { storage.outbox.list(true, LISTED).await? } else { Vec::new() };
    let mut chosen: Vec<Uuid> = given_up.iter().map(|owed| owed.letter.id.as_uuid()).collect();
    chosen.extend(ids);
    let revive = async |id| storage.outbox.revive(LetterId::new(id), storage.clock.now()).await;
    given_up::revive(&chosen, revive, "a running server sends them").await
}
