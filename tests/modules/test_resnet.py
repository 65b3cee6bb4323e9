"""The residual network is what its parameters say."""

import numpy as np
import pytest
import torch

from sklearn_nndyn.modules import ResNet
from tests.modules.by_hand import Network, images, layer_shapes, n_parameters, with_any_values

BLOCKS = {"ResNet10": 1, "ResNet18": 2}
WIDTHS = [64, 128, 256, 512]


def by_hand(module, x, layout, training=False):
    """Scores, and the statistics that batch normalisation keeps."""
    net = Network(module, training)
    x = np.maximum(net.batch_norm(net.convolution(x, "stem.conv"), "stem.batch_norm"), 0)
    for stage, (_, blocks) in enumerate(layout, start=1):
        for block in range(1, blocks + 1):
            name = f"stage{stage}.block{block}"
            stride = 2 if stage > 1 and block == 1 else 1
            h = net.batch_norm(net.convolution(x, f"{name}.conv1", stride), f"{name}.batch_norm1")
            h = net.batch_norm(net.convolution(np.maximum(h, 0), f"{name}.conv2"), f"{name}.batch_norm2")
            if stride == 2:
                x = net.convolution(x, f"{name}.shortcut.conv", 2)
                x = net.batch_norm(x, f"{name}.shortcut.batch_norm")
            x = np.maximum(h + x, 0)
    return net.output(x), net.statistics


