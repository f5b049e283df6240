"""Makes tests/data/vectors/cron-zones-random.jsonl.gz: what Python's cronsim says of random expressions.

cronsim (https://github.com/cuu508/cronsim) follows Debian's cron. It shares nothing with this project: another language, another
search, another reader of the time zone database (zoneinfo over the package tzdata).

    python3 -m venv venv && venv/bin/pip install cronsim==2.8 tzdata==2026.6
    PYTHONTZPATH= venv/bin/python tests/oracles/cronsim_vectors.py tests/data/vectors/cron-zones-random.jsonl.gz

The recorded file was made with Python 3.11, cronsim 2.8 and tzdata 2026.6, which is tzdb 2026f. The same seed makes the same file.

A row: `zone`; `cron`; `after` (UTC); `next`: the next instants strictly after it. As many rows as not lie near a change of the zone's
clock. Left out, because cronsim itself cannot be taken at its word there:

* its answers when started inside a fold: it is started before it, and what is not after `after` is dropped;
* an expression of six fields with fixed times near a change of the clock: cronsim lets those follow elapsed time, for Debian's cron
  has no seconds. This project treats both kinds alike;
* for what follows elapsed time, answers whose time is never shown, unless the one that is shown then matches too: cronsim begins a
  day at midnight even if the zone skips it;
* ranges of one value with a step: cronsim reads `9-9/4` as `9/4`, which is 9 and all that follow in steps; Debian's cron as 9.

What follows elapsed time near a change of a clock whose offset is no whole number of hours is found by looking at each minute, with
the fields as cronsim reads them: its own search leaps by whole hours from a full one, and so misses the first minutes of an hour.
"""

import gzip
import json
import random
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone

import tzdata
from cronsim import CronSim, CronSimError

SEED = 20261124
ROWS = 5000
CHAIN = 6
UTC = timezone.utc

# Half hours, skipped and doubled midnights, skipped days, negative summer time, a shift by two hours, and plain ones.
ODD = """UTC Europe/Helsinki Europe/London Europe/Dublin America/New_York America/St_Johns America/Sao_Paulo America/Havana
America/Asuncion America/Santiago Australia/Lord_Howe Australia/Adelaide Pacific/Apia Pacific/Kwajalein Pacific/Chatham Africa/Cairo
Africa/Casablanca Africa/Monrovia Antarctica/Troll Asia/Amman Asia/Beirut Asia/Gaza Asia/Kathmandu Asia/Kolkata Asia/Pyongyang
Asia/Tehran Asia/Tokyo America/Caracas America/Scoresbysund Atlantic/Azores""".split()

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()


def one(rng, low, high, names):
    value = rng.randint(low, high)
    name = names[value - low] if names and value - low < len(names) else None
    if name and rng.random() < 0.4:
        return rng.choice([name, name.lower(), name.capitalize()])
    return str(value)


def item(rng, low, high, names):
    kind = rng.random()
    if kind < 0.5:
        return one(rng, low, high, names)
    if kind < 0.6:
        return f"{rng.randint(low, high)}/{rng.randint(1, max(2, (high - low) // 2))}"
    first, last = sorted(rng.sample(range(low, high + 1), 2))
    text = f"{first}-{last}"
    return text if kind < 0.8 else f"{text}/{rng.randint(1, max(2, (high - low) // 3))}"


def field(rng, low, high, star, names=(), special=None):
    kind = rng.random()
    if kind < star:
        return "*"
    if kind < star + 0.12:
        return f"*/{rng.randint(1, (high - low) // 2 + 1)}"
    parts = [item(rng, low, high, names) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    if special and rng.random() < 0.25:
        parts[rng.randrange(len(parts))] = special(rng)
    return ",".join(parts)


def last_day(rng):
    return rng.choice(["L", "LW", "l"])


def nth_weekday(rng):
    day = rng.randint(0, 7)
    if rng.random() < 0.4:
        return f"{day}L"
    return f"{rng.choice([str(day), WEEKDAYS[day % 7]])}#{rng.randint(1, 5)}"


def expression(rng):
    fields = [
        field(rng, 0, 59, 0.15),
        field(rng, 0, 23, 0.2),
        field(rng, 1, 31, 0.55, special=last_day),
        field(rng, 1, 12, 0.75, MONTHS),
        field(rng, 0, 7, 0.5, WEEKDAYS, nth_weekday),
    ]
    if rng.random() < 0.5:
        # Hours at which clocks are set.
        fields[1] = rng.choice(["0", "1", "2", "3", "23", "0-3", "1,2", "*/2", "2/3", "*"])
    if rng.random() < 0.12:
        fields.insert(0, field(rng, 0, 59, 0.1))
    return " ".join(fields)


def transitions(zone):
    """Finds the changes of a zone's offset from 1980 to 2060, to the minute."""
    found = []
    step = timedelta(days=1)
    at = datetime(1980, 1, 1, tzinfo=UTC)
    while at.year < 2060:
        if at.astimezone(zone).utcoffset() != (at + step).astimezone(zone).utcoffset():
            low, high = at, at + step
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // 2
                if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high.replace(second=0, microsecond=0))
        at += step
    return found


