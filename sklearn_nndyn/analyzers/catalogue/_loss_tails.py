"""Codes of a LossTailAnalyzer."""

from sklearn_nndyn.analyzers.catalogue._kind import FindingKind

LOSS_TAILS = (
    FindingKind(
        code="LT1",
        title="The mean loss rises",
        meaning=(
            "Yes: from its least value to the end the mean loss goes up by more than its samples and its wander from "
            "epoch to epoch give. No: it is least at the end, or lower than at the epoch asked for. Cannot tell: it "
            "ends above its least value, but no more than chance gives, or fewer than nine epochs were recorded."
        ),
        computed=(
            "The mean over the samples of loss at the end less loss at the turn, the turn of each half of the "
            "samples chosen on the other half; 95 % interval by Student's t over the samples. Yes where the interval "
            "is above 0 and the smoothed curve rises by more than chance."
        ),
        chance=(
            "The rise that less than one plateau of twenty exceeds whose epochs wander independently, and less than "
            "one of ten whose wander lasts, if it wanders as this curve does, for as long, and its least value is "
            "chosen likewise; or, where a rise comes at once and stays, 13 times the noise of an epoch."
        ),
        to_do="Ask who carries it (LT2) before stopping earlier; other seeds tell whether it is the rule.",
        false_alarms=(
            "Plateaus whose epochs wander by 0.02 and 0.05 nats: 0.5 and 0.5 %; a wander that lasts (correlation 0.9): "
            "8.5 %; a fall until the end: 0 %. Told where it holds, by three times the wander: 91.5 and 92.5 %."
        ),
    ),
    FindingKind(
        code="LT2",
        title="A small minority carries the rise",
        meaning=(
            "Yes: the mean rises (LT1), one sample in twenty has more than half of all that rose, and the loss of "
            "most samples falls (LT3). No: there is no rise, or most samples share it."
        ),
        computed=(
            "Share of the gross rise, the sum of what rose, that the 5 % of greatest rise carry; interval by the "
            "influence of each sample on the Lorenz curve. Yes where the interval lies above one half."
        ),
        chance="The share they would have if all rises were scattered normally about the same mean.",
        to_do="Look at these samples, carrier_indices_: wrong labels and odd inputs gather there.",
        false_alarms=(
            "Equal rises: 0 %; a rise that 20 % of the samples carry: 0 %. Told where 1 or 5 % carry it: 100 %."
        ),
    ),
    FindingKind(
        code="LT3",
        title="The loss of the majority falls",
        meaning=(
            "Yes: since the turn the loss of more than half of the samples fell. It is told beside a rise."
        ),
        computed="Share of the samples whose loss fell since the turn, with Wilson's 95 % interval.",
        chance="One half.",
        to_do="Where it holds, the mean loss is no measure of the majority: judge by median or accuracy.",
        false_alarms="Equal rises: 0 %. Told where 80 to 99 % of the losses fall: 100 %.",
    ),
    FindingKind(
        code="LT4",
        title="The rise is not on borderline samples",
        meaning=(
            "Yes: more than half of what rose rose on samples that are wrong by far at the end. No: more than half "
            "rose on samples near the border, or there is no rise. Cannot tell: neither, or the record has no "
            "margins."
        ),
        computed=(
            "Share of the gross rise on samples that are wrong by more than a tenth of the median absolute margin; "
            "interval by the influence of each sample. Yes where the interval lies above one half."
        ),
        chance="The share of all samples that these are: what they would have if all rose alike.",
        to_do="Where it holds, the network is sure of wrong answers: calibrate it, and look at the labels.",
        false_alarms="Not measured. Told where the carriers are wrong by far: 100 %.",
    ),
)
