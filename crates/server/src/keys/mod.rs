//! `portcullis keys`: the keys that sign access tokens, from next to gone.

mod place;
mod plan;

use std::error::Error;
use std::io::Write;

use portcullis_crypto::{
    KeyFile, SystemClock, generate_key_file, load_key_files, next_kid, remove_key_file,
};
use portcullis_domain::Timestamp;
use portcullis_domain::ports::Clock;

use self::place::Place;
pub(crate) use self::plan::{Phase, Planned, plan};

/// How long others may keep the published keys: the `max-age` of the key set.
pub(crate) const KEPT_BY_OTHERS: std::time::Duration = std::time::Duration::from_mins(5);

/// Lists the keys, or says how a secret is replaced.
pub(crate) fn list() -> Result<(), Box<dyn Error>> {
    let place = match Place::of_settings()? {
        Ok(place) => place,
        Err(secret) => {
            println!("{secret}");
            return Ok(());
        }
    };
    let planned = plan(place.files()?, SystemClock.now(), place.longest);
    let mut out = std::io::stdout().lock();
    if planned.is_empty() {
        writeln!(out, "{} holds no key yet; `portcullis keys rotate` makes one", place.shown())?;
        return Ok(());
    }
    let width = planned.iter().map(|key| key.file.kid.len()).max().unwrap_or_default();
    writeln!(out, "{:<width$}  {:<8}  MODE  WHAT COMES NEXT", "KEY", "STATE")?;
    for key in &planned {
        let Planned { file: KeyFile { kid, mode, .. }, phase } = key;
        writeln!(out, "{kid:<width$}  {:<8}  {mode:04o}  {}", phase.name(), outlook(*phase))?;
    }
    Ok(())
}

fn outlook(phase: Phase) -> String {
    match phase {
        Phase::Next { from } => format!("published; signs from {}", seconds(from)),
        Phase::Signing => "`keys rotate` has another take over".to_owned(),
        Phase::Retiring { until } => {
            format!("verifies; its last tokens expire by {}", seconds(until))
        }
        Phase::Spent => "`keys retire --due` removes it".to_owned(),
    }
}

/// Makes the key that signs after the overlap.
pub(crate) fn rotate() -> Result<(), Box<dyn Error>> {
    let place = Place::of_settings()?.map_err(|secret| secret.to_string())?;
    let (files, now) = (place.files()?, SystemClock.now());
    let kids: Vec<String> = files.iter().map(|file| file.kid.clone()).collect();
    if kids.is_empty() {
        let day: String = now.to_string().chars().take(10).collect();
        generate_key_file(place.algorithm, &place.folder, &day)?;
        println!("{day} is the first key in {}: it signs at once", place.shown());
        return Ok(());
    }
    // A key that cannot be used would keep servers from taking the new one.
    load_key_files(place.algorithm, &place.folder)?;
    let planned = plan(files, now, place.longest);
    let is_next = |key: &&Planned| matches!(key.phase, Phase::Next { .. });
    if let Some(Planned { file, phase: Phase::Next { from } }) = planned.iter().find(is_next) {
        let told = format!("{} waits to sign from {} on", file.kid, seconds(*from));
        return Err(format!("{told}: nothing was changed").into());
    }
    let from = (now + place.overlap + std::time::Duration::from_secs(1)).floor_to_second();
    let kid = next_kid(&kids, now, from);
    generate_key_file(place.algorithm, &place.folder, &kid)?;
    println!("{kid} is published within a few seconds, and signs from {} on", seconds(from));
    println!("then `portcullis keys list` tells when the key before it may be retired");
    if place.overlap < KEPT_BY_OTHERS {
        eprintln!(
            "JWT_KEY_OVERLAP is shorter than the {} minutes for which other services may keep the \
             published keys: they may refuse its first tokens",
            KEPT_BY_OTHERS.as_secs() / 60
        );
    }
    Ok(())
}

/// Removes keys: these, or all that are spent. All of them, or none.
pub(crate) fn retire(kids: &[String], due: bool, force: bool) -> Result<(), Box<dyn Error>> {
    let place = Place::of_settings()?.map_err(|secret| secret.to_string())?;
    let now = SystemClock.now();
    let planned = plan(place.files()?, now, place.longest);
    let is_meant = |key: &Planned| {
        if due { key.phase == Phase::Spent } else { kids.contains(&key.file.kid) }
    };
    let is_unknown = |kid: &&String| planned.iter().all(|key| key.file.kid != **kid);
    if let Some(unknown) = kids.iter().find(is_unknown) {
        return Err(format!("{unknown}: no such key in {}", place.shown()).into());
    }
    let (meant, kept): (Vec<_>, Vec<_>) = planned.iter().partition(|key| is_meant(key));
    if meant.is_empty() {
        println!("no key is spent");
        return Ok(());
    }
    if kept.is_empty() {
        return Err("no key would be left to sign; `portcullis keys rotate` makes one".into());
    }
    if !force {
        let objections: Vec<_> = meant.iter().filter_map(|key| objection(key, now)).collect();
        if !objections.is_empty() {
            return Err(format!("{}; nothing was removed", objections.join("; ")).into());
        }
    }
    for key in &meant {
        remove_key_file(&key.file)?;
        println!("{} is gone; servers heed it within a few seconds", key.file.kid);
    }
    if meant.iter().any(|key| key.phase == Phase::Signing) {
        let left = plan(place.files()?, now, place.longest);
        if let Some(signer) = left.iter().find(|key| key.phase == Phase::Signing) {
            println!("{} signs now", signer.file.kid);
        }
    }
    Ok(())
}

/// Why a key should stay.
fn objection(key: &Planned, now: Timestamp) -> Option<String> {
    let kid = &key.file.kid;
    match key.phase {
        Phase::Spent => None,
        Phase::Signing => Some(format!("{kid} signs: `portcullis keys rotate` first")),
        Phase::Retiring { until } => {
            let until = seconds(until);
            Some(format!("{kid}: tokens that it signed may be alive until {until} (or --force)"))
        }
        Phase::Next { from } if from.since(now) > plan::SPARE => None,
        Phase::Next { .. } => Some(format!("{kid} is about to sign (or --force)")),
    }
}

/// A moment, to the second.
fn seconds(at: Timestamp) -> String {
    let text: String = at.to_string().chars().take(19).collect();
    format!("{text}Z")
}
