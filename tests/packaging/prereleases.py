"""Which of numpy, scipy and scikit-learn are installed as pre-releases: ``python -m tests.packaging.prereleases``.

Exits 0 if any is, and 1, saying so, if none is: then there is nothing to test ahead of its release.
"""

import sys
from collections.abc import Mapping
from importlib.metadata import version

from packaging.version import Version

PACKAGES = ("numpy", "scipy", "scikit-learn")


def prereleases(versions: Mapping[str, str]) -> dict[str, str]:
    """Those of {name: version} whose version is no final release: alpha, beta, candidate or development."""
    return {name: found for name, found in versions.items() if Version(found).is_prerelease}


def described(versions: Mapping[str, str]) -> str:
    """``numpy 2.0, scipy 1.15``."""
    return ", ".join(f"{name} {found}" for name, found in versions.items())


if __name__ == "__main__":
    installed = {name: version(name) for name in PACKAGES}
    found = prereleases(installed)
    if found:
        print(f"Tested ahead of their release: {described(found)}.")
    else:
        print(f"The index has no pre-release newer than {described(installed)}: nothing to test.")
    sys.exit(not found)
