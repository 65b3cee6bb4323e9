"""Forward passes in the form that a recorder takes: ``forward(x) -> (scores, {layer: activation})``."""

from contextlib import contextmanager

from sklearn_nndyn.utils.modules import scores_of


@contextmanager
def scores_alone(call):
    """In place of ``capture_activations`` where the hidden layers are not asked for."""
    yield lambda x: (scores_of(call(x)), {})


def as_stack_of_one(forward):
    """The same pass with a first axis for the networks."""

    def stacked(x):
        scores, layers = forward(x)
        return scores[None], {name: activation[None] for name, activation in layers.items()}

    return stacked
