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
    "'log', which for two classes is the binary cross-entropy of the probabilities that its softmax gives; a module "
    "may end with one output"
)
_DIVERGENCE = "'log', which is the Kullback-Leibler divergence where each sample has one label"
MEANT = {
    **dict.fromkeys(("mse", "mse_loss", "mean_squared_error", "squared_error", "squared_loss"), _SQUARES),
    **dict.fromkeys(("brier", "brier_score", "brier_score_loss", "brier_loss", "quadratic"), _SQUARES),
    **dict.fromkeys(("mae", "mae_loss", "mean_absolute_error", "absolute_error"), _ABSOLUTE),
    **dict.fromkeys(
        (
            *("bce", "bce_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"),
            *("bce_with_logits", "bce_with_logits_loss", "soft_margin_loss", "logistic", "logistic_loss"),
        ),
        _BINARY,
    ),
    **dict.fromkeys(("kl_div", "kl_div_loss", "kld", "kl_divergence", "kullback_leibler"), _DIVERGENCE),
    **dict.fromkeys(("deviance", "multinomial_deviance", "binomial_deviance"), "'log', half of the deviance"),
    **dict.fromkeys(("gce", "gce_loss"), "'generalized_cross_entropy'"),
    **dict.fromkeys(("sce", "sce_loss"), "'symmetric_cross_entropy'"),
    "l1_loss": _ABSOLUTE,
}
# Losses of torch that have no equal here, and what comes next to them.
NEAREST = MEANT | {
    **dict.fromkeys(("smooth_l1_loss", "huber_loss"), _ABSOLUTE),
    "hinge_embedding_loss": "'hinge'",
}
# torch's losses of something else than a score for each class and one label.
OF_SOMETHING_ELSE = {
    "ctc_loss": "sequences of labels",
    "triplet_margin_loss": "triples of samples",
    "triplet_margin_with_distance_loss": "triples of samples",
    "cosine_embedding_loss": "pairs of samples",
    "margin_ranking_loss": "pairs of samples",
    "multi_label_margin_loss": "several labels for each sample",
    "multi_label_soft_margin_loss": "several labels for each sample",
    "multilabel_margin_loss": "several labels for each sample",
    "multilabel_soft_margin_loss": "several labels for each sample",
    "poisson_nll_loss": "counts",
    "gaussian_nll_loss": "a mean and a variance for each sample",
    "adaptive_log_softmax_with_loss": "inputs in place of scores: it holds a layer of its own",
}


def understand(name, known):
    """The name, one of ``known``, of the loss that a user means.

    ValueError for a name that is not known, or may mean two losses: the message says what to write.
    """
    if name in known:
        return name
    if _bare(name) in map(_bare, LOG_ELSEWHERE):
        return "log"
    meant = _found(name, MEANT)
    if meant is not None:
        raise ValueError(f"Loss {name!r} has another name here: {meant}. Write the one that you mean.")
    listed = ", ".join(map(repr, known))
    raise ValueError(f"Unknown loss {name!r}{_suggestion(name, known)}. The losses are {listed}.")


def refuse_other_losses(name):
    """Refuse one of torch's losses that takes something else than a score for each class and one label.

    Parameters
    ----------
    name : str
        Of its class or function.

    Raises
    ------
    ValueError
        What to write in its place is said.
    """
    if _bare(name) in map(_bare, LOG_ELSEWHERE):
        return
    meant, taken = _found(name, NEAREST), _found(name, OF_SOMETHING_ELSE)
    if meant is not None:
        raise ValueError(f"loss {name} does not take a score for each class and one label: write {meant}.")
    if taken is not None:
        raise ValueError(
            f"loss {name} takes {taken}, but a classifier has a score for each class and one label: write "
            'loss="log", or a loss of your own, a callable of scores (n, n_classes) and target (n,) giving values (n,).'
        )


def _found(name, table):
    return next((value for other, value in table.items() if _bare(name) == _bare(other)), None)


def _suggestion(name, known):
    """The nearest name, where there is one that is near; to the short names of other libraries much is near."""
    own = {_bare(one): one for one in known}
    elsewhere = {_bare(other).removesuffix("loss"): "log" for other in LOG_ELSEWHERE}
    for names, cutoff in ((elsewhere, 0.8), (own, 0.6)):
        near = difflib.get_close_matches(_bare(name).removesuffix("loss"), names, n=1, cutoff=cutoff)
        if near:
            return f"; the nearest name is {names[near[0]]!r}"
    return ""


def _bare(name):
    """Lower-case letters and digits alone, without the package that a name comes from."""
    return re.sub(r"[^a-z0-9]", "", name.rpartition(".")[2].lower())
