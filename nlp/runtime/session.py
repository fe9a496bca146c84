"""Running a built model."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from nlp.arrays import FloatArray
from nlp.runtime.tokens import Tokens, batches, padded


class Session:
    """A model in memory. May be used from several threads at once."""

    def __init__(self, model: bytes, tokens: Tokens, *, threads: int) -> None:
        """*threads*: how many cores one batch may use."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Waiting threads that spin burn the cores of whoever else works here.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._tokens = tokens
        self._outputs = self._session.get_outputs()

    def run(self, texts: Sequence[str]) -> list[FloatArray]:
        """Each of the model's outputs, shape ``(n, size)``, rows in the order of *texts*."""
        ids = self._tokens.ids(texts)
        outputs = [np.zeros((len(ids), output.shape[1]), np.float32) for output in self._outputs]
        for rows in batches([len(of_text) for of_text in ids]):
            values, mask = padded([ids[row] for row in rows])
            found = self._session.run(None, {"ids": values, "mask": mask})
            for output, part in zip(outputs, found, strict=True):
                output[rows] = part
        return outputs


def available_cores() -> int:
    """The cores that this process may use, which in a container are not all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
