"""Codes of a LearningPhaseAnalyzer."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

LEARNING_PHASES = (
    FindingKind(
        code="LP1",
        title="The reconstruction error falls",
        meaning=(
            "Yes: the layer gives its input back better than at the start, the second phase. No: it is never below "
            "its start. Cannot tell: it falls by no more than chance gives, or one run has fewer than nine epochs."
        ),
        computed=(
            "Mean squared error of reconstruction at the first epoch less that at the least; 95 % interval over the "
            "runs by the noise they have about their mean, over the samples of a single run by Student's t. Yes "
            "where the interval is above 0, and the fall exceeds two standard errors and chance."
        ),
        chance=(
            "The fall that one of twenty curves of noise exceeds, in which the least value is chosen likewise: noise "
            "as the runs have about their mean. For one run, the fall that less than one of ten exceeds that wander "
            "(each value 0.9 of the one before, and noise)."
        ),
        to_do="Give several runs: one run does not tell of other seeds.",
        false_alarms=(
            "Noise, of one, three and ten runs: 0, 2.5 and 3.5 %; a wander that lasts (correlation 0.9): 5, 2.5 and "
            "3.5 %, and a turn, LP1 and LP2 together, 3.5, 0.5 and 0 %. Told where it falls and rises, by 20, 4 and 3 "
            "times the noise of a run: 100, 98.5 and 100 %; where one run only falls, by 20 times: 91 %."
        ),
    ),
    FindingKind(
        code="LP2",
        title="The reconstruction error rises in the end",
        meaning=(
            "Yes: from its least value it rises clearly, the third phase. No: it is least at the end, still near its "
            "least there, or falls from a peak until the end. Cannot tell: it rises by no more than chance gives."
        ),
        computed="Error at the last epoch less that at the least, as LP1.",
        chance="As for LP1, of the rise.",
        to_do=(
            "Where it falls and rises, stops from the turn until half of the fall is given back are worth a try for "
            "transfer; check them on data of the transfer task, for the turn itself is rarely the best."
        ),
        false_alarms=(
            "Noise, of one, three and ten runs: 0, 3.5 and 4 %; a wander that lasts (correlation 0.9): 6, 3.5 and 4.5 "
            "%, and a turn, LP1 and LP2 together, 3.5, 0.5 and 0 %. Told where it holds, by 20, 4 and 3 times the "
            "noise of a run: 100, 99.5 and 100 %."
        ),
    ),
    FindingKind(
        code="LP3",
        title="The reconstruction error stays near its start at first",
        meaning=(
            "Yes: before it falls it stays near its start, and does not rise above it, the first phase. No: it falls "
            "at once, or rises first (LP5). Cannot tell: it does not clearly fall."
        ),
        computed="The epoch at which it leaves its start by more than the tolerance, a share of its fall.",
        chance="Not given: it rests on LP1 and LP5.",
        to_do='Record iterations within the first epoch to see it: record_iterations="log".',
    ),
    FindingKind(
        code="LP4",
        title="Samples that were learned later get worse by more",
        meaning=(
            "Yes: where the error rises (LP2), it rises more for samples that were learned later. No: it rises more "
            "for those learned earlier. Cannot tell: neither, no rise, or no predictions."
        ),
        computed=(
            "Spearman's rank correlation of the rise of a sample and the epoch from which it stays right, mean over "
            "the runs; interval over the samples of one run (Bonett and Wright), or over the runs."
        ),
        chance="A correlation of 0.",
        to_do="It is a correlation within a run, and no cause.",
    ),
    FindingKind(
        code="LP5",
        title="The reconstruction error rises above its start first",
        meaning=(
            "Yes: it climbs to a peak above its start and falls from there. No: it is never above its start before "
            "the fall. Cannot tell: it is, by no more than chance gives."
        ),
        computed="The greatest error before the least one less that at the start.",
        chance="As for LP1, of a rise above the start.",
        to_do="Initial weights or rate may be large: look at the first iterations.",
    ),
)
