//! A process that is killed between any two steps of a run: what is left, and that it is made good.

use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use redengine_core::record::Recorded;
use redengine_core::{Timestamp, record::Action};
use redengine_runtime::crash::{Leaves, POINTS, Scene};
use redengine_tests::chaos::arguments::Protocol;
use redengine_tests::chaos::checker::{Evidence, check};
use redengine_tests::chaos::effects::Effects;
use redengine_tests::chaos::faults::Fault;
use redengine_tests::chaos::process::{Launcher, NodeProcess};
use redengine_tests::chaos::{now, read, tasks};
use redengine_testserver::Server;
use rustix::process::Signal;

/// Long enough for a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(30);

fn launcher(folder: &Path, scene: Scene) -> Launcher {
    let url = match scene {
        Scene::Run | Scene::Heir => format!("sqlite:{}", folder.join("runs.db").display()),
        Scene::Lease | Scene::Farewell => Server::shared().url_of_new_schema(),
    };
    Launcher {
        program: env!("CARGO_BIN_EXE_chaos").into(),
        folder: folder.to_owned(),
        url,
        // Every second; one that begins again is easily told.
        tasks: 1,
        protocol: Protocol::RedEngine,
    }
}

/// Waits until a process is killed by the point that it was started with.
fn wait_for_kill(mut process: NodeProcess, point: &str) {
    use std::os::unix::process::ExitStatusExt;

    let ended = process.wait(PATIENCE).unwrap();
    let signal = ended.and_then(|status| status.signal());
    assert_eq!(signal, Some(9), "{point}: {ended:?}, {}", process.said().unwrap());
}

/// What the log and the effects have of the last run.
fn left(records: &[Recorded], effects: &Effects) -> Leaves {
    let last = records.iter().rfind(|known| known.record.action == Action::Run).unwrap();
    let run = last.record.run;
    if records.iter().any(|known| known.record.run == run && known.record.action != Action::Run) {
        return Leaves::Ended;
    }
    let begun = effects.begins.iter().any(|begin| begin.run == run);
    let over = effects.ends.iter().any(|(end, _)| end.run == run);
    match (begun, over) {
        (false, false) => Leaves::OpenUnbegun,
        (true, true) => Leaves::OpenOver,
        other => panic!("half a body: {other:?}"),
    }
}

fn count(records: &[Recorded], action: Action) -> usize {
    records.iter().filter(|known| known.record.action == action).count()
}

fn dies_and_is_made_good(point: &str, scene: Scene, leaves: Leaves) {
    let folder = tempfile::tempdir().unwrap();
    let launcher = launcher(folder.path(), scene);
    let since = now();
    if scene == Scene::Heir {
        let first = launcher.start("before", &[("REDENGINE_CRASH", "after-run-append:2")]).unwrap();
        wait_for_kill(first, point);
    }
    let times = if matches!(scene, Scene::Run | Scene::Lease) { 2 } else { 1 };
    let armed = format!("{point}:{times}");
    let mut killed = launcher.start("killed", &[("REDENGINE_CRASH", &*armed)]).unwrap();
    if scene == Scene::Farewell {
        while read(&launcher.url).unwrap().is_empty() {
            thread::sleep(Duration::from_millis(20));
        }
        killed.signal(Signal::TERM).unwrap();
    }
    wait_for_kill(killed, point);
    let died = now();
    let before = read(&launcher.url).unwrap();
    let effects = Effects::read(folder.path()).unwrap();
    match leaves {
        Leaves::Nothing => {
            assert_eq!(count(&before, Action::Run), 1, "{point}");
            assert_eq!(left(&before, &effects), Leaves::Ended, "{point}");
        }
        Leaves::Unrelated => {}
        leaves => {
            assert_eq!(count(&before, Action::Run), 2, "{point}");
            assert_eq!(left(&before, &effects), leaves, "{point}");
        }
    }

    let runs = count(&before, Action::Run);
    let mut heir = launcher.start("heir", &[]).unwrap();
    let until = now().after(PATIENCE);
    while count(&read(&launcher.url).unwrap(), Action::Run) < runs + 2 {
        assert!(now() < until, "{point}: nothing runs again: {}", heir.said().unwrap());
        thread::sleep(Duration::from_millis(50));
    }
    let closing = now();
    heir.signal(Signal::TERM).unwrap();
    let ended = heir.wait(PATIENCE).unwrap();
    assert!(ended.is_some_and(|status| status.success()), "{point}: {ended:?}");
    let records = read(&launcher.url).unwrap();
    let open = matches!(leaves, Leaves::OpenUnbegun | Leaves::OpenOver);
    if open {
        assert_eq!(count(&records, Action::Crash), 1, "{point}");
    }
    let evidence = evidence(records, folder.path(), (since, died), closing);
    let violations = check(&evidence).violations;
    assert!(violations.is_empty(), "{point}: {}", shown(&violations));
}

fn evidence(
    records: Vec<Recorded>,
    folder: &Path,
    fault: (Timestamp, Timestamp),
    closing: Timestamp,
) -> Evidence {
    Evidence {
        tasks: tasks::tasks(1),
        records,
        effects: Effects::read(folder).unwrap(),
        faults: vec![(Fault::Kill, fault)],
        closing,
    }
}

fn shown(violations: &[impl std::fmt::Display]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn at_each_point_a_process_may_die_and_nothing_is_doubled_or_lost() {
    thread::scope(|scope| {
        for (_, point, _, scene, leaves) in POINTS {
            scope.spawn(move || dies_and_is_made_good(point, scene, leaves));
        }
    });
}

#[test]
fn a_point_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = launcher(folder.path(), Scene::Run);
    let mut node = launcher.start("node", &[("REDENGINE_CRASH", "after-lunch:2")]).unwrap();
    let until = now().after(PATIENCE);
    while !node.said().unwrap().contains("`REDENGINE_CRASH=after-lunch:2` names no crash point") {
        assert!(now() < until, "{}", node.said().unwrap());
        thread::sleep(Duration::from_millis(20));
    }
    node.signal(Signal::TERM).unwrap();
    assert!(node.wait(PATIENCE).unwrap().is_some_and(|status| status.success()));
}

#[test]
fn the_page_on_reliability_has_all_points() {
    let mut table = String::from("| point | there | the log has |\n|---|---|---|\n");
    for (_, name, place, _, leaves) in POINTS {
        writeln!(table, "| `{name}` | {place} | {} |", leaves.as_str()).unwrap();
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&table), "docs/reliability.md must have this table:\n\n{table}");
}
