"""Codes of a SampleScoreAnalyzer."""

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
