//! What `#[task]` makes of functions.

#![allow(clippy::unused_async, clippy::unnecessary_wraps, reason = "what they do is not the point")]

mod support;

use std::fmt;
use std::time::Duration;

use redengine::expr::parse;
use redengine::prelude::*;
use redengine::task::{Execution, TaskType, Timeout};
use redengine::{Expr, Session};
use support::{definition, fails, run, run_with};

#[task("daily")]
async fn do_daily() {}

#[task("daily after 07:00 & file_exists('x.csv')", register = false)]
#[allow(dead_code)]
async fn in_text() {}

#[task(every("10 s"), name = "fetch all prices", execution = "thread", priority = -3, timeout = "10 min", end = "time of day after 20:00", disabled, on = "gpu", register = false)]
/// Its documentation.
pub(crate) async fn fetch_prices() -> Vec<u32> {
    vec![1, 2]
}

fn every(duration: &str) -> Expr {
    format!("every {duration}").into()
}

#[task("false", timeout = Duration::from_secs(2), register = false)]
fn blocks() -> Result<u32, fmt::Error> {
    Ok(7)
}

#[task("false", timeout = "never", disabled = false, register = false)]
fn fails_always() -> Result {
    Err("no luck".into())
}

#[task("false", register = false)]
async fn inacts() -> Result {
    Err(Inaction.into())
}

#[task("false", register = false)]
async fn says() -> &'static str {
    "hello"
}

#[task("false", register = false)]
fn never_ends() -> ! {
    panic!("this one does")
}

#[task("false", register = false)]
async fn sums(
    Param(limit): Param<u32>,
    Param(_offset): Param<u32>,
    prices: Return<FetchPrices>,
    _: RunInfo,
    mut absent: Option<Param<String>>,
) -> u32 {
    absent.take();
    limit + prices.iter().sum::<u32>()
}

/// Its arguments hide what the expansion could call.
#[task("false", register = false)]
async fn cx(cx: Param<u32>, arg1: Param<u32>, r#type: Param<u32>) -> u32 {
    *cx + *arg1 + *r#type
}

#[task("false", register = false)]
async fn r#type() {}

#[task("false", register = false)]
async fn v2_of_3() {}

#[cfg(any())]
#[task("false")]
async fn above() {}

#[task("false")]
#[cfg(any())]
async fn below() {}

macro_rules! every_task {
    ($function:ident, $every:literal, $name:expr, $priority:expr, $returned:ty) => {
        #[task($every, name = $name, priority = $priority, register = false)]
        fn $function(_info: RunInfo) -> $returned
        where
            $returned: Send,
        {
            Ok(1)
        }
    };
}

every_task!(by_macro, "every 10 s", "made by a macro", -1, Result<u32>);

struct Opaque;

#[task("false", register = false)]
fn cannot_be_written() -> Opaque {
    Opaque
}

mod inner {
    use redengine::prelude::*;

    #[task("false", register = false)]
    pub(super) async fn do_daily() {}

    #[task("hourly", crate = redengine, name = "in a module")]
    async fn do_hourly() {}
}

#[test]
fn a_task_registers_itself_to_the_default_session() {
    let names: Vec<String> = session().tasks().iter().map(|task| task.name.to_string()).collect();
    assert_eq!(names, ["do_daily", "in a module", "within"]);
}

#[test]
fn a_task_may_stand_inside_a_function() {
    #[task("daily")]
    async fn within() {}
    assert_eq!(Within::NAME, "within");
    assert_eq!(definition(Within).start.text().to_string(), "daily");
}

#[test]
fn a_task_is_named_after_its_function() {
    assert_eq!(DoDaily::NAME, "do_daily");
    assert_eq!(DoDaily::task().name(), Some("do_daily"));
    assert_eq!(inner::DoDaily::NAME, "do_daily");
    assert_eq!(Type::NAME, "type");
    assert_eq!(V2Of3::NAME, "v2_of_3");
}

