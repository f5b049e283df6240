//! A test program that starts itself again, to do something as another process.
//!
//! Its test `as_another_process` does what [`ROLE`] says with the file that [`FILE`] names.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) const ROLE: &str = "REDENGINE_LOG_TEST_ROLE";
pub(crate) const FILE: &str = "REDENGINE_LOG_TEST_FILE";

/// Starts this program again, to do what `as_another_process` does in a role.
pub(crate) fn start(role: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["as_another_process", "--exact", "--nocapture"])
        .env(ROLE, role)
        .env(FILE, file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The lines that another process says with [`say`].
pub(crate) fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The last line may be torn by a kill.
    lines.map_while(Result::ok).filter_map(|line| {
        let (_, said) = line.split_once("said: ")?;
        said.strip_suffix(" .").map(str::to_owned)
    })
}

pub(crate) fn say(what: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nsaid: {what} .").unwrap();
    out.flush().unwrap();
}

/// Mounts a small disk where only this process sees it, and runs the program again on it.
#[cfg(target_os = "linux")]
const MOUNT: &str = "mount -t tmpfs -o size=\"$1\" tmpfs \"$2\" && exec \"$3\" as_another_process \
                     --exact --nocapture";

/// Starts this program again in the role `fill`, on a disk of a size; it must say `whole` in the end.
/// Says that it was left out where no disk may be mounted.
#[cfg(target_os = "linux")]
pub(crate) fn fill_a_disk(size: &str, file_name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", size])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .env(ROLE, "fill")
        .env(FILE, folder.path().join(file_name))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let skip = || eprintln!("skipped: no disk may be mounted here");
    let Ok(mut child) = child else { return skip() };
    let said: Vec<String> = lines(&mut child).collect();
    let ended = child.wait_with_output().unwrap();
    let why = String::from_utf8_lossy(&ended.stderr);
    if said.is_empty() && why.contains("ermitted") {
        return skip();
    }
    assert!(ended.status.success(), "{why}");
    assert_eq!(said.last().map(String::as_str), Some("whole"), "{said:?}");
}
