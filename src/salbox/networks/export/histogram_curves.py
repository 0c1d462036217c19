"""The histogram curves in an exported network's file, written anew; nothing else of the file changes."""

from __future__ import annotations

from pathlib import Path

import onnx

from ...errors import UsageError
from ...imaging.writing import atomic
from ...runtime.fingerprint import weights_fingerprint
from ...runtime.histogram_curves import KEY, HistogramCurves
from ...runtime.network import open_network


def put_curves(path: Path, curves: HistogramCurves) -> None:
    """Write curves into an exported network, in the place of those that it may have.

    Raises
    ------
    WeightsError
        If it is no file that salbox exported.
    UsageError
        If the curves were fitted to other weights, are of a head that it does not have, or its maps are no scores; or
        if the file cannot be written.
    """
    network = open_network(path, threads=1)
    if curves.weights != weights_fingerprint(path):
        raise UsageError(f"{path}: these histogram curves were fitted to other weights")
    if unknown := [head for head in curves.heads if head not in network.heads]:
        raise UsageError(f"{path}: a histogram curve of {', '.join(unknown)}, which it does not have")
    if network.metadata.output != "score":
        raise UsageError(f"{path}: its maps are no scores but a {network.metadata.output}, whose values have a meaning")
    graph = onnx.load(path, load_external_data=False)
    kept = [entry for entry in graph.metadata_props if entry.key != KEY]
    del graph.metadata_props[:]
    graph.metadata_props.extend(kept)
    graph.metadata_props.add(key=KEY, value=curves.to_text())
    with atomic(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
