"""Codes of straggler_stability, and of the interventions."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

STABILITY = (
    FindingKind(
        code="ST1",
        title="Runs share their stragglers",
        meaning=(
            "Yes: two runs have more stragglers in common than chance gives. No: fewer. Cannot tell: neither, or "
            "fewer than two runs have an inversion."
        ),
        computed=(
            "Mean number of common stragglers over the pairs of runs that have an inversion; interval by leaving out "
            "one run at a time, from three runs on. Yes where the mean over the pairs of (common - expected) / "
            "deviation by chance is clear."
        ),
        chance="The mean of the hypergeometric numbers that random sets of these sizes have in common.",
        to_do="Look at persistent_indices; remove_and_refit asks what becomes of the inversion without them.",
        false_alarms=(
            "Five runs with random stragglers: 2.5 %. Told where a tenth, and half of them are shared: 100 and 100 %."
        ),
    ),
    FindingKind(
        code="ST2",
        title="No set of misclassified samples is more reproducible than the stragglers",
        meaning=(
            "Yes: at no other training error z is greater than at the mean error of the inversions. No: at one it "
            "is, by more than its spread. Cannot tell: neither, or there are fewer than ten pairs of runs."
        ),
        computed=(
            "z, (mean common - mean by chance) / deviation of the common over the pairs, of the sets at the mean "
            "training error of the inversions; the interval is two relative errors of a deviation over so many runs."
        ),
        chance="The greatest z of sets at other training errors, which is what it is compared with.",
        to_do="Give ten runs or more.",
    ),
)
INTERVENTIONS = (
    FindingKind(
        code="SC1",
        title="The rise is a matter of the scale of the scores",
        meaning=(
            "Yes: more than half of the rise of the mean log loss vanishes when the scores at the end are brought "
            "back to their scale at the turn. No: less, or there is no rise. Cannot tell: neither, or a rise cannot "
            "be told from chance (LT1)."
        ),
        computed=(
            "1 less the rise at the scale of the turn over the rise; interval by the influence of each sample. Yes "
            "where it lies above one half."
        ),
        chance="0: scores that are divided by 1 have the same loss.",
        to_do="Where it holds, calibrate by a temperature and train on; else ask who carries the rise (LT2).",
    ),
    FindingKind(
        code="FG1",
        title="The units that grew most make the loss rise",
        meaning=(
            "Yes: bringing back their growth undoes more of what rose than random units do that move the scores as "
            "much. No: it undoes nothing, or less than they do. Cannot tell: neither."
        ),
        computed=(
            "Share of what rose, on the samples that rose, that is undone; interval by the influence of each sample. "
            "Yes where it exceeds 97.5 % of the random sets."
        ),
        chance=(
            "The mean share that random sets of as many units undo, each moved until the scores move as much."
        ),
        to_do="Where it holds, weight decay on the last layer is worth a try.",
    ),
    FindingKind(
        code="FG2",
        title="Units of samples that were right already grew more",
        meaning=(
            "Yes: growth goes with the share of a unit's activation that falls on samples right at the turn. No: "
            "against it. Cannot tell: neither."
        ),
        computed="Spearman's rank correlation over the units, interval after Bonett and Wright.",
        chance="A correlation of 0.",
        to_do="Where most samples are right the shares hardly differ: give more samples.",
    ),
    FindingKind(
        code="RM1",
        title="Without these samples the inversion goes away",
        meaning=(
            "Yes: fewer runs invert without them than without as many random ones, by more than chance. No: as many "
            "do. Cannot tell: fewer, but chance may give that, or nothing was removed."
        ),
        computed=(
            "Share of the runs trained again that invert without them, with Wilson's 95 % interval. Yes by Fisher's "
            "exact test, one-sided, at 5 %: that takes three seeds."
        ),
        chance="The share that inverts without as many random samples.",
        to_do="Give more seeds where it cannot be told.",
    ),
    FindingKind(
        code="RM2",
        title="Without these samples the network tests worse",
        meaning=(
            "Yes: test error is higher without them than without as many random ones. No: it is lower. Cannot tell: "
            "neither, fewer than three seeds, or no test samples."
        ),
        computed=(
            "Mean difference of test error at the end over the seeds; interval by Student's t, of two seeds the two "
            "values."
        ),
        chance="0: as many random samples are left out of the runs it is compared with.",
        to_do="Where it holds they are hard and not wrong: keep them.",
    ),
)

ENSEMBLE_MEANING = (
    "Yes: on the given samples it is right more often. No: less often. Cannot tell: the difference is within its "
    "interval."
)
ENSEMBLE_COMPUTED = (
    "Mean over the samples of right (1 or 0) by the average less right by the last epoch; 95 % interval by Student's t "
    "over the samples. Yes where it is above 0."
)
ENSEMBLE_CHANCE = "0: neither saw these samples."

EPOCH_ENSEMBLE = (
    FindingKind(
        code="FK1",
        title="The average over all epochs beats the last epoch",
        meaning=ENSEMBLE_MEANING,
        computed=ENSEMBLE_COMPUTED,
        chance=ENSEMBLE_CHANCE,
        to_do="Where it holds, predict by average_over_epochs.",
    ),
    FindingKind(
        code="FK2",
        title="The last epoch averaged with those that knew what it forgot beats the last alone",
        meaning=ENSEMBLE_MEANING,
        computed=f"{ENSEMBLE_COMPUTED} The epochs are those of most forgotten validation samples.",
        chance=ENSEMBLE_CHANCE,
        to_do="Where it holds, predict by average_over_epochs with these epochs; compare FK1, which is simpler.",
    ),
)
