"""The plain convolution network is what its parameters say."""

import numpy as np
import pytest
import torch

from sklearn_nndyn.modules import VGG
from tests.modules.by_hand import Network, images, layer_shapes, n_parameters, with_any_values

LAYOUTS = {
    "V8": ([32, 64, 128, 256, 512], [1, 1, 1, 1, 1]),
    "V11": ([32, 64, 128, 128, 256, 256, 512, 512], [1, 1, 0, 1, 0, 1, 0, 1]),
    "V13": ([32, 32, 64, 128, 128, 256, 256, 512, 512, 512], [1, 0, 1, 0, 1, 0, 1, 0, 0, 1]),
    "V16": (
        [32, 32, 64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512],
        [0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1],
    ),
}
EVERY_LAYOUT = pytest.mark.parametrize("layout", LAYOUTS)
WIDTHS_AND_STRIDES = [((5, 1),), ((3, 2), (4, 1)), [[2, 1], [3, 3]], ((3, 2), (2, 2), (4, 2))]


def by_hand(module, x, strides, batch_norm=True, training=False):
    """Scores, and the statistics that batch normalisation keeps."""
    net = Network(module, training)
    for i, stride in enumerate(strides, start=1):
        x = net.convolution(x, f"conv{i}", stride)
        if batch_norm:
            x = net.batch_norm(x, f"batch_norm{i}")
        x = np.maximum(x, 0)
    return net.output(x), net.statistics


@pytest.mark.parametrize("layout", WIDTHS_AND_STRIDES, ids=str)
@pytest.mark.parametrize("batch_norm", [True, False], ids=["batch-norm", "plain"])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_it_computes_what_it_says(layout, batch_norm, training):
    module = with_any_values(VGG(layout, batch_norm=batch_norm).build((2, 8, 6), 3)).train(training)
    X = images(4, 2, 8, 6)
    expected, statistics = by_hand(module, X, [stride for _, stride in layout], batch_norm, training)
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.tensor(X)), expected, rtol=1e-9, atol=1e-10)
    if training:
        after = module.state_dict()
        for name, value in statistics.items():
            np.testing.assert_allclose(after[name], value, rtol=1e-9, atol=1e-10)


@EVERY_LAYOUT
def test_a_preset_is_its_widths_and_strides(layout):
    """The layouts as they were published: a flag is 1 where a block halves the image."""
    widths, flags = LAYOUTS[layout]
    module = VGG(layout).build((3, 32, 32), 10)
    convolutions = [part for part in module if isinstance(part, torch.nn.Conv2d)]
    assert [part.out_channels for part in convolutions] == widths
    assert [part.stride for part in convolutions] == [(1 + flag, 1 + flag) for flag in flags]
    assert {(part.kernel_size, part.padding, part.bias) for part in convolutions} == {((3, 3), (1, 1), None)}
    written = VGG(list(zip(widths, [1 + flag for flag in flags], strict=True))).build((3, 32, 32), 10)
    assert repr(written) == repr(module)


@EVERY_LAYOUT
@pytest.mark.parametrize(("channels", "n_classes"), [(3, 10), (1, 7)], ids=str)
def test_it_has_as_many_parameters_as_by_hand(layout, channels, n_classes):
    widths, _ = LAYOUTS[layout]
    inputs = [channels, *widths[:-1]]
    kernels = sum(9 * a * b for a, b in zip(inputs, widths, strict=True))
    scale_and_shift = 2 * sum(widths)
    linear = 512 * n_classes + n_classes
    normed = VGG(layout).build((channels, 32, 32), n_classes)
    assert n_parameters(normed) == kernels + scale_and_shift + linear
    plain = VGG(layout, batch_norm=False).build((channels, 32, 32), n_classes)
    assert n_parameters(plain) == kernels + sum(widths) + linear


def test_v8_on_cifar_has_1_574_698_parameters():
    """9 (3*32 + 32*64 + 64*128 + 128*256 + 256*512) + 2 (32 + 64 + 128 + 256 + 512) + 512 * 10 + 10."""
    assert n_parameters(VGG().build((3, 32, 32), 10)) == 1_567_584 + 1_984 + 5_130


SIZES = {
    ("V8", 32): [16, 8, 4, 2],
    ("V8", 28): [14, 7, 4, 2],
    ("V11", 32): [16, 8, 8, 4, 4, 2, 2],
    ("V11", 28): [14, 7, 7, 4, 4, 2, 2],
    ("V13", 32): [16, 16, 8, 8, 4, 4, 2, 2, 2],
    ("V13", 28): [14, 14, 7, 7, 4, 4, 2, 2, 2],
    ("V16", 32): [32, 16, 16, 8, 8, 8, 4, 4, 4, 2, 2, 2],
    ("V16", 28): [28, 14, 14, 7, 7, 7, 4, 4, 4, 2, 2, 2],
}


