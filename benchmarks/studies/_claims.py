"""Claims as data: what claims.json holds, and the tables that are made of it."""

import hashlib
import json
from pathlib import Path

import numpy as np
from _rules import digest_of
from _tables import interval, table

FILE = "claims.json"
FIELDS = (
    "study", "claim", "data", "rule", "runs", "value", "interval", "held", "asked", "verdict", "note", "settings",
    "statistics", "rules", "digest",
)  # fmt: skip
CURRENT, EARLIER = "current", "earlier"
MANY = 5
CLAIMS, SETTINGS = "Claims", "Every setting that was judged"
DIGEST = "Digest of the sections that were measured, sha256"
STAR = " (marked *: earlier statistics)"


def claim(study, name, data, rule, *, runs, verdict, values=None, settings=(), note=""):
    """An entry of claims.json: what was claimed, by which rule it is judged, and what was found.

    ``values`` are those of the seeds; ``settings`` are entries of ``setting``, which are counted.
    """
    value, ends = estimate(values)
    counted = (
        {"held": sum(s["verdict"] == "held" for s in settings), "asked": len(settings)} if settings else {}
    )
    found = {
        "study": study, "claim": name, "data": data, "rule": rule, "runs": runs, "value": value, "interval": ends,
        "verdict": verdict, "note": note, "settings": list(settings), "statistics": CURRENT,
        "rules": f"rules/{study}.json", "digest": digest_of(study), **counted,
    }  # fmt: skip
    return {name: found.get(name) for name in FIELDS}


def setting(name, values, verdict):
    """One setting that a claim was asked of."""
    value, ends = estimate(values)
    return {"name": name, "value": value, "interval": ends, "verdict": verdict}


def estimate(values):
    """Mean and 95 % interval over the seeds, to six digits; None where there is none."""
    if values is None or not np.isfinite(values).any():
        return None, None
    mean, half = interval(values)
    ends = [rounded(mean - half), rounded(mean + half)] if np.isfinite(half) else None
    return rounded(mean), ends


def rounded(value):
    """To six digits."""
    return float(f"{value:.6g}")


def in_all(verdicts):
    """What several settings say together: held, held in part, did not hold."""
    held = [verdict == "held" for verdict in verdicts]
    if not held:
        return "cannot be asked"
    return "held" if all(held) else "held in part" if any(held) else "did not hold"


def read_claims(folder):
    """All entries of the file in a folder."""
    file = Path(folder) / FILE
    return json.loads(file.read_text()) if file.exists() else []


def write_claims(folder, entries, *, instead_of=()):
    """Put entries in the place of those of the same study, claim and data.

    ``instead_of`` are pairs of study and data of which nothing else is to be kept.
    """
    known = {key(e): e for e in read_claims(folder) if (e["study"], e["data"]) not in instead_of}
    known.update({key(entry): entry for entry in entries})
    ordered = sorted(known.values(), key=lambda entry: (entry["study"], entry["claim"]))
    text = json.dumps(ordered, indent=1, ensure_ascii=False)
    (Path(folder) / FILE).write_text(text + "\n")


def key(entry):
    """What an entry is told by."""
    return entry["study"], entry["claim"], entry["data"]


def cell(entry):
    """Verdict and figures of an entry, as a table has them."""
    counted = f"{entry['held']} of {entry['asked']}" if entry["asked"] else ""
    parts = [part for part in (counted, amount(entry), entry["note"]) if part]
    star = "" if entry["statistics"] == CURRENT else " *"
    return entry["verdict"] + (f" ({'; '.join(parts)})" if parts else "") + star


def amount(entry):
    """Value and interval."""
    if entry["value"] is None:
        return ""
    ends = "" if entry["interval"] is None else " [{:.3g}, {:.3g}]".format(*entry["interval"])
    return f"{entry['value']:.3g}{ends}"


def claims_table(entries):
    """Markdown: a row for each claim, a column for each kind of data; a row for each of both where data are many."""
    data = list(dict.fromkeys(entry["data"] for entry in entries))
    names = dict.fromkeys(entry["claim"] for entry in entries)
    if len(data) > MANY:
        rows = [[e["claim"], e["data"], cell(e)] for name in names for e in entries if e["claim"] == name]
        return table(["claim", "data", "found"], rows)
    cells = {(entry["claim"], entry["data"]): cell(entry) for entry in entries}
    return table(["claim", *data], [[name, *(cells.get((name, own), "-") for own in data)] for name in names])


def settings_table(entries):
    """Markdown: a row for each setting that was judged."""
    rows = [
        [entry["data"], entry["claim"], own["name"], amount(own) or "-", own["verdict"]]
        for entry in entries
        for own in entry["settings"]
    ]
    return table(["data", "claim", "setting", "mean over the seeds [95 %]", "verdict"], rows)


def rules_line(entries):
    """By which rules the entries were judged."""
    own = dict.fromkeys((e["rules"], e["digest"], e["statistics"]) for e in entries)
    words = [f"`{rules}`, sha256 {digest}{STAR if of == EARLIER else ''}" for rules, digest, of in own]
    return "Rules: " + "; ".join(words) + "."


def summary(entries):
    """Rules and claims of a study, as README and tables have them."""
    return f"{rules_line(entries)}\n\n{claims_table(entries)}"


def write_tables(folder, study, title, sections):
    """The tables of a study: rules, claims, every setting, and sections in the place of those of the same name.

    Sections of earlier statistics go once no claim of the study rests on them.
    """
    file = Path(folder) / "tables" / f"{study}.md"
    file.parent.mkdir(exist_ok=True)
    claims = read_claims(folder)
    kept = sections_of(file.read_text()) if file.exists() else {}
    if not any(entry["statistics"] == EARLIER for entry in claims if entry["study"] == study):
        kept = {name: text for name, text in kept.items() if not text.startswith("Earlier statistics")}
    file.write_text(tables_text(claims, study, title, kept | sections))


def tables_text(claims, study, title, sections):
    """The whole file; its last line tells whether a figure was changed by hand."""
    entries = [entry for entry in claims if entry["study"] == study]
    measured = {name: text for name, text in sections.items() if name not in (CLAIMS, SETTINGS, DIGEST)}
    own = {CLAIMS: summary(entries)}
    if any(entry["settings"] for entry in entries):
        own[SETTINGS] = settings_table(entries)
    digest = hashlib.sha256(json.dumps(measured).encode()).hexdigest()[:12]
    parts = [f"## {name}\n\n{text.strip()}" for name, text in (own | measured | {DIGEST: digest}).items()]
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def sections_of(text):
    """{title: text} of the second level."""
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    return {name: own.strip() for name, _, own in parts}
