"""A record fits together, cannot be changed, and says what it is."""

import copy
import io
import pickle
from dataclasses import FrozenInstanceError

import joblib
import numpy as np
import pytest

from sklearn_nndyn.dynamics import Dynamics, load_dynamics


def reloaded(record, path):
    record.save(path)
    return load_dynamics(path)


def joblib_copy(record):
    file = io.BytesIO()
    joblib.dump(record, file)
    file.seek(0)
    return joblib.load(file)


WAYS = {
    "made": lambda record, path: record,
    "pickle": lambda record, path: pickle.loads(pickle.dumps(record)),
    "pickle, old protocol": lambda record, path: pickle.loads(pickle.dumps(record, protocol=0)),
    "copy": lambda record, path: copy.copy(record),
    "deepcopy": lambda record, path: copy.deepcopy(record),
    "joblib": lambda record, path: joblib_copy(record),
    "file": reloaded,
    "slice": lambda record, path: record[:],
    "rows": lambda record, path: record[np.arange(len(record))],
    "all epochs": lambda record, path: record.select_epochs(record.epochs),
}


@pytest.fixture(params=WAYS)
def any_record(request, record, tmp_path):
    """The same record, come by in every way there is."""
    return WAYS[request.param](record, tmp_path / "record.safetensors")


def test_every_way_leads_to_the_same_record(any_record, record, assert_same):
    assert_same(any_record, record)


def test_no_array_can_be_written(any_record, arrays_of):
    derived = {name: getattr(any_record, name) for name in ("target", "correct", "error", "accuracy")}
    for name, array in (arrays_of(any_record) | derived).items():
        assert not array.flags.writeable, name
        with pytest.raises(ValueError, match="read-only"):
            array[...] = array[...]


