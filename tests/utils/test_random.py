"""A private random state gives the numbers of a seeded process, and leaves no trace in this one."""

import pickle
import threading

import numpy as np
import pytest
import torch

from sklearn_nndyn.utils.random import RandomState, untouched_generators

SEEDS = [0, 7, 2**31 - 1]


def seeded(seed):
    """Six numbers of torch and six of NumPy after seeding, and the process as it was before."""
    with untouched_generators():
        torch.manual_seed(seed)
        np.random.seed(seed)
        return torch.rand(6), np.random.rand(6)


@pytest.fixture(autouse=True)
def nothing_heard_of_it():
    """Every test of this file leaves the global generators where they were."""
    torch.manual_seed(99)
    np.random.seed(99)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(99)
    np.random.seed(99)
    yield
    assert torch.equal(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.rand(3), expected[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_inside_the_numbers_are_those_of_the_seed(seed):
    with RandomState(seed):
        drawn = torch.rand(6), np.random.rand(6)
    assert torch.equal(drawn[0], seeded(seed)[0])
    np.testing.assert_array_equal(drawn[1], seeded(seed)[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_it_goes_on_where_it_was_left(seed):
    state, drawn = RandomState(seed), []
    for n in (1, 2, 3):
        with state:
            drawn.append((torch.rand(n), np.random.rand(n)))
        torch.rand(5)
        np.random.rand(5)
    torch.manual_seed(99)
    np.random.seed(99)
    assert torch.equal(torch.cat([numbers for numbers, _ in drawn]), seeded(seed)[0])
    np.testing.assert_array_equal(np.concatenate([numbers for _, numbers in drawn]), seeded(seed)[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_generator_draws_the_same_numbers(seed):
    state = RandomState(seed)
    with state.as_generator(torch.Generator()) as generator:
        first = torch.rand(2, generator=generator)
    with state:  # and back again
        second = torch.rand(1)
    with state.as_generator(torch.Generator()) as generator:
        third = torch.rand(3, generator=generator)
    assert torch.equal(torch.cat([first, second, third]), seeded(seed)[0])


def test_a_permutation_by_generator_is_that_of_the_seed():
    with RandomState(3).as_generator(torch.Generator()) as generator:
        order = torch.randperm(50, generator=generator)
    assert torch.equal(order, torch.randperm(50, generator=torch.Generator().manual_seed(3)))


def test_one_inside_another():
    outer, inner = RandomState(1), RandomState(2)
    with outer:
        first = torch.rand(2)
        with inner:
            within = torch.rand(6)
            with untouched_generators():
                torch.rand(100)
        second = torch.rand(4)
    assert torch.equal(torch.cat([first, second]), seeded(1)[0])
    assert torch.equal(within, seeded(2)[0])


def draw_and_fail(**kwargs):
    torch.rand(2, **kwargs)
    raise ZeroDivisionError


@pytest.mark.parametrize("context", [RandomState(1), untouched_generators()], ids=["state", "untouched"])
def test_a_failure_inside_leaves_no_trace(context):
    with pytest.raises(ZeroDivisionError), context:
        draw_and_fail()


def test_a_failure_inside_is_remembered_by_the_state():
    state = RandomState(1)
    with pytest.raises(ZeroDivisionError), state:
        draw_and_fail()
    with pytest.raises(ZeroDivisionError), state.as_generator(torch.Generator()) as generator:
        draw_and_fail(generator=generator)
    with state:
        assert torch.equal(torch.rand(2), seeded(1)[0][4:])


def test_a_copy_goes_on_by_itself():
    state = RandomState(5)
    with state:
        torch.rand(2)
    other = pickle.loads(pickle.dumps(state))
    for one in (state, other):
        with one:
            assert torch.equal(torch.rand(4), seeded(5)[0][2:])


def test_threads_do_not_hear_each_other():
    """Four threads that draw in turns: each hears the numbers of its own seed alone."""
    drawn = {seed: [] for seed in range(4)}
    barrier = threading.Barrier(4)

    def draw(seed):
        state = RandomState(seed)
        barrier.wait()
        for _ in range(50):
            with state:
                drawn[seed].append((torch.rand(1), np.random.rand(1)))
            with state.as_generator(torch.Generator()) as generator:
                drawn[seed].append((torch.rand(1, generator=generator), np.empty(0)))

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, numbers in drawn.items():
        with untouched_generators():
            torch.manual_seed(seed)
            np.random.seed(seed)
            assert torch.equal(torch.cat([n for n, _ in numbers]), torch.rand(100).flatten())
            np.testing.assert_array_equal(np.concatenate([n for _, n in numbers]), np.random.rand(50))


def test_untouched_generators_are():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    with untouched_generators():
        torch.manual_seed(3)
        np.random.seed(3)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])
