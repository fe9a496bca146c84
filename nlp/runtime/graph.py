"""The ONNX model, written straight from the weights.

Two outputs: ``vector``, the base encoder's mean over tokens at length 1, and ``probabilities``
of the sentiment, whose own layers begin where they first differ from the base (what is below is
computed once). Inputs: ``ids`` and ``mask``, both int32 of shape ``(b, t)``; padding has mask 0.

The operators are onnxruntime's fused ones for BERT. Gelu is the exact one (erf). In int8,
weights get their range from each output column, activations from each token, both symmetric: a
text's answer does not depend on what else is in its batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nlp.arrays import FloatArray
from nlp.runtime.weights import Sentiment, Tensors

BUILDER = 2
"""Goes up whenever the same weights would give another graph: cached files are then made anew."""

Precision = Literal["fp32", "int8"]

HEADS = 12
EPSILON = 1e-12  # of the layer norms
OPSET = 18
IR_VERSION = 10
FUSED = "com.microsoft"
LEVEL = np.array(1 / 127, np.float32)
"""Of an activation in int8, as a share of the largest of its token."""
ZERO = np.array(128, np.uint8)  # unsigned, as processors multiply unsigned by signed
SMALLEST = np.array([np.finfo(np.float32).tiny], np.float32)  # a token of zeros stays zeros


def build(base: Tensors, sentiment: Sentiment | None, precision: Precision) -> bytes:
    """The model for *base* and *sentiment*, serialised; without *sentiment* only ``vector``."""
    graph = _Graph(precision)
    layers = 1 + max(int(name.split(".")[2]) for name in base if name.startswith("encoder.layer."))
    fork = sentiment.fork if sentiment else layers
    shares = graph.node("Unsqueeze", graph.node("Cast", "mask", to=1), graph.constant([1]))
    shares = graph.node(
        "Div", shares, graph.node("ReduceSum", shares, graph.constant([2]), keepdims=1)
    )

    embedded = _embeddings(graph, base)
    hidden = _encoder(graph, base, embedded, range(fork))
    top = _encoder(graph, base, hidden, range(fork, layers))
    graph.node("LpNormalization", _mean(graph, shares, top), axis=1, p=2, name="vector")
    outputs = {"vector": len(base["embeddings.LayerNorm.weight"])}
    if sentiment is not None:
        own = {**base, **sentiment.own}
        below = _embeddings(graph, own) if sentiment.has_own_embeddings else hidden
        felt = _encoder(graph, own, below, range(fork, layers))
        _head(graph, sentiment, _mean(graph, shares, felt))
        outputs["probabilities"] = len(sentiment.bias)
    return graph.serialised(outputs)


_FUSED = frozenset(
    {
        *("EmbedLayerNormalization", "SkipLayerNormalization", "BiasGelu"),
        *("MultiHeadAttention", "MatMulIntegerToFloat"),
    }
)


class _Graph:
    """Nodes and constants in the order in which they are made."""

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self._nodes: list[Any] = []
        self._constants: dict[int, tuple[str, Any]] = {}
        """By the id of what was given, which is held here so that its id stays taken."""

    def node(
        self, operator: str, *inputs: str, name: str = "", outputs: int = 1, **attributes: Any
    ) -> str:
        """Add *operator*; return the name of its first output; others end in ``.1``, ``.2``."""
        from onnx import helper

        name = name or f"n{len(self._nodes)}"
        names = [name, *(f"{name}.{number}" for number in range(1, outputs))]
        domain = FUSED if operator in _FUSED else ""
        made = helper.make_node(operator, inputs, names, name=name, domain=domain, **attributes)
        self._nodes.append(made)
        return name

    def constant(self, value: Sequence[int] | npt.NDArray[Any]) -> str:
        """Add an array; the same array given again is stored once."""
        return self._constants.setdefault(id(value), (f"c{len(self._constants)}", value))[0]

    def serialised(self, outputs: Mapping[str, int]) -> bytes:
        from onnx import TensorProto, helper, numpy_helper

        graph = helper.make_graph(
            self._nodes,
            "reader",
            [
                helper.make_tensor_value_info(name, TensorProto.INT32, ["b", "t"])
                for name in ("ids", "mask")
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", size])
                for name, size in outputs.items()
            ],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        for name, value in self._constants.values():  # last: each helper above copies what it gets
            array = np.ascontiguousarray(value)
            model.graph.initializer.append(numpy_helper.from_array(array, name))
        content: bytes = model.SerializeToString()
        return content


def _embeddings(graph: _Graph, tensors: Tensors) -> str:
    words, positions, kinds = (
        tensors[f"embeddings.{kind}_embeddings.weight"]
        for kind in ("word", "position", "token_type")
    )
    return graph.node(
        "EmbedLayerNormalization",
        "ids",
        "",
        graph.constant(words),
        graph.constant(positions + kinds[0]),  # a statement is always the first of its pair
        "",
        *_norm(graph, tensors, "embeddings."),
        outputs=2,
        epsilon=EPSILON,
    )


def _encoder(graph: _Graph, tensors: Tensors, hidden: str, layers: range) -> str:
    for number in layers:
        hidden = _layer(graph, tensors, hidden, number)
    return hidden


def _layer(graph: _Graph, tensors: Tensors, hidden: str, number: int) -> str:
    prefix = f"encoder.layer.{number}."
    attended = _attention(graph, tensors, hidden, prefix + "attention.self.")
    attended = _projected(graph, tensors, attended, hidden, prefix + "attention.output.")
    [wide] = _products(graph, attended, tensors[prefix + "intermediate.dense.weight"])
    bias = graph.constant(tensors[prefix + "intermediate.dense.bias"])
    wide = graph.node("BiasGelu", wide, bias)
    return _projected(graph, tensors, wide, attended, prefix + "output.")


def _attention(graph: _Graph, tensors: Tensors, hidden: str, prefix: str) -> str:
    parts = ("query", "key", "value")
    products = _products(graph, hidden, *(tensors[f"{prefix}{part}.weight"] for part in parts))
    bias = graph.constant(np.concatenate([tensors[f"{prefix}{part}.bias"] for part in parts]))
    return graph.node("MultiHeadAttention", *products, bias, "mask", num_heads=HEADS)


def _projected(graph: _Graph, tensors: Tensors, hidden: str, residual: str, prefix: str) -> str:
    [product] = _products(graph, hidden, tensors[prefix + "dense.weight"])
    bias = graph.constant(tensors[prefix + "dense.bias"])
    norm = _norm(graph, tensors, prefix)
    return graph.node("SkipLayerNormalization", product, residual, *norm, bias, epsilon=EPSILON)


def _norm(graph: _Graph, tensors: Tensors, prefix: str) -> tuple[str, str]:
    weight, bias = (tensors[f"{prefix}LayerNorm.{kind}"] for kind in ("weight", "bias"))
    return graph.constant(weight), graph.constant(bias)


def _products(graph: _Graph, hidden: str, *weights: FloatArray) -> list[str]:
    """*hidden* times the transpose of each of *weights*, whose shapes are ``(out, in)``."""
    if graph.precision == "fp32":
        return [graph.node("MatMul", hidden, graph.constant(weight.T)) for weight in weights]
    peaks = graph.node("ReduceMax", graph.node("Abs", hidden), graph.constant([-1]), keepdims=1)
    peaks = graph.node("Max", peaks, graph.constant(SMALLEST))
    level, zero = graph.constant(LEVEL), graph.constant(ZERO)
    integers = graph.node("QuantizeLinear", graph.node("Div", hidden, peaks), level, zero)
    products = []
    for weight in weights:
        columns, scale, zeros = _quantised(graph, weight)
        product = (integers, columns, level, scale, zero, zeros)
        products.append(graph.node("Mul", graph.node("MatMulIntegerToFloat", *product), peaks))
    return products


def _quantised(graph: _Graph, weight: FloatArray) -> tuple[str, str, str]:
    """The transpose of *weight* as int8, with a scale and a zero for each output column."""
    scale = np.maximum(np.abs(weight).max(axis=1), np.finfo(np.float32).tiny) / 127
    integers = np.rint(weight / scale[:, None]).astype(np.int8)
    zeros = np.zeros(len(weight), np.int8)
    return (
        graph.constant(integers.T),
        graph.constant(scale.astype(np.float32)),
        graph.constant(zeros),
    )


def _mean(graph: _Graph, shares: str, hidden: str) -> str:
    """Over the tokens that are no padding, shape ``(b, d)``."""
    return graph.node("Squeeze", graph.node("MatMul", shares, hidden), graph.constant([1]))


def _head(graph: _Graph, sentiment: Sentiment, features: str) -> None:
    weight = graph.constant(sentiment.weight / sentiment.temperature)
    bias = graph.constant(sentiment.bias / sentiment.temperature)
    logits = graph.node("Gemm", features, weight, bias, transB=1)
    graph.node("Softmax", logits, axis=1, name="probabilities")
