//! What tokens are signed with.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_crypto::{
    JwtAlgorithm, KeyFile, KeyFileError, SystemClock, list_key_files, load_key_files, signs_from,
};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Clock;

use super::finding::Finding;
use super::folder;
use crate::key_material::{KeyMaterialError, key_folder, read_secret, secret_file};
use crate::keys::{KEPT_BY_OTHERS, Phase, Planned, plan};
use crate::settings::{Database, Parts};

const SECRET: &str = "secret key";
const KEYS: &str = "signing keys";
const PERMISSIONS: &str = "key permissions";
const NEXT: &str = "next key";
const SPENT: &str = "spent keys";
/// Days after which a key is better replaced.
const OLD: u64 = 400;
const SECONDS_A_DAY: u64 = 86_400;

pub(super) async fn check(parts: &Parts) -> Vec<Finding> {
    let (Ok(keys), Ok(database)) = (&parts.keys, &parts.database) else { return Vec::new() };
    let generated = match (&keys.secret, &database.database) {
        (None, embedded @ Database::Sqlite(_)) => Some(secret_file(embedded)),
        _ => None,
    };
    let (has_secret, has_previous) = (keys.secret.is_some(), keys.previous_secret.is_some());
    let folder = key_folder(keys, &database.database);
    let rules = parts.rules.as_ref().ok();
    let longest = rules.map(|rules| rules.json.access_ttl.max(rules.form.access_ttl));
    let overlap = longest.map(|longest| keys.overlap(longest));
    let (algorithm, is_own) = (keys.algorithm, keys.folder.is_none());
    super::on_a_thread("keys", move || {
        let mut findings = secret(generated, has_secret, has_previous);
        if algorithm == JwtAlgorithm::Hs256 {
            findings.push(Finding::ok(KEYS, "HS256, by the secret key"));
        } else {
            let is_short = |overlap: &Duration| *overlap < KEPT_BY_OTHERS;
            findings.extend(overlap.filter(is_short).map(short));
            findings.extend(asymmetric(algorithm, &folder, is_own, longest));
        }
        findings
    })
    .await
}

fn secret(generated: Option<PathBuf>, has_secret: bool, has_previous: bool) -> Vec<Finding> {
    let Some(file) = generated else {
        if !has_secret {
            return Vec::new();
        }
        let previous = if has_previous { "; the one before still verifies" } else { "" };
        return vec![Finding::ok(SECRET, format!("set{previous}"))];
    };
    let shown = file.display();
    let found = match (read_secret(file.clone()), folder::mode(&file)) {
        (Err(KeyMaterialError::Io(_, error)), _) if error.kind() == ErrorKind::NotFound => {
            let folder = file.parent().unwrap_or(Path::new("."));
            to_be_made(SECRET, &shown.to_string(), "it", folder)
        }
        (Err(error), _) => Finding::wrong(
            SECRET,
            with_causes(&error),
            "see who owns the file; without it, the first start makes another, and all tokens of \
             before are refused",
        ),
        (Ok(_), Some(mode)) if mode & 0o077 != 0 => Finding::warning(
            SECRET,
            format!("{shown} may be used by others (mode {mode:03o})"),
            format!("chmod 600 {shown}"),
        ),
        (Ok(_), _) => Finding::ok(SECRET, format!("{shown}, its owner's alone")),
    };
    vec![found]
}

/// What the first start makes, if it can.
fn to_be_made(what: &'static str, told: &str, made: &str, folder: &Path) -> Finding {
    match folder::may_write(folder) {
        Ok(()) => Finding::ok(what, format!("{told}: the first start makes {made}")),
        Err(there) => Finding::wrong(
            what,
            format!("{told}: {} cannot be written to", there.display()),
            format!("see who owns it: the first start has to make {made} there"),
        ),
    }
}

fn asymmetric(
    algorithm: JwtAlgorithm,
    folder: &Path,
    is_own: bool,
    longest: Option<Duration>,
) -> Vec<Finding> {
    let shown = folder.display();
    let loaded = load_key_files(algorithm, folder);
    let listed = list_key_files(folder);
    let files = match (loaded, listed) {
        (Ok(_), Ok(files)) => files,
        (Err(KeyFileError::Empty(_)), _) if is_own => Vec::new(),
        (Err(KeyFileError::Io(path, error)), _)
            if is_own && path == folder && error.kind() == ErrorKind::NotFound =>
        {
            Vec::new()
        }
        (Err(error), _) | (_, Err(error)) => {
            let told = format!("{}: {}", algorithm.name(), with_causes(&error));
            let advice = "JWT_KEYS_DIR must hold PKCS#8 files <kid>.pem of the algorithm that \
                          JWT_ALGORITHM names, which the server's user can read";
            return vec![Finding::wrong(KEYS, told, advice)];
        }
    };
    let name = algorithm.name();
    if files.is_empty() {
        return vec![to_be_made(KEYS, &format!("{name}, {shown}"), "a key", folder)];
    }
    // How long tokens live decides which keys are needed.
    let planned = longest.map(|longest| plan(files.clone(), SystemClock.now(), longest));
    let mut findings = planned.map_or_else(Vec::new, |planned| phases(name, folder, planned));
    findings.push(permissions(&files));
    findings
}

fn phases(name: &str, folder: &Path, planned: Vec<Planned>) -> Vec<Finding> {
    let count = planned.len();
    let mut findings = Vec::new();
    let mut spent = Vec::new();
    for Planned { file, phase } in planned {
        let kid = &file.kid;
        match phase {
            Phase::Signing => {
                let since = signs_from(kid).unwrap_or(file.since);
                let days = SystemClock.now().since(since).as_secs() / SECONDS_A_DAY;
                let folder = folder.display();
                let told = format!(
                    "{name}, {folder}: {kid} signs for {days} days now; keys that verify: {count}"
                );
                findings.push(if days > OLD {
                    Finding::warning(KEYS, told, "`portcullis keys rotate` has another take over")
                } else {
                    Finding::ok(KEYS, told)
                });
            }
            Phase::Next { from } => {
                findings.push(Finding::ok(NEXT, format!("{kid} signs from {from} on")));
            }
            Phase::Spent => spent.push(file.kid),
            Phase::Retiring { .. } => {}
        }
    }
    if !spent.is_empty() {
        let told = format!("no living token was signed by {}", spent.join(", "));
        let advice = "`portcullis keys retire --due` removes what is spent";
        findings.push(Finding { advice: Some(advice.into()), ..Finding::ok(SPENT, told) });
    }
    findings
}

fn short(overlap: Duration) -> Finding {
    Finding::warning(
        "key overlap",
        format!("JWT_KEY_OVERLAP is {} s", overlap.as_secs()),
        "5 minutes or more: other services may keep the published keys for that long, and would \
         refuse the first tokens of a new one",
    )
}

fn permissions(files: &[KeyFile]) -> Finding {
    let open: Vec<_> = files.iter().filter(|file| file.mode & 0o077 != 0).collect();
    if open.is_empty() {
        return Finding::ok(PERMISSIONS, "each file is its owner's alone");
    }
    let list: Vec<_> = open.iter().map(|file| file.path.display().to_string()).collect();
    let list = list.join(" ");
    Finding::warning(
        PERMISSIONS,
        format!("others may use {list}"),
        format!("chmod 600 {list}, unless whoever mounts them cannot do without"),
    )
}
