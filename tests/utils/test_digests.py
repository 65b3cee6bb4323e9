"""A digest is of values: any dtype, any layout, and nothing else."""

import pytest
import torch

from sklearn_nndyn.utils.digests import digest_of

VALUES = torch.tensor([[1.0, 0.0, 3.0], [4.0, 5.0, 6.0]])
DTYPES = (torch.bfloat16, torch.float16, torch.float32, torch.complex64, torch.int8, torch.bool)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_of_equal_values_have_one_digest_and_others_another(dtype):
    own = VALUES.to(dtype)
    found = digest_of(own, "w")
    assert digest_of(own.T.contiguous().T, "w") == found
    assert digest_of(own.conj().conj(), "w") == found
    assert digest_of(own.flip(0), "w") != found
    others = {digest_of(VALUES.to(other), "w") for other in DTYPES}
    assert len(others) == len(DTYPES)


def test_a_conjugate_that_was_not_computed_yet_is_one():
    own = VALUES.to(torch.complex64) * 1j
    assert digest_of(own.conj(), "w") == digest_of(own.conj().resolve_conj(), "w") != digest_of(own, "w")
