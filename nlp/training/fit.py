"""Training, with checkpoints: a run that was stopped goes on where it was."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from nlp.training.network import Network, parameter_groups, soft_loss
from nlp.training.pool import Pool
from nlp.training.stream import Batch, batches, load_tokenizer

CHECKPOINT_EVERY = 200  # steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides what comes out."""

    fork: int
    steps: int
    batch: int = 32
    seed: int = 1
    rate: float = 6e-5
    head_rate: float = 1e-3
    layer_decay: float = 0.9
    weight_decay: float = 0.01
    warm_up: float = 0.06
    averaged: float = 0.998
    """Of the running mean of the weights, a step; what is kept is the mean."""
    keep: float = 0.0
    """Weight of staying where the base encoder's vectors are: for one encoder that does both."""


Report = Callable[[int, float], None]
"""Told of the steps that are done and the mean loss since it was last told."""


def fit(
    plan: Plan,
    base: Path,
    pool: Pool,
    folder: Path,
    report: Report,
    *,
    start: Network | None = None,
) -> Network:
    """Train and return the network with its averaged weights.

    Args:
        base: Folder of the base encoder.
        folder: For checkpoints. A checkpoint of another plan is an error.
        start: What to begin with instead of the base encoder, from the plan's fork on.
    """
    torch.manual_seed(plan.seed)
    network = Network(base, fork=plan.fork)
    if start is not None:
        network.adopt(start)
    teacher = Network(base, fork=plan.fork).eval() if plan.keep else None
    groups = parameter_groups(
        network, rate=plan.rate, head_rate=plan.head_rate, decay=plan.layer_decay
    )
    optimizer = torch.optim.AdamW(groups, weight_decay=plan.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: speed(step, plan))
    averaged = [p.detach().clone() for p in network.parameters() if p.requires_grad]
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule}
    state = _Checkpoint(folder, plan, averaged, **parts)
    done = state.load()
    stream = batches(pool, load_tokenizer(base), size=plan.batch, seed=plan.seed, skip=done)
    network.train()
    losses: list[float] = []
    for step in range(done, plan.steps):
        loss = _loss(network, next(stream), teacher, plan.keep)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        keep = min(plan.averaged, (1 + step) / (10 + step))
        free = [p for p in network.parameters() if p.requires_grad]
        torch._foreach_lerp_(averaged, [p.detach() for p in free], 1 - keep)
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == plan.steps:
            state.save(step + 1)
            report(step + 1, sum(losses) / len(losses))
            losses = []
    with torch.no_grad():
        for parameter, mean in zip(
            (p for p in network.parameters() if p.requires_grad), averaged, strict=True
        ):
            parameter.copy_(mean)
    return network.eval()


def speed(step: int, plan: Plan) -> float:
    """The learning rate's factor: up in a line, down in half a cosine."""
    warm = plan.warm_up * plan.steps
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1.0, plan.steps - warm)))


def _loss(network: Network, batch: Batch, teacher: Network | None, keep: float) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = network.pooled(batch.ids, batch.mask)
        logits = network.head(network.dropout(pooled))
        loss = soft_loss(logits, batch.target, batch.weight)
        if teacher is not None:
            with torch.no_grad():
                old = teacher.pooled(batch.ids, batch.mask)
            loss = loss + keep * (1 - functional.cosine_similarity(pooled, old)).mean()
    return loss


class _Checkpoint:
    """The last state of a run, replaced in one step."""

    def __init__(
        self, folder: Path, plan: Plan, averaged: list[torch.Tensor], **parts: Any
    ) -> None:
        """*parts*: whatever has a state, by name."""
        self._path = folder / "checkpoint.pt"
        self._plan = json.dumps(asdict(plan))
        self._parts = parts
        self._averaged = averaged

    def load(self) -> int:
        """The number of steps that are done; 0 without a checkpoint.

        Raises:
            ValueError: The folder holds a checkpoint of another plan.
        """
        if not self._path.exists():
            return 0
        state = torch.load(self._path, weights_only=True)
        if state["plan"] != self._plan:
            raise ValueError(f"{self._path} is of another plan: {state['plan']}")
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        for own, kept in zip(self._averaged, state["averaged"], strict=True):
            own.copy_(kept)
        torch.set_rng_state(state["random"])
        return int(state["step"])

    def save(self, step: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {"plan": self._plan, "step": step, "random": torch.get_rng_state()}
        state["averaged"] = self._averaged
        new = self._path.with_suffix(".new")
        torch.save(state, new)
        new.replace(self._path)
