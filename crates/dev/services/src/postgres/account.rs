//! The account that PostgreSQL runs as: it refuses to run as root.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

const NAME: &str = "postgres";

/// The unprivileged account, or nothing where this process is not root: then its own will do.
#[derive(Clone, Copy)]
pub(super) struct Account(Option<Ids>);

#[derive(Clone, Copy)]
struct Ids {
    user: u32,
    group: u32,
}

impl Account {
    pub(super) fn for_postgres() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let ids = users.lines().find_map(ids_of_account).with_context(|| {
            format!("PostgreSQL refuses to run as root, and there is no user {NAME}: make one with `adduser --system --group {NAME}`")
        })?;
        Ok(Self(Some(ids)))
    }

    /// Makes the command run as this account.
    pub(super) fn apply(&self, command: &mut Command) {
        if let Some(ids) = self.0 {
            command.uid(ids.user).gid(ids.group);
        }
    }

    /// Gives the account a file or directory.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        let Some(ids) = self.0 else { return Ok(()) };
        chown(path, Some(ids.user), Some(ids.group))
            .with_context(|| format!("cannot give {} to {NAME}", path.display()))
    }

    /// Whether the account may pass through this directory and all above it.
    pub(super) fn can_enter(&self, path: &Path) -> Result<bool> {
        let mut test = Command::new("test");
        self.apply(&mut test);
        let status = test
            .arg("-x")
            .arg(path)
            .current_dir("/")
            .stdin(Stdio::null())
            .status()
            .context("cannot run test")?;
        Ok(status.success())
    }
}

/// The ids in a line of `/etc/passwd`, if it is that of the account.
fn ids_of_account(line: &str) -> Option<Ids> {
    let mut fields = line.split(':');
    if fields.next()? != NAME {
        return None;
    }
    let mut ids = fields.skip(1).map(str::parse);
    Some(Ids {
        user: ids.next()?.ok()?,
        group: ids.next()?.ok()?,
    })
}
