"""Codes of a SampleScoreAnalyzer and of find_label_errors."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

SAMPLE_SCORES = (
    FindingKind(
        code="SS1",
        title="Some samples are still wrong at the end",
        meaning="Yes: at least one sample is misclassified at the last epoch. No: none is.",
        computed=(
            "Share of the samples that are misclassified at the last epoch, with Wilson's 95 % interval."
        ),
        chance="The error of always naming the largest class.",
        to_do="Train longer or a larger network where they are many; look at them where they are few.",
    ),
    FindingKind(
        code="SS2",
        title="Some samples are never learned",
        meaning="Yes: at least one sample is wrong at every epoch after the start. No: none is.",
        computed="Share of the samples that are never right, with Wilson's 95 % interval.",
        chance="The share that would never be right if classes were guessed evenly at each epoch.",
        to_do="Look at their labels: find_label_errors ranks them.",
    ),
    FindingKind(
        code="SS3",
        title="Another class is preferred for some samples",
        meaning="Yes: for at least one sample the area under the margin is negative. No: for none.",
        computed=(
            "Share of the samples with a negative mean margin after the start, with Wilson's 95 % interval."
        ),
        chance="The share if the preferred class were guessed: 1 - 1/K of K classes.",
        to_do="Such samples are hard or wrongly labelled: find_label_errors says which of it is likely.",
    ),
    FindingKind(
        code="SS4",
        title="Some samples are forgotten",
        meaning="Yes: at least one sample is wrong after it had been right an epoch before. No: none is.",
        computed="Share of the samples that are forgotten at least once, with Wilson's 95 % interval.",
        chance="Not given: a smaller learning rate or larger batches forget less.",
        to_do="Samples that are never forgotten can often be left out without loss of accuracy.",
    ),
)

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
            "likely; from several networks, those of negative score, within the range of their number (SS8). The "
            "number is an estimate that may be far off."
        ),
        chance="As for SS8.",
        to_do="Trust the order more than the number, which is why there is a range.",
    ),
)
