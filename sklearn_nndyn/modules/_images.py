"""What architectures for images have in common: layouts by name or in full, and checks of both ends."""

from collections import OrderedDict
from collections.abc import Sequence
from math import isqrt

import torch
from sklearn.base import BaseEstimator

from sklearn_nndyn.modules._build import reshaped
from sklearn_nndyn.utils.validation import are_counts, broken_rules

WHERE_CHANNELS_ARE_LAST = (1, 3, 4)


class ImageArchitecture(BaseEstimator):
    """Base of architectures for images: a body of convolutions, global average pooling, one linear layer.

    A subclass holds ``layout`` and ``input_shape``, and gives

    * ``_presets``: {name: pairs}, and ``_pair``: what the two numbers of a pair are called;
    * ``_body(channels, pairs)``: (name, module) of all parts before the pooling; the last pair begins with the
      number of channels they make;
    * ``_strides(pairs)``: the strides by which an image shrinks, in order;
    * ``_that_fits(n)``: in words, a layout with at most ``n`` strides above 1.
    """

    def build(self, input_shape, n_classes):
        """Make the torch module, its weights drawn from torch's global generator as torch's layers do.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample: (channels, height, width). Where the architecture has an ``input_shape`` of its own,
            also rows of as many values, or (height, width) for one channel.
        n_classes : int
            Number of outputs.

        Returns
        -------
        module : torch.nn.Sequential
            Maps (n_samples, *input_shape) to raw scores (n_samples, n_classes).

        Raises
        ------
        ValueError
            If a parameter is out of its range, samples are no images, or images are too small for the layout.
        """
        self.check_parameters()
        if self.input_shape is not None and tuple(self.input_shape) != tuple(input_shape):
            return reshaped(self, input_shape, n_classes)
        pairs = self._pairs()
        self._check_images(tuple(input_shape), self._strides(pairs))
        layers = OrderedDict(self._body(input_shape[0], pairs))
        layers["pooling"] = torch.nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = torch.nn.Flatten()
        layers["output"] = torch.nn.Linear(pairs[-1][0], n_classes)
        return torch.nn.Sequential(layers)

    def check_parameters(self):
        """Check every parameter; :meth:`build` does it too.

        Raises
        ------
        ValueError
            Names every parameter that is out of its range.
        """
        mistakes = broken_rules(self, self._wanted())
        if mistakes:
            raise ValueError(f"{type(self).__name__}: {'; '.join(mistakes)}.")

    def _wanted(self):
        """{parameter: (what it must be, *what its values may be)}."""
        example = next(iter(self._presets.values()))[:2]
        return {
            "layout": (
                f"one of {', '.join(self._presets)}, or a sequence of ({', '.join(self._pair)}) pairs such as "
                f"{list(example)}",
                *self._presets,
                _are_pairs,
            ),
            "input_shape": (
                "None or three positive integers (channels, height, width)",
                None,
                lambda v: _are_sizes(v, 3),
            ),
        }

    def _pairs(self):
        if isinstance(self.layout, str):
            return self._presets[self.layout]
        return tuple((int(first), int(second)) for first, second in self.layout)

    def _check_images(self, shape, strides):
        name = type(self).__name__
        if len(shape) != 3:
            raise ValueError(
                f"{name} is for images (channels, height, width), but samples have shape {shape}: {_remedy(shape)}."
            )
        height, width = shape[1:]
        least = least_size(strides)
        if min(height, width) >= least:
            return
        shrinks = [stride for stride in strides if stride > 1]
        fitting = max(n for n in range(len(shrinks)) if least_size(shrinks[:n]) <= min(height, width))
        raise ValueError(
            f"{name}: images of {height} x {width} are too small for layout={self.layout!r}, which shrinks them "
            f"{len(shrinks)} times: give images of at least {least} x {least}, or {self._that_fits(fitting)}."
            + _if_channels_are_last(shape)
        )


def least_size(strides):
    """The least height and width that every stride above 1 still finds something to shrink in: two pixels."""
    least = 1
    for stride in reversed(strides):
        if stride > 1:
            least = max(2, (least - 1) * stride + 1)
    return least


def _remedy(shape):
    if len(shape) == 1:
        return f"give the images' shape, as in input_shape={_likely_shape(shape[0])}, or X as images"
    if len(shape) == 2:
        return f"give input_shape={(1, *shape)}, or X[:, None] with an axis for the one channel"
    return "give X three axes after that of the samples"


def _likely_shape(size):
    """The shape of rows of this many pixels, where it can be guessed."""
    for channels in (1, 3):
        side = isqrt(size // channels)
        if channels * side**2 == size:
            return channels, side, side
    return "(channels, height, width)"


def _if_channels_are_last(shape):
    if shape[2] in WHERE_CHANNELS_ARE_LAST and shape[2] < min(shape[:2]):
        return " If the channels come last, put them first: X.transpose(0, 3, 1, 2)."
    return ""


def _are_pairs(value):
    return isinstance(value, Sequence) and len(value) > 0 and all(_are_sizes(pair, 2) for pair in value)


def _are_sizes(value, n):
    if not isinstance(value, Sequence) or len(value) != n:
        return False
    return are_counts(value)
