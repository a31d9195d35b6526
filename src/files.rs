//! Files that come into being whole.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// A file in a directory that has no name yet that anybody looks for; with these permissions, or a new file's.
pub(crate) fn unnamed_in(
    directory: &Path,
    permissions: Option<fs::Permissions>,
) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    if let Some(permissions) = permissions.or_else(everybodys) {
        builder.permissions(permissions);
    }
    builder.prefix(".capcheck-").suffix(".tmp").tempfile_in(directory)
}

/// What a new file gets, less the umask: a temporary file would be the owner's alone.
#[cfg(unix)]
fn everybodys() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::Permissions::from_mode(0o666))
}

/// Elsewhere the system decides.
#[cfg(not(unix))]
fn everybodys() -> Option<fs::Permissions> {
    None
}
