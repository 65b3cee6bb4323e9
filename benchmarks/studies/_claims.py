"""Claims as data: what claims.json holds, and the tables that are made of it."""

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
CLAIMS, SETTINGS = "Claims", "Every setting that was judged"


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


def write_claims(folder, entries):
    """Put entries in the place of those of the same study, claim and data, or at the end; all of the study's."""
    known = {key(entry): entry for entry in read_claims(folder)}
    known.update({key(entry): entry for entry in entries})
    text = json.dumps(list(known.values()), indent=1, ensure_ascii=False)
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
    """Markdown: a row for each claim, a column for each kind of data."""
    data = list(dict.fromkeys(entry["data"] for entry in entries))
    cells = {(entry["claim"], entry["data"]): cell(entry) for entry in entries}
    names = dict.fromkeys(entry["claim"] for entry in entries)
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
    words = [
        f"`{rules}`, sha256 {digest}{'' if of == CURRENT else ' (marked *: earlier statistics)'}"
        for rules, digest, of in own
    ]
    return "Rules: " + "; ".join(words) + "."


def write_tables(folder, study, title, sections):
    """The tables of a study: rules, claims, every setting, and sections in the place of those of the same name."""
    file = Path(folder) / "tables" / f"{study}.md"
    file.parent.mkdir(exist_ok=True)
    kept = sections_of(file.read_text()) if file.exists() else {}
    file.write_text(tables_text(read_claims(folder), study, title, kept | sections))


def tables_text(claims, study, title, sections):
    """The whole file."""
    entries = [entry for entry in claims if entry["study"] == study]
    own = {CLAIMS: f"{rules_line(entries)}\n\n{claims_table(entries)}"}
    if any(entry["settings"] for entry in entries):
        own[SETTINGS] = settings_table(entries)
    parts = [f"## {name}\n\n{text.strip()}" for name, text in ({**own, **sections} | own).items()]
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def sections_of(text):
    """{title: text} of the second level."""
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    return {name: own.strip() for name, _, own in parts}
