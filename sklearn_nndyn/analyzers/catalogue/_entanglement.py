"""Codes of an EntanglementAnalyzer, and of straggler_stability."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

ENTANGLEMENT = (
    FindingKind(
        code="EN1",
        title="The classes mix again",
        meaning=(
            "Yes: the curve of reference, by default the mean radius of the classes, had come apart and turns back "
            "for good. No: it does not turn back by more than a hundredth of its range. Cannot tell: its turn is no "
            "larger than its noise, fewer than nine epochs were recorded, or the curve is not defined."
        ),
        computed=(
            "How far the curve has turned back at the end, in its own units; the interval comes from the noise that "
            "its third differences show, and is missing where there is none. Yes where it fell and rose by more than "
            "chance."
        ),
        chance=(
            "The greatest of three: a hundredth of the range of the curve; 3 + sqrt(2 ln m) standard deviations of its "
            "noise where that is averaged over windows and m of these make the curve, for the least of m is expected "
            "that root below the mean; and the rise that of plateaus which wander as this curve does, for as many "
            "epochs, less than one of twenty exceeds (one of ten whose wander lasts)."
        ),
        to_do=(
            "Quote the training error at the turn, inversion_error_, and compare other seeds: epochs vary, errors "
            "little."
        ),
        false_alarms=(
            "A fall until the end, and to a plateau with little and much noise: 0 %; a wander that lasts (correlation "
            "0.9): 5 %. Told where it holds, by three and by ten times the noise: 90.5 and 98.5 %."
        ),
    ),
    FindingKind(
        code="EN2",
        title="Radius and distance of the classes both turn",
        meaning=(
            "Yes: both measures of separation turn back. No: at least one of them does not. Cannot tell: one of them "
            "cannot be told, and none is denied."
        ),
        computed="As EN1, for the measure that is not the reference.",
        chance="As for EN1.",
        to_do="Where they do not agree, look at the picture before speaking of an inversion.",
    ),
    FindingKind(
        code="EN3",
        title="Stragglers are left at the turn",
        meaning=(
            "Yes: there is a turn (EN1), and samples are still misclassified there. No: there is no turn, or none is "
            "misclassified."
        ),
        computed=(
            "Share of the samples that are misclassified at the turn, the training error there, with Wilson's 95 % "
            "interval."
        ),
        chance="The error of always naming the largest class.",
        to_do="Look at them, straggler_indices_; straggler_stability asks whether other seeds have the same.",
        false_alarms="As for EN1. Told beside a turn of ten times the noise: 98.5 %.",
    ),
    FindingKind(
        code="EN4",
        title="Each class turns by its own radius",
        meaning=(
            "Yes: the radius of every class that has samples turns. No: that of some does not. Cannot tell: some turn "
            "by no more than chance gives, or fewer than nine epochs were recorded."
        ),
        computed="Share of these classes that turn, each judged as EN1; no interval, for all are seen.",
        chance="As for EN1, of each class; not given.",
        to_do="class_inversion_epochs_ has the turns: classes may turn at different times.",
    ),
)
