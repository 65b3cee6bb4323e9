"""Loss tails: do the four claims of Venter, Theunissen and Davel (2021) hold?

Networks of one to three hidden ReLU layers, 10 to 1000 units wide, are trained on images of MNIST, of Fashion-MNIST and
of a CIFAR-10 subset, and on a table that is made, with ten seeds each, and watched on others. Four
losses, with clean training labels and with 20 % of them drawn anew. Then each record is asked who carries the rise of
the mean test loss.

Data, settings, seeds, exclusions and the rule of each claim stand in rules/loss_tails.json.

    python benchmarks/studies/loss_tails.py [--quick] [--threads 2] [--data mnist,...] [--keep FOLDER]
"""

import time

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from _claims import write_claims, write_tables
from _kept import Kept
from _loss_tails_report import claims, draw_capacity, draw_where, section
from _loss_tails_settings import NAMES_HERE, RULES, Setting, noisy, samples, settings
from _options import options
from sklearn.base import clone

from sklearn_nndyn import DynamicsClassifier, LossTailAnalyzer
from sklearn_nndyn.displays import LossTailDisplay
from sklearn_nndyn.interventions import feature_growth, scale_test
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Samples


def measure(setting, images, epochs, seeds):
    """{figure: one value for each seed}, and the analyzer of the first seed.

    One after the other, and without the losses of the training samples, which nothing is asked of: for images that is
    less than `fit_together` takes, whose networks would all be evaluated on them.
    """
    X, y, X_test, y_test = images
    needs_scores = setting.loss == "log" and not setting.noise
    clf = DynamicsClassifier(
        MLP(hidden_layer_sizes=setting.hidden),
        loss=setting.loss,
        batch_size=RULES["batch_size"],
        max_epochs=epochs,
        record=(Samples(indices=[0]), *(["scores"] if needs_scores else [])),
        snapshots=needs_scores,
    )
    figures, first = [], None
    for seed in seeds:
        run = clone(clf).set_params(random_state=seed)
        run.fit(X, noisy(y, setting.noise, seed), X_val=X_test, y_val=y_test)
        figures.append(figures_of(run, X_test, y_test, needs_scores))
        first = first or LossTailAnalyzer().fit(run)
    return {name: np.array([own[name] for own in figures]) for name in figures[0]}, first


def figures_of(run, X, y, log_loss):
    """What one record says."""
    tails = LossTailAnalyzer().fit(run)
    record = run.validation_dynamics_
    risen = np.maximum(tails.rise_, 0)
    found = {
        "turn": tails.onset_epoch_,
        "rise": tails.mean_rise_,
        "relative rise": tails.mean_rise_ / abs(tails.mean_curve_[tails.onset_]),
        "rising": tails.rising_fractions_[0.0],
        "carriers": tails.carrier_fraction_,
        "carriers by chance": tails.carrier_null_[0],
        "gross share": tails.gross_rise_share_,
        "median change": tails.median_curve_[-1] - tails.median_curve_[tails.onset_],
        "99.9 % change": tails.quantile_curves_[-1, -1] - tails.quantile_curves_[tails.onset_, -1],
        "accuracy": record.accuracy[-1],
        "accuracy change": record.accuracy[-1] - record.accuracy[tails.onset_],
    }
    size = np.median(np.abs(record.margin[:, -1]))
    for near in RULES["near"]:
        by_far = record.margin[:, -1] < -near * size
        found[f"wrong by {near:g}"] = risen[by_far].sum() / risen.sum() if risen.any() else np.nan
    return found | (growth_of(run, X, y, tails.onset_epoch_) if log_loss else {})


def growth_of(run, X, y, turn):
    """The scale test and the intervention; nan where the mean was least at the last epoch."""
    if turn == run.n_iter_:
        return dict.fromkeys(("scale", "grown", "random", "rank"), np.nan)
    growth = feature_growth(run, X, y, onset=turn)
    return {
        "scale": scale_test(run, onset=turn).share_vanished,
        "grown": growth.change["rising_loss"],
        "random": growth.random_change["rising_loss"].mean(),
        "rank": growth.correlation,
    }


def run(data, options):
    """{setting: figures} of one data set, and the analyzer of its first plain run."""
    n, epochs, seeds = (
        (500, 12, RULES["seeds"][:2])
        if options.quick
        else (RULES["n_samples"], RULES["epochs"], RULES["seeds"])
    )
    images, found, plain = samples(data, n), {}, None
    kept = Kept(options.keep, "loss_tails", options.quick)
    start = time.perf_counter()
    for setting in settings(data):
        found[setting], first = kept(
            f"{data} {setting.name}", lambda setting=setting: measure(setting, images, epochs, seeds)
        )
        plain = first if setting == Setting(data) else plain
        print(f"{time.perf_counter() - start:6.0f} s  {NAMES_HERE[data]}, {setting.name}", flush=True)
    return found, plain


def main():
    """Run all of it; write claims, tables and figures, a data set at a time."""
    chosen = options(__doc__, RULES["data"], threads=2, keep=True)
    torch.set_num_threads(chosen.threads)
    start, found = time.perf_counter(), {}
    for data in chosen.data.split(","):
        found[data], plain = run(data, chosen)
        write_claims(chosen.out, claims(data, found[data]), instead_of={("loss_tails", NAMES_HERE[data])})
        write_tables(chosen.out, "loss_tails", "Loss tails", {NAMES_HERE[data]: section(data, found[data])})
        draw(chosen.out / "figures", found, plain if data == "mnist" else None)
    print(f"\n{time.perf_counter() - start:.0f} s in all.")


def draw(folder, found, mnist):
    """The figures of the data sets so far."""
    folder.mkdir(exist_ok=True)
    figures = {"loss_tails_capacity": draw_capacity(found), "loss_tails_where": draw_where(found)}
    if mnist is not None:
        figures["loss_tails_curves"] = LossTailDisplay.from_analyzer(mnist).plot().figure_
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main()
