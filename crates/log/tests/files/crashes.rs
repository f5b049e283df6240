//! Ends that a crash has torn, kills, and a prune that was interrupted.

use std::path::Path;
use std::sync::Arc;

use redengine_core::runlog::{Prune, RunLog};

use super::{
    Action, FORMATS, LogErrorKind, Query, RunId, add, all, assert_says, begin, block_on, end, fs,
    latest, lines, names, open, past, say, start, try_open,
};

/// Three batches: one record, one record, and three.
fn write(log: &dyn RunLog) {
    let (one, two) = (begin("a", 1, 1), begin("b", 2, 2));
    add(log, vec![latest(one.clone(), None)]);
    add(log, vec![latest(two.clone(), None)]);
    add(
        log,
        vec![
            end(&one, Action::Fail),
            end(&two, Action::Success),
            latest(begin("ä, \"c\"\n", 3, 3), None),
        ],
    );
}

#[test]
fn wherever_the_last_batch_is_torn_it_is_cut_off_and_the_rest_is_there() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let torn = folder.path().join(format!("runs.{format}.torn"));
        write(&*open(&file));
        let whole = fs::read(&file).unwrap();
        let header = usize::from(format == "csv");
        let ends = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends: Vec<usize> = ends.map(|(place, _)| place + 1).collect();
        let good = ends[header + 1];
        for cut in good..whole.len() - 1 {
            fs::write(&file, &whole[..cut]).unwrap();
            let log = open(&file);
            assert_eq!(all(&*log).len(), 2, "{format} cut at {cut}");
            assert_eq!(past(&*log, "a").2.len(), 1);
            assert_eq!(fs::read(&file).unwrap(), whole[..good]);
            if cut > good {
                let kept = [&whole[good..cut], b"\n"].concat();
                assert_eq!(fs::read(&torn).unwrap(), kept);
                fs::remove_file(&torn).unwrap();
            }
            assert!(!torn.exists(), "{format} cut at {cut}");
            // It goes on as if nothing had been.
            add(&*log, vec![end(&begin("a", 1, 1), Action::Fail)]);
            drop(log);
            assert_eq!(all(&*open(&file)).len(), 3);
        }
        // A last line that ends and is no record was torn by something else, and is cut off as well.
        fs::write(&file, [&whole, &b"\0\0\0\n"[..]].concat()).unwrap();
        assert_eq!(all(&*open(&file)).len(), 5);
        assert_eq!(fs::read(&torn).unwrap(), b"\0\0\0\n\n");
    }
}

#[test]
fn a_last_line_that_lacks_only_its_end_is_kept_and_gets_it() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let torn = folder.path().join(format!("runs.{format}.torn"));
        write(&*open(&file));
        let mut whole = fs::read(&file).unwrap();
        for cut in [&whole[..whole.len() - 1], &whole] {
            fs::write(&file, cut).unwrap();
            let log = open(&file);
            assert_eq!(all(&*log).len(), 5);
            assert!(!torn.exists());
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
        // It goes on behind that.
        fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        add(&*open(&file), vec![latest(begin("d", 4, 4), None)]);
        assert_eq!(all(&*open(&file)).len(), 6);
        // A file that was put aside is only read.
        whole.pop();
        fs::write(folder.path().join(format!("runs.1.{format}")), &whole).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(all(&*open(&file)).len(), 5);
    }
}

#[test]
fn a_file_that_was_put_aside_is_not_repaired() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        write(&*open(&file));
        let mut bytes = fs::read(&file).unwrap();
        bytes.truncate(bytes.len() - 5);
        let aside = folder.path().join(format!("runs.3.{format}"));
        fs::remove_file(&file).unwrap();
        fs::write(&aside, &bytes).unwrap();
        let error = try_open(&file, "").unwrap_err();
        let place = format!("runs.3.{format}:{}`", if format == "csv" { 6 } else { 5 });
        assert_says(&error, LogErrorKind::Corrupt, &place);
        assert_eq!(fs::read(&aside).unwrap(), bytes);
    }
}

