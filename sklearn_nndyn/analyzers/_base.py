"""Base of all analyzers: the record they read, and the table they make of it."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.dynamics import Dynamics, count_unseen, find_record
from sklearn_nndyn.utils.text import SOURCES, counted, summary_of
from sklearn_nndyn.utils.validation import find_layer


class RecordAnalyzer(TransformerMixin, BaseEstimator):
    """A transformer whose ``X`` is a record, or a fitted model that holds one.

    A subclass says in ``_needs`` which fields it cannot do without, and in ``_prefers`` which record of a model it
    reads where there are two; and writes ``_fit(record)``, which sets what is found; ``_columns(record)``, {name:
    (n_samples,) column}, each row a function of its own sample only; ``_names()``, the names of these columns;
    ``_findings()``, which become ``findings_``; and ``_source_words()``, a sentence on what was read.
    """

    _needs: tuple[str, ...] = ("loss",)
    _prefers = "validation"
    _takes_arrays = False
    _left_out = ""  # a sentence on what is passed over, born in fit
    _fit: Callable[..., None]
    _columns: Callable[..., dict[str, np.ndarray]]
    _names: Callable[[], Sequence[str]]
    _findings: Callable[[], Sequence[Finding]]
    _source_words: Callable[[], str]

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find what there is in a record.

        Parameters
        ----------
        X : Dynamics or fitted estimator
            A record; or a model that holds one, also at the end of a Pipeline, or as the best of a search.
            ``source_`` says which record was read.
        y : None, default=None
            Not used; here because scikit-learn's meta-estimators hand it on.

        Returns
        -------
        self : RecordAnalyzer
            Fitted.

        Raises
        ------
        TypeError
            If ``X`` can hold no record.
        ValueError
            If the record lacks what is needed; the message gives the call that would have recorded it.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        record, self.source_ = self._read(X, reset=True)
        self.epochs_ = record.epochs
        self._left_out = _left_out(record)
        self._fit(record)
        self.findings_ = tuple(self._findings())
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Measure each sample of a record.

        Parameters
        ----------
        X : Dynamics or fitted estimator
            As for ``fit``; recorded at the same epochs as what was fitted.

        Returns
        -------
        table : array of shape (n_samples, n_features_out)
            A row for each sample, float64; the columns are those of ``get_feature_names_out``.

        Raises
        ------
        TypeError
            If ``X`` can hold no record.
        ValueError
            If the record lacks what is needed, or has other epochs.
        sklearn.exceptions.NotFittedError
            If the analyzer or the model is not fitted.
        """
        check_is_fitted(self)
        return self._table(self._read(X, reset=False)[0])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns of the table.

        Parameters
        ----------
        input_features : None, default=None
            Not used; the names do not depend on it.

        Returns
        -------
        names : array of str of shape (n_features_out,)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the analyzer is not fitted.
        """
        check_is_fitted(self)
        return np.array(self._names(), dtype=object)

    def summary(self) -> str:
        """The findings in words: the verdicts first, then what to do next, then what was read.

        Returns
        -------
        text : str
            A paragraph of at most 100 columns, made of ``findings_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the analyzer is not fitted.
        """
        check_is_fitted(self)
        return summary_of(self.findings_, self._source_words() + self._left_out)

    def _table(self, record):
        columns = self._columns(record)
        return np.column_stack([columns[name] for name in self._names()]).astype(np.float64)

    def _read(self, X, reset):
        """The record in ``X``, and in words where it was found."""
        if self._takes_arrays and _is_array(X):
            return self._from_array(X, reset), SOURCES["array"]
        record, source = find_record(X, self._needs, self._prefers)
        if reset:
            validate_data(self, record, skip_check_array=True)  # n_features_in_ is the number of epochs
        elif not np.array_equal(record.epochs, self.epochs_):
            raise ValueError(_other_epochs(record.epochs, self.epochs_))
        return record, source


def _is_array(X):
    """Whether it is an array or lists of numbers, rather than a record, a model, several of them, or a path."""
    if isinstance(X, list | tuple):
        return not any(isinstance(one, Dynamics) or hasattr(one, "fit") for one in X)
    return not isinstance(X, Dynamics) and any(
        hasattr(X, name) for name in ("shape", "__array__", "__dlpack__")
    )


def _left_out(record):
    """A sentence on the cells that an analyzer which does not refuse them passes over."""
    n_unseen = count_unseen(record)
    if not n_unseen:
        return ""
    cells = counted(n_unseen, "cell")
    return f" {cells} of {record.n_samples * record.n_epochs:,} (a sample at an epoch) never seen: left out."


def _other_epochs(found, fitted):
    return (
        f"The record has {_epochs(found)}, but the analyzer was fitted on {_epochs(fitted)}: "
        "use record.select_epochs, or fit on this record."
    )


def _epochs(epochs):
    several = "s" if len(epochs) > 1 else ""
    return (
        f"{len(epochs)} epoch{several}, {', '.join(map(str, epochs[:3]))}{', ...' if len(epochs) > 3 else ''}"
    )


def find_recorded_layer(layer, layers):
    """The name of a layer of a record, given by name or position."""
    return find_layer(layer, layers, absent="is not in the record; its layers are")
