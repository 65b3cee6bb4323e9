"""All cases: {table: {name: case}}."""

from tests.classifiers.odd_inputs.labels import LABELS, SAMPLE_WEIGHTS
from tests.classifiers.odd_inputs.modules import DICTS, MODULES
from tests.classifiers.odd_inputs.parameters import PARAMETERS, SEEDS
from tests.classifiers.odd_inputs.rows import ROWS

TABLES = {
    "X": ROWS,
    "y": LABELS,
    "sample_weight": SAMPLE_WEIGHTS,
    "module": MODULES,
    "X as a dict": DICTS,
    "random_state": SEEDS,
    "parameters": PARAMETERS,
}
