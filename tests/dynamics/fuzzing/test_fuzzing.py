"""Files that are mutated further the more of ours they reach."""

import pytest

from tests.dynamics.fuzzing.guided import Fuzzer
from tests.dynamics.fuzzing.targets import Places, Records


@pytest.mark.parametrize("target", [Records, Places])
@pytest.mark.parametrize("n_mutants", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_no_file_does_harm(target, n_mutants, tmp_path):
    fuzzer = Fuzzer(target(tmp_path))
    n_seeds = len(fuzzer.corpus)
    fuzzer.run(n_mutants)
    print(fuzzer)
    assert fuzzer.outcomes.total() == n_mutants + n_seeds
    assert len(fuzzer.corpus) > n_seeds, "mutants reach more than what was saved does"
