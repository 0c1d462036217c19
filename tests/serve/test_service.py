"""The service over HTTP, without a socket: what is answered, and what is refused in one line."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

import salbox

pytest.importorskip("fastapi")
pytest.importorskip("prometheus_client")
from fastapi.testclient import TestClient

from salbox.serve.pool import Limits
from salbox.serve.service import Settings, make_service

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photo() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((160, 120)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def client():
    settings = Settings(
        {"gaze": {}, "gbvs.student": {}}, max_bytes=200_000, max_pixels=1_000_000, limits=Limits(batch=4)
    )
    with TestClient(make_service(settings)) as made:
        yield made


def test_one_model_gives_a_file_of_the_map(client, photo):
    answer = client.post("/maps?model=gbvs.student&format=npy", content=photo)
    assert answer.status_code == 200
    found = np.load(io.BytesIO(answer.content))
    np.testing.assert_array_equal(found, salbox.load("gbvs.student")(photo))


def test_several_models_give_files_in_json(client, photo, tmp_path):
    answer = client.post("/maps?model=gaze&model=gbvs.student&format=png16", content=photo).json()
    assert list(answer["maps"]) == ["gaze", "gbvs.student"]
    assert answer["media_type"] == "image/png"
    path = tmp_path / "gaze.png"
    path.write_bytes(base64.b64decode(answer["maps"]["gaze"]))
    assert salbox.read_image(path).shape == (120, 160, 3)
    from salbox.writing import read_notes

    assert read_notes(path)["model"] == "gaze"


def test_a_form_is_as_good_as_a_body(client, photo):
    by_body = client.post("/maps?format=png", content=photo)
    by_form = client.post("/maps?format=png", files={"file": ("../../x.png", photo)})
    assert by_form.content == by_body.content


def test_crops(client, photo):
    answer = client.post("/crop?size=1:1&size=16:9", content=photo).json()
    assert (answer["width"], answer["height"]) == (160, 120)
    assert [(crop["width"], crop["height"]) for crop in answer["crops"]] == [(120, 120), (160, 90)]


def test_regions(client, photo):
    found = client.post("/regions?region=0,0,80,120,left&region=80,0,80,120", content=photo).json()["regions"]
    assert [region["name"] for region in found] == ["left", "region 2"]
    assert sum(region["share"] for region in found) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("address", "content", "status", "text"),
    [
        ("/maps", b"no picture", 422, "not an image"),
        ("/maps", b"", 422, "no image"),
        ("/maps", b"a" * 200_001, 413, "larger than 0.2 MB"),
        ("/maps?model=nobody", None, 422, "no model 'nobody' here (models: gaze, gbvs.student)"),
        ("/maps?format=bmp", None, 422, "format"),
        ("/crop?size=round", None, 422, "round"),
        ("/crop", None, 422, "size"),
        ("/regions?region=here", None, 422, "region 'here'"),
        ("/regions?region=/etc/passwd", None, 422, "region '/etc/passwd'"),
        ("/regions?region=1,1,2,2,a&region=3,3,2,2,a", None, 422, "two regions are called 'a'"),
        ("/cutout", None, 422, "no object model"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(client, photo, address, content, status, text):
    answer = client.post(address, content=photo if content is None else content)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert text in error
    assert "\n" not in error


def test_a_picture_of_too_many_pixels_is_not_decoded(client):
    buffer = io.BytesIO()
    Image.new("L", (2000, 1000)).save(buffer, "PNG")
    answer = client.post("/maps", content=buffer.getvalue())
    assert answer.status_code == 422
    assert "2 megapixels, more than the limit of 1" in answer.json()["error"]


def test_a_form_without_a_file_is_refused(client, photo):
    assert client.post("/maps", files={"other": ("x.png", photo)}).status_code == 422


def test_it_says_how_it_is(client, photo):
    client.post("/maps", content=photo)
    assert client.get("/health").json()["status"] == "ok"
    assert [model["name"] for model in client.get("/models").json()["models"]] == ["gaze", "gbvs.student"]
    text = client.get("/metrics").text
    assert 'salbox_requests_total{kind="maps",status="200"}' in text
    assert "salbox_waiting 0.0" in text


def test_its_description_names_every_address_and_loads_nothing_from_elsewhere(client):
    described = client.get("/openapi.json").json()["paths"]
    assert {"/maps", "/crop", "/regions", "/cutout", "/health", "/metrics", "/models"} <= set(described)
    assert client.get("/docs").status_code == 404


def test_a_full_queue_is_429(photo):
    settings = Settings({"gaze": {}}, limits=Limits(bytes=10))
    with TestClient(make_service(settings)) as client:
        answer = client.post("/maps", content=photo)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["error"].startswith("busy")
