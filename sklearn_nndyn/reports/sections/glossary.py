"""Words of this library and of its field, each in a sentence or two."""

from sklearn_nndyn.reports._blocks import Section, Terms

GLOSSARY = {
    "Area under the margin": (
        "The margin of a sample, averaged over the recorded epochs after the start. Low where the network long "
        "preferred another class: a hard sample, or a wrong label."
    ),
    "Calibration": (
        "The part of the log loss that goes away when the scores are divided by one number, the best temperature: how "
        "well the probabilities are scaled."
    ),
    "Confidence, variability": (
        "Mean and standard deviation, over the epochs, of the probability that the network gave the true class."
    ),
    "EL2N": (
        "Distance between the predicted probabilities and the label, averaged over the first epochs: a score of how "
        "hard a sample is, to be had early."
    ),
    "Entanglement": (
        "How far the classes of a hidden layer lie within each other: large radii of the classes, small distances "
        "between them."
    ),
    "Epoch": "One pass over the training samples. Epoch 0 is the network before its first update.",
    "Finding": (
        "A claim, whether it holds in this record (yes, no, cannot tell), the figure it rests on, its 95 % interval, "
        "and what chance would give. Its code, two letters and a number, never changes its meaning."
    ),
    "Forgotten": "A sample that is wrong at a recorded epoch and was right at the one before; counted over the epochs.",
    "Gini coefficient": "How unequal the losses are: 0 where all are equal, near 1 where few samples carry all.",
    "Held out": "Samples the network was not trained on; it was only watched on them.",
    "Loss tail": "The small share of the samples of greatest loss, and what they carry of the total.",
    "Margin": (
        "Score of the true class minus the greatest score of any other: positive where the network is right, and the "
        "larger the surer."
    ),
    "Nats": "Unit of the log loss, with natural logarithms: 0.69 nats is a guess between two equally likely classes.",
    "Probe": "A fresh linear classifier trained on what a hidden layer gives: what could be read from it.",
    "Radius": (
        "Spread of a class in a hidden layer, activations scaled to length 1: 0 where all its samples point one way, 1 "
        "where they cancel."
    ),
    "Reconstruction error": (
        "Squared error of giving the input back from a hidden layer by a linear decoder that has not seen the sample."
    ),
    "Refinement": (
        "The part of the log loss that is left at the best temperature: how well the network tells the classes apart."
    ),
    "Rise": "Loss of a sample at the end minus its loss at the turn.",
    "Straggler": "A training sample that is still misclassified when the classes of a hidden layer turn.",
    "Temperature": "What scores are divided by before they become probabilities; above 1 it makes them less sure.",
    "Turn": (
        "The epoch at which a curve stops falling and begins to rise: of the mean loss, of the radius of the classes, "
        "or of the reconstruction error."
    ),
}


def section(material):
    """All of them, in the order of the alphabet."""
    return Section(key="glossary", title="Glossary", blocks=[Terms(pairs=list(GLOSSARY.items()))])
