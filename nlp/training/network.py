"""The network that is trained: MiniLM with some of its layers free, and a head.

The shape is one number: from which layer on the sentiment model has layers of its own. Below it,
the base encoder's layers are used as they are, so that one pass gives vector and sentiment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModel

HEADS = 12
LAYERS = 6
WIDTH = 384
CLASSES = 3


class Network(nn.Module):
    """Token ids to sentiment logits.

    Args:
        base: Folder of the base encoder.
        fork: The first layer of its own: 0 to 5. -1: the embeddings, too, a full second encoder.
    """

    def __init__(self, base: Path, *, fork: int) -> None:
        super().__init__()
        encoder: Any = AutoModel.from_pretrained(
            str(base), add_pooling_layer=False, attn_implementation="sdpa"
        )
        self.fork = fork
        self.embeddings = encoder.embeddings
        self.layers = encoder.encoder.layer
        self.head = nn.Linear(WIDTH, CLASSES)
        nn.init.zeros_(self.head.weight)  # every seed begins at the same point
        nn.init.zeros_(self.head.bias)
        self.dropout = nn.Dropout(0.1)
        frozen = [*self.layers[: max(fork, 0)], *([self.embeddings] if fork >= 0 else [])]
        for module in frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> Network:
        """As torch has it; what is frozen stays without dropout, as it will run."""
        super().train(mode)
        if self.fork >= 0:
            self.embeddings.eval()
        for layer in self.layers[: max(self.fork, 0)]:
            layer.eval()
        return self

    def pooled(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mean of the last hidden states over the tokens that are there: ``(n, 384)``."""
        bias = (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        with torch.set_grad_enabled(self.fork < 0 and torch.is_grad_enabled()):
            hidden = self.embeddings(input_ids=ids)
        for number, layer in enumerate(self.layers):
            with torch.set_grad_enabled(number >= self.fork and torch.is_grad_enabled()):
                hidden = layer(hidden, bias.to(hidden.dtype))
        weights = mask[:, :, None].to(hidden.dtype)
        mean: torch.Tensor = (hidden * weights).sum(1) / weights.sum(1)
        return mean

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits in the order of `LABELS`: ``(n, 3)``."""
        logits: torch.Tensor = self.head(self.dropout(self.pooled(ids, mask)))
        return logits

    def adopt(self, other: Network) -> None:
        """Begin where *other* ended, as far as these layers are one's own."""
        for number in range(max(self.fork, 0), LAYERS):
            self.layers[number].load_state_dict(other.layers[number].state_dict())
        self.head.load_state_dict(other.head.state_dict())

    def own_tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """What differs from the base encoder, under the names that the base has for it."""
        if self.fork < 0:
            for name, tensor in self.embeddings.named_parameters():
                yield f"embeddings.{name}", tensor
        for number in range(max(self.fork, 0), LAYERS):
            for name, tensor in self.layers[number].named_parameters():
                yield f"encoder.layer.{number}.{name}", tensor
        yield "head.weight", self.head.weight
        yield "head.bias", self.head.bias


def parameter_groups(
    network: Network, *, rate: float, head_rate: float, decay: float
) -> list[dict[str, Any]]:
    """Lower layers learn slower: each by the factor *decay*."""
    groups: list[dict[str, Any]] = [{"params": network.head.parameters(), "lr": head_rate}]
    for number in range(max(network.fork, 0), LAYERS):
        speed = rate * decay ** (LAYERS - 1 - number)
        groups.append({"params": network.layers[number].parameters(), "lr": speed})
    if network.fork < 0:
        groups.append({"params": network.embeddings.parameters(), "lr": rate * decay**LAYERS})
    return groups


def soft_loss(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cross entropy with probabilities as labels, the mean over the weights."""
    each = -(target * functional.log_softmax(logits.float(), dim=-1)).sum(-1)
    return (each * weight).sum() / weight.sum()
