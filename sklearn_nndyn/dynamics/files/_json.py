"""Plain read-only data as strict JSON, and back without loss.

What JSON lacks is written as an object whose only key starts with a dollar: a float that is not finite as
``{"$float": "nan"}``, a dictionary whose keys are no plain strings as ``{"$items": [[key, value], ...]}``.
"""

import json
import math


def to_json(value):
    """Text of plain data: None, booleans, numbers, strings, tuples and dictionaries."""
    return json.dumps(_encoded(value), allow_nan=False)


def from_json(text):
    """The plain data again."""
    return _decoded(json.loads(text))


def _encoded(value):
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _encoded(item) for key, item in value.items()}
        return {"$items": [[_encoded(key), _encoded(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return [_encoded(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    return value


def _decoded(value):
    if isinstance(value, list):
        return tuple(_decoded(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "$float" in value:
        return float(value["$float"])
    if "$items" in value:
        return {_decoded(key): _decoded(item) for key, item in value["$items"]}
    return {key: _decoded(item) for key, item in value.items()}
