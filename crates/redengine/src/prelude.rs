//! What a first program needs: `use redengine::prelude::*;`.
//!
//! The lower-case functions are conditions: `daily().after("07:00") & !failed().past("1 hour")`.

pub use redengine_core::expr::Basis::{self, Fail, Finish, Success};
pub use redengine_core::expr::build::{
    after_all, after_any, after_date, after_fail, after_finish, after_success, after_termination,
    always, always_false, always_true, before_date, between_dates, condition, crashed, cron, daily,
    env, every, failed, finished, held_for, hourly, inacted, minutely, monthly, never, newly,
    on_business_days, on_calendar, on_date, on_weekdays, on_weekends, once_in, param, retry,
    retry_forever, running, scheduler_cycles, scheduler_has_run_over, scheduler_started_within,
    secondly, since, started, succeeded, terminated, time_in, time_of_day, time_of_hour,
    time_of_minute, time_of_month, time_of_week, time_of_year, weekly, yearly,
};
pub use redengine_core::param::{Cancel, Param, Params, Return, RunInfo};
pub use redengine_core::session::session;
pub use redengine_core::task::Inaction;
pub use redengine_core::{Config, Session, Task};
#[cfg(feature = "macros")]
pub use redengine_macros::{condition, task};
pub use redengine_runtime::RunSession;

pub use crate::Result;