MAPPINGS = {
    "centroids": lambda record: record.centroids,
    "reconstruction": lambda record: record.reconstruction,
    "probe_accuracy": lambda record: record.probe_accuracy,
    "weight_norms": lambda record: record.weight_norms,
    "header": lambda record: record.header,
    "within the header": lambda record: record.header["parameters"],
}
CHANGES = {
    "set": lambda mapping, key: mapping.__setitem__(key, 0),
    "del": lambda mapping, key: mapping.__delitem__(key),
    "update": lambda mapping, key: mapping.update({key: 0}),
    "|=": lambda mapping, key: mapping.__ior__({key: 0}),
    "setdefault": lambda mapping, key: mapping.setdefault("new", 0),
    "pop": lambda mapping, key: mapping.pop(key),
    "popitem": lambda mapping, key: mapping.popitem(),
    "clear": lambda mapping, key: mapping.clear(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_mapping_can_be_changed(any_record, change):
    for name, find in MAPPINGS.items():
        mapping = find(any_record)
        before = dict(mapping)
        with pytest.raises(TypeError, match="a record is read-only; change a copy"):
            CHANGES[change](mapping, next(iter(mapping)))
        assert dict(mapping) == before, name


def test_no_field_can_be_set_or_deleted(any_record):
    with pytest.raises(FrozenInstanceError):
        any_record.loss = None
    with pytest.raises(FrozenInstanceError):
        any_record.remark = "new"
    with pytest.raises(FrozenInstanceError):
        del any_record.loss


def test_lists_in_the_header_become_tuples(record):
    assert record.header["parameters"]["hidden"] == (20, 20)


def test_a_copy_of_a_mapping_is_the_users(record):
    mine = dict(record.header)
    mine["remark"] = "mine"
    assert "remark" not in record.header


def test_arrays_are_views_in_their_own_layout(make_record):
    loss = np.asfortranarray(np.ones((7, 4), np.float32))
    centroids = np.ones((4, 3, 2), np.float32)
    record = make_record(loss=loss, centroids={"a": centroids})
    assert np.shares_memory(record.loss, loss)
    assert np.shares_memory(record.centroids["a"], centroids)
    assert np.shares_memory(make_record(epochs=record.epochs).epochs, record.epochs)
    assert record.loss.strides == loss.strides
    assert loss.flags.writeable, "the array of the caller stays as it is"


def test_a_deep_copy_shares_nothing(record, arrays_of):
    copied = arrays_of(copy.deepcopy(record))
    for name, array in arrays_of(record).items():
        assert not np.shares_memory(array, copied[name]), name


def test_memory_layout_survives_a_pickle(record):
    again = pickle.loads(pickle.dumps(record))
    assert again.loss.flags.f_contiguous
    assert not again.loss.flags.c_contiguous


def test_a_mapped_array_becomes_a_plain_read_only_one(make_record, tmp_path):
    """joblib hands large arrays to its workers as memory maps."""
    np.save(tmp_path / "loss.npy", np.ones((7, 4), np.float32))
    record = make_record(loss=np.load(tmp_path / "loss.npy", mmap_mode="r+"))
    assert type(record.loss) is np.ndarray
    assert not record.loss.flags.writeable


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="longdouble is double here")
def test_numbers_that_no_file_can_hold_are_refused(make_record):
    with pytest.raises(TypeError, match="loss must hold floats of at most 64 bits, got float"):
        make_record(loss=np.zeros((7, 4), np.longdouble))
    with pytest.raises(TypeError, match="classes must hold numbers, booleans or strings, got float"):
        make_record(classes=np.array([0, 1], np.longdouble))


def test_a_record_is_made_by_keyword():
    with pytest.raises(TypeError, match="positional argument"):
        Dynamics([0], [0], [0])


def test_a_record_equals_itself_alone(record):
    """Arrays have no single answer to ``==``; a record can be kept in a set."""
    assert record != copy.copy(record)
    assert record in {record}


def test_it_is_no_array(record):
    with pytest.raises(TypeError, match=r"record\.loss"):
        np.asarray(record)


# ------------------------------------------------------------------- what follows from the fields


def test_sizes(record):
    assert (record.n_samples, record.n_epochs, record.n_classes) == (7, 4, 3)
    assert record.shape == (7, 4)
    assert len(record) == 7


def test_correct_error_and_accuracy_follow_from_prediction(record):
    for i, label in enumerate(record.y):
        for t in range(record.n_epochs):
            assert record.correct[i, t] == (record.classes[record.prediction[i, t]] == label)
    for t in range(record.n_epochs):
        wrong = sum(record.classes[record.prediction[i, t]] != label for i, label in enumerate(record.y))
        assert record.error[t] == pytest.approx(wrong / 7, rel=1e-15)
        assert record.accuracy[t] == pytest.approx((7 - wrong) / 7, rel=1e-15)


def test_correct_lies_in_memory_as_prediction_does(record):
    assert record.correct.flags.f_contiguous
    assert not record.correct.flags.c_contiguous


def test_target_names_the_label(record):
    np.testing.assert_array_equal(record.classes[record.target], record.y)


@pytest.mark.parametrize("name", ["correct", "error", "accuracy"])
def test_without_prediction_there_is_no_accuracy(make_record, name):
    with pytest.raises(ValueError, match=r"has no prediction: it holds loss, .*record=\('samples', "):
        getattr(make_record(prediction=None), name)


def test_fields_and_layers_tell_what_was_recorded(record, make_record):
    everything = (
        "loss margin prediction probability scores centroids reconstruction probe_accuracy weight_norms"
    )
    assert record.fields == tuple(everything.split())
    missing = dict.fromkeys(("margin", "probability", "scores", "reconstruction", "probe_accuracy"))
    bare = make_record(centroids={}, **missing)
    assert bare.fields == ("loss", "prediction", "weight_norms")
    assert bare.centroids == bare.reconstruction == {}
    assert bare.layers == (), "weight norms do not make a layer: the output has one too"


def test_layers_are_in_the_order_of_the_forward_pass(record):
    assert record.layers == ("z", "a.0")


def test_labels_and_epochs_alone_make_a_record():
    record = Dynamics(y=[3, 1], classes=[1, 3], epochs=[0])
    assert record.fields == ()
    assert record.header == {}
    assert record.epochs.dtype == np.int64


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (7, 1)])
def test_one_sample_and_one_epoch_keep_their_axes(make_record, shape):
    record = make_record(*shape)
    assert record.shape == record.loss.shape == record.correct.shape == shape
    assert record.error.shape == shape[1:]
    assert record[0].loss.shape == (1, shape[1])


# ----------------------------------------------------------------------------- the header is plain


