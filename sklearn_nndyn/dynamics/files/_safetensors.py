"""Safetensors files: written whole or not at all, and read by one opening."""

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sklearn_nndyn.utils.files import check_regular, replaced_file, user_path

AGAIN = "Save the record again, or fetch the whole file."


def write_safetensors(path, tensors, metadata):
    """Write arrays {str: array} and texts {str: str}; ``path`` holds the old content or the new, never part of one."""
    try:
        with replaced_file(path) as place:
            save_file(tensors, place, metadata=metadata)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from error


def read_safetensors(path):
    """The texts {str: str} and arrays {str: array} of a safetensors file.

    The library checks lengths, names and types against the size of the file. What it leaves to NumPy, such as
    types that NumPy lacks, comes as whatever NumPy raises.
    """
    path = user_path(path)
    check_regular(path)
    try:
        with safe_open(path, "np") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ValueError(f"{path} cannot be read as safetensors: {error}. {AGAIN}") from error
