"""Joining sources without letting the look of a source give a label away."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np


def match_prevalence(items: Sequence[dict], num_labels: int, seed: int = 0, key: str = "source") -> list[dict]:
    """Give every label the same prevalence in each source that has it, by forgetting some of its absent labels.

    A network that sees a label in 30% of one source's images and 2% of another's learns the source instead of the
    finding. The highest prevalence is kept; in the other sources absent labels, drawn at random, are set to None (not
    annotated). No present label is lost, and a source without any present label of a class forgets that class.

    Args:
        items: datalist items of one section, each with "label".
        num_labels: length of the label lists.
        seed: of the draw.
        key: item key that names the source; items without it are one source.

    Returns:
        New items; everything but some labels is as it was.

    Example:
        >>> items = [{"source": "a", "label": [value]} for value in (1, 0)]
        >>> items += [{"source": "b", "label": [value]} for value in (1, 0, 0, 0)]
        >>> [item["label"][0] for item in match_prevalence(items, 1)].count(None)  # of b only one absent label stays
        2
    """
    out = [copy.copy(item) | {"label": list(item["label"])} for item in items]
    sources = sorted({str(item.get(key, "")) for item in out})
    rng = np.random.default_rng(seed)
    for c in range(num_labels):
        counts = {}
        for source in sources:
            values = [item["label"][c] for item in out if str(item.get(key, "")) == source]
            counts[source] = (values.count(1), values.count(0))
        known = [s for s in sources if sum(counts[s])]
        if len(known) < 2:
            continue
        present, absent = max((counts[s] for s in known), key=lambda pn: pn[0] / sum(pn))
        for source in known:
            keep = round(counts[source][0] * absent / present) if present else counts[source][1]
            members = [i for i, item in enumerate(out) if str(item.get(key, "")) == source and item["label"][c] == 0]
            for i in rng.permutation(members)[keep:]:
                out[i]["label"][c] = None
    return out
