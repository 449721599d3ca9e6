"""oneDNN's product is torch's own, forward and backward, and only where it pays."""

from __future__ import annotations

import copy

import pytest
import torch

from harness.models import linear
from harness.models.linear import FastLinear, use_fast_linear
from tests.closeness import assert_close

if not linear.available():
    pytest.skip("this torch or processor has no such product", allow_module_level=True)


def both(bias: bool) -> tuple[torch.nn.Linear, torch.nn.Linear]:
    torch.manual_seed(0)
    plain = torch.nn.Linear(64, 96, bias=bias)
    fast = copy.deepcopy(plain)
    use_fast_linear(fast)
    assert type(fast) is FastLinear and type(plain) is torch.nn.Linear
    return plain, fast


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(2, 150, 64), (300, 64)])  # 300 x 64 x 96 products: above the least
def test_values_and_gradients_are_those_of_torch(bias: bool, shape: tuple[int, ...]) -> None:
    plain, fast = both(bias)
    x = torch.randn(shape)
    pull, found = torch.randn(*shape[:-1], 96), []
    for layer in (plain, fast):
        input = x.clone().requires_grad_()
        output = layer(input)
        output.backward(pull)
        found.append([output.detach(), input.grad, *(parameter.grad for parameter in layer.parameters())])
    for expected, got in zip(*found, strict=True):
        assert expected is not None and got is not None and got.shape == expected.shape
        assert float((got - expected).norm() / expected.norm()) < 1e-6
    with torch.inference_mode():
        assert torch.equal(fast(x), found[1][0])


def test_small_products_and_other_types_stay_torchs() -> None:
    plain, fast = both(bias=False)
    assert torch.equal(plain(torch.ones(2, 64)), fast(torch.ones(2, 64)))
    x = torch.randn(300, 64, dtype=torch.bfloat16)
    assert torch.equal(plain.bfloat16()(x), fast.bfloat16()(x))


def test_frozen_weights_get_no_gradient_and_pass_one_on() -> None:
    _, fast = both(bias=False)
    fast.requires_grad_(False)
    x = torch.randn(300, 64, requires_grad=True)
    fast(x).sum().backward()
    assert fast.weight.grad is None and x.grad is not None
    assert_close(x.grad, fast.weight.sum(0).expand_as(x), within=1e-4)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [8, 128])
def test_packed_weights_give_the_same_bits(bias: bool, rows: int) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(256, 640, bias=bias)
    use_fast_linear(layer)
    product = linear.packed(layer, layer)
    assert product is not layer
    with torch.inference_mode():
        for count in (rows, 1):  # above and below the least
            x = torch.randn(count, 256)
            assert torch.equal(product(x), layer(x))


def test_only_what_is_a_layer_alone_and_of_some_size_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    small, hooked = torch.nn.Linear(64, 96), torch.nn.Linear(256, 640)
    large, half = copy.deepcopy(hooked), copy.deepcopy(hooked).bfloat16()
    for one in (small, hooked, large, half):
        use_fast_linear(one)
    hooked.register_forward_pre_hook(lambda *_: None)
    assert linear.packed(large, large) is not large
    assert all(linear.packed(one, one) is one for one in (small, hooked, half))
    monkeypatch.setattr(linear, "MOST_PACKED", 1000)
    assert linear.packed(large, large) is large
