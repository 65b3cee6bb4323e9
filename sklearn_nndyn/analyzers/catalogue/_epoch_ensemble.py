"""Codes of ``epoch_ensemble``."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

MEANING = (
    "Yes: on the given samples it is right more often. No: less often. Cannot tell: the difference is within its "
    "interval."
)
COMPUTED = (
    "Mean over the samples of right (1 or 0) by the average less right by the last epoch; 95 % interval by Student's t "
    "over the samples. Yes where it is above 0."
)
CHANCE = "0: neither saw these samples."

EPOCH_ENSEMBLE = (
    FindingKind(
        code="FK1",
        title="The average over all epochs beats the last epoch",
        meaning=MEANING,
        computed=COMPUTED,
        chance=CHANCE,
        to_do="Where it holds, predict by average_over_epochs.",
    ),
    FindingKind(
        code="FK2",
        title="The last epoch averaged with those that knew what it forgot beats the last alone",
        meaning=MEANING,
        computed=f"{COMPUTED} The epochs are those of most forgotten validation samples.",
        chance=CHANCE,
        to_do="Where it holds, predict by average_over_epochs with these epochs; compare FK1, which is simpler.",
    ),
)
