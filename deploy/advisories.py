#!/usr/bin/env python3
"""Keeps deploy/advisories, which deploy/check-dependencies.sh falls back on: known faults of the crates in the lock files.

advisories.py renew CHECKOUT   takes them anew from a checkout of the RustSec advisory database (needs Python 3.11)
advisories.py date             prints the date of the newest one
advisories.py unknown          lists the crates that came into the lock files since
"""

import json
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "deploy" / "advisories"
ADVISORIES = SNAPSHOT / "crates"
NAMES = SNAPSHOT / "looked-up.txt"
LOCK_FILES = [ROOT / "Cargo.lock", ROOT / "fuzz" / "Cargo.lock"]

# What cargo-deny decides by, and what leads a reader to the whole text, which is left where it is.
ADVISORY_FIELDS = ["id", "package", "date", "url", "informational", "withdrawn", "license"]
VERSION_FIELDS = ["patched", "unaffected"]


def crates_of_others():
    """The names in the lock files. Only what comes from elsewhere has a source."""
    package = re.compile(r'^name = "(.+)"\nversion = ".+"\nsource = ', re.MULTILINE)
    return sorted({name for lock in LOCK_FILES for name in package.findall(lock.read_text(encoding="utf-8"))})


def toml_lines(table, fields):
    """The fields that the table has. What json writes for a text or a list of texts is TOML, too."""
    return [f"{field} = {json.dumps(table[field], ensure_ascii=False)}" for field in fields if field in table]


def reduced(text):
    """An advisory in the format of the database, without what is not needed here."""
    import tomllib  # here, as a Python without it can do the rest

    front_matter, body = re.fullmatch(r"```toml\n(.*?)\n```\n(.*)", text, re.DOTALL).groups()
    advisory = tomllib.loads(front_matter)
    title = re.search(r"^# .+", body, re.MULTILINE).group()
    lines = ["```toml", "[advisory]", *toml_lines(advisory["advisory"], ADVISORY_FIELDS)]
    lines += ["", "[versions]", *toml_lines(advisory["versions"], VERSION_FIELDS), "```", "", title]
    return "\n".join(lines) + "\n"


def renew(checkout):
    shutil.rmtree(ADVISORIES, ignore_errors=True)
    names = crates_of_others()
    for name in names:
        for source in sorted(pathlib.Path(checkout, "crates", name).glob("RUSTSEC-*.md")):
            copy = ADVISORIES / name / source.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(reduced(source.read_text(encoding="utf-8")), encoding="utf-8")
    NAMES.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def date():
    texts = [path.read_text(encoding="utf-8") for path in ADVISORIES.glob("*/*.md")]
    return max(re.search(r'^date = "(.+)"', text, re.MULTILINE).group(1) for text in texts)


def unknown():
    looked_up = set(NAMES.read_text(encoding="utf-8").split())
    return [name for name in crates_of_others() if name not in looked_up]


command = sys.argv[1:]
if len(command) == 2 and command[0] == "renew":
    renew(command[1])
elif command == ["date"]:
    print(date())
elif command == ["unknown"]:
    for name in unknown():
        print(name)
else:
    sys.exit(__doc__)
