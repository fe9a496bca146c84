"""A small training run with the real base encoder: it learns, it resumes, its file can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from nlp.embed import packaged_folder
from nlp.reader import SharedReader
from nlp.training.fit import Plan, fit, speed
from nlp.training.network import Network
from nlp.training.pool import NEGATIVE, NEUTRAL, POSITIVE, Pool, Sample
from nlp.training.weights import write

GOOD = ["lovely", "great food", "so happy", "thank you, perfect"]
BAD = ["awful", "it broke again", "so rude", "never again, terrible"]
PLAIN = ["where is it", "it is blue", "on tuesday", "how do i pay"]
POOL: Pool = {
    name: [
        Sample(text=text, target=target)
        for texts, target in ((GOOD, POSITIVE), (BAD, NEGATIVE), (PLAIN, NEUTRAL))
        for text in texts
    ]
    for name in ("goemotions", "hutto_tweets", "hutto_texts", "uci")
}
PLAN = Plan(fork=5, steps=10, batch=6, seed=3, rate=5e-4, head_rate=1e-2, averaged=0.5)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """So small a network is slower on several, above all where other tests run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return fit(PLAN, packaged_folder(), POOL, tmp_path_factory.mktemp("run"), lambda *_: None)


def test_what_was_written_is_read_as_it_was_trained(trained: Network, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    sha256 = write(path, trained.own_tensors(), temperature=1.0)
    reader = SharedReader(
        sentiment=path, sentiment_sha256=sha256, cache_folder=tmp_path, precision="fp32"
    )
    found = reader.read(GOOD + BAD).probabilities
    assert (found.argmax(axis=1) == [2] * len(GOOD) + [0] * len(BAD)).mean() > 0.7
    base = SharedReader(cache_folder=tmp_path, precision="fp32")
    assert np.allclose(reader.encode(GOOD), base.encode(GOOD))


def test_a_run_that_was_stopped_goes_on_where_it_was(
    trained: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlp.training.fit.CHECKPOINT_EVERY", 4)

    class StoppedError(Exception):
        pass

    def stop(step: int, loss: float) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        fit(PLAN, packaged_folder(), POOL, tmp_path, stop)
    resumed = fit(PLAN, packaged_folder(), POOL, tmp_path, lambda *_: None)
    for (name, one), (_, other) in zip(trained.own_tensors(), resumed.own_tensors(), strict=True):
        assert np.allclose(one.detach(), other.detach(), atol=1e-5), name


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    plan = Plan(fork=5, steps=1, batch=2, seed=1)
    fit(plan, packaged_folder(), POOL, tmp_path, lambda *_: None)
    with pytest.raises(ValueError, match="another plan"):
        fit(Plan(fork=5, steps=2, batch=2, seed=1), packaged_folder(), POOL, tmp_path, print)


def test_the_rate_rises_and_falls() -> None:
    speeds = [speed(step, Plan(fork=0, steps=100)) for step in range(100)]
    assert max(speeds) == pytest.approx(1.0, abs=0.01)
    assert speeds[0] < 0.2
    assert speeds[-1] < 0.01
