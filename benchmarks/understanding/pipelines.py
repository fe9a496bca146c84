"""The whole stage beside two pipelines that a user would build from what everybody downloads.

Their models have the true sizes and random weights: time does not depend on what they know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks.understanding.figures import Figure
from benchmarks.understanding.place import (
    at_work,
    collect,
    put_aside,
    put_back,
    understand_all,
    warm_up,
)
from benchmarks.understanding.texts import SHORT, like_all, words_each
from benchmarks.understanding.timing import Tick, Variant, in_turns
from voc.company.model import TRIAGE

TEXTS = 200
CLASSIFIED = 32
ROUTED = 2
BATCH = 32
PADDING, END = "[PAD]", "[SEP]"
Classify = Callable[[Sequence[str]], object]


def pipelines(folder: Path, texts: int | None, rounds: int, tick: Tick) -> list[Figure]:
    """Texts a CPU second of ours and of theirs, on few texts where theirs take seconds each."""
    place = at_work(folder)
    empty = put_aside(place, folder / "empty.db")
    tick("load the models")
    warm_up(place)
    tokens = tokenizer()
    departments = [each.name for each in place.company.departments if each.id != TRIAGE]
    classify, route = distilbert(tokens), bart_large(tokens, departments)
    ours = SHORT.read(texts or TEXTS)
    classified, routed = like_all(ours, CLASSIFIED), like_all(ours, ROUTED)
    classify(routed), route(routed[:1])  # nobody pays for the first pass
    put_back(place, empty)
    collect(place, ours)
    collected = put_aside(place, folder / "collected.db")
    variants = {
        "the whole stage": Variant(prepare=lambda: put_back(place, collected), run=understand_all),
        "a classifier": Variant(run=lambda: classify(classified)),
        "routing": Variant(run=lambda: route(routed)),
    }
    seconds = in_turns(variants, rounds, tick, process_time)
    counts = (len(ours), len(classified), len(routed))
    each = {
        name: [spent / n for spent in found]
        for (name, found), n in zip(seconds.items(), counts, strict=True)
    }
    return _figures(each, counts, words_each(ours), len(departments))


def tokenizer() -> Any:
    """The packaged one: its vocabulary is distilbert-base-uncased's."""
    from transformers import PreTrainedTokenizerFast

    from nlp.embed import packaged_folder

    path = packaged_folder() / "tokenizer.json"
    wrapped: Any = PreTrainedTokenizerFast
    return wrapped(tokenizer_file=str(path), pad_token=PADDING)


def distilbert(tokens: Any) -> Classify:
    """Three classes by distilbert-base (66 million weights), in batches."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    config = DistilBertConfig()
    config.num_labels = 3
    model: Any = DistilBertForSequenceClassification(config)
    model.eval()

    def classify(texts: Sequence[str]) -> object:
        return [
            _run(model, tokens, list(texts[start : start + BATCH]))
            for start in range(0, len(texts), BATCH)
        ]

    return classify


def bart_large(tokens: Any, departments: Sequence[str]) -> Classify:
    """Zero-shot as by bart-large-mnli (407 million): does a text entail each department?"""
    from transformers import BartConfig, BartForSequenceClassification

    sizes: dict[str, Any] = {
        **{f"{side}_layers": 12 for side in ("encoder", "decoder")},
        **{f"{side}_attention_heads": 16 for side in ("encoder", "decoder")},
        **{f"{side}_ffn_dim": 4096 for side in ("encoder", "decoder")},
    }
    config = BartConfig(vocab_size=50_265, d_model=1024, max_position_embeddings=1024, **sizes)
    config.num_labels = 3
    config.eos_token_id = tokens.convert_tokens_to_ids(END)
    config.pad_token_id = tokens.convert_tokens_to_ids(PADDING)
    model: Any = BartForSequenceClassification(config)
    model.eval()
    hypotheses = [f"This example is {name}." for name in departments]

    def route(texts: Sequence[str]) -> object:
        return [_run(model, tokens, [text] * len(hypotheses), hypotheses) for text in texts]

    return route


def _run(model: Any, tokens: Any, *texts: list[str]) -> Any:
    import torch

    with torch.inference_mode():
        given = tokens(*texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
        return model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits


def _figures(
    each: dict[str, list[float]], counts: tuple[int, int, int], words: float, departments: int
) -> list[Figure]:
    """*each*: CPU seconds for one text, by variant and round; *counts*: of texts, by variant."""
    n, classified, routed = counts
    stage, classifier, routing = each.values()
    both = [one + other for one, other in zip(classifier, routing, strict=True)]
    on = f"{SHORT.name}, {words:.0f} words each"
    unit = "texts a CPU second"
    return [
        Figure(
            name="whole stage, beside pipelines",
            value=1 / median(stage),
            unit=unit,
            how=f"{n} of {on}",
        ),
        Figure(
            name="distilbert alone",
            value=1 / median(classifier),
            unit=unit,
            how=f"sentiment of a whole text, nothing else; {classified} texts, batches of {BATCH}",
        ),
        Figure(
            name="distilbert and bart-large",
            value=1 / median(both),
            unit=unit,
            how=f"and zero-shot routing, {departments} departments, one batch a text; "
            f"{routed} texts",
        ),
        Figure(
            name="ratio to distilbert alone",
            value=median(t / o for t, o in zip(classifier, stage, strict=True)),
            unit="times",
        ),
        Figure(
            name="ratio to distilbert and bart-large",
            value=median(t / o for t, o in zip(both, stage, strict=True)),
            unit="times",
        ),
    ]
