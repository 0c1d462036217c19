"""What a photo's file says beside its pixels stays in what is made of it, but for an orientation that is followed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import salbox
from salbox.apps import Attention, compress, cutout
from salbox.apps._file_notes import file_notes, fitting_jpeg
from salbox.apps.crop_files import CropPlan, run_crops
from salbox.apps.sizes import parse_size
from salbox.imaging.inputs import find_images

PHOTO = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
RATED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"%s'
    b' xmp:Rating="5"/></rdf:RDF></x:xmpmeta>'
)
WITH, WITHOUT = RATED % b' tiff:Orientation="6"', RATED % b""


def lying(kind: str, xmp: bytes = WITH) -> bytes:
    """Return a file of the photo that says in XMP alone that it lies on its side."""
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).rotate(90, expand=True).save(buffer, kind, xmp=xmp)
    return buffer.getvalue()


def read(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def xmp_of(image: Image.Image) -> bytes:
    found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    assert isinstance(found, bytes)
    return found


def redness(image: np.ndarray) -> np.ndarray:
    return image[..., 0] / 255


@pytest.fixture(autouse=True)
def models() -> None:
    salbox.register("redness", redness, card={"task": "object", "output": "probability"})


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_xmp_stays_in_compressed_copies(kind: str) -> None:
    even = Attention(np.full((8, 8), 1 / 64), PHOTO.shape[:2])
    found = read(compress(lying("JPEG"), quality=50, file_format=kind.lower(), attention=even).data)  # type: ignore[arg-type]
    assert found.size == (32, 24)
    assert xmp_of(found) == WITHOUT


def test_xmp_stays_in_cutouts_and_crops(tmp_path) -> None:
    found = read(cutout(lying("WEBP"), "redness"))
    assert (found.format, found.size, xmp_of(found)) == ("PNG", (32, 24), WITHOUT)
    for kind in ("JPEG", "WEBP"):
        path = tmp_path / f"{kind}.{kind.lower()}"
        path.write_bytes(lying(kind))
        plan = CropPlan("redness", [parse_size("1:1")], folder=tmp_path / "out")
        (outcome,) = run_crops(find_images([str(path)]), plan, 1)
        crop = read(outcome.written[0].read_bytes())
        assert (crop.format, crop.size, xmp_of(crop)) == (kind, (24, 24), WITHOUT)


def test_an_orientation_in_an_element_of_its_own_goes_as_well() -> None:
    image = Image.new("RGB", (4, 4))
    image.info["xmp"] = b"<a><tiff:Orientation>6</tiff:Orientation><xmp:Rating>5</xmp:Rating></a>\x00"
    assert file_notes(image, is_gray=False) == {"xmp": b"<a><xmp:Rating>5</xmp:Rating></a>"}


def test_what_a_jpeg_does_not_hold_is_left_out() -> None:
    most = b"<" * (65_533 - 29)
    assert fitting_jpeg({"xmp": most, "icc_profile": b"long" * 30_000}) == {
        "xmp": most,
        "icc_profile": b"long" * 30_000,
    }
    assert fitting_jpeg({"xmp": most + b"<"}) == {}
    read(lying("JPEG", most)).load()
