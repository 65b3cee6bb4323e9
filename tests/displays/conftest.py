"""Pictures are drawn without a screen, and closed after each test."""

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    """No test leaves a figure open, nor changes the style of another; none sees what tests of other folders left."""
    import matplotlib.pyplot as plt

    plt.close("all")
    with matplotlib.rc_context():
        yield
    plt.close("all")
