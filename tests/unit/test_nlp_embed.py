import pickle
from pathlib import Path

import numpy as np
import pytest

from nlp.embed import SentenceTransformerEncoder, unit
from nlp.errors import ModelFileError
from tests.nlp_fakes import FakeEncoder


def test_rows_have_length_one_and_zero_stays_zero() -> None:
    rows = unit(np.array([[3, 4], [0, 0]], dtype=np.float32))

    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]], atol=1e-6)


def test_an_encoder_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    encoder = SentenceTransformerEncoder(tmp_path)

    assert encoder.version == "all-MiniLM-L6-v2@53aa5117"
    assert encoder.encode([]).shape == (0, 384)
    assert not encoder.loaded


def test_another_model_has_another_version() -> None:
    assert SentenceTransformerEncoder("org/other", sha256=None).version == "other"
    assert SentenceTransformerEncoder(Path("a/b"), sha256="c" * 64).version == "b@cccccccc"


def test_a_missing_model_says_what_helps(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"model\.safetensors cannot be read .* reinstall"):
        SentenceTransformerEncoder(tmp_path).encode(["late"])


def test_weights_that_are_not_the_released_ones_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not these")

    with pytest.raises(ModelFileError, match="has SHA-256") as caught:
        SentenceTransformerEncoder(tmp_path).encode(["late"])

    assert str(tmp_path) not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


def test_the_fake_encoder_keeps_the_contract() -> None:
    vectors = FakeEncoder().encode(["late parcel", "a late parcel", "invoice", ""])

    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
