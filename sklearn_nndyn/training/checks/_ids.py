"""Whole numbers as ids: which modules take them, and whether all are in their tables."""

from contextlib import ExitStack

import numpy as np
import torch

from sklearn_nndyn.modules import MLP, VGG, ResNet, build_network
from sklearn_nndyn.utils.modules import chunk_sizes, rows_per_chunk, run, scores_of
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode, unchanged
from sklearn_nndyn.utils.random import untouched_generators
from sklearn_nndyn.utils.rows.named import NamedRows
from sklearn_nndyn.utils.signals import raised_by_handler

TABLES = (torch.nn.Embedding, torch.nn.EmbeddingBag)
OF_FLOATS = (type(None), MLP, VGG, ResNet)


def takes_ids(module, X, n_classes, dtype):
    """Whether X reaches a module as whole numbers.

    It does where the module takes them (an embedding does, a linear layer does not) and either fails with floats or
    gives the same scores, or where floats of this dtype cannot hold the numbers; tried on two rows. Where it fails
    with both it does so if floats are what an embedding refuses, or the failure is the same.

    Parameters
    ----------
    module : object
        A module, as `build_module` takes it.
    X : ndarray of int of shape (n_samples, ...)
    n_classes : int
    dtype : str
        The dtype of inputs that are not ids.
    """
    if isinstance(module, OF_FLOATS):
        return False
    rows = torch.from_numpy(X[:2].astype(np.int64))
    floats = rows.to(getattr(torch, dtype))
    with untouched_generators():
        built = build_network(module, X.shape[1:], n_classes, floats.dtype)
        of_ids, of_floats = _try(built, rows), _try(built, floats)
    if not torch.is_tensor(of_ids):
        is_about_floats = "'indices'" in str(of_floats)  # as embeddings refuse them
        return isinstance(of_ids, IndexError) or is_about_floats or str(of_ids) == str(of_floats)
    if not torch.is_tensor(of_floats):
        return True
    exact = torch.equal(floats.to(rows.dtype), rows)
    return not exact or _same(of_ids, of_floats)


def _try(module, rows):
    """Its scores, or the error that it makes."""
    try:
        with torch.no_grad(), evaluation_mode(module), untouched_generators():
            return scores_of(module(rows))
    except Exception as error:
        if raised_by_handler(error):
            raise
        return error


def _same(a, b):
    return a.shape == b.shape and torch.allclose(a, b.to(a.dtype), rtol=1e-5, atol=1e-6, equal_nan=True)


def check_ids(module, X, name="X"):
    """Whether all ids of X are in the tables that the module looks them up in.

    Raises
    ------
    ValueError
        Names an id that is not, and the table.
    """
    if not (X.holds_ids if isinstance(X, NamedRows) else X.dtype == torch.int64):
        return
    lookups = _Lookups(name)
    with ExitStack() as stack, torch.no_grad():
        stack.enter_context(untouched_generators(X.device))
        stack.enter_context(evaluation_mode(module))
        stack.enter_context(unchanged(module))
        for part_name, part in module.named_modules():
            if isinstance(part, TABLES):
                hook = part.register_forward_pre_hook(lookups.check(part_name, part), with_kwargs=True)
                stack.callback(hook.remove)
        lookups.run(module, X)


class _Lookups:
    """Every look-up of a pass over the rows, checked; a pass ends after the last one."""

    def __init__(self, name):
        self.name, self.count, self.last = name, 0, None

    def check(self, name, table):
        """A hook for one table."""

        def hook(_, args, kwargs):
            ids = args[0] if args else kwargs["input"]
            wrong = ids[(ids < 0) | (ids >= table.num_embeddings)]
            if len(wrong):
                raise _NotInTable(
                    f"{self.name}: the module looks up id {int(wrong[0])} in {name or type(table).__name__!r}, which "
                    f"holds ids 0 to {table.num_embeddings - 1} (num_embeddings={table.num_embeddings})."
                )
            self.count += 1
            if self.count == self.last:
                raise _Enough

        return hook

    def run(self, module, X):
        """Pass over the rows; the first two of them tell how many look-ups there are."""
        self._pass(module, X[:2])
        self.last = self.count or None
        for chunk in X.split(chunk_sizes(len(X), rows_per_chunk(X.shape[1:]))):
            self._pass(module, chunk)

    def _pass(self, module, x):
        self.count = 0
        try:
            run(module, x)
        except IndexError as error:
            raise ValueError(f"{self.name}: the module looks up an id that is not there: {error}.") from error
        except _NotInTable as error:
            raise ValueError(*error.args) from error.__cause__
        except (_Enough, Exception):
            return  # what else a module may have against the rows, a dry run says


class _NotInTable(ValueError):
    """An id is not in its table; told from what else a module may have against the rows."""


class _Enough(BaseException):
    """Nothing more will be looked up; no module's own ``except Exception`` is to catch it."""
