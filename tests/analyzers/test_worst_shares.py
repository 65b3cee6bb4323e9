"""worst_shares: theorems, its slow definition, and what is refused."""

import numpy as np
import pytest

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.analyzers import worst_shares
from sklearn_nndyn.dynamics import Dynamics
from tests import reference
from tests.analyzers.planted import header_of
from tests.displays.entangled import Fitted

SHARES = (0.01, 0.05, 0.1)


def record_of(values, of="loss", **changes):
    values = np.asarray(values, dtype=float)
    fields = {
        "y": np.zeros(len(values), int),
        "classes": [0],
        "epochs": np.arange(values.shape[1]),
        of: values,
    }
    return Dynamics(**(fields | changes))


def gammas(n_samples=83, n_epochs=6, seed=0):
    """Ever fewer of them are large."""
    rng = np.random.default_rng(seed)
    return rng.gamma(np.linspace(3, 0.1, n_epochs), size=(n_samples, n_epochs))


@pytest.mark.parametrize("of", ["loss", "gradient_norm"])
@pytest.mark.parametrize("n_samples", [1, 7, 10, 83, 100, 240])
def test_shares_equal_their_slow_definition(of, n_samples):
    values, shares = gammas(n_samples), (0.001, 0.01, 0.05, 0.1, 0.3, 0.7, 1)
    expected = [[reference.share_of_worst_rounded_up(v, s) for s in shares] for v in values.T.tolist()]
    found = worst_shares(record_of(values, of), of=of, fractions=shares)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.shape == (6, 7)


def test_where_all_are_equal_a_share_of_the_samples_carries_the_same_share():
    for value in (3.0, 0.0):  # also where there is nothing to carry
        np.testing.assert_allclose(worst_shares(record_of(np.full((200, 3), value))), [SHARES] * 3)


def test_one_sample_that_has_everything_is_among_the_worst():
    values = np.zeros((200, 3))
    values[[7, 100, 2], [0, 1, 2]] = 5
    np.testing.assert_array_equal(worst_shares(record_of(values)), np.ones((3, 3)))


def test_more_samples_carry_more_and_never_less_than_their_share():
    shares = np.linspace(0.01, 1, 100)
    carried = worst_shares(record_of(gammas(100)), fractions=shares)
    assert (np.diff(carried) >= 0).all()
    assert (carried >= shares - 1e-12).all()
    np.testing.assert_allclose(carried[:, -1], 1)


def test_units_and_the_order_of_samples_change_nothing():
    values = gammas()
    found = worst_shares(record_of(values))
    np.testing.assert_allclose(worst_shares(record_of(37 * values)), found, rtol=1e-12)
    order = np.random.default_rng(1).permutation(len(values))
    np.testing.assert_array_equal(worst_shares(record_of(values[order])), found)


def test_at_each_epoch_samples_are_ranked_anew():
    values = gammas()
    shuffled = np.random.default_rng(1).permuted(values, axis=0)
    np.testing.assert_array_equal(worst_shares(record_of(shuffled)), worst_shares(record_of(values)))


def test_the_number_of_samples_is_rounded_up_and_at_least_one():
    values = np.ones((30, 1))
    found = worst_shares(record_of(values), fractions=(0.001, 0.1, 0.11, 0.7, 1))
    np.testing.assert_allclose(found, np.array([[1, 3, 4, 21, 30]]) / 30)


def test_whole_numbers_of_samples_carry_what_the_loss_tail_analyzer_says():
    record = record_of(gammas(200))
    found = LossTailAnalyzer().fit(record)
    np.testing.assert_allclose(worst_shares(record), found.share_curves_[:, 1:], rtol=1e-12)
    assert found.fractions_[1:].tolist() == list(SHARES)


def test_shares_are_taken_above_the_least_value_of_the_loss():
    values = gammas()
    values /= values.max()
    found = worst_shares(record_of(values - 1, header=header_of("tanimoto")))
    np.testing.assert_allclose(found, worst_shares(record_of(values)))
    norms = worst_shares(record_of(values, "gradient_norm", header=header_of("tanimoto")), of="gradient_norm")
    np.testing.assert_allclose(norms, worst_shares(record_of(values)))


def test_of_negative_losses_there_are_no_shares():
    values = gammas()
    values[3, 1] = -1
    found = np.isnan(worst_shares(record_of(values)))
    assert found.all(axis=1).tolist() == found.any(axis=1).tolist() == [False, True] + [False] * 4
    np.testing.assert_array_equal(
        found, np.isnan(LossTailAnalyzer().fit(record_of(values)).share_curves_[:, 1:])
    )


def test_single_precision_is_summed_in_double():
    values = gammas(5000).astype(np.float32)
    single = record_of(values, loss=values)
    assert single.loss.dtype == np.float32
    np.testing.assert_array_equal(worst_shares(single), worst_shares(record_of(values)))


def test_of_a_model_the_training_record_is_read():
    model = Fitted().fit(record_of(gammas()))
    model.validation_dynamics_ = record_of(gammas(seed=1))
    np.testing.assert_array_equal(worst_shares(model), worst_shares(record_of(gammas())))


def refused(error, message, record=None, **parameters):
    with pytest.raises(error, match=message):
        worst_shares(record_of(gammas()) if record is None else record, **parameters)


@pytest.mark.parametrize(
    "shares", [0.1, [], [0.1, 0], [-0.1], [1.1], ["0.1"], [True], [np.nan], [[0.1]], None]
)
def test_shares_are_numbers_above_0_up_to_1(shares):
    refused(
        ValueError, r"^fractions must be a sequence of numbers above 0 and up to 1, got ", fractions=shares
    )


def test_records_that_cannot_be_shared_out():
    refused(ValueError, "^of must be one of 'loss', 'gradient_norm'; got 'margin'.$", of="margin")
    message = r"^This record has no gradient_norm: it holds loss. .*record=\('samples', 'gradients'\)"
    refused(ValueError, message, of="gradient_norm")
    refused(ValueError, "^The record has no samples, so there is nothing to share.$", record_of(gammas())[:0])
    values = gammas()
    values[4, 2] = np.inf
    message = "^The {} of sample 4 is not finite at epoch 2, the first of 1 such epochs. "
    refused(ValueError, message.format("loss"), record_of(values))
    norms = record_of(values, "gradient_norm")
    refused(ValueError, message.format("gradient norm"), norms, of="gradient_norm")
    refused(TypeError, "^Expected a Dynamics, or a fitted model that holds one", values)
