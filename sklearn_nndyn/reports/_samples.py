"""How a sample is shown in a table: its picture where there is one, its id, its label, what it is predicted as."""

from sklearn_nndyn.reports._blocks import Cell
from sklearn_nndyn.reports._thumbnails import thumbnail
from sklearn_nndyn.reports._words import words


def record_of(material, key):
    """The record under a name of the pictures."""
    return material.record if key == "record" else material.validation


def identity_columns(material, key):
    """Titles of the columns that say which sample a row is."""
    picture = ("Picture",) if key in material.pictures else ()
    predicted = ("Predicted",) if record_of(material, key).prediction is not None else ()
    return (*picture, "Sample", "Label", *predicted)


def identity_cells(material, key, i):
    """The cells of these columns for sample ``i``."""
    record = record_of(material, key)
    name, label = sample_name(record, i), str(record.y[i])
    cells = [name_cell(name), words(label)]
    if key in material.pictures:
        said = f"Picture of sample {name}, labelled {label}"
        cells.insert(0, Cell(words=said, picture=thumbnail(material.pictures[key][i])))
    if record.prediction is not None:
        cells.append(words(predicted_name(record, i)))
    return cells


def sample_name(record, i):
    """The id of a sample, or its position where the record has no ids."""
    ids = getattr(record, "sample_ids", None)
    return str(i if ids is None else ids[i])


def name_cell(name):
    """A cell of an id, sorted as a number where it is one."""
    return Cell(words=name, value=float(name) if name.isdecimal() else None)


def predicted_name(record, i):
    """The class predicted at the last epoch; a dash where the sample was not seen."""
    at = int(record.prediction[i, -1])
    return "–" if at < 0 else str(record.classes[at])
