"""Codes of find_label_errors."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

LABEL_ERRORS = (
    FindingKind(
        code="SS8",
        title="Some labels are wrong",
        meaning=(
            "Yes: the lower end of the range of their number is above 0. Cannot tell: it is 0, or no range can be "
            "given (SS9). It never says no: a few wrong labels among hard samples cannot be ruled out."
        ),
        computed=(
            "The figure is the number of samples that stand out (SS10). The range, from one run: above, the samples "
            "of negative area under the margin or misclassified at a third of the epochs, whichever are more; below, "
            "the lower of two normal distributions fitted to the areas, or the samples as far below zero as the "
            "typical one is above, whichever are fewer. From several networks: above, the samples that are missed by "
            "those which did not see them; below, those contradicted by three quarters of a typical margin, less "
            "what chance gives. Two standard errors of a count are added to either end."
        ),
        chance=(
            "From several networks, right labels of hard samples that look as wrong: one for three samples that are "
            "missed by less. From one run it is not known."
        ),
        to_do="Look at the samples in the order of ranking, and correct or remove what a person finds wrong.",
        false_alarms=(
            "Three data sets, three kinds of wrong labels, five rates, three seeds: where no label was wrong, "
            "none of 9 said yes. The range held the truth in 97 % of 95 from one run, and in all 85 from "
            "several networks (benchmarks/README.md). Of two made classes of which a fifth overlaps, it began at "
            "16 of 1,000 where no label was wrong."
        ),
    ),
    FindingKind(
        code="SS9",
        title="The number of wrong labels can be told",
        meaning=(
            "Yes: a range is given. No: it would be wider than a quarter of the samples, or fewer than three epochs "
            "were recorded."
        ),
        computed="The width of the range, as a share of the samples.",
        chance="None: it is a statement on these runs, not on the data.",
        to_do=(
            "Several networks, find_label_errors(clf, X, y, runs=10); fewer epochs for a network that has learned all "
            "labels by heart; a better network where many samples are still wrong."
        ),
    ),
    FindingKind(
        code="SS10",
        title="A group of samples stands out",
        meaning="Yes: some scores are low enough for the label to be more likely wrong than right. No: none is.",
        computed=(
            "From one run, the samples up to the score at which the lower of two normal distributions is the more "
            "likely; from several networks, those of negative score. The number is an estimate that may be far off."
        ),
        chance="As for SS8.",
        to_do="Trust the order more than the number, which is why there is a range.",
    ),
)
