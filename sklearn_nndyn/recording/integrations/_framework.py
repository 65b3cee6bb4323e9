"""Callbacks whose base class is the framework's, which need not be installed before one is made."""

import importlib
import inspect
from functools import cache


class FrameworkCallback:
    """A callback of another framework: made, it is an instance of the framework's own base class too.

    ``_base`` is the place of that class, module and name; ``_extra`` the extra that installs the framework.
    """

    _base: tuple[str, str]
    _extra: str

    def __init_subclass__(cls):
        """Python 3.11.2 takes the signature of ``__new__`` for the class's."""
        super().__init_subclass__()
        signature = inspect.signature(cls.__init__)
        cls.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])

    def __new__(cls, *args, **kwargs):
        """An instance of this class and of the framework's; ModuleNotFoundError if that is not installed."""
        return object.__new__(_with_base(cls))

    def __reduce__(self):
        # The class that is made on the way cannot be found by its name.
        kind = next(base for base in type(self).__mro__ if "_is_made" not in vars(base))
        return _make, (kind,), vars(self)


def _make(kind):
    return kind.__new__(kind)


@cache
def _with_base(cls):
    module, name = cls._base
    try:
        base = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{cls.__name__} needs what is not installed: {error}. pip install "sklearn-nndyn[{cls._extra}]"',
            name=error.name,
        ) from error
    if issubclass(cls, base):
        return cls
    kept = {"__module__": cls.__module__, "__doc__": cls.__doc__, "_is_made": True}
    return type(cls.__name__, (cls, base), kept)
