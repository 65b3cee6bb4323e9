"""Public names that are looked up when they are first used (PEP 562), so that what needs no torch loads none."""

import importlib
import sys


def lazy_names(package, places):
    """``__getattr__`` and ``__dir__`` of a package whose public names live in other modules, {name: module}."""

    def look_up(name):
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(places[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def names():
        return sorted({*sys.modules[package].__dict__, *places})

    return look_up, names


def later_stage(module, name):
    """A function of a stage that comes later on the line, looked up when it is called, so that imports run one way."""
    return getattr(importlib.import_module(module), name)
