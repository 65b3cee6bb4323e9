"""What findings must have in common with each other, with their summary, and with the curves: a list of rules.

Each rule is a function of `Analyses` that yields what contradicts it, in words; its docstring is the rule.
"""

import re
from dataclasses import dataclass, fields

import numpy as np

from sklearn_nndyn import (
    EntanglementAnalyzer,
    LearningPhaseAnalyzer,
    LossTailAnalyzer,
    RefinementAnalyzer,
    SampleScoreAnalyzer,
)
from sklearn_nndyn.analyzers import find_label_errors
from sklearn_nndyn.analyzers.sample_scores import LabelErrors
from sklearn_nndyn.displays import LossTailDisplay
from tests.analyzers.saying import figures_in, flat, sentences_of, verdicts

MOST_SENTENCES, MOST_FIGURES, WIDTH, LEAST_EPOCHS = 6, 10, 100, 9


class Labels(LabelErrors):
    """Wrong labels whose findings can be put in the place of others, as those of analyzers can."""

    findings_ = ()


def labels_of(record):
    """What the training record tells of wrong labels."""
    found = find_label_errors(record)
    labels = Labels(**vars(found))
    labels.findings_ = found.findings_
    return labels


@dataclass
class Analyses:
    """Findings of one run: of the validation record for tails, refinement and phases, else of the training record."""

    train: object
    held_out: object
    tails: LossTailAnalyzer
    refinement: RefinementAnalyzer
    entanglement: EntanglementAnalyzer
    phases: LearningPhaseAnalyzer
    scores: SampleScoreAnalyzer
    labels: Labels

    @property
    def analyzers(self):
        """Those that the record is long enough for, and the wrong labels."""
        every = [getattr(self, field.name) for field in fields(self)[2:]]
        return [found for found in every if found is not None]

    @property
    def verdicts(self):
        """{code: verdict} of all."""
        return {code: verdict for found in self.analyzers for code, verdict in verdicts(found).items()}


def analyses_of(train, held_out):
    """Everything that can be analysed in the two records of a run."""
    found = {
        "tails": (LossTailAnalyzer(), held_out),
        "refinement": (RefinementAnalyzer(), held_out),
        "entanglement": (EntanglementAnalyzer(), train),
        "phases": (LearningPhaseAnalyzer(), held_out),
        "scores": (SampleScoreAnalyzer(), train),
    }
    least = {"phases": 3}
    return Analyses(
        train=train,
        held_out=held_out,
        **{
            name: analyzer.fit(record) if record.n_epochs >= least.get(name, 2) else None
            for name, (analyzer, record) in found.items()
        },
        labels=labels_of(train),
    )


def contradictions(run):
    """Every rule that is broken, and how."""
    return [f"{rule.__doc__} {broken}" for rule in RULES for broken in rule(run)]


def carriers_need_a_rise(run):
    """LT2 and LT4 are "yes" only where LT1 is."""
    if run.verdicts["LT1"] != "yes":
        yield from (code for code in ("LT2", "LT4") if run.verdicts[code] == "yes")


def a_minority_needs_a_falling_majority(run):
    """LT2 is "yes" only where LT3 is."""
    if run.verdicts["LT2"] == "yes" != run.verdicts["LT3"]:
        yield run.verdicts["LT3"]


def a_rise_is_not_denied(run):
    """LT1 is "no" only where the mean loss is least at the end, and "yes" only where it is not."""
    curve = run.tails.mean_curve_
    above = curve[-1] > curve.min()
    if above == (run.verdicts["LT1"] == "no") or (run.verdicts["LT1"] == "yes" and run.tails.mean_rise_ <= 0):
        yield f"{run.verdicts['LT1']}: least {curve.min()}, end {curve[-1]}"


def no_turn_is_drawn_that_is_not_told(run):
    """A display draws a turn of the loss only where LT1 is "yes"."""
    drawn = LossTailDisplay.from_analyzer(run.tails).onset_name
    if (drawn == "turn") != (run.verdicts["LT1"] == "yes"):
        yield f"{run.verdicts['LT1']}, drawn: {drawn}"


def a_rise_that_is_calibration_is_one(run):
    """RF1 is "yes" only where LT1 is, for networks trained with log loss; and both deny a rise together."""
    if run.verdicts["RF1"] == "yes" != run.verdicts["LT1"]:
        yield run.verdicts["LT1"]
    if run.verdicts["LT1"] == "no" != run.verdicts["RF1"]:
        yield f"LT1 no, RF1 {run.verdicts['RF1']}"


