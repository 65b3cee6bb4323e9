"""A torch device made of the CPU, which has no float64, counts what crosses to it and from it, and mixes with no other.

Where no accelerator is at hand it shows what one would be asked to do: its tensors hold a tensor of the CPU each, every
operation on them is carried out there, and what an accelerator would refuse is refused. It takes the place that torch
keeps for devices from outside, for the whole process: use it in a process of its own.
"""

from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

NAME = "counted"
RANDOM = torch.Tag.nondeterministic_seeded
READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
SEVERAL_COPIES = torch.ops.aten._foreach_copy_.default
COPIES = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default, SEVERAL_COPIES)
INDEXING = ("index", "index_put")


class DeviceModule:
    """What torch asks of a device's own module (as ``torch.cuda``), with a generator of its own."""

    default_generators = (torch.Generator(),)

    def is_initialized(self):
        return True

    is_available = is_initialized

    def current_device(self):
        return 0

    def device_count(self):
        return 1

    def _is_in_bad_fork(self):
        return False

    def manual_seed_all(self, seed):
        self.default_generators[0].manual_seed(seed)

    def get_rng_state(self, device=NAME):
        return self.default_generators[0].get_state()

    def get_amp_supported_dtype(self):
        return [torch.bfloat16]


class Generator(torch.Generator):
    """A generator for any device: torch makes none for one from outside."""

    def __new__(cls, device="cpu"):
        return super().__new__(cls)


class OnDevice(torch.Tensor):
    """A tensor on the device; ``inner`` holds its numbers."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, inner):
        self.inner = inner

    def data_ptr(self):
        return self.inner.data_ptr()

    @property
    def data(self):
        return self.detach()

    @data.setter
    def data(self, value):
        self.inner = value.inner

    def tolist(self):
        return self.cpu().tolist()

    def __deepcopy__(self, memo):
        return memo.setdefault(id(self), self.detach().clone().requires_grad_(self.requires_grad))

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


class Counted(TorchDispatchMode):
    """Makes tensors on the device where one is asked for, and counts.

    Attributes
    ----------
    counts : Counter
        ``"to host"`` and ``"to device"``: copies of arrays; ``"read"``: single numbers, for which Python waits.
    """

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {}, self.counts)


def copies_of_an_epoch(fit):
    """What an epoch after the second copies and reads, where ``fit(max_epochs)`` trains on the device."""
    counts = []
    for max_epochs in (2, 3):
        with Counted() as counted:
            fit(max_epochs)
        counts.append(counted.counts)
    return {name: counts[1][name] - counts[0][name] for name in ("to host", "to device", "read")}


def install():
    """Make the device known to torch, in place of the one from outside that it has room for."""
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    _setup_privateuseone_for_python_backend(rename=NAME, backend_module=DeviceModule())
    torch._C._set_only_lift_cpu_tensors(
        True
    )  # `torch.tensor(..., device=...)` makes it on the host, and copies it
    torch.Generator = Generator


def _run(func, args, kwargs, counts=None):
    tensors = [value for value in tree_flatten((args, kwargs))[0] if torch.is_tensor(value)]
    ours = [value for value in tensors if isinstance(value, OnDevice)]
    target = kwargs.get("device")
    goes = torch.device(target).type == NAME if target is not None else bool(ours)
    if not (goes or ours):
        return func(*args, **kwargs)
    _refuse_mixed(func, tensors, ours)
    _count(func, args, goes, bool(ours), Counter() if counts is None else counts)
    own = {name: value for name, value in kwargs.items() if name != "pin_memory"} | (
        {} if target is None else {"device": "cpu"}
    )
    given = tree_map_only(OnDevice, lambda value: value.inner, (args, own))
    result = _drawing(func, given)
    if not goes or (func is torch.ops.aten.copy_.default and not isinstance(args[0], OnDevice)):
        return result
    known = {id(value.inner): value for value in ours}
    return tree_map_only(torch.Tensor, lambda value: _wrapped(func, value, known), result)


def _drawing(func, given):
    """The result of a function, with the device's own random numbers."""
    args, kwargs = given
    if RANDOM not in func.tags or kwargs.get("generator") is not None:
        return func(*args, **kwargs)
    generator, host = DeviceModule.default_generators[0], torch.default_generator
    before = host.get_state()
    host.set_state(generator.get_state())
    try:
        return func(*args, **kwargs)
    finally:
        generator.set_state(host.get_state())
        host.set_state(before)


def _wrapped(func, value, known):
    if id(value) in known:
        return known[id(value)]
    if value.dtype == torch.float64:
        raise TypeError(f"{func} makes float64, which the device does not have.")
    return OnDevice(value)


def _refuse_mixed(func, tensors, ours):
    """Numbers mix with arrays on any device; arrays of two devices do not, but as positions of the host."""
    strangers = [value for value in tensors if not isinstance(value, OnDevice) and value.ndim]
    indexing = func.overloadpacket.__name__.strip("_") in INDEXING
    if ours and strangers and func not in COPIES and not indexing:
        raise RuntimeError(f"{func}: expected all tensors to be on the same device.")


def _count(func, args, goes, ours, counts):
    if func in READS:
        counts["read"] += 1
    if func not in COPIES:
        return
    if func is SEVERAL_COPIES:
        for pair in zip(*args[:2], strict=True):
            _count(torch.ops.aten.copy_.default, pair, goes, ours, counts)
        return
    target = isinstance(args[0], OnDevice) if func is torch.ops.aten.copy_.default else goes
    source = isinstance(args[-1 if func is torch.ops.aten.copy_.default else 0], OnDevice)
    if target != source:
        counts["to device" if target else "to host"] += 1
