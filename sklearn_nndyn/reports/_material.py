"""What a report is made from: the records, the analyses of them, and pictures of the samples."""

from dataclasses import dataclass, field
from functools import cached_property

from sklearn_nndyn.analyzers import (
    EntanglementAnalyzer,
    LearningPhaseAnalyzer,
    LossTailAnalyzer,
    RefinementAnalyzer,
    SampleScoreAnalyzer,
    find_label_errors,
)
from sklearn_nndyn.dynamics import Dynamics


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis:
    """A fitted analyzer or a result, which has findings; or the reason why there is none."""

    record: Dynamics
    found: object = None
    reason: str = ""

    @property
    def findings(self):
        """Its findings; none where there is no analysis."""
        return () if self.found is None else getattr(self.found, "findings_", ())


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """The records of one run, and for each a small picture of every sample where there are some.

    Parameters
    ----------
    record : Dynamics
        The record of the training samples, or the only record.
    validation : Dynamics or None
        The record of held-out samples.
    pictures : dict of str to array of shape (n_samples, height, width[, 3])
        Under ``"record"`` or ``"validation"``.
    """

    record: Dynamics
    validation: Dynamics | None = None
    pictures: dict = field(default_factory=dict)

    @property
    def held_out(self):
        """The record that says how well the network does: of held-out samples where there are some."""
        return self.record if self.validation is None else self.validation

    @property
    def held_out_key(self):
        """Its name among the pictures."""
        return "record" if self.validation is None else "validation"

    @property
    def held_out_words(self):
        """What its samples are called."""
        return "samples" if self.validation is None else "held-out samples"

    @property
    def record_words(self):
        """What the samples of the first record are called."""
        return "samples" if self.validation is None else "training samples"

    @cached_property
    def loss_tails(self):
        """Why the mean loss rises."""
        return analysed(LossTailAnalyzer().fit, self.held_out)

    @cached_property
    def refinement(self):
        """How much of the loss is calibration."""
        return analysed(RefinementAnalyzer().fit, self.held_out)

    @cached_property
    def entanglement(self):
        """When the classes mix again."""
        return analysed(EntanglementAnalyzer().fit, self.record)

    @cached_property
    def learning_phases(self):
        """When a layer stops keeping its input."""
        return analysed(LearningPhaseAnalyzer().fit, self.held_out)

    @cached_property
    def sample_scores(self):
        """How each sample was learned."""
        return analysed(SampleScoreAnalyzer().fit, self.record)

    @cached_property
    def label_errors(self):
        """Which labels look wrong."""
        return analysed(find_label_errors, self.record)

    @property
    def analyses(self):
        """All of them, by the titles of what they ask."""
        return {
            "Loss tails": self.loss_tails,
            "Refinement": self.refinement,
            "Entanglement": self.entanglement,
            "Learning phases": self.learning_phases,
            "Sample scores": self.sample_scores,
            "Wrong labels": self.label_errors,
        }

    @property
    def findings(self):
        """The findings of all analyses, in their order."""
        return [finding for analysis in self.analyses.values() for finding in analysis.findings]


def analysed(analyse, record):
    """The analysis, or the analyzer's own words on what the record lacks, which say what to record."""
    try:
        return Analysis(record=record, found=analyse(record))
    except ValueError as error:
        return Analysis(record=record, reason=str(error))