@pytest.mark.parametrize(
    "layout", [((3, 1),), ((3, 2), (4, 1)), [[2, 1], [2, 2]], ((2, 1), (3, 1), (1, 2))], ids=str
)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_it_computes_what_it_says(layout, training):
    module = with_any_values(ResNet(layout).build((2, 8, 6), 3)).train(training)
    X = images(4, 2, 8, 6)
    expected, statistics = by_hand(module, X, layout, training)
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.tensor(X)), expected, rtol=1e-9, atol=1e-10)
    if training:
        after = module.state_dict()
        assert statistics.keys() == {name for name in after if "running" in name}
        for name, value in statistics.items():
            np.testing.assert_allclose(after[name], value, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("layout", BLOCKS)
@pytest.mark.parametrize(("channels", "n_classes"), [(3, 10), (1, 7)], ids=str)
def test_it_has_as_many_parameters_as_by_hand(layout, channels, n_classes):
    def convolution(inputs, width, k):
        """Its kernel, and scale and shift of the batch normalisation."""
        return k * k * inputs * width + 2 * width

    count = convolution(channels, 64, 3)
    inputs = 64
    for width in WIDTHS:
        count += convolution(inputs, width, 3) + convolution(width, width, 3)
        count += convolution(inputs, width, 1) if inputs != width else 0
        count += (BLOCKS[layout] - 1) * 2 * convolution(width, width, 3)
        inputs = width
    count += 512 * n_classes + n_classes
    assert n_parameters(ResNet(layout).build((channels, 32, 32), n_classes)) == count


def test_resnet18_on_cifar_has_11_173_962_parameters():
    """As every implementation of it for images of this size says."""
    assert n_parameters(ResNet("ResNet18").build((3, 32, 32), 10)) == 11_173_962


@pytest.mark.parametrize("layout", BLOCKS)
def test_the_number_in_its_name_is_that_of_its_layers(layout):
    """Convolutions but those of shortcuts, and the linear layer."""
    module = ResNet(layout).build((3, 32, 32), 10)
    layers = [
        name
        for name, part in module.named_modules()
        if isinstance(part, (torch.nn.Conv2d, torch.nn.Linear)) and "shortcut" not in name
    ]
    assert layout == f"ResNet{len(layers)}"


@pytest.mark.parametrize("layout", BLOCKS)
def test_a_preset_is_its_widths_and_blocks(layout):
    written = ResNet([(width, BLOCKS[layout]) for width in WIDTHS]).build((3, 32, 32), 10)
    assert repr(ResNet(layout).build((3, 32, 32), 10)) == repr(written)


@pytest.mark.parametrize(
    ("layout", "shape", "sizes"),
    [
        ("ResNet10", (3, 32, 32), [32, 16, 8, 4]),
        ("ResNet10", (1, 28, 28), [28, 14, 7, 4]),
        ("ResNet18", (3, 32, 32), [32, 16, 8, 4]),
        ("ResNet18", (1, 28, 28), [28, 14, 7, 4]),
    ],
    ids=str,
)
def test_the_hidden_layers_are_the_stem_the_inside_and_the_end_of_each_block(layout, shape, sizes):
    """The last one as the linear layer receives it; no layer twice, whatever the shortcut."""
    expected = {"stem.conv": (64, sizes[0], sizes[0])}
    for stage, (width, size) in enumerate(zip(WIDTHS, sizes, strict=True), start=1):
        for block in range(1, BLOCKS[layout] + 1):
            for convolution in ("conv1", "conv2"):
                expected[f"stage{stage}.block{block}.{convolution}"] = (width, size, size)
    expected[f"stage4.block{BLOCKS[layout]}.conv2"] = (512,)
    layers = layer_shapes(ResNet(layout).build(shape, 10), shape)
    assert layers == expected
    assert list(layers) == list(expected)


def test_a_block_is_recorded_after_its_input_is_added():
    """What its last convolution is named for is all that the next block receives."""
    from sklearn_nndyn.utils.modules import capture_activations

    module = with_any_values(ResNet(((3, 2), (4, 1))).build((2, 8, 8), 3)).eval()
    X = torch.tensor(images(4, 2, 8, 8))
    with torch.no_grad(), capture_activations(module) as forward:
        _, layers = forward(X)
        stem = module.stem(X)
        first = module.stage1.block1(stem)
        second = module.stage1.block2(first)
        inside = torch.relu(module.stage2.block1.batch_norm1(module.stage2.block1.conv1(second)))
        third = module.stage2.block1(second)
    expected = {
        "stem.conv": stem,
        "stage1.block1.conv2": first,
        "stage1.block2.conv2": second,
        "stage2.block1.conv1": inside,
        "stage2.block1.conv2": third.mean((2, 3)),
    }
    for name, values in expected.items():
        torch.testing.assert_close(layers[name], values, rtol=1e-12, atol=1e-12)


def test_a_block_that_makes_nothing_passes_its_input_on():
    module = with_any_values(ResNet(((3, 1),)).build((3, 8, 8), 3)).eval()
    torch.nn.init.zeros_(module.stage1.block1.batch_norm2.weight)
    torch.nn.init.zeros_(module.stage1.block1.batch_norm2.bias)
    x = torch.tensor(np.abs(images(4, 3, 8, 8)))
    with torch.no_grad():
        assert torch.equal(module.stage1.block1(x), x)


def test_its_parts_have_names():
    module = ResNet(((3, 1), (4, 1))).build((1, 8, 8), 3)
    assert list(module._modules) == ["stem", "stage1", "stage2", "pooling", "flatten", "output"]
    assert [name for name in module.state_dict() if name.endswith("weight")] == [
        *("stem.conv.weight", "stem.batch_norm.weight"),
        *("stage1.block1.conv1.weight", "stage1.block1.batch_norm1.weight"),
        *("stage1.block1.conv2.weight", "stage1.block1.batch_norm2.weight"),
        *("stage2.block1.shortcut.conv.weight", "stage2.block1.shortcut.batch_norm.weight"),
        *("stage2.block1.conv1.weight", "stage2.block1.batch_norm1.weight"),
        *("stage2.block1.conv2.weight", "stage2.block1.batch_norm2.weight"),
        "output.weight",
    ]
    biases = {name for name in module.state_dict() if name.endswith("bias")}
    assert not {name for name in biases if "conv" in name}
    assert "output.bias" in biases


def test_it_can_be_written_down():
    assert repr(ResNet()) == "ResNet()"
    assert ResNet().get_params() == {"layout": "ResNet10", "input_shape": None}
    assert repr(ResNet(((3, 2),), (1, 8, 8))) == "ResNet(input_shape=(1, 8, 8), layout=((3, 2),))"


def test_everything_out_of_range_is_told_at_once():
    with pytest.raises(ValueError, match=r"^ResNet: layout .*; input_shape must .*, got 3\.$"):
        ResNet("ResNet50", 3).build((1, 8, 8), 3)


@pytest.mark.parametrize(
    ("shape", "layout", "message"),
    [
        (
            (3, 4, 40),
            "ResNet10",
            "ResNet: images of 4 x 40 are too small for layout='ResNet10', which shrinks them 3 times: give images of "
            "at least 5 x 5, or a layout with no more stages than 3.",
        ),
        ((1, 1, 2), [(3, 4), (3, 1)], "at least 2 x 2, or a layout with no more stages than 1."),
        (
            (32, 32, 3),
            "ResNet18",
            "at least 5 x 5, or a layout with no more stages than 3. If the channels come last, put them first: "
            "X.transpose(0, 3, 1, 2).",
        ),
    ],
    ids=["one-side", "own-layout", "channels-last"],
)
def test_images_too_small_for_the_stages_are_told(shape, layout, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole end of it is compared)
        ResNet(layout).build(shape, 3)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("n_stages", [1, 2, 3, 4])
def test_images_are_large_enough_when_every_stage_finds_two_pixels(n_stages):
    """2, 3, 5: one more than a power of two; one stage takes a single pixel."""
    layout, least = [(2, 1)] * n_stages, {1: 1, 2: 2, 3: 3, 4: 5}[n_stages]
    for size in range(1, 7):
        if size >= least:
            assert ResNet(layout).build((1, size, size), 3)
        else:
            with pytest.raises(ValueError, match=f"at least {least} x {least}, "):
                ResNet(layout).build((1, size, size), 3)
