"""Sparse matrices stay sparse in memory, and give what their dense form gives, to the bit."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_classification
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer
from sklearn.utils import get_tags
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.utils.rows.arrays import SparseRows
from tests.classifiers.inputs.kinds import assert_same_fit

RNG = np.random.default_rng(0)
VALUES, Y = make_classification(101, 16, n_informative=8, n_classes=3, random_state=0)
DENSE = VALUES * (RNG.random(VALUES.shape) < 0.3)
WEIGHTS = RNG.uniform(0, 2, 101) * (np.arange(101) % 5 > 0)
FORMATS = {
    "csr": sp.csr_matrix,
    "csr-array": sp.csr_array,
    "csc": sp.csc_matrix,
    "coo": sp.coo_array,
    "lil": sp.lil_matrix,
    "float32": lambda X: sp.csr_matrix(X.astype("float32")),
    "unsorted": lambda X: unsorted(sp.csr_matrix(X)),
    "doubled": lambda X: doubled(sp.csr_matrix(X)),
}


def unsorted(X):
    """The columns of each row in falling order."""
    for start, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        X.indices[start:stop], X.data[start:stop] = X.indices[start:stop][::-1], X.data[start:stop][::-1]
    X.has_sorted_indices = False
    return X


def doubled(X):
    """Every entry as two halves."""
    return sp.csr_matrix((np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), 2 * X.indptr), shape=X.shape)


def normed(shape, k):
    return nn.Sequential(nn.Linear(16, 8), nn.LayerNorm(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, k))


NETWORKS = {"mlp": MLP((9,), dropout=0.3), "autograd": normed}


def classifier(module=NETWORKS["mlp"], **changes):
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 16, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


@pytest.mark.parametrize("kind", FORMATS.values(), ids=FORMATS)
def test_every_format_is_the_same(kind):
    X = kind(DENSE)
    before = X.copy()
    clf, dense = (classifier().fit(data, Y) for data in (X, DENSE))
    assert_same_fit(clf, dense)
    assert np.array_equal(clf.predict_proba(X), dense.predict_proba(DENSE))
    assert X.format == before.format
    for name in ("data", "indices", "indptr", "rows"):
        if hasattr(X, name):
            assert np.array_equal(getattr(X, name), getattr(before, name))


def test_counts_are_numbers_and_no_ids():
    counts = sp.csr_matrix(RNG.poisson(0.5, size=(60, 8)))
    labels = np.arange(60) % 2
    module = lambda shape, k: nn.Linear(8, k)  # noqa: E731
    assert_same_fit(
        classifier(module).fit(counts, labels), classifier(module).fit(counts.toarray().astype(float), labels)
    )


@pytest.mark.parametrize("batch_size", [16, "full"])
@pytest.mark.parametrize("module", NETWORKS.values(), ids=NETWORKS)
def test_together(module, batch_size):
    fits = [
        fit_together(
            [classifier(module, random_state=seed, batch_size=batch_size) for seed in range(3)],
            X,
            Y,
            sample_weight=WEIGHTS,
            indices=[np.arange(80), np.arange(101), np.arange(20, 101)],
        )
        for X in (sp.csr_matrix(DENSE), DENSE)
    ]
    for a, b in zip(*fits, strict=True):
        np.testing.assert_allclose(a.dynamics_.loss, b.dynamics_.loss, rtol=1e-5, atol=1e-7)


WORDS = np.array([f"word{i}" for i in range(60)])
TOPICS = np.array(["sport", "politics"])[RNG.integers(0, 2, 90)]
TEXTS = [" ".join(RNG.choice(WORDS[:40] if topic == "sport" else WORDS[20:], 12)) for topic in TOPICS]


@pytest.mark.parametrize("vectorizer", [TfidfVectorizer(), CountVectorizer()], ids=["tfidf", "counts"])
def test_text_in_a_pipeline(vectorizer):
    pipe = make_pipeline(vectorizer, classifier(lr=0.05, max_epochs=10))
    assert cross_val_score(pipe, TEXTS, TOPICS, cv=3).mean() > 0.8
    grid = {"dynamicsclassifier__lr": [0.01, 0.1]}
    ours, theirs = (kind(pipe, grid, cv=3).fit(TEXTS, TOPICS) for kind in (BatchedGridSearchCV, GridSearchCV))
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-12
    )


def test_a_search_over_sparse_and_dense_features():
    pipe = Pipeline([
        ("bin", KBinsDiscretizer(3, encode="onehot", quantile_method="averaged_inverted_cdf")),
        ("classify", classifier(lr=0.05)),
    ])  # fmt: skip
    search = BatchedGridSearchCV(pipe, {"bin__encode": ["onehot", "onehot-dense"]}, cv=2).fit(VALUES, Y)
    sparse, dense = search.cv_results_["mean_test_score"]
    assert sparse == pytest.approx(dense, abs=1e-12)


def test_it_is_never_made_dense_whole(monkeypatch):
    read, original = [], SparseRows._read

    def watched(self, places):
        found = original(self, places)
        read.append(len(found))
        return found

    monkeypatch.setattr(SparseRows, "_read", watched)
    monkeypatch.setattr("sklearn_nndyn.utils.rows.arrays.CHUNK_BYTES", 700)
    monkeypatch.setattr("sklearn_nndyn.utils.modules.rows_per_chunk", lambda shape: 20)
    monkeypatch.setattr("sklearn_nndyn.recording._recorder.rows_per_chunk", lambda shape: 20)
    monkeypatch.setattr("sklearn_nndyn.training.batches._cutting.CHUNK_BYTES", 700)
    monkeypatch.setattr("sklearn_nndyn.training._hooks.ROWS_OF_REFERENCE", 20)
    X = sp.csr_matrix(DENSE)
    classifier(validation_fraction=0.2).fit(X, Y, WEIGHTS).predict(X)
    assert 0 < max(read) <= 21


def test_the_tag_says_so():
    assert get_tags(DynamicsClassifier()).input_tags.sparse
