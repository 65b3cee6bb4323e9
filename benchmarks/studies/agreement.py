"""Do README, tables, rules and claims.json agree? And write the claims into README.

python benchmarks/studies/agreement.py [--write]
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

from _claims import CURRENT, DIGEST, FIELDS, in_all, read_claims, sections_of, summary, tables_text

HERE = Path(__file__).parent
BLOCK = re.compile(r"(<!-- claims: (\w+) -->\n).*?(<!-- end of claims -->)", re.DOTALL)
VERDICTS = (
    "held",
    "held in part",
    "did not hold",
    "not decided",
    "not told",
    "contradicted",
    "cannot be asked",
)


def problems(folder=HERE):
    """What disagrees, a sentence each."""
    folder = Path(folder)
    entries = read_claims(folder)
    studies = list(dict.fromkeys(entry["study"] for entry in entries))
    found = [text for entry in entries for text in (*of_entry(entry), *of_rules(folder, entry))]
    found += [text for study in studies for text in of_tables(folder, entries, study)]
    return found + of_readme(folder, entries, studies)


def of_entry(entry):
    """Within an entry."""
    name = f"claims.json, {entry['study']}, {entry['claim']}, {entry['data']}"
    if tuple(entry) != FIELDS:
        yield f"{name}: its fields are {list(entry)}"
    if entry["verdict"] not in VERDICTS:
        yield f"{name}: verdict {entry['verdict']!r}"
    for own in (entry, *entry["settings"]):
        if own["interval"] and not own["interval"][0] <= own["value"] <= own["interval"][1]:
            yield f"{name}: {own['value']} is not within {own['interval']}"
    if entry["settings"]:
        yield from of_settings(name, entry)


def of_settings(name, entry):
    """Whether the settings count up."""
    verdicts = [own["verdict"] for own in entry["settings"]]
    if (entry["held"], entry["asked"]) != (verdicts.count("held"), len(verdicts)):
        yield f"{name}: {entry['held']} of {entry['asked']}, but its settings say {verdicts}"
    if (
        entry["statistics"] == CURRENT
        and "not decided" not in verdicts
        and entry["verdict"] != in_all(verdicts)
    ):
        yield f"{name}: {entry['verdict']}, but its settings say {verdicts}"


def of_rules(folder, entry):
    """Whether the rules are those of the committed file."""
    if entry["statistics"] != CURRENT:
        return
    text = (folder / entry["rules"]).read_bytes()
    if hashlib.sha256(text).hexdigest()[:12] != entry["digest"]:
        yield f"{entry['rules']} is not the file by which {entry['study']}, {entry['claim']} was judged"
    if json.loads(text)["claims"].get(entry["claim"]) != entry["rule"]:
        yield f"{entry['rules']} has another rule for {entry['claim']}"


def of_tables(folder, entries, study):
    """Whether the tables are those that the claims make, and nothing in them was changed."""
    file = folder / "tables" / f"{study}.md"
    text = file.read_text()
    title = text.partition("\n")[0].removeprefix("# ")
    if tables_text(entries, study, title, sections_of(text)) != text:
        yield f"tables/{file.name} does not agree with claims.json, or with its own digest ({DIGEST})"


def of_readme(folder, entries, studies):
    """Whether the claims stand in README as in claims.json."""
    text = (folder / "README.md").read_text()
    blocks = {match[2] for match in BLOCK.finditer(text)}
    found = [f"README.md: no claims of {study}" for study in studies if study not in blocks]
    return found + (
        [] if with_claims(text, entries) == text else ["README.md: its claims are not those of claims.json"]
    )


def with_claims(text, entries):
    """README with the claims of claims.json."""

    def block(match):
        own = [entry for entry in entries if entry["study"] == match[2]]
        return f"{match[1]}{summary(own)}\n{match[3]}"

    return BLOCK.sub(block, text)


def main():
    """Tell what disagrees; exit 1 if anything does."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the claims into README.md first")
    if parser.parse_args().write:
        readme = HERE / "README.md"
        readme.write_text(with_claims(readme.read_text(), read_claims(HERE)))
    found = problems()
    print("\n".join(found) or "README, tables, rules and claims.json agree.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