def stragglers_need_a_turn(run):
    """EN3 is "yes" only where EN1 is, and "no" where EN1 is; its share is the training error at the turn."""
    if run.verdicts["EN1"] != "yes" and run.verdicts["EN3"] != run.verdicts["EN1"]:
        yield f"EN1 {run.verdicts['EN1']}, EN3 {run.verdicts['EN3']}"
    share = next(one.value for one in run.entanglement.findings_ if one.code == "EN3")
    if share is not None and share != run.entanglement.straggler_mask_.mean():
        yield f"{share} of them, {run.entanglement.straggler_mask_.mean()} in the mask"


def a_turn_of_the_classes_is_in_the_curve(run):
    """EN1 is "yes" where the curve turned and ends above its least value, "no" only where the rule finds no turn."""
    found = run.entanglement
    turned = found.inversion_ is not None and found.mean_radius_[-1] > found.mean_radius_[found.inversion_]
    if run.verdicts["EN1"] == ("no" if turned else "yes"):
        yield f"{run.verdicts['EN1']}, turned: {turned}"


def radius_and_distance_are_both_told(run):
    """The summary names both of radius and distance where only one turns."""
    found = run.entanglement
    text = flat(found.summary())
    if (found.radius_inversion_epoch_ is None) != (found.distance_inversion_epoch_ is None) and (
        run.verdicts["EN1"] != "cannot tell" and not ("radius" in text and "distance" in text)
    ):
        yield text


def phases_agree_with_the_curve(run):
    """LP1 is "yes" only where R falls below its start, LP2 only where it ends above its least value."""
    if run.phases is None:
        return
    curve, (first, last) = run.phases.reconstruction_curve_, ("LP1", "LP2")
    if run.verdicts[first] == ("no" if curve.min() < curve[0] else "yes"):
        yield f"LP1 {run.verdicts[first]}: from {curve[0]}, least {curve.min()}"
    if run.verdicts[last] == "yes" and curve[-1] <= curve.min():
        yield f"LP2 yes: least {curve.min()}, end {curve[-1]}"
    turns = run.verdicts[first] == run.verdicts[last] == "yes"
    if turns != (run.phases.turning_epoch_ is not None):
        yield f"turns: {turns}, turning epoch {run.phases.turning_epoch_}"


def scores_of_samples_agree(run):
    """Never learned is wrong at the end, and wrong at the end is the training error."""
    end, never, unlike, _ = (one.value for one in run.scores.findings_)
    if (
        not (never <= end == run.train.error[-1])
        or never > unlike + (run.scores.area_under_margin_ == 0).mean()
    ):
        yield f"wrong {end}, never {never}, unlike {unlike}, error {run.train.error[-1]}"


def wrong_labels_agree(run):
    """A range of wrong labels is given or said to be unknown; it is ordered, and "yes" where it is above 0."""
    found, n_samples = run.labels, len(run.train)
    low, high = found.count_interval or (0, n_samples)
    if not 0 <= low <= high <= n_samples or (found.count_interval is None) != (run.verdicts["SS9"] == "no"):
        yield f"SS9 {run.verdicts['SS9']}: {found.count_interval}"
    if (run.verdicts["SS8"] == "yes") != (low > 0):
        yield f"SS8 {run.verdicts['SS8']}: {found.count_interval}"


def suspects_are_unlike_their_labels(run):
    """Labels that stand out (SS10) are of samples that are closer to another class (SS3)."""
    suspects = run.labels.indices
    if (run.verdicts["SS10"] == "yes") != bool(len(suspects)):
        yield f"SS10 {run.verdicts['SS10']}: {len(suspects)}"
    if (run.scores.area_under_margin_[suspects] >= 0).any():
        yield f"{len(suspects)} stand out, SS3 {run.scores.findings_[2].value}"


def what_is_learned_by_heart_is_right(run):
    """All labels are learned by heart only where fewer than one sample in a hundred is wrong at the end (SS1)."""
    text = flat(run.labels.summary())
    if "by heart" in text and run.train.error[-1] >= 0.01:
        yield f"error {run.train.error[-1]}: {text}"


def few_epochs_tell_nothing(run):
    """One run of fewer than nine epochs shows no turn and no rise."""
    if run.train.n_epochs < LEAST_EPOCHS:
        yield from (code for code in ("LT1", "EN1", "LP1", "LP2") if run.verdicts.get(code) == "yes")


