"""The runtime against what it replaces: sentence-transformers, and the same network in PyTorch."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from nlp.arrays import FloatArray
from nlp.embed import SentenceTransformerEncoder, packaged_folder
from nlp.reader import SharedReader
from nlp.runtime.graph import Precision
from rehearsal.company_files import COMPANY
from voc.company import load_company

pytestmark = pytest.mark.model

ODD = [
    "",
    "late",
    "late " * 5000,
    "مرحبا",
    "ありがとう",
    "👍",
    "x" * 20_000,
    "\u200f\x01",
    "\ud800",
]

SINGLE_WORDS = 0.96
"""What int8 may cost a text of one word, which has nothing to average over (measured: 0.974)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """What the rehearsal company says of its topics, short and long, so that batches pad."""
    said = [text for t in load_company(COMPANY / "voc.yaml").topics for text in t.examples]
    odd = [text for text in ODD if any(map(str.isalnum, text))]  # others are never embedded
    return [*said, *odd, " ".join(said[:9])]


@pytest.fixture(scope="module")
def reference() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder()


def cosines(one: FloatArray, other: FloatArray) -> FloatArray:
    return (one * other).sum(axis=1)


def test_fp32_is_what_sentence_transformers_computes(
    folder: Path, texts: list[str], reference: SentenceTransformerEncoder
) -> None:
    reader = SharedReader(cache_folder=folder, precision="fp32")

    texts = [*texts, *ODD[:-1]]  # PyTorch's tokenizer refuses the last
    vectors = reader.encode(texts)

    assert vectors.dtype == np.float32
    assert cosines(vectors, reference.encode(texts)).min() > 0.9999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert reader.encoder_version == reference.version


def test_int8_stays_near(
    folder: Path, texts: list[str], reference: SentenceTransformerEncoder
) -> None:
    found = cosines(SharedReader(cache_folder=folder).encode(texts), reference.encode(texts))

    assert found.mean() >= 0.99
    assert found.min() >= SINGLE_WORDS
    of_several_words = found[[" " in text for text in texts]]
    assert np.percentile(of_several_words, 1) >= 0.98


def test_odd_texts_are_read_in_their_order(folder: Path) -> None:
    reader = SharedReader(cache_folder=folder, precision="fp32")

    read = reader.read(ODD)

    assert np.isfinite(read.vectors).all()
    np.testing.assert_allclose(read.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(read.vectors[1], reader.encode(["late"])[0], atol=1e-4)


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_a_text_does_not_notice_its_neighbours(
    precision: Precision, folder: Path, texts: list[str]
) -> None:
    reader = SharedReader(cache_folder=folder, precision=precision)

    together = reader.read(texts)
    apart = [reader.read([text]) for text in texts]

    vectors = np.concatenate([read.vectors for read in apart])
    assert cosines(together.vectors, vectors).min() > 0.9999
    probabilities = np.concatenate([read.probabilities for read in apart])
    np.testing.assert_allclose(together.probabilities, probabilities, atol=0.005)


def test_the_sentiment_that_ships_hardly_feels_int8(folder: Path, texts: list[str]) -> None:
    exact, quick = (
        SharedReader(cache_folder=folder, precision=precision).read(texts).probabilities
        for precision in ("fp32", "int8")
    )

    assert np.abs(exact - quick).mean() < 0.01
    assert (exact.argmax(axis=1) == quick.argmax(axis=1)).mean() > 0.95


@pytest.mark.parametrize("fork", [5, 0])
def test_layers_of_its_own_are_the_sentiments_alone(
    fork: int, folder: Path, texts: list[str], reference: SentenceTransformerEncoder
) -> None:
    own = changed_layers(fork)
    path = folder / f"fork{fork}.safetensors"
    path.write_bytes(save(own))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    readers = {
        precision: SharedReader(
            cache_folder=folder, precision=precision, sentiment=path, sentiment_sha256=sha256
        )
        for precision in ("fp32", "int8")
    }

    exact, quick = (readers[precision].read(texts) for precision in ("fp32", "int8"))

    expected = in_torch(own, texts)
    np.testing.assert_allclose(exact.probabilities, expected, atol=2e-4)
    assert np.abs(expected - expected.mean(axis=0)).max() > 0.1  # not one answer for all
    assert np.abs(quick.probabilities - expected).mean() < 0.03
    plain = reference.encode(texts)
    assert cosines(exact.vectors, plain).min() > 0.9999
    assert cosines(quick.vectors, plain).min() >= SINGLE_WORDS


def changed_layers(fork: int) -> dict[str, Any]:
    """A classifier file: the base with its upper layers shaken, and a head."""
    rng = np.random.default_rng(fork)
    own = {
        name: (tensor * (1 + rng.normal(0, 0.1, tensor.shape))).astype(np.float16)
        for name, tensor in load_file(packaged_folder() / "model.safetensors").items()
        if (name.startswith("encoder.layer.") and int(name.split(".")[2]) >= fork)
        or (fork == 0 and name.startswith("embeddings.") and "position_ids" not in name)
    }
    return own | {
        "head.weight": rng.normal(0, 0.5, (3, 384)).astype(np.float16),
        "head.bias": rng.normal(0, 0.1, 3).astype(np.float16),
        "temperature": np.array([1.5], np.float32),
    }


def in_torch(own: dict[str, Any], texts: list[str]) -> FloatArray:
    """The same classifier as anybody would write it."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    network = AutoModel.from_pretrained(str(packaged_folder()), local_files_only=True).eval()
    floats = {name: torch.from_numpy(np.asarray(value, np.float32)) for name, value in own.items()}
    network.load_state_dict(
        {name: value for name, value in floats.items() if "head" not in name and "." in name},
        strict=False,
    )
    tokens = AutoTokenizer.from_pretrained(str(packaged_folder()), local_files_only=True)(
        texts, padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    with torch.inference_mode():
        hidden = network(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1).float()
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        logits = pooled @ floats["head.weight"].T + floats["head.bias"]
        found: FloatArray = torch.softmax(logits / floats["temperature"], dim=1).numpy()
    return found


def test_threads_may_share_a_reader(folder: Path, texts: list[str]) -> None:
    reader = SharedReader(cache_folder=folder)
    alone = reader.read(texts)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(reader.read, [texts] * 4))

    for read in together:
        np.testing.assert_allclose(read.vectors, alone.vectors, atol=1e-5)
        np.testing.assert_allclose(read.probabilities, alone.probabilities, atol=1e-5)


def test_a_damaged_file_is_built_again(tmp_path: Path) -> None:
    before = SharedReader(cache_folder=tmp_path).encode(["late"])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])

    after = SharedReader(cache_folder=tmp_path).encode(["late"])

    np.testing.assert_array_equal(before, after)
    assert path.stat().st_size > 1_000_000


def test_reading_imports_nothing_heavy(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from nlp.reader import SharedReader;"
        "SharedReader(cache_folder=Path(sys.argv[1])).read(['late']);"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'sklearn', 'pandas', 'scipy'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
