"""Check that every local link of the built site leads somewhere: ``python docs/check_links.py FOLDER``."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Links(HTMLParser):
    """What a page points to, and the places in it that can be pointed to."""

    def __init__(self, html):
        super().__init__()
        self.targets, self.places = [], {""}
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        self.targets += [attributes[name] for name in ("href", "src") if attributes.get(name)]


def broken(folder: Path) -> list[str]:
    """A line for each local link that leads nowhere."""
    pages = {path.resolve(): Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    return sorted(
        f"{page.relative_to(folder.resolve())}: {target}"
        for page, links in pages.items()
        for target in links.targets
        if not _leads(page, target, pages)
    )


def _leads(page, target, pages):
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    path = path / "index.html" if path.is_dir() else path
    if path not in pages:
        return path.exists()
    return unquote(parts.fragment) in pages[path].places


if __name__ == "__main__":
    faults = broken(Path(sys.argv[1]))
    print("\n".join(faults) or "links: none broken")
    sys.exit(bool(faults))
