"""Codes of compare_losses."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

COMPARISON = (
    FindingKind(
        code="CL1",
        title="One loss learns faster than all others",
        meaning=(
            "Yes: every other loss is significantly behind the one of greatest learning speed. Cannot tell: some are "
            "not, or there is one seed or one loss. It is never denied."
        ),
        computed=(
            "Mean test accuracy over the stretch of the best loss; interval by Student's t over the seeds, of two "
            "seeds the two values. Yes where a paired t test against each other loss, after Holm, has p < 0.05."
        ),
        chance="The mean of the second best: of equal losses one is best.",
        to_do="Take it. Where it cannot be told, give more seeds, or take any that is not significantly behind.",
    ),
    FindingKind(
        code="CL2",
        title="One loss ends better than all others",
        meaning=(
            "Yes: every other loss is significantly behind the one of greatest final accuracy. Cannot tell: some are "
            "not, or there is one seed or one loss."
        ),
        computed="As CL1, for test accuracy at the end.",
        chance="The mean of the second best.",
        to_do="Take it. Where it cannot be told, give more seeds, or take any that is not significantly behind.",
    ),
    FindingKind(
        code="CL3",
        title="One loss is better than all others under label noise",
        meaning="Yes: as CL2, at the highest level of label noise. Cannot tell: some are not significantly behind.",
        computed="As CL2, at that level.",
        chance="The mean of the second best.",
        to_do="Where labels may be wrong, prefer it; otherwise go by CL2.",
    ),
    FindingKind(
        code="CL4",
        title="One loss is better than all others under input noise",
        meaning="Yes: as CL2, at the highest level of input noise. Cannot tell: some are not significantly behind.",
        computed="As CL2, at that level.",
        chance="The mean of the second best.",
        to_do="Where inputs are noisy, prefer it; otherwise go by CL2.",
    ),
)
