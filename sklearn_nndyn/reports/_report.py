"""The public door: a report of a record, or of a model that holds one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from os import PathLike
from typing import Any

from numpy.typing import ArrayLike

from sklearn_nndyn.dynamics import Dynamics, check_dynamics
from sklearn_nndyn.reports._material import Material
from sklearn_nndyn.reports._page import page_of
from sklearn_nndyn.reports._thumbnails import pictures_of
from sklearn_nndyn.utils.files import replaced_file, user_path
from sklearn_nndyn.utils.text import shown
from sklearn_nndyn.utils.validation import check_instance

PAGE_START = b"<!doctype html"


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """One HTML page, whole in itself: it needs no network, and can be read without scripts.

    Parameters
    ----------
    title : str
        Title of the page.
    html : str
        The document.

    See Also
    --------
    report : Make one.

    Examples
    --------
    >>> from sklearn_nndyn import Dynamics, report
    >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=[[0.7, 0.2], [0.7, 0.1]])
    >>> report(record, title="Two samples")
    Report 'Two samples', ... kB
    """

    title: str
    html: str = field(repr=False)

    def save(self, path: str | PathLike) -> None:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        path : str or os.PathLike
            File to write; by habit it ends in ``.html``. ``~`` is the home folder. A page that is there is replaced.

        Raises
        ------
        TypeError
            If ``path`` is no path.
        FileExistsError
            If there is a file that is no page, such as the record itself.
        OSError
            If the file cannot be written, or its folder does not exist.
        """
        _refuse_other_files(user_path(path))
        with replaced_file(path) as place:
            place.write_bytes(self.html.encode())

    def __repr__(self) -> str:
        return f"Report {self.title!r}, {len(self.html.encode()) / 1000:,.0f} kB"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its style and the notebook's leave each other alone."""
        return (
            f'<iframe title="{escape(self.title)}" srcdoc="{escape(self.html)}" sandbox="allow-scripts" width="100%" '
            'height="720"></iframe>'
        )


def _refuse_other_files(path):
    """A page replaces pages alone: a record cannot be made again from its page."""
    if not path.is_file():
        return
    with open(path, "rb") as file:
        start = file.read(1000).lstrip()
    if start and not start.lower().startswith(PAGE_START):
        raise FileExistsError(f"{path} is there and is no HTML page: save the page under another name.")


def report(
    model_or_record: Any,
    X: ArrayLike | None = None,
    *,
    validation: Dynamics | None = None,
    title: str | None = None,
) -> Report:
    """Everything that can be said of one training, on one page.

    The verdict comes first, then findings, learning curves, loss tails, refinement, entanglement, learning phases,
    samples, classes, where the figures come from, and what the words mean. What a record does not allow is a line that
    says what to record.

    Parameters
    ----------
    model_or_record : Dynamics or fitted estimator
        A record; or a model that holds one, also at the end of a Pipeline, or as the best of a search, of which the
        validation record is read as well.
    X : array-like of shape (n_samples, ...), default=None
        The samples of one of the records, in its order. Where they are pictures (with or without channels, or squares
        in rows of pixels), the tables show them.
    validation : Dynamics, default=None
        Record of held-out samples, where ``model_or_record`` is a record.
    title : str, default=None
        Title of the page; None for one made of the record.

    Returns
    -------
    page : Report
        The same record gives the same bytes.

    Raises
    ------
    TypeError
        If ``model_or_record`` can hold no record, ``validation`` is none, or ``title`` is no text.
    ValueError
        If ``X`` has other samples than the records, or may belong to either of two; if ``validation`` comes beside a
        model, or has other classes.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ImportError
        If Jinja2 is not installed, which comes with torch.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import DynamicsClassifier, report
    >>> clf = DynamicsClassifier(max_epochs=5, validation_fraction=0.2, random_state=0)
    >>> page = report(clf.fit(*load_iris(return_X_y=True)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page.save(Path(folder) / "report.html")
    """
    record, validation = _records(model_or_record, validation)
    material = Material(record=record, validation=validation, pictures=_pictures(X, record, validation))
    title = _title(record) if title is None else title
    check_instance("title", title, str)
    return Report(title=title, html=page_of(material, title))


def _records(model_or_record, validation):
    record = check_dynamics(model_or_record)
    if not isinstance(model_or_record, Dynamics):
        if validation is not None:
            raise ValueError(
                "A model brings its own validation record. Give validation beside a record: report(clf.dynamics_, "
                "validation=...)."
            )
        return record, check_dynamics(model_or_record, split="validation", optional=True)
    if validation is not None and check_dynamics(validation).classes.tolist() != record.classes.tolist():
        raise ValueError(
            f"The validation record has the classes {shown(validation.classes)}, but the record has "
            f"{shown(record.classes)}."
        )
    return record, validation


def _pictures(X, record, validation):
    if X is None:
        return {}
    n_samples = _count(X)
    sizes = {"record": len(record)} | ({} if validation is None else {"validation": len(validation)})
    fits = [key for key, size in sizes.items() if size == n_samples]
    if len(fits) != 1:
        raise ValueError(_whose(n_samples, sizes, fits))
    pictures = pictures_of(X)
    return {} if pictures is None else {fits[0]: pictures}


def _count(X):
    """Number of samples, of a dict that of its first array."""
    if isinstance(X, Mapping) and not hasattr(X, "tocsr"):
        return _count(next(iter(X.values()), ()))
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _whose(n_samples, sizes, fits):
    if fits:
        return (
            f"Both records have {n_samples:,} samples, so X may belong to either. Give the record that X belongs to "
            "alone: report(clf.dynamics_, X)."
        )
    had = " and ".join(f"{size:,} ({key})" for key, size in sizes.items())
    return f"X has {n_samples:,} samples, but the records have {had}: give X as it was given to fit."


def _title(record):
    name = record.header.get("estimator")
    return f"{name if isinstance(name, str) else 'A training'} on {len(record):,} samples"
