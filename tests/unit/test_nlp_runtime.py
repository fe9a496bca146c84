"""What of the runtime needs no model: files, batches, the cache, and which layers are whose."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from nlp.errors import ModelFileError
from nlp.reader import SeparateReader, SharedReader, get_reader
from nlp.runtime.cache import cached
from nlp.runtime.tokens import BATCH_TOKENS, batches, padded
from nlp.runtime.weights import Sentiment, checked_bytes, read_sentiment
from tests.nlp_fakes import FakeEncoder, FakeSentiment


@given(st.lists(st.integers(2, 256)))
def test_every_text_is_in_one_batch_that_fits(lengths: list[int]) -> None:
    made = list(batches(lengths))

    assert sorted(row for batch in made for row in batch) == list(range(len(lengths)))
    for batch in made:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * longest <= BATCH_TOKENS


def test_padding_is_masked() -> None:
    ids, mask = padded([[5, 6, 7], [8]])

    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert ids.dtype == mask.dtype == np.int32


def test_the_released_bytes_come_back(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"")

    assert checked_bytes(path, hashlib.sha256(b"").hexdigest()) == b""
    with pytest.raises(ModelFileError, match="has SHA-256"):
        checked_bytes(path, "0" * 64)


def sentiment_file(path: Path, **own: np.ndarray) -> Sentiment:
    head = {
        "head.weight": np.ones((3, 4), np.float16),
        "head.bias": np.zeros(3, np.float32),
        "temperature": np.array([2], np.float32),
    }
    path.write_bytes(save(head | own))
    return read_sentiment(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_fork_is_the_first_layer_of_its_own(tmp_path: Path) -> None:
    weight = np.ones((2, 2), np.float16)
    upper = {f"encoder.layer.{n}.output.dense.weight": weight for n in (4, 3, 5)}

    assert sentiment_file(tmp_path / "upper", **upper).fork == 3
    everything = upper | {"embeddings.LayerNorm.weight": weight}
    assert sentiment_file(tmp_path / "all", **everything).fork == 0


def test_weights_come_back_as_floats_however_they_are_stored(tmp_path: Path) -> None:
    name = "encoder.layer.5.output.dense.weight"
    rows = np.array([[0.5, -1.0], [64.0, 127.0]], np.float32)
    scale = np.array([[1 / 127], [1]], np.float32)
    stored = {name: np.rint(rows / scale).astype(np.int8), f"{name}.scale": scale}

    sentiment = sentiment_file(tmp_path / "eight_bits", **stored)

    assert set(sentiment.own) == {name}
    np.testing.assert_allclose(sentiment.own[name], rows, atol=1 / 127)
    assert sentiment.weight.dtype == np.float32
    assert sentiment.temperature == 2


def test_a_model_is_built_once_and_again_when_its_file_is_damaged(tmp_path: Path) -> None:
    built: list[bytes] = []

    def build() -> bytes:
        built.append(b"model")
        return b"model"

    assert [cached(tmp_path / "models", "key", build) for _ in range(3)] == [b"model"] * 3
    assert len(built) == 1

    (path,) = (tmp_path / "models").iterdir()
    for damaged in (path.read_bytes()[:-1], b"", path.read_bytes()[:-1] + b"L"):
        path.write_bytes(damaged)
        assert cached(tmp_path / "models", "key", build) == b"model"
    assert len(built) == 4
    assert list((tmp_path / "models").iterdir()) == [path]


def test_what_nobody_uses_any_more_is_removed(tmp_path: Path) -> None:
    for key in ("used", "forgotten"):
        cached(tmp_path, key, lambda: b"model")
    (tmp_path / "killed.draft").touch()
    (tmp_path / "notes.txt").touch()
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    cached(tmp_path, "used", pytest.fail)  # counts as use
    (tmp_path / "at_work.draft").touch()

    cached(tmp_path, "new", lambda: b"model")

    left = {"used.model", "new.model", "at_work.draft", "notes.txt"}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_where_nothing_can_be_kept_the_model_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    assert cached(tmp_path / "file" / "models", "key", lambda: b"model") == b"model"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    assert cached(tmp_path, "key", lambda: b"model") == b"model"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # no draft is left


def test_a_reader_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    reader = SharedReader(cache_folder=tmp_path, base=tmp_path)

    assert reader.version == reader.encoder_version
    assert reader.read([]).vectors.shape == (0, 384)
    assert reader.read([]).probabilities.shape == (0, 3)
    assert reader.encode([]).shape == (0, 384)
    assert not reader.loaded
    assert get_reader() is get_reader()
    exact = SharedReader(cache_folder=tmp_path, precision="fp32")
    assert exact.encoder_version == "all-MiniLM-L6-v2@53aa5117" != reader.encoder_version
    assert exact.sentiment_version != reader.sentiment_version


def test_a_missing_file_says_what_helps(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="reinstall"):
        SharedReader(cache_folder=tmp_path, base=tmp_path).encode(["late"])

    assert list(tmp_path.iterdir()) == []


def test_two_models_that_know_nothing_of_each_other_make_a_reader() -> None:
    encoder, sentiment = FakeEncoder(), FakeSentiment()
    reader = SeparateReader(encoder, sentiment)

    read = reader.read(["great lamp", "rude courier"])

    np.testing.assert_array_equal(read.vectors, encoder.encode(["great lamp", "rude courier"]))
    assert read.probabilities.argmax(axis=1).tolist() == [2, 0]
    assert (reader.version, reader.sentiment_version) == (encoder.version, sentiment.version)
    assert reader.languages == sentiment.languages
