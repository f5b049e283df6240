//! A short run of the chaos command on each log that processes share, and that it would find a fault.

use std::process::{Command, Output};

fn chaos(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
    command.args(["--nodes", "3", "--tasks", "16", "--seed", "7"]).args(arguments);
    command.output().expect("the command starts")
}

fn said(output: &Output) -> String {
    let Output { stdout, stderr, .. } = output;
    String::from_utf8_lossy(stdout).into_owned() + &String::from_utf8_lossy(stderr)
}

const SQLITE: &[&str] = &[];
const POSTGRES: &[&str] = &["--url", "postgres"];

// What must be right is tried one after the other: a machine that is busy with another try is late,
// which is no fault of the one that is looked at.
#[test]
fn nothing_is_doubled_or_lost_and_a_naive_protocol_is_found_out() {
    for log in [SQLITE, POSTGRES] {
        let output = chaos(&[&["--secs", "8"], log].concat());
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.ends_with("duplicate 0, vanished 0, contradiction 0, disorder 0\n"), "{said}");
    }
    std::thread::scope(|scope| {
        for log in [SQLITE, POSTGRES] {
            scope.spawn(move || {
                let output = chaos(&[&["--secs", "3", "--protocol", "naive"], log].concat());
                let said = said(&output);
                assert_eq!(output.status.code(), Some(1), "{said}");
                assert!(said.contains("duplicate: two runs of "), "{said}");
            });
        }
    });
}

#[test]
fn what_is_wrong_with_the_arguments_is_told_at_once() {
    let wrong = ["--nodes", "0", "--secs", "soon", "--protocol", "new", "--sed", "--seed"];
    let output = Command::new(env!("CARGO_BIN_EXE_chaos")).args(wrong).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    let told: Vec<&str> = said.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(
        told,
        [
            "error: --nodes: at least 1 is needed",
            "--secs: `soon` is no number",
            "--protocol: `new` is no protocol; there are `redengine` and `naive`",
            "unknown argument `--sed`",
            "`--seed` needs a value",
        ]
    );
    let output = chaos(&["--url", "memory:"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(self::said(&output).contains("`memory:` is no log that several processes share"));
}
