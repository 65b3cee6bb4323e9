"""The place of a program, open for the time of its training."""

from contextlib import contextmanager

from sklearn_nndyn.classifiers.checkpoint._checkpoint import as_checkpoint
from sklearn_nndyn.classifiers.checkpoint._identity import identity_of
from sklearn_nndyn.training.checkpoint import CheckpointWriter, facts_of
from sklearn_nndyn.utils.digests import digest_of


@contextmanager
def opened(program):
    """Give the fits of a program the writer of their common place; nothing without ``checkpoint``."""
    checkpoint = as_checkpoint(program[0].estimator.checkpoint)
    if checkpoint is None:
        yield
        return
    name, description = _identity(program)
    with checkpoint._place(name, description).opened() as place:
        writer = CheckpointWriter(place, checkpoint.every_seconds)
        try:
            for prepared in program:
                prepared.fit.checkpoint = writer
            yield
        finally:
            for prepared in program:
                prepared.fit.checkpoint = None


def is_finished(program):
    """Whether fits that are trained together, with the same ``checkpoint``, have their result on the disk.

    Parameters
    ----------
    program : list of PreparedFit
    """
    checkpoint = as_checkpoint(program[0].estimator.checkpoint)
    facts = None if checkpoint is None else facts_of(checkpoint._place(*_identity(program)).path)
    return facts is not None and facts["finished"]


def _identity(program):
    shared = {}
    digests, descriptions = zip(*(identity_of(prepared, shared) for prepared in program), strict=True)
    name = digests[0] if len(program) == 1 else digest_of(digests, "the fits")
    return name, {"n_fits": len(program), **descriptions[0]}
