"""Codes of a RefinementAnalyzer."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

REFINEMENT = (
    FindingKind(
        code="RF1",
        title="The rise of the mean loss is calibration",
        meaning=(
            "Yes: the mean log loss rises, and most of the rise is gone once the scores of each epoch are divided by "
            "the temperature that suits them. No: there is no rise, or most of it stays. Cannot tell: neither, or it "
            "is not sure that there is a rise (LT1)."
        ),
        computed=(
            "1 less the rise of the refined loss over the rise of the loss, both of a sample from a turn that the "
            "other half of the samples chose (of several runs, the other runs), with temperatures that the other half "
            "chose; 95 % interval by the influence of each sample on the ratio, or of each run. Above 1 the refined "
            "loss falls. Yes where the interval lies above one half."
        ),
        chance="0: temperatures chosen on one half remove nothing by chance on the other.",
        to_do="Where it holds, train on and calibrate; where a rise stays, stop earlier or regularise.",
        false_alarms=(
            "Of 200 planted runs of 500 samples each: 0 % where nothing rises, where refinement itself rises, and on "
            "plateaus whose refinement wanders; 0.5 % where the temperature wanders. Of true ones 91 % are found. Of "
            "plateaus of two to ten runs and ten or twenty epochs, whose wander lasts or not, a rise is told in 3 % of "
            "200 at most."
        ),
    ),
    FindingKind(
        code="RF2",
        title="Another epoch is better after calibration",
        meaning=(
            "Yes: calibrated, the epoch of least refined loss beats that of least loss. No: both are the same epoch, "
            "or it is worse. Cannot tell: neither."
        ),
        computed=(
            "Refined loss of a sample at the epoch of least loss less that at the epoch of least refined loss; epochs "
            "and temperatures are chosen on the other half of the samples; 95 % interval of the mean by Student's t "
            "over the samples, or the runs. Yes where it is above 0."
        ),
        chance="0: neither half sees the samples that it is scored on.",
        to_do='Stop by monitor="refined_loss", then calibrate.',
        false_alarms=(
            "Of 200 planted runs each: 0 % where both epochs are the same, where refinement rises, and where it "
            "wanders; 2 % where the temperature wanders. Of true ones 100 % are found."
        ),
    ),
    FindingKind(
        code="RF3",
        title="Part of the loss at the end is calibration",
        meaning=(
            "Yes: one temperature lowers the log loss of the last epoch. No: it is calibrated up to a temperature, to "
            "one per cent of its loss. Cannot tell: neither."
        ),
        computed=(
            "Loss less refined loss of a sample at the last epoch, with the temperature that the other half chose; 95 "
            "% interval of the mean by Student's t over the samples, or the runs. Yes where it is above 0."
        ),
        chance="0: a temperature that one half chose by chance is no better on the other.",
        to_do='Calibrate on held-out samples: CalibratedClassifierCV(FrozenEstimator(clf), method="temperature").',
        false_alarms=(
            "Of 200 planted runs each whose temperature is 1 at the end: 0.5 % and 0 %. Of true ones 100 % are found."
        ),
    ),
)
