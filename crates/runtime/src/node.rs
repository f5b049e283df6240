//! Who runs something: the name of a running session in its records, and whether it is still there.
//!
//! A name is `host/process/start of the process/number`. The number begins with that of the place: the
//! running system and, in it, the container, in which processes see each other. A `run` without an end
//! is a crash only when its owner is gone, never because somebody else's run looks old.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The running sessions of this process.
static HERE: Mutex<Option<HashSet<Arc<str>>>> = Mutex::new(None);

/// Where processes see each other: hosts may have one name, and so may containers.
static PLACE: LazyLock<u32> = LazyLock::new(place);

/// A running session's name, for as long as it runs.
#[derive(Debug)]
pub(crate) struct Node(Arc<str>);

impl Node {
    /// Makes a name that no other running session has.
    pub(crate) fn new() -> Self {
        let process = std::process::id();
        let number = fastrand::u32(..);
        let start = start_of(process).unwrap_or_default();
        let place = *PLACE;
        let name = format!("{}/{process}/{start}/{place:08x}{number:08x}", host());
        let name: Arc<str> = name.into();
        let mut here = HERE.lock().unwrap_or_else(PoisonError::into_inner);
        here.get_or_insert_default().insert(name.clone());
        Self(name)
    }

    /// Tells the name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.0
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut here = HERE.lock().unwrap_or_else(PoisonError::into_inner);
        here.get_or_insert_default().remove(&self.0);
    }
}

/// Tells whether the session of a name is gone. Of a session on another host nobody can tell, so it
/// counts as there.
pub(crate) fn is_gone(name: &str) -> bool {
    let mut parts = name.rsplitn(4, '/');
    let (Some(_number), Some(start), Some(process), Some(on)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        // Not a name of ours: nobody is there who would end the run.
        return true;
    };
    if on != host() {
        return false;
    }
    let Ok(process) = process.parse::<u32>() else { return true };
    if process == std::process::id() {
        let here = HERE.lock().unwrap_or_else(PoisonError::into_inner);
        return !here.as_ref().is_some_and(|here| here.contains(name));
    }
    !is_alive(process, start)
}

/// Tells whether the session of a name is gone for certain: its process would be seen from here.
pub(crate) fn is_surely_gone(name: &str) -> bool {
    let number = name.rsplit('/').next();
    let is_here = number.is_some_and(|number| number.starts_with(&format!("{:08x}", *PLACE)));
    is_here && is_gone(name)
}

fn place() -> u32 {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let processes = std::fs::read_link("/proc/self/ns/pid");
    let (Ok(boot), Ok(processes)) = (boot, processes) else { return fastrand::u32(..) };
    // FNV-1a: all programs of a place must agree on it.
    let seen = format!("{boot}{}", processes.display());
    seen.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn host() -> String {
    #[cfg(unix)]
    {
        rustix::system::uname().nodename().to_string_lossy().replace('/', "-")
    }
    #[cfg(not(unix))]
    {
        std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned())
    }
}

/// Tells whether the process lives, and is not another one that got its number.
fn is_alive(process: u32, start: &str) -> bool {
    match stat(process) {
        Some(Stat { has_ended: true, .. }) => false,
        Some(Stat { start: now, .. }) => start.is_empty() || now == start,
        // Of the processes of other users there may be no word.
        None => exists(process),
    }
}

/// What the system tells of a process.
struct Stat {
    /// It has ended, and only its parent has not asked yet how.
    has_ended: bool,
    /// When it began, in the kernel's ticks.
    start: String,
}

fn start_of(process: u32) -> Option<String> {
    stat(process).map(|stat| stat.start)
}

/// Tells of a process; `None` where nobody can tell.
fn stat(process: u32) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may contain anything; the fields after it do not.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X");
    Some(Stat { has_ended, start: fields.nth(18)?.to_owned() })
}

#[cfg(unix)]
fn exists(process: u32) -> bool {
    let id = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    id.is_some_and(|id| rustix::process::test_kill_process(id) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn exists(_process: u32) -> bool {
    // It cannot be told, and a run that nobody ends would block its task for ever.
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_there_until_it_ends() {
        let node = Node::new();
        let name = node.name().clone();
        assert!(!is_gone(&name));
        assert!(!is_surely_gone(&name));
        drop(node);
        assert!(is_gone(&name));
        assert!(is_surely_gone(&name));
    }

    #[test]
    fn a_process_that_only_waits_to_be_asked_how_it_ended_is_gone() {
        let mut child = std::process::Command::new("true").spawn().expect("it starts");
        let name = format!("{}/{}/{}/00000000", host(), child.id(), start_of(child.id()).unwrap());
        while !stat(child.id()).is_some_and(|stat| stat.has_ended) {
            std::thread::yield_now();
        }
        assert!(is_gone(&name));
        child.wait().expect("it has ended");
    }

    #[test]
    fn a_process_of_which_nothing_is_told_is_there_if_it_could_be_signalled() {
        assert!(exists(std::process::id()));
        assert!(exists(1), "also one of another user");
        assert!(!exists(4_194_303));
    }

    #[test]
    fn of_a_process_in_another_container_nobody_is_certain() {
        let number = format!("{:08x}00000000", !*PLACE);
        assert!(!is_surely_gone(&format!("{}/4194303/1/{number}", host())));
        assert!(is_surely_gone(&format!("{}/4194303/1/{:08x}00000000", host(), *PLACE)));
    }

    #[test]
    fn another_process_with_the_same_number_is_not_the_owner() {
        let parent = std::os::unix::process::parent_id();
        let start = start_of(parent).expect("the parent lives");
        assert!(!is_gone(&format!("{}/{parent}/{start}/00000000", host())));
        assert!(is_gone(&format!("{}/{parent}/1{start}/00000000", host())));
        assert!(is_gone(&format!("{}/4194303/1/00000000", host())));
        assert!(!is_gone(&format!("another-{}/4194303/1/00000000", host())));
        assert!(is_gone("somebody"));
    }
}
