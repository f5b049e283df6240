//! A short run of the chaos command on each log that processes share, and that it would find a fault.

use std::process::{Command, Output};

fn chaos(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
    command.args(["--nodes", "3", "--tasks", "16", "--secs", "8"]).args(arguments);
    command.output().expect("the command starts")
}

fn said(output: &Output) -> String {
    let Output { stdout, stderr, .. } = output;
    String::from_utf8_lossy(stdout).into_owned() + &String::from_utf8_lossy(stderr)
}

/// The tests of one program run at a time, so that one of them is not the fault of another.
#[test]
fn nothing_is_doubled_or_lost_and_a_naive_protocol_is_found_out() {
    for url in [&[][..], &["--url", "postgres"]] {
        let output = chaos(&[&["--seed", "7"], url].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let said = said(&output);
        assert!(said.ends_with("duplicate 0, vanished 0, contradiction 0, disorder 0\n"), "{said}");
    }
    for url in [&[][..], &["--url", "postgres"]] {
        let output = chaos(&[&["--seed", "7", "--protocol", "naive"], url].concat());
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("duplicate: two runs of "), "{}", said(&output));
    }
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
}
