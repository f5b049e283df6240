//! Installing PostgreSQL where that is possible: as root on Debian and what comes of it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::programs::{Programs, is_root, missing};

/// Installs the package `postgresql`, once for all who wait for it.
pub(crate) fn install() -> io::Result<()> {
    if !Path::new("/etc/debian_version").exists() {
        return Err(missing("this is not a Debian, so it is not installed by itself"));
    }
    if !is_root() {
        return Err(missing("only root can install it"));
    }
    let lock = File::create(std::env::temp_dir().join("redengine-install-postgresql.lock"))?;
    lock.lock()?;
    // Who had the lock before may have brought them. The folder alone says nothing: clients are in it.
    if Programs::look().is_none() {
        // Else the package makes and starts a server for the whole system.
        std::fs::create_dir_all("/etc/postgresql-common")?;
        let settings = Path::new("/etc/postgresql-common/createcluster.conf");
        if !settings.exists() {
            std::fs::write(settings, "create_main_cluster = false\n")?;
        }
        apt(&["update"])?;
        apt(&["install", "--yes", "--no-install-recommends", "postgresql"])?;
    }
    Ok(())
}

fn apt(arguments: &[&str]) -> io::Result<()> {
    let output = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=300", "-qq"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
    Err(missing(&format!("`apt-get {}` failed: {}", arguments.join(" "), said.trim())))
}
