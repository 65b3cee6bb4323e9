"""Residual networks for small images."""

from collections import OrderedDict

import torch

from sklearn_nndyn.modules._images import ImageArchitecture

# (width, blocks) of each stage.
PRESETS = {
    "ResNet10": ((64, 1), (128, 1), (256, 1), (512, 1)),
    "ResNet18": ((64, 2), (128, 2), (256, 2), (512, 2)),
}


class ResNet(ImageArchitecture):
    """Residual network for small images: a 3 x 3 convolution, stages of basic blocks, then one linear layer.

    A basic block is two 3 x 3 convolutions with batch normalisation, to which its own input is added before the last
    ReLU. The first block of every stage but the first has stride 2 and passes its input through a 1 x 1 convolution
    with batch normalisation, so that shapes agree. What the last stage makes is averaged over the image: layer -1
    (the input of the linear layer) is as wide as the last stage, whatever the size of the image.

    An architecture, not yet a network: it holds parameters, can be cloned and searched over
    (``module__layout``), and :meth:`build` makes the torch module.

    Parameters
    ----------
    layout : str or sequence of (int, int), default="ResNet10"
        (width, blocks) of each stage, first to last, or a name:

        * ``"ResNet10"``: widths 64, 128, 256, 512; one block each.
        * ``"ResNet18"``: widths 64, 128, 256, 512; two blocks each.

        The first convolution is as wide as the first stage.
    input_shape : tuple of three int, default=None
        (channels, height, width) of the images, where X holds each as a row of pixels, in that order (behind a
        ``StandardScaler``, say), or without an axis for its one channel. None: X holds images.

    Notes
    -----
    The parts are named ``stem.conv``, ``stem.batch_norm``, ``stem.activation``, ``stage1.block1.conv1``, ...,
    ``pooling``, ``flatten``, ``output``; the 1 x 1 convolutions ``stage2.block1.shortcut.conv``, .... The hidden
    layers are

    * ``stem.conv``: what the first convolution makes, after its ReLU;
    * ``stage1.block1.conv1``: what the first convolution of a block makes, after its ReLU;
    * ``stage1.block1.conv2``: what the whole block makes, after the addition and the last ReLU.

    Each stage but the first makes of an image's height and width ceil(size / 2). The presets need 5 x 5 pixels or
    more.

    The blocks are those of He et al. (2016), and so are the stages of ``"ResNet18"``; for small images the first
    convolution is 3 x 3 with stride 1, and no pooling follows it. Schneider and Prabhushankar (2024) saw phases of
    learning in such networks too.

    References
    ----------
    He, Zhang, Ren, Sun (2016). Deep residual learning for image recognition. CVPR. arXiv 1512.03385.

    Schneider (2022). arXiv 2202.08299.

    Schneider, Prabhushankar (2024). Understanding and leveraging the learning phases of neural networks. AAAI.
    arXiv 2312.06887.

    Examples
    --------
    >>> from sklearn_nndyn.modules import ResNet
    >>> module = ResNet(layout=[(4, 1), (8, 1)]).build((3, 8, 8), 10)
    >>> module.stage2.block1
    BasicBlock(
      (shortcut): Sequential(
        (conv): Conv2d(4, 8, kernel_size=(1, 1), stride=(2, 2), bias=False)
        (batch_norm): BatchNorm2d(8, ...)
      )
      (conv1): Conv2d(4, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)
      (batch_norm1): BatchNorm2d(8, ...)
      (activation1): ReLU()
      (conv2): Conv2d(8, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
      (batch_norm2): BatchNorm2d(8, ...)
      (activation2): ReLU()
    )
    """

    _presets = PRESETS
    _pair = ("width", "blocks")

    def __init__(self, layout="ResNet10", input_shape=None):
        self.layout = layout
        self.input_shape = input_shape

    def _body(self, channels, pairs):
        width = pairs[0][0]
        yield (
            "stem",
            _named(
                conv=torch.nn.Conv2d(channels, width, 3, padding=1, bias=False),
                batch_norm=torch.nn.BatchNorm2d(width),
                activation=torch.nn.ReLU(),
            ),
        )
        channels = width
        for i, ((width, blocks), stride) in enumerate(zip(pairs, self._strides(pairs), strict=True), start=1):
            first = BasicBlock(channels, width, stride)
            others = {f"block{j}": BasicBlock(width, width) for j in range(2, blocks + 1)}
            yield f"stage{i}", _named(block1=first, **others)
            channels = width

    def _strides(self, pairs):
        return [1] + [2] * (len(pairs) - 1)

    def _that_fits(self, n):
        return f"a layout with no more stages than {n + 1}"


class BasicBlock(torch.nn.Module):
    """Two convolutions and a shortcut around them.

    Parameters
    ----------
    channels, width : int
        Channels of the input and of the output; equal where ``stride`` is 1.
    stride : int, default=1
        Stride of the first convolution and of the shortcut.
    """

    def __init__(self, channels, width, stride=1):
        super().__init__()
        if stride == 1:
            self.shortcut = torch.nn.Identity()
        else:
            self.shortcut = _named(
                conv=torch.nn.Conv2d(channels, width, 1, stride, bias=False),
                batch_norm=torch.nn.BatchNorm2d(width),
            )
        self.conv1 = torch.nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.batch_norm1 = torch.nn.BatchNorm2d(width)
        self.activation1 = torch.nn.ReLU()
        self.conv2 = torch.nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.batch_norm2 = torch.nn.BatchNorm2d(width)
        self.activation2 = torch.nn.ReLU()

    def forward(self, x):
        """Map (n_samples, channels, height, width) to what the block makes of it."""
        # The shortcut comes first: what the block makes is then known by its last convolution (utils/modules.py).
        around = self.shortcut(x)
        h = self.activation1(self.batch_norm1(self.conv1(x)))
        return self.activation2(self.batch_norm2(self.conv2(h)) + around)


def _named(**parts):
    return torch.nn.Sequential(OrderedDict(parts))
