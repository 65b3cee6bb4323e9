"""Everything public: the names in the ``__all__`` lists, and their public methods."""

import importlib
import inspect
import pkgutil

import sklearn_nndyn

PRIVATE = ("utils", "training")


def _packages(package):
    """The package and its public subpackages, by name."""
    yield package.__name__
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.ispkg and module.name.rpartition(".")[2] not in PRIVATE:
            yield from _packages(importlib.import_module(module.name))


PACKAGES = [name for name in _packages(sklearn_nndyn) if hasattr(importlib.import_module(name), "__all__")]
PUBLIC = {
    f"{package}.{name}": getattr(importlib.import_module(package), name, None)
    for package in PACKAGES
    for name in importlib.import_module(package).__all__
}
CLASSES = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing)}
METHODS = {
    f"{name}.{method}": function
    for name, kind in CLASSES.items()
    for method, function in inspect.getmembers(kind, inspect.isroutine)
    if method in vars(kind)
    and not method.startswith("_")
    and function.__module__.startswith("sklearn_nndyn")  # those that scikit-learn adds are its own
}
CALLABLES = {name: thing for name, thing in PUBLIC.items() if callable(thing)} | METHODS