class Anything:
    def __repr__(self):
        return "Anything()"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("log"), "log"),
        (np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4))),
        ([1, [2, None]], (1, (2, None))),
        ({1: {"a": [1]}}, {1: {"a": (1,)}}),
        (Anything(), "Anything()"),
        (np.float32, "<class 'numpy.float32'>"),
        ({Anything(): 1}, {"Anything()": 1}),
        (1 + 2j, "(1+2j)"),
        (True, True),
        (float("inf"), float("inf")),
    ],
    ids=repr,
)
def test_the_header_is_kept_as_plain_data(make_record, given, kept):
    found = make_record(header={"it": given}).header["it"]
    assert found == kept
    assert type(found) in (bool, int, float, str, tuple) or isinstance(found, dict)
    assert type(found) is type(kept) or isinstance(kept, dict)


def test_a_changed_list_does_not_change_the_header(make_record):
    mine = [1, 2]
    record = make_record(header={"it": mine})
    mine.append(3)
    assert record.header["it"] == (1, 2)


# -------------------------------------------------------------------------------- bad fields

WRONG = {
    "loss": (
        {"loss": np.zeros((5, 4))},
        ValueError,
        r"loss has shape \(5, 4\), expected \(7 samples, 4 epochs\)",
    ),
    "flat": (
        {"margin": np.zeros(7)},
        ValueError,
        r"margin has shape \(7,\), expected \(7 samples, 4 epochs\)",
    ),
    "scores": (
        {"scores": np.zeros((7, 4, 2))},
        ValueError,
        r"scores has shape \(7, 4, 2\), expected \(7 samples, 4 epochs, 3 classes\)",
    ),
    "centroids": (
        {"centroids": {"a": np.zeros((4, 2, 9))}},
        ValueError,
        r"centroids\['a'\] has shape \(4, 2, 9\), expected \(4 epochs, 3 classes, width\)",
    ),
    "layer": (
        {"weight_norms": {"a": np.zeros(3)}},
        ValueError,
        r"weight_norms\['a'\] has shape \(3,\), expected \(4 ep",
    ),
    "y": ({"y": np.full((7, 1), "ant")}, ValueError, r"y must be one-dimensional, got shape \(7, 1\)"),
    "unknown label": (
        {"y": ["ant"] * 6 + ["yak"]},
        ValueError,
        r"not among the classes 'ant', 'bee', 'cow': 'yak'",
    ),
    "unsorted": (
        {"classes": ["bee", "ant", "cow"]},
        ValueError,
        r"classes must be sorted .* got 'bee', 'ant', 'cow'",
    ),
    "twice": ({"classes": ["ant", "bee", "bee"]}, ValueError, r"sorted and without repeats, as numpy.unique"),
    "no epochs": ({"epochs": []}, ValueError, r"epochs is empty, but a record has at least one"),
    "order": ({"epochs": [0, 2, 1, 3]}, ValueError, r"epochs must increase from 0 or later, got 0, 2, 1, 3"),
    "epoch twice": (
        {"epochs": [0, 1, 1, 3]},
        ValueError,
        r"epochs must increase from 0 or later, got 0, 1, 1, 3",
    ),
    "one epoch": ({"epochs": 3}, ValueError, r"epochs must be one-dimensional, got shape \(\)$"),
    "before": (
        {"epochs": [-1, 0, 1, 2]},
        ValueError,
        r"epochs must increase from 0 or later, got -1, 0, 1, 2",
    ),
    "high": (
        {"prediction": np.full((7, 4), 3)},
        ValueError,
        r"positions in classes, 0 to 2, or -1 where there is none; got 3 to 3",
    ),
    "low": ({"prediction": np.full((7, 4), -2)}, ValueError, r"or -1 where there is none; got -2 to -2"),
    "epoch nan": (
        {"epochs": [0.0, 1, 2, np.nan]},
        TypeError,
        r"epochs must hold finite numbers, got float64",
    ),
    "named epochs": ({"epochs": list("abcd")}, TypeError, r"epochs must hold finite numbers, got <U1"),
    "iterations": (
        {"iterations": [0.0, 1.5, 2, 3]},
        TypeError,
        r"iterations must hold integers, got float64",
    ),
    "iterations back": (
        {"iterations": [0, 2, 1, 3]},
        ValueError,
        r"iterations must increase from 0 or later, got 0, 2",
    ),
    "iterations square": ({"iterations": [[0, 1, 2, 3]]}, ValueError, r"iterations must be one-dimensional"),
    "few iterations": (
        {"iterations": [0, 1]},
        ValueError,
        r"iterations has shape \(2,\), expected \(4 epochs\)",
    ),
    "labels": ({"prediction": np.zeros((7, 4))}, TypeError, r"prediction must hold integers, got float64"),
    "integers": (
        {"loss": np.zeros((7, 4), int)},
        TypeError,
        r"loss must hold floats of at most 64 bits, got int64",
    ),
    "long": (
        {"loss": np.zeros((7, 4), complex)},
        TypeError,
        r"loss must hold floats of at most 64 bits",
    ),
    "objects": (
        {"y": np.array([1] * 7, object)},
        TypeError,
        r"y must hold numbers, booleans or strings, got object",
    ),
    "bytes": (
        {"y": np.array([b"ant"] * 7)},
        TypeError,
        r"y must hold numbers, booleans or strings, got \|S3",
    ),
    "kinds": ({"y": np.zeros(7, int)}, TypeError, r"y holds int64, but classes <U3: labels of one kind"),
    "no epochs given": ({"epochs": None}, TypeError, r"epochs must hold finite numbers, got object"),
    "none": ({"y": None}, TypeError, r"y must hold numbers, booleans or strings, got object"),
    "no mapping": (
        {"centroids": np.zeros(3)},
        TypeError,
        r"centroids must be a dictionary from layer name to array",
    ),
    "layer name": (
        {"centroids": {0: np.zeros((4, 3, 2))}},
        TypeError,
        r"centroids has the layer 0, but layer names",
    ),
    "header": ({"header": ["log"]}, TypeError, r"header must be a dictionary, got list"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_named(make_record, name):
    changes, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        make_record(**changes)


def test_there_is_at_least_one_class():
    with pytest.raises(ValueError, match="classes is empty, but there is at least one class"):
        Dynamics(y=[0], classes=np.array([], int), epochs=[0])


def test_classes_are_needed():
    with pytest.raises(TypeError, match="classes must hold numbers, booleans or strings, got object"):
        Dynamics(y=[0], classes=None, epochs=[0])


def test_all_problems_are_told_at_once(make_record):
    with pytest.raises(ValueError, match="do not make a record") as caught:
        make_record(loss=np.zeros((5, 4)), margin=np.zeros((7, 3)), epochs=[0, 1, 3, 2])
    assert [line.split()[1] for line in str(caught.value).splitlines()[1:]] == ["epochs", "loss", "margin"]


# ------------------------------------------------------------------------------------- in words


def test_repr_tells_one_idea_a_line(record):
    assert repr(record) == (
        "Dynamics of 7 samples at 4 epochs\n"
        "  epochs: 0, 1, 2, 3\n"
        "  classes: 'ant', 'bee', 'cow'\n"
        "  trained loss: log\n"
        "  fields: loss, margin, prediction, probability, scores, centroids, reconstruction, probe_accuracy, "
        "weight_norms\n"
        "  layers: z, a.0"
    )


def test_repr_leaves_out_what_is_not_there():
    assert repr(Dynamics(y=[0], classes=[0], epochs=[0])) == (
        "Dynamics of 1 sample at 1 epoch\n  epochs: 0\n  classes: 0"
    )


def test_repr_of_many_epochs_is_short():
    six, seven = (Dynamics(y=[0], classes=[0], epochs=np.arange(0, 2 * n, 2)) for n in (6, 7))
    assert "epochs: 0, 2, 4, 6, 8, 10\n" in repr(six)
    assert "epochs: 0, 2, 4, 6, 8, ..., 12\n" in repr(seven)


def test_html_is_a_table_and_escapes_names():
    record = Dynamics(y=["<b>"], classes=["<b>", "a&b"], epochs=[0], header={"loss": "<script>"})
    assert record._repr_html_() == (
        "<table><caption>Dynamics of 1 sample at 1 epoch</caption>"
        "<tr><th>epochs</th><td>0</td></tr>"
        "<tr><th>classes</th><td>&#x27;&lt;b&gt;&#x27;, &#x27;a&amp;b&#x27;</td></tr>"
        "<tr><th>trained loss</th><td>&lt;script&gt;</td></tr></table>"
    )