@pytest.mark.parametrize(("layout", "size"), SIZES)
def test_the_hidden_layers_are_what_each_block_makes(layout, size):
    """The last one as the linear layer receives it."""
    shape = (3, 32, 32) if size == 32 else (1, 28, 28)
    widths, _ = LAYOUTS[layout]
    expected = {
        f"conv{i}": (width, side, side)
        for i, (width, side) in enumerate(zip(widths, SIZES[layout, size], strict=False), start=1)
    }
    expected[f"conv{len(widths)}"] = (512,)
    layers = layer_shapes(VGG(layout).build(shape, 10), shape)
    assert layers == expected
    assert list(layers) == list(expected)


def test_its_parts_have_names():
    module = VGG(((3, 2), (4, 1))).build((1, 8, 8), 3)
    of_a_block = ("conv", "batch_norm", "activation")
    end = ["pooling", "flatten", "output"]
    assert list(module._modules) == [f"{part}{i}" for i in (1, 2) for part in of_a_block] + end
    statistics = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    assert list(module.state_dict()) == [
        *("conv1.weight", *(f"batch_norm1.{name}" for name in statistics)),
        *("conv2.weight", *(f"batch_norm2.{name}" for name in statistics)),
        *("output.weight", "output.bias"),
    ]


def test_without_batch_norm_convolutions_have_a_bias():
    module = VGG(((3, 2),), batch_norm=False).build((1, 8, 8), 3)
    assert list(module._modules) == ["conv1", "activation1", "pooling", "flatten", "output"]
    assert list(module.state_dict()) == ["conv1.weight", "conv1.bias", "output.weight", "output.bias"]


def test_it_can_be_written_down():
    assert repr(VGG()) == "VGG()"
    assert VGG().get_params() == {"layout": "V8", "batch_norm": True, "input_shape": None}
    architecture = VGG(((3, 2),), batch_norm=False, input_shape=(1, 8, 8))
    assert repr(architecture) == "VGG(batch_norm=False, input_shape=(1, 8, 8), layout=((3, 2),))"


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_batch_norm_is_true_or_false(value):
    with pytest.raises(ValueError, match=rf"^VGG: batch_norm must be True or False, got {value!r}\.$"):
        VGG(batch_norm=value).check_parameters()
    VGG(batch_norm=np.True_).check_parameters()


def test_everything_out_of_range_is_told_at_once():
    with pytest.raises(
        ValueError, match=r"^VGG: layout .*; input_shape .*; batch_norm must .*, got 'yes'\.$"
    ):
        VGG("V9", "yes", 3).build((1, 8, 8), 3)


@pytest.mark.parametrize(
    ("shape", "layout", "message"),
    [
        (
            (3, 16, 40),
            "V8",
            "VGG: images of 16 x 40 are too small for layout='V8', which shrinks them 5 times: give images of at "
            "least 17 x 17, or a layout with strides above 1 in at most 4 of its blocks.",
        ),
        ((1, 8, 8), "V16", "at least 17 x 17, or a layout with strides above 1 in at most 3 of its blocks."),
        (
            (1, 3, 3),
            [(4, 1), (4, 3), (5, 1), (4, 2)],
            "for layout=[(4, 1), (4, 3), (5, 1), (4, 2)], which shrinks them 2 times: give images of at least 4 x 4, "
            "or a layout with strides above 1 in at most 1 of its blocks.",
        ),
        (
            (32, 32, 3),
            "V8",
            "images of 32 x 3 are too small for layout='V8', which shrinks them 5 times: give images of at least "
            "17 x 17, or a layout with strides above 1 in at most 2 of its blocks. If the channels come last, put them "
            "first: X.transpose(0, 3, 1, 2).",
        ),
        ((20, 20, 2), "V8", "at least 17 x 17, or a layout with strides above 1 in at most 1 of its blocks."),
        ((1, 1, 1), [(3, 2)], "at least 2 x 2, or a layout with strides above 1 in at most 0 of its blocks."),
    ],
    ids=["one-side", "both-sides", "own-layout", "channels-last", "narrow", "one-pixel"],
)
def test_images_too_small_for_the_strides_are_told(shape, layout, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole end of it is compared)
        VGG(layout).build(shape, 3)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize(
    "layout",
    ["V8", "V11", "V13", "V16", [(2, 2)], [(2, 3), (2, 1), (2, 2)], [(2, 2), (2, 4)], [(2, 1)]],
    ids=str,
)
def test_images_are_large_enough_when_every_stride_finds_two_pixels(layout):
    """The least size, found by going through the strides one by one."""
    strides = [1 + flag for flag in LAYOUTS[layout][1]] if isinstance(layout, str) else [s for _, s in layout]

    def shrinks_everywhere(size):
        for stride in strides:
            if stride > 1 and size == 1:
                return False
            size = -(-size // stride)
        return True

    for size in range(1, 19):
        if shrinks_everywhere(size):
            assert VGG(layout).build((1, size, 20), 3)
            assert VGG(layout).build((1, 20, size), 3)
            continue
        for shape in [(1, size, 20), (1, 20, size)]:
            with pytest.raises(ValueError, match="too small for layout"):
                VGG(layout).build(shape, 3)
