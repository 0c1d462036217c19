"""The service's addresses: what may be asked, and what is refused before anything is computed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from ..imaging.image import MAX_PIXELS
from ..imaging.writing import FORMATS
from ..models.cards import ModelCard
from ..models.loading import card
from ..types import Task
from ..version import __version__
from .figures import TEXT, Figures
from .jobs import Answer, Desk, Job
from .pool import Begin, Busy, Limits, Pool

MAX_BYTES = 32_000_000
BODY_SECONDS = 60.0  # that a sender may take
MAX_MODELS, MAX_SIZES, MAX_REGIONS = 32, 16, 256

IMAGE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    }
}


@dataclass(frozen=True)
class Settings:
    """What a service offers, and how much of it.

    Attributes
    ----------
    models : {name: keywords of `salbox.load`}
        Those that may be asked for; the first for a task stands in where none is named.
    workers : int
        Processes that compute.
    max_bytes, max_pixels : int
        Larger files and images are refused.
    limits : Limits
        Of the queue.
    """

    models: Mapping[str, Mapping[str, Any]]
    workers: int = 1
    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS
    limits: Limits = field(default_factory=Limits)

    def begin(self) -> Begin:
        """Return what each process begins with."""
        return partial(_begin, {name: dict(keywords) for name, keywords in self.models.items()}, self.max_pixels)


def _begin(models: Mapping[str, Mapping[str, Any]], max_pixels: int) -> Any:
    return Desk(models, max_pixels).answer


def make_service(settings: Settings) -> FastAPI:
    """Return the application, whose processes run from its start to its end."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        pool = await asyncio.to_thread(Pool, settings.begin(), settings.workers, settings.limits)
        app.state.pool, app.state.figures = pool, Figures(pool)
        try:
            yield
        finally:
            await asyncio.to_thread(pool.close)

    # The pages that show an OpenAPI document load their scripts from elsewhere: there is the document alone.
    app = FastAPI(title="salbox", version=__version__, lifespan=running, docs_url=None, redoc_url=None)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_misused)
    cards = {name: card(name, max_model_size=how.get("max_model_size")) for name, how in settings.models.items()}
    _add_state(app, cards)
    _add_jobs(app, settings, cards)
    return app


def _add_state(app: FastAPI, cards: Mapping[str, ModelCard]) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        """Say that the service runs."""
        return {"status": "ok", "salbox": __version__}

    @app.get("/metrics", response_class=Response)
    async def metrics(request: Request) -> Response:
        """Return figures as Prometheus reads them."""
        return Response(request.app.state.figures.text(), media_type=TEXT)

    @app.get("/models")
    async def models() -> dict[str, Any]:
        """Return the models that may be asked for."""
        said = [{"name": name, "task": c.task, "output": c.output, "summary": c.summary} for name, c in cards.items()]
        return {"models": said}


def _add_jobs(app: FastAPI, settings: Settings, cards: Mapping[str, ModelCard]) -> None:
    def first(task: Task) -> str:
        name = next((name for name, c in cards.items() if c.task == task), None)
        if name is None:
            raise HTTPException(422, f"this service has no {task} model")
        return name

    @app.post("/maps", response_class=Response, openapi_extra=IMAGE_BODY)
    async def maps(
        request: Request,
        model: Annotated[list[str] | None, Query(max_length=MAX_MODELS, description="Names; one or several.")] = None,
        format: Annotated[str, Query(pattern=f"^({'|'.join(FORMATS)})$")] = "png16",
    ) -> Response:
        """Return an image's map as a file; of several models the files in base64, in JSON."""
        names = model or [first("fixation")]
        return await _answer(request, settings, "maps", {"models": names, "format": format})

    @app.post("/crop", openapi_extra=IMAGE_BODY)
    async def crop(
        request: Request,
        size: Annotated[list[str], Query(max_length=MAX_SIZES, description="1:1 or 1200x630; one or several.")],
        model: str | None = None,
        zoom: Annotated[float, Query(ge=1, le=100)] = 1.0,
        rule_of_thirds: bool = False,
    ) -> Response:
        """Return the windows that keep the most attention."""
        name = model or first("fixation")
        options = {"sizes": size, "model": name, "zoom": zoom, "rule_of_thirds": rule_of_thirds}
        return await _answer(request, settings, "crop", options)

    @app.post("/regions", openapi_extra=IMAGE_BODY)
    async def regions(
        request: Request,
        region: Annotated[list[str], Query(max_length=MAX_REGIONS, description="x,y,width,height[,name]")],
        model: str | None = None,
    ) -> Response:
        """Return how much attention each region gets."""
        options = {"regions": region, "model": model or first("fixation")}
        return await _answer(request, settings, "regions", options)

    @app.post("/cutout", response_class=Response, openapi_extra=IMAGE_BODY)
    async def cutout(request: Request, model: str | None = None) -> Response:
        """Return the salient object alone, as PNG with transparency."""
        return await _answer(request, settings, "cutout", {"model": model or first("object")})


async def _answer(request: Request, settings: Settings, kind: str, options: Mapping[str, Any]) -> Response:
    """Return what a process answers; 413, 422, 429 or 500 with one line where it does not."""
    status, began = 500, time.perf_counter()
    try:
        image = await _image(request, settings.max_bytes)
        began = time.perf_counter()
        try:
            future = request.app.state.pool.submit(Job(kind, image, options))
        except Busy as error:
            raise HTTPException(429, f"busy: {error}; try again", {"Retry-After": "1"}) from None
        answer: Answer = await asyncio.wrap_future(future)
        if answer.problem:
            raise HTTPException(500 if answer.failed else 422, answer.problem)
        status = 200
        return Response(answer.body, media_type=answer.media_type)
    except HTTPException as error:
        status = error.status_code
        raise
    finally:
        request.app.state.figures.add(kind, status, time.perf_counter() - began)


async def _image(request: Request, max_bytes: int) -> bytes:
    """Return the file that a request brings, as its body or as the field `file` of a form.

    Raises
    ------
    HTTPException
        413 if it is too large, 408 if it takes too long, 422 if there is none.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _bounded(request, max_bytes)
    except TimeoutError:
        raise HTTPException(408, f"the image did not arrive within {BODY_SECONDS:.0f} seconds") from None
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = await _file_of_form(request, body, max_bytes)
    if not body:
        raise HTTPException(422, "no image: send one as the body, or as the field 'file' of a form")
    return body


async def _bounded(request: Request, max_bytes: int) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > max_bytes:
            raise HTTPException(413, f"the image is larger than {max_bytes / 1e6:g} MB")
        pieces.append(piece)
    return b"".join(pieces)


async def _file_of_form(request: Request, body: bytes, max_bytes: int) -> bytes:
    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(request.headers, once(), max_files=1, max_fields=8)
    parser.spool_max_size = max_bytes + 1  # in memory: a service may have no disk to write to
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(422, f"not a form: {error.message}") from None
    try:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise HTTPException(422, "no image: the form has no file in its field 'file'")
        return await sent.read()
    finally:
        await form.close()


async def _refused(_request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _misused(_request: Request, error: RequestValidationError) -> Response:
    lines = [f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()]
    return JSONResponse({"error": "; ".join(lines)}, 422)
