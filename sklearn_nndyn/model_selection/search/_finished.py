"""Fits that an earlier search has finished: found again, and not trained."""

import numpy as np

from sklearn_nndyn.classifiers.checkpoint import SavedResults, identity_of
from sklearn_nndyn.utils.digests import digest_of


class FinishedFits:
    """Results by what was fitted and how it was scored.

    Parameters
    ----------
    spec : SearchSpec
    """

    def __init__(self, spec):
        self.spec, self.results = spec, SavedResults(spec.checkpoint)
        self._shared = {}

    def look_up(self, fit):
        """Give a prepared fit its name, and its result where there is one."""
        of_fit, fit.description = identity_of(fit.prepared, self._shared)
        spec = self.spec
        scored = {
            "rows": [_plain(part) for part in fit.fold.rows("test")],
            "scorer": spec.scorer,
            "params": {name: _plain(value) for name, value in spec.score_params.items()},
            "kept": [spec.return_train_score, spec.return_dynamics, fit.fold.preprocessing],
        }
        fit.name = digest_of([of_fit, scored], "the search")
        fit.result = self.results.load(fit.name)

    def save(self, fit, result):
        """Keep the result of a fit that did not fail."""
        if result["fit_error"] is None:
            self.results.save(fit.name, fit.description, result)


def _plain(values):
    """Columns and values of a table; anything else as it is."""
    if hasattr(values, "to_numpy"):
        return [list(getattr(values, "columns", ())), np.asarray(values.to_numpy())]
    return values