def an_interval_holds_its_value(run):
    """An interval is ordered, finite, and holds the value."""
    for one in each_finding(run):
        if one.interval is not None:
            low, high = one.interval
            if not (
                np.isfinite([low, high]).all() and low <= one.value + 1e-12 and one.value - 1e-12 <= high
            ):
                yield f"{one.code}: {one.value} in {one.interval}"


def figures_are_numbers(run):
    """Values and nulls are finite, or left out; a "yes" has a value; a run is one run."""
    for one in each_finding(run):
        if any(value is not None and not np.isfinite(value) for value in (one.value, one.null)):
            yield f"{one.code}: {one.value}, {one.null}"
        if one.verdict == "yes" and one.value is None:
            yield f"{one.code} without a value"
        if one.n_runs != 1:
            yield f"{one.code}: {one.n_runs} runs"


def a_summary_is_short(run):
    """A summary has at most six sentences and ten figures, lines of 100 columns, and begins with the first verdict."""
    for found in run.analyzers:
        text = found.summary()
        first = next(one.statement for one in found.findings_ if one.statement)
        if len(sentences_of(text)) > MOST_SENTENCES:
            yield f"{len(sentences_of(text))} sentences: {text}"
        if len(figures_in(text)) > MOST_FIGURES:
            yield f"{len(figures_in(text))} figures: {text}"
        if max(map(len, text.splitlines())) > WIDTH or not flat(text).startswith(first):
            yield text


def a_summary_is_good_english(run):
    """No plural of one, no figure that is none."""
    for found in run.analyzers:
        text = flat(found.summary())
        if re.search(r"(?<![\d.,])1 (samples|classes|runs|epochs)\b|\bnan\b|\binf\b|None|±", text):
            yield text


def the_figures_of_a_summary_are_found(run):
    """Every figure of a summary is one of a finding, or an epoch, or counts samples or classes of the record."""
    for found in run.analyzers:
        known = known_figures(found, run)
        for figure in figures_in(found.summary()):
            if not np.isclose(figure, known, rtol=6e-3, atol=1e-12).any():
                yield f"{figure} in: {flat(found.summary())}"


def nothing_is_said_twice(run):
    """No two summaries share a verdict."""
    said = [one.statement for one in each_finding(run) if one.statement]
    yield from {one for one in said if said.count(one) > 1}


def each_finding(run):
    """The findings of all analyzers."""
    return [one for found in run.analyzers for one in found.findings_]


def known_figures(found, run):
    """Figures that a summary may name."""
    record = run.train if found in (run.entanglement, run.scores, run.labels) else run.held_out
    n_samples, known = len(record), [len(record), record.n_classes, record.n_epochs, *record.epochs]
    known += [] if record.iterations is None else list(record.iterations)
    for one in found.findings_:
        own = [x for x in (one.value, one.null, *(one.interval or ())) if x is not None]
        known += [
            *own,
            *(-x for x in own),  # falls by
            *(100 * x for x in own),
            *(n_samples * x for x in own),
            *(record.n_classes * x for x in own),
        ]
    if found is run.labels:
        first = found.ranking[:1]
        known += [*first, *figures_in(" ".join(map(str, {*found.y[first], *found.suggestions[first]}))), 10]
        known += [len(found.epochs), 100 * found.end_error, *(100 * found.suggestion_shares[first])]
    if found is run.refinement:
        known += [found.temperature_curve_[-1], found.loss_curve_[-1], *rises_of(run)]
    return np.array(known, dtype=float)


def rises_of(run):
    """Rise of the loss (LT1) and of the refined loss, which RF1 is the share of."""
    rise, share = run.tails.findings_[0].value, run.refinement.findings_[0].value
    return [] if share is None else [abs(rise), abs(rise * (1 - share))]


RULES = (
    carriers_need_a_rise,
    a_minority_needs_a_falling_majority,
    a_rise_is_not_denied,
    no_turn_is_drawn_that_is_not_told,
    a_rise_that_is_calibration_is_one,
    stragglers_need_a_turn,
    a_turn_of_the_classes_is_in_the_curve,
    radius_and_distance_are_both_told,
    phases_agree_with_the_curve,
    scores_of_samples_agree,
    wrong_labels_agree,
    suspects_are_unlike_their_labels,
    what_is_learned_by_heart_is_right,
    few_epochs_tell_nothing,
    an_interval_holds_its_value,
    figures_are_numbers,
    a_summary_is_short,
    a_summary_is_good_english,
    the_figures_of_a_summary_are_found,
    nothing_is_said_twice,
)
