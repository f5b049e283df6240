//! Functions as bodies: anything callable whose arguments are extractors.

use std::future::Future;

use super::body::Body;
use super::outcome::{IntoOutcome, Output};
use crate::param::{FromRun, Need};

/// An async function or closure of up to eight extractors that returns an outcome.
///
/// `M` tells implementations apart and is never written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the body of a task",
    label = "its arguments or its output do not fit",
    note = "it takes an async function of up to 8 extractors (`Param<T>`, `Return<Task>`, `RunInfo`, `Session`, `Cancel`) that returns nothing or a `Result`"
)]
pub trait TaskFn<M>: Send + Sync + 'static {
    /// Makes a body of it.
    fn into_body(self) -> Body;
    /// Tells what its arguments need.
    fn needs() -> Vec<Need>;
}

/// A function or closure of up to eight extractors that may block and returns an outcome.
///
/// `M` tells implementations apart and is never written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the body of a blocking task",
    label = "its arguments or its output do not fit",
    note = "it takes a function of up to 8 extractors (`Param<T>`, `Return<Task>`, `RunInfo`, `Session`, `Cancel`) that returns nothing or a `Result`"
)]
pub trait BlockingFn<M>: Send + Sync + 'static {
    /// Makes a body of it.
    fn into_body(self) -> Body;
    /// Tells what its arguments need.
    fn needs() -> Vec<Need>;
}

/// Turns what a function returned into what a body returns.
fn output<R: IntoOutcome>(returned: R) -> super::TaskResult {
    returned.into_outcome().map(|value| Output::new(value, None))
}

macro_rules! functions {
    ($($arg:ident),*) => {
        impl<F, Fut, R, $($arg),*> TaskFn<(Fut, $($arg),*)> for F
        where
            F: Fn($($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoOutcome,
            $($arg: FromRun,)*
        {
            #[allow(unused_variables, reason = "a function without arguments needs no context")]
            fn into_body(self) -> Body {
                Body::future(move |cx| {
                    let future = self($($arg::from_run(&cx, "")?),*);
                    Ok(async move { output(future.await) })
                })
            }

            fn needs() -> Vec<Need> {
                let needs: [Option<Need>; _] = [$($arg::need("")),*];
                needs.into_iter().flatten().collect()
            }
        }

        impl<F, R, $($arg),*> BlockingFn<(R, $($arg),*)> for F
        where
            F: Fn($($arg),*) -> R + Send + Sync + 'static,
            R: IntoOutcome,
            $($arg: FromRun,)*
        {
            #[allow(unused_variables, reason = "a function without arguments needs no context")]
            fn into_body(self) -> Body {
                Body::blocking(move |cx| Ok(output(self($($arg::from_run(&cx, "")?),*))))
            }

            fn needs() -> Vec<Need> {
                let needs: [Option<Need>; _] = [$($arg::need("")),*];
                needs.into_iter().flatten().collect()
            }
        }
    };
}

functions!();
functions!(A1);
functions!(A1, A2);
functions!(A1, A2, A3);
functions!(A1, A2, A3, A4);
functions!(A1, A2, A3, A4, A5);
functions!(A1, A2, A3, A4, A5, A6);
functions!(A1, A2, A3, A4, A5, A6, A7);
functions!(A1, A2, A3, A4, A5, A6, A7, A8);
