"""`salbox serve`: images in, maps out, over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import MissingExtraError, UsageError
from ..imaging.image import MAX_PIXELS
from ..models.registry import CLASSICAL, MODELS, list_models
from ..models.specs import parse_models
from ..system.threads import available_threads
from .options import (
    Device,
    MaxModelSize,
    MaxPixels,
    ModelHashes,
    ModelParameters,
    ModelWeights,
    pixel_limit,
)
from .output import say

PORT = 8000


def serve(
    models: Annotated[
        str | None,
        typer.Option(
            "-m", "--models", metavar="NAMES", help="What may be asked for; by default all networks that ship."
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="0.0.0.0 for other machines.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=1, max=65535)] = PORT,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="Processes that compute; by default one a core.")
    ] = None,
    queue: Annotated[int, typer.Option("--queue", metavar="N", min=1, help="Images that may wait; then 429.")] = 64,
    batch: Annotated[int, typer.Option("--batch", metavar="N", min=1, help="Images that are computed together.")] = 8,
    max_megabytes: Annotated[float, typer.Option("--max-megabytes", metavar="N", help="Of an image's file.")] = 32,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    max_pixels: MaxPixels = MAX_PIXELS,
) -> None:
    """Answer over HTTP: POST an image to /maps, /crop, /regions or /cutout; GET /models, /health, /metrics.

    Examples:

      salbox serve -m gaze,gbvs.student --port 8000

      curl --data-binary @photo.jpg 'localhost:8000/maps?model=gaze&format=png' -o map.png

      curl -F file=@photo.jpg 'localhost:8000/crop?size=1:1&size=16:9'
    """
    try:
        import uvicorn

        from ..serve.pool import Limits
        from ..serve.service import Settings, make_service
    except ImportError:
        raise MissingExtraError("salbox serve", "serve") from None
    if not 0 < max_megabytes <= 1000:
        raise UsageError(f"--max-megabytes {max_megabytes:g}: expected above 0, at most 1000")
    # Classical ones take long, and a user's own are named.
    names = models or ",".join(n for n in list_models(ready=True) if n in MODELS and n not in CLASSICAL)
    settings = Settings(
        parse_models([names], param, weights, sha256, device, max_model_size),
        workers=workers or available_threads(),
        max_bytes=int(max_megabytes * 1e6),
        max_pixels=pixel_limit(max_pixels),
        limits=Limits(queue=queue, batch=batch),
    )
    say(f"models: {', '.join(settings.models)}")
    uvicorn.run(make_service(settings), host=host, port=port, log_level="info", server_header=False)
