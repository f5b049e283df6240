//! A program that a test starts, kills and starts again: a session on an SQLite file.
//!
//! `worker FILE STORY`. It prints a line when it is ready, and one as each body begins.

use std::process::ExitCode;
use std::time::Duration;

use redengine_core::param::{Cancel, Return};
use redengine_core::task::TaskType;
use redengine_core::{Session, Task};
use redengine_log::SqliteLog;
use redengine_runtime::RunSession;

/// A task that returns a number, once an hour.
struct Count;

impl TaskType for Count {
    type Output = u32;
    const NAME: &'static str = "count";

    fn task() -> Task {
        use redengine_core::macros::finish;

        let body = redengine_core::task::Body::future(|_| {
            Ok(async { finish(begin("count", 41_u32), |value| Some(value.to_string())) })
        });
        Task::of_body("every 1 hour", body, Vec::new()).named("count")
    }

    fn decode(json: &str) -> Option<u32> {
        json.parse().ok()
    }
}

fn begin<T>(task: &str, value: T) -> Result<T, std::io::Error> {
    println!("begin {task}");
    Ok(value)
}

async fn forever(task: &'static str) {
    println!("begin {task}");
    std::future::pending().await
}

fn tasks(story: &str) -> Vec<Task> {
    let quick = |name: &'static str, condition: &str| {
        Task::new(name, condition, move || async move { begin(name, ()) })
    };
    match story {
        // `count` and `daily` have run; `cut` is live when the process is killed.
        "first" => vec![
            Count::task(),
            quick("daily", "daily"),
            Task::new("cut", "after task 'count'", || forever("cut")),
            quick("next", "after task 'cut'"),
        ],
        // The same tasks; now `cut` ends, and `next` wants the number of the earlier process.
        "second" => vec![
            Count::task(),
            quick("daily", "daily"),
            Task::new("cut", "task 'cut' has crashed & ~has succeeded", || async {
                begin("cut", ())
            }),
            Task::new("next", "after task 'cut'", |count: Return<Count>| async move {
                println!("begin next with {}", *count);
            }),
        ],
        "secondly" => vec![quick("tick", "secondly")],
        // A run that takes its time and listens.
        "serve" => vec![Task::new("serve", "~has started", |cancel: Cancel| async move {
            println!("begin serve");
            tokio::select! {
                () = cancel.cancelled() => Err(std::io::Error::other("told to stop")),
                () = tokio::time::sleep(Duration::from_millis(800)) => Ok(()),
            }
        })],
        story => panic!("unknown story `{story}`"),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, story] = arguments.as_slice() else {
        eprintln!("usage: worker FILE STORY");
        return ExitCode::from(2);
    };
    let session = Session::builder().log(SqliteLog::open(file)).tasks(tasks(story)).build();
    let session = match session {
        Ok(session) => session,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("ready");
    match session.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