def imaginary(at, zone):
    return at != at.astimezone(UTC).astimezone(zone)


def fixed(cron):
    minute, hour = cron.split()[-5:-3]
    return not minute.startswith("*") and not hour.startswith("*")


def odd_shift(zone, start, end):
    """Tells whether between two instants a clock is set whose offset is no whole number of hours."""
    start = start.replace(minute=0, second=0)
    offset = start.astimezone(zone).utcoffset()
    while start < end:
        start += timedelta(hours=1)
        following = start.astimezone(zone).utcoffset()
        if following != offset and (following % timedelta(hours=1) or offset % timedelta(hours=1)):
            return True
        offset = following
    return False


def shown(cron, local):
    """Tells whether a local time matches, by the fields as cronsim reads them."""
    fields = CronSim(cron, datetime(2000, 1, 1))
    time = local.second in fields.seconds and local.minute in fields.minutes and local.hour in fields.hours
    return time and local.month in fields.months and fields.match_day(local.date())


def walk(cron, zone, after):
    """Looks at each minute of a month, with the fields as cronsim reads them."""
    found = []
    at = after.replace(second=0, microsecond=0)
    for _ in range(31 * 1440):
        at += timedelta(minutes=1)
        if shown(cron, at.astimezone(zone)):
            found.append(at)
            if len(found) == CHAIN:
                return found
    return None


def chain(cron, zone, after):
    """Tells the next instants after one, or None if cronsim's answer is not to be used."""
    start = after
    while True:
        local = start.astimezone(zone)
        if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
            break
        start -= timedelta(minutes=30)
    found = set()
    try:
        for at in CronSim(cron, start.astimezone(zone)):
            if not fixed(cron) and imaginary(at, zone) and not shown(cron, at.astimezone(UTC).astimezone(zone)):
                continue
            at = at.astimezone(UTC)
            if at > after:
                found.add(at)
            if len(found) == CHAIN:
                break
    except OverflowError:
        return None
    until = max(found, default=after)
    if not fixed(cron) and odd_shift(zone, start - timedelta(days=1), min(until, after + timedelta(days=31))):
        return None if len(cron.split()) == 6 else walk(cron, zone, after)
    if len(cron.split()) == 6 and fixed(cron):
        around = [after - timedelta(days=1), until + timedelta(days=1)]
        day = around[0]
        while day < around[1]:
            if day.astimezone(zone).utcoffset() != around[0].astimezone(zone).utcoffset():
                return None
            day += timedelta(days=1)
    return sorted(found)


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def main(path):
    rng = random.Random(SEED)
    names = ODD + sorted(rng.sample(sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}), 40))
    zones = {name: zoneinfo.ZoneInfo(name) for name in names}
    changes = {name: transitions(zone) for name, zone in zones.items()}
    rows = []
    while len(rows) < ROWS:
        name = rng.choice(names)
        after = datetime(1980, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(80 * 365 * 86_400))
        if changes[name] and rng.random() < 0.6:
            after = rng.choice(changes[name]) + timedelta(minutes=rng.randint(-26 * 60, 4 * 60))
        cron = expression(rng)
        try:
            following = chain(cron, zones[name], after)
        except CronSimError:
            continue
        if following is None:
            continue
        rows.append({
            "id": f"cronrandom-{len(rows):05}",
            "zone": name,
            "cron": cron,
            "after": text(after),
            "next": [text(at) for at in following],
        })
    with open(path, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as out:
        for row in rows:
            out.write((json.dumps(row) + "\n").encode())
    print(f"{len(rows)} rows, tzdb {tzdata.IANA_VERSION}")


if __name__ == "__main__":
    main(sys.argv[1])
