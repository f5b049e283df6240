//! The attributes of Red Engine: [`macro@task`] and [`macro@condition`].
//!
//! They check and forward. What they write, you could write: an implementation of `TaskType` for a
//! unit type, a function that makes an `Expr`, and a registration of each. Statements and durations
//! are read while compiling, and all that is wrong with a function is told at once, where it is.
//!
//! Use them through the crate `redengine`.

mod condition;
mod options;
mod signature;
mod task;

use proc_macro::TokenStream;

/// Makes a task of a function.
///
/// The function stays as it is: other code and unit tests call it as before. Beside it a unit type is
/// made that stands for the task, named after the function in camel case (`fetch_prices`:
/// `FetchPrices`), and the task registers itself to the default session.
///
/// ```no_run
/// use redengine::prelude::*;
///
/// #[task("daily after 07:00")]
/// async fn fetch_prices() -> Result<Vec<f64>> {
///     Ok(vec![1.5, 2.5])
/// }
///
/// #[task("after task 'fetch_prices'", timeout = "10 min")]
/// fn report(prices: Return<FetchPrices>, limit: Param<usize>) {
///     println!("{:?}", prices.iter().take(*limit).collect::<Vec<_>>());
/// }
///
/// #[tokio::main]
/// async fn main() -> Result {
///     session().set_param("limit", 10_usize);
///     session().run().await
/// }
/// ```
///
/// # When it runs
///
/// The condition comes first. It is a text, or any expression of which a condition can be made:
///
/// ```standalone_crate
/// use redengine::prelude::*;
///
/// #[condition]
/// fn is_work_day() -> bool {
///     true
/// }
///
/// #[task("daily after 07:00 & is_work_day()")]
/// async fn in_text() {}
///
/// #[task(daily().after("07:00") & is_work_day())]
/// async fn in_rust() {}
///
/// let text = |name| session().task(name).unwrap().start.text().clone();
/// assert_eq!(text("in_text"), text("in_rust"));
/// ```
///
/// A text is read while compiling:
///
/// ```compile_fail
/// # use redengine::prelude::*;
/// #[task("daily betwen 10:00 and 14:00")]
/// async fn fetch() {}
/// ```
///
/// ```text
/// error: unknown word `betwen`
///          |  daily betwen 10:00 and 14:00
///          |        ^^^^^^ did you mean `between`?
/// ```
///
/// The names of tasks and of custom conditions in it, and their phrases, are looked up when the session
/// is built. A task
/// that is started only on request has `#[task("false")]`.
///
/// # Options
///
/// | option | meaning | without it |
/// |---|---|---|
/// | `name = "fetch prices"` | the task's name | the function's name; under `use_instance_naming`, an id |
/// | `execution = "thread"` | where it runs: `"async"` or `"thread"` | `async fn`: as the session says; `fn`: a thread |
/// | `priority = 10` | of tasks that are due together, greater ones begin first | as the session says |
/// | `timeout = "10 min"` | after how long a run is stopped: a text, a `Duration`, or `"never"` | as the session says |
/// | `end = "time of day after 20:00"` | runs are stopped while this condition holds | nothing stops them |
/// | `disabled` | the condition is not looked at until the task is enabled; also `disabled = true` | it is |
/// | `on = "gpu"` | only sessions with this label in their `node_labels` run it | all do |
/// | `register = false` | the task is not registered: add it with `Session::builder().task(FetchPrices)` | it is |
/// | `crate = path` | where the crate `redengine` is found | `::redengine` |
///
/// # Arguments
///
/// Each argument is made when a run begins, and has a type that tells how:
///
/// | type | value |
/// |---|---|
/// | `Param<T>` | the parameter with the name of the argument, of the run or of the session |
/// | `Return<FetchPrices>` | what the latest successful run of that task returned |
/// | `RunInfo` | which run this is |
/// | `Cancel` | tells the run to stop |
/// | `Session` | the session |
/// | `Option<..>` of these | `None` if there is no such value |
///
/// What must be there is checked when the session is built. `limit: Param<usize>` and
/// `Param(limit): Param<usize>` take the parameter `limit`, and so does `_limit: Param<usize>`; an
/// argument without a name takes the only parameter of its type. Other types can be made arguments
/// with `redengine::param::FromRun`.
///
/// # What it returns
///
/// A `Result` is a success or a failure; anything else, also nothing, is a success. A type counts as a
/// result if its name ends with `Result`. The value of a success is kept for `Return`; if serde can
/// write and read it, it outlives the process.
///
/// # Where it may stand
///
/// In any module or function, but not in an `impl` block. The unit type has the visibility of the
/// function, and is there under the same `#[cfg]`.
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    task::expand(arguments.into(), &item.into()).into()
}

