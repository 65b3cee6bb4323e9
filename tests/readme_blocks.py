"""Follow the README in an empty folder, with the installed package alone: ``python -I readme_blocks.py README.md``."""

import re
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def blocks(text):
    """Its blocks of Python, in order."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def with_fewer_epochs(code, most=12):
    """The same code, which trains for so many epochs at most."""
    return re.sub(r"max_epochs=(\d+)", lambda found: f"max_epochs={min(most, int(found[1]))}", code)


def four_arrays():
    """The names that the blocks take for granted, and nothing else."""
    X, y = load_digits(n_class=4, return_X_y=True)
    X, y = X[:120].astype(np.float32) / 16, y[:120]
    arrays = train_test_split(X, y, stratify=y, random_state=0)
    return dict(zip(("X_train", "X_test", "y_train", "y_test"), arrays, strict=True))


if __name__ == "__main__":
    names = four_arrays()
    code = blocks(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for block in code:
        exec(block, names)
    print(f"{len(code)} blocks of {sys.argv[1]} ran, given {', '.join(four_arrays())}")
