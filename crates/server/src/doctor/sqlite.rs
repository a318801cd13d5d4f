//! The embedded database and the room it has.

use std::path::{Path, PathBuf};

use portcullis_domain::error::with_causes;
use portcullis_sqlite::{Inspection, inspect};

use super::finding::Finding;
use super::folder;

const WHAT: &str = "database";
const DISK: &str = "disk space";
/// Less is warned of: a log, a backup or a vacuum may take as much.
const LITTLE: u64 = 1 << 30;
/// With less, writes are about to fail.
const TOO_LITTLE: u64 = 64 << 20;

pub(super) async fn check(file: &Path) -> Vec<Finding> {
    let file = file.to_owned();
    super::on_a_thread(WHAT, move || look(&file)).await
}

fn look(file: &Path) -> Vec<Finding> {
    let mut findings = vec![state_of(file)];
    findings.extend(permissions(file));
    findings.push(room_for(file));
    findings
}

fn state_of(file: &Path) -> Finding {
    let shown = file.display();
    match inspect(file) {
        Ok(Inspection::Missing) => match folder::may_write(&folder_of(file)) {
            Ok(()) => Finding::ok(WHAT, format!("SQLite, {shown}: the first start makes it")),
            Err(there) => Finding::wrong(
                WHAT,
                format!("SQLite, {shown}: {} cannot be written to", there.display()),
                "see who owns it: the first start has to make the file there",
            ),
        },
        Ok(Inspection::There { newer: Some(newer), .. }) => Finding::wrong(
            WHAT,
            format!("SQLite, {shown}: a newer version has been here (it knows {newer})"),
            "start that version, or go back to a copy from before",
        ),
        Ok(Inspection::There { version, bytes, pending, .. }) => {
            let told = format!("SQLite {version}, {shown}, {}", size(bytes));
            match pending.len() {
                0 => Finding::ok(WHAT, told),
                some => Finding::warning(
                    WHAT,
                    format!("{told}; migrations pending: {some}"),
                    "the next start runs them; or run `portcullis migrate`",
                ),
            }
        }
        Err(error) => Finding::wrong(
            WHAT,
            format!("SQLite, {shown}: {}", with_causes(&error)),
            "see who owns the file and its folder, and whether it is a database at all",
        ),
    }
}

/// Password hashes are nobody else's to read.
fn permissions(file: &Path) -> Option<Finding> {
    let mode = folder::mode(file)?;
    (mode & 0o077 != 0).then(|| {
        Finding::warning(
            "database permissions",
            format!("{} may be used by others (mode {mode:03o})", file.display()),
            format!("chmod 600 {}", file.display()),
        )
    })
}

fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

fn room_for(file: &Path) -> Finding {
    let folder = folder_of(file);
    let Some(free) = folder::room(&folder) else {
        return Finding::warning(
            DISK,
            format!("{}: the free space cannot be read", folder.display()),
            "see whether the folder can be made and read",
        );
    };
    let told = format!("{} free for {}", size(free), folder.display());
    let advice = "make room: a full disk refuses every write";
    match free {
        ..TOO_LITTLE => Finding::wrong(DISK, told, advice),
        TOO_LITTLE..LITTLE => Finding::warning(DISK, told, advice),
        LITTLE.. => Finding::ok(DISK, told),
    }
}

fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let fitting = UNITS.iter().find(|(_, unit)| bytes >= *unit);
    fitting.map_or_else(
        || format!("{bytes} B"),
        |(name, unit)| {
            let (whole, tenths) = (bytes / unit, bytes % unit * 10 / unit);
            format!("{whole}.{tenths} {name}")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_greatest_unit_that_fits() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1_536), "1.5 KiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
    }
}
