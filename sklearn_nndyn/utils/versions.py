"""Which versions made a result."""

import platform
import sys

PACKAGES = {
    "sklearn_nndyn": "sklearn_nndyn",
    "numpy": "numpy",
    "scikit-learn": "sklearn",
    "torch": "torch",
    "skorch": "skorch",
}


def versions() -> dict[str, str]:
    """Versions of Python, of this package, and of those it works with that are loaded.

    Nothing is imported for the answer: where torch took no part, it is not named.

    Returns
    -------
    versions : dict of str to str
        ``"python"`` and the names of the packages, as one installs them.

    Examples
    --------
    >>> import sklearn_nndyn
    >>> from sklearn_nndyn.utils.versions import versions
    >>> versions()["sklearn_nndyn"] == sklearn_nndyn.__version__
    True
    """
    loaded = {name: sys.modules.get(module) for name, module in PACKAGES.items()}
    known = {name: str(module.__version__) for name, module in loaded.items() if module is not None}
    return {"python": platform.python_version(), **known}
