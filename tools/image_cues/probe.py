"""A regression on what tells images apart without a look at the lungs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cxr_common.errors import InputError
from tools.image_cues.features import picture_features, table_features
from tools.image_cues.rows import Rows

Array = np.ndarray
Features = Mapping[str, Array]
Settings = Mapping[str, Any]


def features(rows: Rows, settings: Settings) -> dict[str, Array]:
    """Name -> (N, F), of NIH's table and of the pictures."""
    pictures = picture_features([item["image"] for item in rows.items], settings)
    return {**table_features(rows.entries, settings), **pictures}


def probe(settings: Settings, first: Features, ill: Array, second: Features, group: Sequence[str]) -> Array:
    """Scores of the second features by a regression fitted to the first, each name -> (N, F)."""
    try:  # an extra: this experiment alone needs it
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise InputError("scikit-learn is not installed", action="pip install -e '.[results]'") from None

    regression = LogisticRegression(C=settings["regularization"], max_iter=1000)
    fitted = make_pipeline(StandardScaler(), regression).fit(np.hstack([first[name] for name in group]), ill)
    return np.asarray(fitted.decision_function(np.hstack([second[name] for name in group])))
