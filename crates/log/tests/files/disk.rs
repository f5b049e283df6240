//! A disk that is full, with a real one, and rights that are missing.

use std::path::Path;

#[cfg(target_os = "linux")]
use super::process::fill_a_disk;
use super::{
    Action, FORMATS, LogErrorKind, Seq, add, all, begin, block_on, end, fs, latest, lines, open,
    past, say, start,
};

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_nothing_is_lost() {
    for format in FORMATS {
        fill_a_disk("2m", &format!("runs.{format}"));
    }
}

/// Fills the disk, makes room, and goes on.
pub(super) fn fill(file: &Path) {
    let ballast = file.with_file_name("ballast");
    fs::write(&ballast, vec![1; 1_000_000]).unwrap();
    let log = super::try_open(file, "?rotate=100kB").unwrap();
    let mut written = Vec::new();
    let mut refused = None;
    for number in 1..20_000 {
        let record = begin("a", number, 1);
        let last = written.last().map(|recorded: &super::Recorded| recorded.seq);
        let batch = vec![latest(record.clone(), last), end(&record, Action::Success)];
        match block_on(log.append(batch.clone())) {
            Ok(answers) => written.extend(answers.into_iter().map(|answer| match answer {
                super::Appended::Won(recorded) => recorded,
                super::Appended::Lost => panic!("an append was lost"),
            })),
            Err(error) => {
                assert_eq!(error.kind(), LogErrorKind::Full, "{error:?}");
                assert!(error.to_string().contains("the disk is full; make room"), "{error}");
                refused = Some(batch);
                break;
            }
        }
    }
    let refused = refused.unwrap();
    assert!(written.len() > 100);
    // It can be read, and goes on refusing until there is room. What is refused leaves no trace.
    assert_eq!(all(&*log), written);
    assert_eq!(block_on(log.append(refused.clone())).unwrap_err().kind(), LogErrorKind::Full);
    let told = past(&*log, "a");
    assert_eq!(told.0[0] * 2, written.len() as u64);
    fs::remove_file(ballast).unwrap();
    let added = add(&*log, refused);
    assert_eq!(added[0].seq, Seq(written.len() as u64 + 1));
    written.extend(added);
    let told = past(&*log, "a");
    drop(log);
    let log = open(file);
    assert_eq!((all(&*log), past(&*log, "a")), (written, told));
    // What could not be written was cut off at once, and not found torn now.
    assert!(!Path::new(&format!("{}.torn", file.display())).exists());
    say("whole");
}

/// Opens a file as a user who is not its owner and not root, for whom rights do not count.
#[cfg(unix)]
fn opened_by_nobody(file: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;

    let mut command = start("open", file);
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        command.uid(65534).gid(65534);
    }
    let mut child = command.spawn().unwrap();
    let said = lines(&mut child).last().unwrap();
    child.wait().unwrap();
    said
}

#[cfg(unix)]
#[test]
fn rights_that_are_missing_are_named_and_nothing_is_changed() {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let lock = folder.path().join(format!("runs.{format}.lock"));
        add(&*open(&file), vec![latest(begin("a", 1, 1), None)]);
        mode(&lock, 0o666);
        let before = fs::read(&file).unwrap();
        for (file_mode, folder_mode, words) in [
            (0o666, 0o777, "opened"),
            (0o444, 0o777, "ReadOnly: cannot open"),
            (0o000, 0o777, "ReadOnly: cannot open"),
        ] {
            mode(&file, file_mode);
            mode(folder.path(), folder_mode);
            let said = opened_by_nobody(&file);
            assert!(said.starts_with(words), "{file_mode:o}: {said}");
            assert!(words == "opened" || said.contains(&format!("`{}`", file.display())), "{said}");
            assert_eq!(fs::read(&file).unwrap(), before);
        }
        // No file can be made in the folder.
        fs::remove_file(&lock).unwrap();
        mode(&file, 0o666);
        mode(folder.path(), 0o555);
        let said = opened_by_nobody(&file);
        assert!(said.starts_with("ReadOnly: cannot open"), "{said}");
        mode(folder.path(), 0o777);
    }
}

/// A link to a place that cannot be reached just now, as to a disk that is not there.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_looked_at_is_not_replaced_by_an_empty_one() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let new = folder.path().join(format!("runs.{format}.new"));
        let elsewhere = folder.path().join("elsewhere");
        let log = super::try_open(&file, "?rotate=100").unwrap();
        let first = begin("a", 1, 1);
        add(&*log, vec![latest(first.clone(), None)]);
        // The file is put aside, and none can be made yet.
        fs::create_dir(&new).unwrap();
        let batch = vec![end(&first, Action::Success)];
        assert_eq!(block_on(log.append(batch.clone())).unwrap_err().kind(), LogErrorKind::Io);
        fs::remove_dir(&new).unwrap();
        // Meanwhile somebody has put another one in its place.
        fs::write(&elsewhere, "a file, where a folder should be").unwrap();
        std::os::unix::fs::symlink(elsewhere.join("runs"), &file).unwrap();
        assert_eq!(block_on(log.append(batch.clone())).unwrap_err().kind(), LogErrorKind::Io);
        assert!(file.is_symlink(), "{format}: it was replaced");
        fs::remove_file(&elsewhere).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("runs"), "").unwrap();
        let added = add(&*log, batch);
        assert_eq!(added[0].seq, Seq(2));
        drop(log);
        assert_eq!(all(&*open(&file)).len(), 2);
    }
}
