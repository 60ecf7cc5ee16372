"""The whole net: what prepares raw fields (fitted on train), the user's body, and nothing else. This is what is trained and exported."""

from __future__ import annotations

from torch import Tensor, nn

from surefoot.types.errors import UsageError


class Network(nn.Module):
    """Raw fields in, logits out.

    Args:
        prepare: fitted transforms; called with the raw fields (B, ...) as the pack holds them, returns the tuple of prepared inputs.
        body: the net; called with the prepared inputs, returns (B, num_outputs): logits, or the scaled target for regression.
        finish: turns scaled outputs into the target's own units (regression); identity for classification.
    """

    def __init__(self, prepare: nn.Module, body: nn.Module, finish: nn.Module | None = None) -> None:
        super().__init__()
        self.prepare, self.body, self.finish = prepare, body, finish or nn.Identity()

    def forward(self, *fields: Tensor) -> Tensor:
        """(B, ...) raw fields -> (B, num_outputs) in training space, which the loss takes.

        Raises:
            UsageError: the body returns something that is no tensor.
        """
        outputs = self.body(*self.prepare(*fields))
        if not isinstance(outputs, Tensor):
            raise UsageError(
                f"The net returns an object of type {type(outputs).__name__}, no tensor.",
                where=f"model, {type(self.body).__name__}.forward",
                next="Return one tensor of raw outputs, (B, num_outputs).",
            )
        return outputs


class Deployed(nn.Module):
    """A network as it ships: logits and what people want to know, in one graph.

    Args:
        network: in eval mode.
        activation: `softmax`, `sigmoid`, `sigmoids` or `identity`.
        temperature: divides the logits before the activation (Guo et al. 2017).
    """

    def __init__(self, network: Network, activation: str, temperature: float = 1.0) -> None:
        super().__init__()
        self.network, self.activation, self.temperature = network, activation, temperature

    def forward(self, *fields: Tensor) -> tuple[Tensor, Tensor]:
        """(B, ...) raw fields -> `logits` (B, num_outputs) and `outputs`: probs (B, K), binary (B, 2), or values (B, T) in own units."""
        logits = self.network(*fields)
        scaled = logits / self.temperature
        if self.activation == "softmax":
            return logits, scaled.softmax(1)
        if self.activation == "sigmoid":
            import torch

            positive = scaled.sigmoid()
            return logits, torch.cat([1 - positive, positive], 1)
        if self.activation == "sigmoids":
            return logits, scaled.sigmoid()
        return logits, self.network.finish(logits)