#[test]
fn a_task_named_after_its_function_gets_an_instance_id_if_the_session_says_so() {
    let builder = Session::builder().configure(|config| config.use_instance_naming = true);
    let session = builder.task(DoDaily).task(FetchPrices).build().unwrap();
    assert_ne!(&*session.tasks()[0].name, "do_daily");
    assert_eq!(&*session.tasks()[1].name, "fetch all prices");
}

#[test]
fn options_are_taken_over() {
    assert_eq!(FetchPrices::NAME, "fetch all prices");
    let task = definition(FetchPrices);
    assert_eq!(task.start.text().to_string(), "every 10 s");
    assert_eq!(
        task.end.as_ref().unwrap().text().to_string(),
        parse("time of day after 20:00").unwrap().to_string()
    );
    assert_eq!(task.policy.execution, Some(Execution::Thread));
    assert_eq!(task.policy.priority, Some(-3));
    assert_eq!(task.policy.timeout, Some(Timeout::After(Duration::from_mins(10))));
    assert!(task.policy.disabled);
    assert_eq!(task.policy.on.as_deref(), Some("gpu"));

    let task = definition(Blocks);
    assert_eq!(task.policy.timeout, Some(Timeout::After(Duration::from_secs(2))));
    let task = definition(FailsAlways);
    assert_eq!(task.policy.timeout, Some(Timeout::Never));
    assert!(!task.policy.disabled);
    assert_eq!(task.policy.priority, None);
    assert!(task.end.is_none());
}

#[test]
fn a_task_may_be_written_by_another_macro() {
    let task = definition(ByMacro);
    assert_eq!(&*task.name, "made by a macro");
    assert_eq!(&**task.start.text(), "every 10 s");
    assert_eq!(task.policy.priority, Some(-1));
    assert_eq!(run(ByMacro).unwrap().json(), Some("1"));
}

#[test]
fn the_function_is_left_as_it_is() {
    assert_eq!(blocks(), Ok(7));
    assert_eq!(futures::executor::block_on(fetch_prices()), [1, 2]);
}

#[test]
fn values_and_results_are_outcomes() {
    assert_eq!(run(Blocks).unwrap().json(), Some("7"));
    assert_eq!(run(FetchPrices).unwrap().json(), Some("[1,2]"));
    assert!(run(DoDaily).unwrap().is_empty());
    assert_eq!(fails(FailsAlways), "no luck");
    assert_eq!(fails(Inacts), "inaction");
    assert!(std::panic::catch_unwind(|| run(NeverEnds)).is_err());
}

#[test]
fn values_are_read_back_if_their_type_can_be() {
    assert_eq!(FetchPrices::decode("[1,2]"), Some(vec![1, 2]));
    assert_eq!(FetchPrices::decode("no"), None);
    assert_eq!(run(Says).unwrap().json(), Some("\"hello\""));
    assert_eq!(Says::decode("\"hello\""), None);
    assert_eq!(run(CannotBeWritten).unwrap().json(), None);
    assert!(CannotBeWritten::decode("null").is_none());
}

#[test]
fn arguments_are_found_by_their_names() {
    let params = || {
        let params = Params::new().with("limit", 10_u32).with("offset", 100_u32);
        params.with("cx", 1_u32).with("arg1", 2_u32).with("type", 4_u32)
    };
    let prices = run(FetchPrices).unwrap();
    let sum = run_with(Sums, params(), vec![(FetchPrices::NAME, prices)]).unwrap();
    assert_eq!(sum.json(), Some("13"));
    assert_eq!(run_with(Cx, params(), vec![]).unwrap().json(), Some("7"));
}

#[test]
fn needs_are_known_when_the_session_is_built() {
    let session = Session::builder().task(Cx).task(Sums).task(FetchPrices).build();
    let error = session.unwrap_err().to_string();
    for name in ["cx", "arg1", "type", "limit", "offset"] {
        assert!(error.contains(&format!("`{name}`")), "{error}");
    }
}
