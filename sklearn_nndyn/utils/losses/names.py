"""Names that people type: those of other libraries, and what to write where a name may mean two losses."""

import difflib
import re

# Under these names the log loss goes elsewhere: torch, Keras, XGBoost, LightGBM, scikit-learn, papers.
LOG_ELSEWHERE = (
    "cross_entropy",
    "cross_entropy_loss",
    "categorical_cross_entropy",
    "sparse_categorical_cross_entropy",
    "softmax_cross_entropy",
    "log_loss",
    "multi_logloss",
    "mlogloss",
    "nll",
    "nll_loss",
    "negative_log_likelihood",
    "ce",
    "ce_loss",
    "xent",
)
_SQUARES = (
    "'regularized_expectation', the squared error of the probabilities (the Brier score), or 'l2', that of the raw "
    "scores"
)
_ABSOLUTE = "'expectation', the absolute error of the probabilities, or 'l1', that of the raw scores"
_BINARY = (
    "'log', which for two classes is the binary cross-entropy of the probabilities that its softmax gives"
)
MEANT = {
    **dict.fromkeys(("mse", "mse_loss", "mean_squared_error", "squared_error", "squared_loss"), _SQUARES),
    **dict.fromkeys(("brier", "brier_score", "brier_score_loss", "brier_loss", "quadratic"), _SQUARES),
    **dict.fromkeys(("mae", "mae_loss", "mean_absolute_error", "absolute_error"), _ABSOLUTE),
    **dict.fromkeys(
        ("bce", "bce_loss", "binary_cross_entropy", "bce_with_logits", "bce_with_logits_loss"), _BINARY
    ),
}


def understand(name, known):
    """The name, one of ``known``, of the loss that a user means.

    ValueError for a name that is not known, or may mean two losses: the message says what to write.
    """
    if name in known:
        return name
    if _bare(name) in map(_bare, LOG_ELSEWHERE):
        return "log"
    for other, meant in MEANT.items():
        if _bare(name) == _bare(other):
            raise ValueError(f"Loss {name!r} has another name here: {meant}. Write the one that you mean.")
    listed = ", ".join(map(repr, known))
    raise ValueError(f"Unknown loss {name!r}{_suggestion(name, known)}. The losses are {listed}.")


def _suggestion(name, known):
    """The nearest name, where there is one that is near."""
    meant = {_bare(other).removesuffix("loss"): "log" for other in LOG_ELSEWHERE} | {
        _bare(own): own for own in known
    }
    near = difflib.get_close_matches(_bare(name).removesuffix("loss"), meant, n=1)
    return f"; the nearest name is {meant[near[0]]!r}" if near else ""


def _bare(name):
    """Lower-case letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