/// Makes a condition of a function that answers yes or no.
///
/// In its place there is a function of the same name and arguments that makes the condition, for use in
/// Rust; and texts may call it by its name. Both are the same condition: it has a name and arguments,
/// prints as text, and is asked once for all tasks that use it.
///
/// ```standalone_crate
/// use redengine::prelude::*;
///
/// #[condition(poll = "30 s")]
/// fn file_exists(path: &str) -> bool {
///     std::path::Path::new(path).exists()
/// }
///
/// #[task("daily & file_exists('x.csv')")]
/// async fn in_text() {}
///
/// #[task(daily() & file_exists("x.csv"))]
/// async fn in_rust() {}
///
/// assert_eq!(file_exists("x.csv").to_string(), "file_exists('x.csv')");
/// ```
///
/// # Phrases
///
/// A text that comes first gives the condition words of its own, with each argument in braces once.
/// Texts may then say it so, beside its call:
///
/// ```standalone_crate
/// use redengine::prelude::*;
///
/// #[condition("file {path} exists", poll = "30 s")]
/// fn file_exists(path: &str) -> bool {
///     std::path::Path::new(path).exists()
/// }
///
/// #[condition("queue {name} holds between {low} and {high} jobs")]
/// async fn queue_holds(name: &str, low: u32, high: u32) -> Result<bool> {
///     Ok((low..=high).contains(&(name.len() as u32)))
/// }
///
/// #[task("daily & ~file 'x.csv' exists & queue 'mail' holds between 2 and 5 jobs")]
/// async fn fetch() {}
///
/// assert!(session().problems().is_none());
/// ```
///
/// The macros see no functions but their own, so phrases are told from slips by rule. While compiling, a
/// statement in the text of a `#[task]` may be a phrase if it begins with a word that begins no statement
/// of the language and is not nearly one that does (`dayly`), nor a word of time and order (`in`, `next`,
/// `when`, `Monday`), and if it has an argument: a text in quotes, a number, `true` or `false`. Anything
/// else is an error, as before. Whether some condition has that phrase is told when the session is built.
///
/// So a phrase must begin with such a word and have an argument; for a condition without arguments, texts
/// use its call. Within a phrase `for` and `since` cannot stand, and `and` and `or` only before an argument.
/// No two phrases of a program may differ only in the names of their arguments.
///
/// ```compile_fail
/// # use redengine::prelude::*;
/// #[condition("file {pth} exists")]
/// fn file_exists(path: &str) -> bool {
///     std::path::Path::new(path).exists()
/// }
/// ```
///
/// ```text
/// error: unknown argument `pth`
///          |  file {pth} exists
///          |        ^^^ did you mean `path`?
/// ```
///
/// # When it is asked
///
/// It is asked only while something waits for the answer, outside of the scheduler: an `async fn` as a
/// task, a `fn`, which may block, on a thread.
///
/// # Arguments
///
/// They are what can be written in text: `&str` or `String`, integers, `f64` and `bool`. For the first
/// two, the function that makes the condition takes any `impl Into<String>`.
///
/// # What it returns
///
/// `bool`, or a `Result<bool, E>` for any error `E`. An error is told once, and the condition does not
/// hold as long as it lasts, however it is combined.
///
/// ```
/// # use redengine::prelude::*;
/// #[condition]
/// async fn is_quiet(limit: f64) -> Result<bool> {
///     let load: f64 = std::fs::read_to_string("/proc/loadavg")?
///         .split(' ').next().unwrap_or_default().parse()?;
///     Ok(load < limit)
/// }
/// ```
///
/// # Options
///
/// | option | meaning | without it |
/// |---|---|---|
/// | `"file {path} exists"`, first | its phrase | texts have only its call |
/// | `poll = "30 s"` | the time from one answer to the next question: a text or a `Duration` | the session's `probe_interval` |
/// | `name = "exists"` | the name by which texts call it | the function's name |
/// | `crate = path` | where the crate `redengine` is found | `::redengine` |
///
/// Texts know conditions by name alone, wherever the function stands, so two conditions of a program
/// must have different names: if they do not, building a session fails and tells both.
#[proc_macro_attribute]
pub fn condition(arguments: TokenStream, item: TokenStream) -> TokenStream {
    condition::expand(arguments.into(), item.into()).into()
}
