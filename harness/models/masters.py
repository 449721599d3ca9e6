"""fp32 master weights of a model that computes in fewer bits (Micikevicius et al. 2018, arXiv 1710.03740, section 3.1):
what the optimiser steps on, and what checkpoints hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.nn import Parameter
from transformers import PreTrainedModel


class Masters:
    """One fp32 parameter for each of a net's that learns; gradients arrive there, and the net takes their values back,
    rounded."""

    def __init__(self, net: PreTrainedModel) -> None:
        """
        Args:
            net: what of it learns is in fp32; afterwards it may be cast, in place.
        """
        self._net = net
        self._of: dict[str, Parameter] = {
            name: Parameter(parameter.detach().clone()) for name, parameter in _learning(net)
        }

    def gather(self) -> None:
        """From now on a gradient is added to its master's, in fp32, as soon as a backward pass has it, and the net
        keeps none: micro-batches are summed up in fp32."""
        for name, parameter in _learning(self._net):
            parameter.register_post_accumulate_grad_hook(_moved_to(self._of[name]))

    def parameters(self) -> list[Parameter]:
        return list(self._of.values())

    @torch.no_grad()
    def publish(self) -> None:
        """Round the masters into the net."""
        for name, parameter in _learning(self._net):
            parameter.copy_(self._of[name])

    def state_dict(self) -> dict[str, Tensor]:
        """As the net's, in fp32. Weights that are tied in the net are one tensor here too."""
        names = {id(parameter): name for name, parameter in _learning(self._net)}
        state: dict[str, Tensor] = dict(self._net.state_dict())
        for name, parameter in self._net.named_parameters(remove_duplicate=False):
            if name in state and id(parameter) in names:
                state[name] = self._of[names[id(parameter)]].detach()
        return state

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Into masters and net.

        Args:
            state: of the net, or of what of it learns, in fp32.
        """
        for name, master in self._of.items():
            master.copy_(state[name])
        self.publish()


def _learning(net: PreTrainedModel) -> Iterator[tuple[str, Parameter]]:
    return ((name, parameter) for name, parameter in net.named_parameters() if parameter.requires_grad)


def _moved_to(master: Parameter):
    def move(parameter: Tensor) -> None:
        gradient, parameter.grad = parameter.grad, None
        if gradient is None:
            return
        if master.grad is None:
            master.grad = gradient.float()
        else:
            master.grad += gradient

    return move
