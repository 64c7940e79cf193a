//! The account that PostgreSQL runs as: it refuses to run as root.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

const NAME: &str = "postgres";

/// The unprivileged account, or none if this process is not root: then its own is used.
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
        let user = uzers::get_user_by_name(NAME).with_context(|| {
            format!("PostgreSQL refuses to run as root, and there is no user {NAME}: create it with `adduser --system --group {NAME}`")
        })?;
        Ok(Self(Some(Ids {
            user: user.uid(),
            group: user.primary_group_id(),
        })))
    }

    /// Makes the command run as this account.
    pub(super) fn apply(&self, command: &mut Command) {
        if let Some(ids) = self.0 {
            command.uid(ids.user).gid(ids.group);
        }
    }

    /// Makes the account the owner of a file or directory.
    pub(super) fn chown(&self, path: &Path) -> Result<()> {
        let Some(ids) = self.0 else { return Ok(()) };
        chown(path, Some(ids.user), Some(ids.group))
            .with_context(|| format!("cannot make {NAME} the owner of {}", path.display()))
    }

    /// Whether the account may pass through this directory and its ancestors.
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
