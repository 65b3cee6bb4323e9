"""The findings of compare_losses: CL1 to CL4."""

import numpy as np

from sklearn_nndyn.analyzers import Finding

SURE = 0.05


def comparison_findings(found):
    """CL1 and CL2; CL3 and CL4 where there are levels of label or input noise."""
    asked = [("CL1", "learning_speed", {}), ("CL2", "final_accuracy", {})]
    for code, kind in (("CL3", "label_noise"), ("CL4", "input_noise")):
        levels = getattr(found, kind)
        asked += [(code, "final_accuracy", {kind: max(levels)})] if len(levels) > 1 else []
    return tuple(_best(found, code, outcome, noise) for code, outcome, noise in asked)


def _best(found, code, outcome, noise):
    """Yes where every other loss is surely behind the best."""
    (loss, mean, half), *others = found.intervals(outcome, **noise)
    if np.isnan(mean):
        return Finding.from_code(
            code, "cannot tell", n_runs=len(found.seeds), statement="No run was finished."
        )
    p_values = [p for other, _, _, p in found.ranks(outcome, **noise) if other != loss]
    sure = bool(p_values) and all(p < SURE for p in p_values)
    second = others[0][1] if others and np.isfinite(others[0][1]) else None
    return Finding.from_code(
        code,
        "yes" if sure else "cannot tell",
        value=mean,
        interval=None if np.isnan(half) else (max(mean - half, 0.0), min(mean + half, 1.0)),
        null=second,
        n_runs=len(found.seeds),
        statement=f"{loss} has the greatest mean{'' if sure else ', not surely above all others'}.",
        advice="" if sure else "Give more seeds; of those not surely behind, take the one that suits.",
    )
