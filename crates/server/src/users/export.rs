//! `portcullis users export`.

use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::Path;

use portcullis_app::MoveOut;
use tempfile::NamedTempFile;

use super::{archive, departure};

/// Exports all accounts to standard output, or to a new file for its owner
/// alone, which is there only once it is whole.
pub(crate) fn export(output: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let Some(file) = output else {
        return write_all(&mut BufWriter::new(std::io::stdout().lock())).map(drop);
    };
    let explain = |error: std::io::Error| format!("{}: {error}", file.display());
    if file.symlink_metadata().is_ok() {
        return Err(format!("{}: there is such a file already", file.display()).into());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Made with mode 0600: the file holds password hashes.
    let mut draft = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(explain)?;
    let count = write_all(&mut BufWriter::new(draft.as_file_mut()))?;
    draft.as_file().sync_all().map_err(explain)?;
    draft.persist_noclobber(file).map_err(|error| explain(error.error))?;
    eprintln!("{count} accounts are in {}", file.display());
    Ok(())
}

/// Writes every account; says how many.
fn write_all(out: &mut impl Write) -> Result<u64, Box<dyn Error>> {
    let runtime = crate::runtime()?;
    let mut move_out = MoveOut::new(runtime.block_on(archive::open())?.0);
    let mut count = 0;
    loop {
        let page = runtime.block_on(move_out.next())?;
        if page.is_empty() {
            break;
        }
        for user in &page {
            departure::write(user, out)?;
        }
        count += page.len() as u64;
    }
    out.flush()?;
    Ok(count)
}
