//! Which sessions are there: each has a row, which it renews.
//!
//! Always: a lease that has ended is never renewed again, and all instants are those of the
//! server's clock. A session that comes back after an outage does not end the others' leases: only
//! one whose own lease had not run out when it renewed does, and not before the server has been up
//! for as long as a lease lasts. So all who waited for the server have the time to come back.
//!
//! Rows of ended leases stay for a month, so that a session that slept that long finds out.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::runlog::{LogErrorKind, Member};

use super::address::{Address, Lock};
use super::connect::{Connection, Parameters};
use super::error::Failure;
use super::text;

/// The own lease and those that may be ended: whether it has been, and whether it has not run out.
///
/// They are locked in the order in which appends lock them, so that nobody waits in a circle, and
/// appends that have looked at them are waited for.
const LOCK: &str = "select node, fenced is not null, until > clock_timestamp() from lease
     where node = $1 or (fenced is null and (node = any($2) or greatest(
        until, pg_postmaster_start_time() + $3::float8 * interval '1 microsecond'
     ) <= clock_timestamp()))
     order by node for update";

const RENEW: &str = "insert into lease (node, labels, until)
     values ($1, $2, clock_timestamp() + $3::float8 * interval '1 microsecond')
     on conflict (node) do update set labels = excluded.labels, until = excluded.until";

const END: &str = "update lease set fenced = clock_timestamp() where node = any($1)";

/// Those who are gone and had no lease may not come back either.
const END_UNKNOWN: &str = "insert into lease (node, labels, until, fenced)
     select node, '{}', clock_timestamp(), clock_timestamp() from unnest($2::text[]) as gone(node)
     where node <> $1 on conflict do nothing";

const FORGET: &str =
    "delete from lease where $1::boolean and fenced < clock_timestamp() - interval '30 days'";

const MEMBERS: &str = "select node, labels from lease where fenced is null order by node";

const RELEASE: &str = "delete from lease where node = $1 and fenced is null";

pub(super) async fn renew(
    connection: &mut Connection,
    address: &Address,
    me: &Member,
    ttl: Duration,
    gone: &[Arc<str>],
) -> Result<Vec<Member>, Failure> {
    let node = text::encode(&me.node);
    let labels: Vec<_> = me.labels.iter().map(|label| text::encode(label)).collect();
    let gone: Vec<_> = gone.iter().map(|node| text::encode(node)).collect();
    // OK because 200 000 years are enough; as a number that may have a fraction, as SQL wants it.
    let ttl = u32::try_from(ttl.as_millis()).map_or(f64::from(u32::MAX), f64::from) * 1000.0;
    let begin = address.begin(&[Lock::Leases]);
    connection.run_all(&begin).await?;
    let (mut is_fenced, mut was_there) = (false, false);
    let mut others: Vec<String> = Vec::new();
    for row in connection.rows(LOCK, &[&node, &gone, &ttl]).await? {
        let name: String = row.try_get(0)?;
        if name == node {
            (is_fenced, was_there) = (row.try_get(1)?, row.try_get(2)?);
        } else {
            others.push(name);
        }
    }
    if is_fenced {
        connection.run_all("rollback").await?;
        return Err(Failure::Unfit(
            LogErrorKind::Fenced,
            format!(
                "the lease of `{}` has ended, so others have taken over from it; begin again under \
                 another name",
                me.node
            ),
        ));
    }
    others.retain(|other| was_there || gone.iter().any(|gone| gone == other));
    let steps: [(&str, Parameters<'_>); 4] = [
        (RENEW, &[&node, &labels, &ttl]),
        (END, &[&others]),
        (END_UNKNOWN, &[&node, &gone]),
        (FORGET, &[&was_there]),
    ];
    for (statement, parameters) in steps {
        connection.run(statement, parameters).await?;
    }
    let rows = connection.rows(MEMBERS, &[]).await?;
    let members = rows.iter().map(|row| {
        let labels: Vec<&str> = row.try_get(1)?;
        let labels = labels.into_iter().map(|label| text::decode(label).into()).collect();
        Ok(Member { node: text::decode(row.try_get(0)?).into(), labels })
    });
    let members = members.collect::<Result<Vec<Member>, Failure>>()?;
    connection.run_all("commit").await?;
    Ok(members)
}

pub(super) async fn release(connection: &mut Connection, node: &str) -> Result<(), Failure> {
    connection.run(RELEASE, &[&text::encode(node)]).await?;
    Ok(())
}
