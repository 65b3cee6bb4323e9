"""Plain convolution networks for small images."""

import numpy as np
import torch

from sklearn_nndyn.modules._images import ImageArchitecture

# (width, stride) of each block.
PRESETS = {
    "V8": ((32, 2), (64, 2), (128, 2), (256, 2), (512, 2)),
    "V11": ((32, 2), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)),
    "V13": (
        *((32, 2), (32, 1), (64, 2), (128, 1), (128, 2)),
        *((256, 1), (256, 2), (512, 1), (512, 1), (512, 2)),
    ),
    "V16": (
        *((32, 1), (32, 2), (64, 1), (64, 2), (128, 1), (128, 1), (128, 2)),
        *((256, 1), (256, 1), (256, 2), (512, 1), (512, 1), (512, 2)),
    ),
}


class VGG(ImageArchitecture):
    """Plain convolution network for small images: 3 x 3 convolutions one after the other, then one linear layer.

    A block is a convolution, batch normalisation and ReLU; a stride of 2 does what pooling does in the networks it is
    named after. What the last block makes is averaged over the image, so that layer -1 (the input of the linear
    layer) is as wide as the last block, whatever the size of the image.

    An architecture, not yet a network: it holds parameters, can be cloned and searched over
    (``module__layout``), and :meth:`build` makes the torch module.

    Parameters
    ----------
    layout : str or sequence of (int, int), default="V8"
        (width, stride) of each block, first to last, or a name:

        * ``"V8"``: widths 32, 64, 128, 256, 512; all strides are 2.
        * ``"V11"``: 32, 64, 128, 128, 256, 256, 512, 512; strides 2, 2, 1, 2, 1, 2, 1, 2.
        * ``"V13"``: 32, 32, 64, 128, 128, 256, 256, 512, 512, 512; strides 2, 1, 2, 1, 2, 1, 2, 1, 1, 2.
        * ``"V16"``: 32, 32, 64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512; strides
          1, 2, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2.
    batch_norm : bool, default=True
        Normalise each block over the batch, between convolution and ReLU. Where it does not, convolutions have a bias.
    input_shape : tuple of three int, default=None
        (channels, height, width) of the images, where X holds each as a row of pixels, in that order (behind a
        ``StandardScaler``, say), or without an axis for its one channel. None: X holds images.

    Notes
    -----
    The parts are named ``conv1``, ``batch_norm1``, ``activation1``, ``conv2``, ..., ``pooling``, ``flatten``,
    ``output``. The hidden layers are ``conv1``, ``conv2``, ...: what each block makes, after its ReLU.

    Each block makes of an image's height and width ceil(size / stride). The presets need 17 x 17 pixels or more.

    The presets are the networks in which Schneider (2022) and Schneider and Prabhushankar (2024) saw a layer first
    learn and then lose its input, as in the code that they released.

    References
    ----------
    Simonyan, Zisserman (2015). Very deep convolutional networks for large-scale image recognition. ICLR.
    arXiv 1409.1556.

    Schneider (2022). arXiv 2202.08299.

    Schneider, Prabhushankar (2024). Understanding and leveraging the learning phases of neural networks. AAAI.
    arXiv 2312.06887.

    Examples
    --------
    >>> from sklearn_nndyn.modules import VGG
    >>> VGG(layout=[(4, 2), (8, 1)]).build((3, 8, 8), 10)
    Sequential(
      (conv1): Conv2d(3, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)
      (batch_norm1): BatchNorm2d(4, ...)
      (activation1): ReLU()
      (conv2): Conv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
      (batch_norm2): BatchNorm2d(8, ...)
      (activation2): ReLU()
      (pooling): AdaptiveAvgPool2d(output_size=1)
      (flatten): Flatten(start_dim=1, end_dim=-1)
      (output): Linear(in_features=8, out_features=10, bias=True)
    )
    """

    _presets = PRESETS
    _pair = ("width", "stride")

    def __init__(self, layout="V8", batch_norm=True, input_shape=None):
        self.layout = layout
        self.batch_norm = batch_norm
        self.input_shape = input_shape

    def _wanted(self):
        wanted = super()._wanted()
        wanted["batch_norm"] = ("True or False", lambda v: isinstance(v, (bool, np.bool_)))
        return wanted

    def _body(self, channels, pairs):
        for i, (width, stride) in enumerate(pairs, start=1):
            yield f"conv{i}", torch.nn.Conv2d(channels, width, 3, stride, padding=1, bias=not self.batch_norm)
            if self.batch_norm:
                yield f"batch_norm{i}", torch.nn.BatchNorm2d(width)
            yield f"activation{i}", torch.nn.ReLU()
            channels = width

    def _strides(self, pairs):
        return [stride for _, stride in pairs]

    def _that_fits(self, n):
        return f"a layout with strides above 1 in at most {n} of its blocks"
