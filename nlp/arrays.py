"""Names for the two array types this package speaks.

Docstrings give shapes with the same letters everywhere: ``n`` statements, ``k`` subjects,
``d`` dimensions.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