/// Appends batches of a run, its end and a run of another task, says so after each, and prunes now
/// and then.
pub(super) fn append_for_ever(file: &Path) {
    let log = try_open(file, "?fsync=never&rotate=4kB").unwrap();
    let mut newest = [None, None];
    for (place, task) in ["killed", "open"].into_iter().enumerate() {
        let query = Query::task(task).newest_first().limit(1);
        newest[place] = block_on(log.read(query)).unwrap().first().map(|recorded| recorded.seq);
    }
    for round in 0_u128.. {
        let run = u128::from(std::process::id()) << 64 | round;
        let record = begin("killed", run, 0);
        let batch = vec![
            latest(record.clone(), newest[0]),
            end(&record, Action::Success),
            latest(begin("open", run << 32, 0), newest[1]),
        ];
        let added = add(&*log, batch);
        newest = [Some(added[1].seq), Some(added[2].seq)];
        say(run);
        if round % 40 == 39 {
            block_on(log.prune(Prune::default().beyond(20))).unwrap();
        }
    }
}

#[test]
fn a_killed_process_tears_nothing_and_what_it_acknowledged_is_there() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let mut acknowledged = 0;
        for round in 0..10 {
            let mut child = start("append", &file).spawn().unwrap();
            let mut lines = lines(&mut child);
            // Killed at another point each time, the first while it makes the file.
            let mut said: Vec<u128> = Vec::new();
            for _ in 0..round * 13 {
                said.push(lines.next().unwrap().parse().unwrap());
            }
            child.kill().unwrap();
            said.extend(lines.map(|line| line.parse::<u128>().unwrap()));
            child.wait().unwrap();
            acknowledged += said.len() as u64;

            let log = open(&file);
            // Counts know of what was pruned too, and at most one batch was not acknowledged.
            let (killed, open) = (past(&*log, "killed"), past(&*log, "open"));
            let runs = killed.0[0];
            assert!(
                (acknowledged..=acknowledged + round + 1).contains(&runs),
                "{runs} {acknowledged}"
            );
            assert_eq!(killed.0, [runs, runs, 0, 0, 0, 0]);
            assert_eq!(open.0, [runs, 0, 0, 0, 0, 0]);
            assert_eq!((killed.2.len(), open.2.len() as u64), (0, runs));
            for run in said.into_iter().rev().take(5) {
                let query = Query::all().run(RunId::from_bytes(run.to_be_bytes()));
                assert_eq!(block_on(log.read(query)).unwrap().len(), 2, "run {run}");
            }
        }
        assert!(acknowledged > 400);
    }
}

#[test]
fn a_prune_that_was_interrupted_is_finished_or_forgotten() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let path = |name: &str| folder.path().join(name.replace('X', format));
        let log = try_open(&file, "?rotate=1kB").unwrap();
        for round in 1..=20 {
            let (task, record) = (format!("task {}", round % 3), begin("", round, 1));
            let record = redengine_core::record::Record { task: task.into(), ..record };
            let newest = Query::task(Arc::clone(&record.task)).newest_first().limit(1);
            let last = block_on(log.read(newest)).unwrap().first().map(|one| one.seq);
            add(&*log, vec![latest(record.clone(), last), end(&record, Action::Fail)]);
        }
        let before = all(&*log);
        drop(log);
        // What there is before, and the one file that there is after.
        let copies: Vec<(String, Vec<u8>)> = names(folder.path())
            .into_iter()
            .map(|name| (name.clone(), fs::read(folder.path().join(name)).unwrap()))
            .collect();
        let log = open(&file);
        block_on(log.prune(Prune::default().beyond(4))).unwrap();
        let after = all(&*log);
        let told = past(&*log, "task 1");
        drop(log);
        let pruned = fs::read(&file).unwrap();
        let restore = || {
            for (name, bytes) in &copies {
                fs::write(folder.path().join(name), bytes).unwrap();
            }
        };

        // Killed while the file was made.
        restore();
        fs::write(path("runs.X.new"), &pruned[..pruned.len() / 2]).unwrap();
        assert_eq!(all(&*open(&file)), before);
        assert!(!path("runs.X.new").exists());
        // Killed when it was made, and when some or all of the others were removed.
        for missing in
            [vec![], vec!["runs.1.X"], vec!["runs.1.X", "runs.2.X", "runs.3.X", "runs.X"]]
        {
            restore();
            fs::write(path("runs.X.pruned"), &pruned).unwrap();
            for name in missing {
                let _ = fs::remove_file(path(name));
            }
            let log = open(&file);
            assert_eq!(all(&*log), after);
            assert_eq!(past(&*log, "task 1"), told);
            drop(log);
            assert_eq!(
                names(folder.path()),
                [format!("runs.{format}"), format!("runs.{format}.lock")]
            );
        }
    }
}
