"""The weights of a network drawn anew."""

import re

import torch
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

COMPUTED_FROM = re.compile(r"(^|\.)parametrizations\.\w+\.original\d*$")


def reinitialize(module):
    """Draw every parameter of ``module`` anew, in place, from torch's global generator.

    Layers draw their own, by ``reset_parameters`` (``_reset_parameters`` in torch's attention), inner ones first, as
    when they are made. Running statistics begin again.

    Raises
    ------
    ValueError
        Names the parameters that no layer draws.
    """
    # lazy ones are drawn when they get their shape
    shaped = ((name, p) for name, p in module.named_parameters() if not is_lazy(p))
    parameters = {name: p for name, p in shaped if p.is_floating_point()}
    with torch.no_grad():
        for name, parameter in parameters.items():
            if not COMPUTED_FROM.search(name):
                parameter.fill_(torch.nan)  # what is still nan afterwards was not drawn
        _reset(module)
    left = [name for name, parameter in parameters.items() if parameter.isnan().any()]
    if left:
        raise ValueError(
            f"reinitialize=True: no layer of {type(module).__name__} draws {', '.join(left)} anew. Give the part that "
            "holds them a method reset_parameters(), or give module as a function that makes the network."
        )


def _reset(module):
    for part in module.children():
        _reset(part)
    reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    if reset is None:
        return
    if not parametrize.is_parametrized(module):
        reset()
        return
    with parametrize.cached():
        reset()
        drawn = {name: getattr(module, name).clone() for name in module.parametrizations}
    for name, value in drawn.items():
        setattr(module, name, value)
