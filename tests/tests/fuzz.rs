//! A short fuzz with each target, and large inputs: no panic, and no more time than their size asks for.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use redengine_tests::fuzz::{TARGETS, Target, corpus, enlarge, mutate};
use rustix::time::{ClockId, clock_gettime};

fn texts() -> Vec<String> {
    corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/vectors")).unwrap()
}

#[test]
fn inputs_that_are_nearly_right_break_no_law() {
    let texts = texts();
    let mut rng = Rng::with_seed(11);
    for (name, target) in TARGETS {
        for _ in 0..1_500 {
            let input = mutate(&texts, &mut rng);
            assert_eq!(target(&input, &mut rng.clone()), Ok(()), "{name}: {input:?}");
        }
    }
}

/// How much of a processor an input takes, at the least of some tries. What else the machine does
/// meanwhile does not count.
fn work_of(target: Target, input: &str) -> Duration {
    let spent = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
    };
    let once = || {
        let before = spent();
        let _ = target(input, &mut Rng::with_seed(7));
        spent() - before
    };
    (0..3).map(|_| once()).min().unwrap()
}

#[test]
fn ten_times_the_text_takes_about_ten_times_the_work() {
    let texts = texts();
    for (name, target) in TARGETS {
        for seed in 0..6 {
            let of = |size| enlarge(&texts, size, &mut Rng::with_seed(seed));
            let small = work_of(*target, &of(20_000)).max(Duration::from_millis(2));
            let large = work_of(*target, &of(200_000));
            let start = of(0);
            assert!(large < small * 40, "{name}, {start:?}: {small:?} and then {large:?}");
        }
    }
}

#[test]
fn a_megabyte_and_ten_thousand_parentheses_are_read() {
    let texts = texts();
    let deep = format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000));
    for (name, target) in TARGETS {
        let large = enlarge(&texts, 1_000_000, &mut Rng::with_seed(3));
        for input in [&large, &deep] {
            let took = work_of(*target, input);
            // Far above what a slow machine takes, far below what is not linear.
            assert!(took < Duration::from_secs(60), "{name}: {took:?}");
        }
    }
}
