//! What the folder does on disk: files for their owner's eyes only, written whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::store::MailId;
use crate::trace::TRACE_LIMIT;

/// Creates the folder, or takes the rights of others from one that exists.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// The file of a mail.
pub(crate) fn path(folder: &Path, id: &MailId) -> PathBuf {
    folder.join(format!("{id}.eml"))
}

/// Whether this is a file of [`write()`] that did not get its name.
pub(crate) fn is_temporary(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("tmp"))
}

/// As much of a file as may hold its trace lines.
pub(crate) fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(TRACE_LIMIT);
    File::open(path)?
        .take(TRACE_LIMIT as u64)
        .read_to_end(&mut head)?;
    Ok(head)
}

/// Shreds the mails in a folder whose header holds a mark; says how many there were.
pub(crate) fn shred_marked(folder: &Path, mark: &str) -> io::Result<u64> {
    let mut shredded = 0;
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if MailId::of_file(&path).is_some() && is_marked(&fs::read(&path)?, mark) {
            shred(&path)?;
            shredded += 1;
        }
    }
    if shredded > 0 {
        sync_folder(folder)?;
    }
    Ok(shredded)
}

fn is_marked(mail: &[u8], mark: &str) -> bool {
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n");
    let header = mail.get(..end.unwrap_or(mail.len())).unwrap_or_default();
    header
        .windows(mark.len())
        .any(|part| part == mark.as_bytes())
}

/// Writes a mail's file; once this returns, neither a crash nor a power failure takes it away.
pub(crate) fn write(folder: &Path, id: &MailId, parts: &[&[u8]]) -> io::Result<()> {
    let temporary = folder.join(format!("{}.tmp", Uuid::new_v4()));
    let written = fill(&temporary, parts)
        .and_then(|()| fs::rename(&temporary, path(folder, id)))
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        // The first error is the one to tell; without it the next start clears this file away.
        let _ = shred(&temporary);
    }
    written
}

fn fill(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Overwrites a file with zeros, then removes it; one that is gone already is fine.
pub(crate) fn shred(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_all()?;
    fs::remove_file(path)
}

/// Makes names that came and went in the folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
