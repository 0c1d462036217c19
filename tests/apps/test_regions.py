"""What regions get of attention, in which order they are looked at, and how they are given."""

from __future__ import annotations

import json
import math
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image
from skimage import data

import salbox
import salbox.apps
from salbox.apps._looks import LOOKS, first_looks, mean_first_looks
from salbox.apps.attention import Attention
from salbox.apps.box import Box
from salbox.apps.region_files import read_regions
from salbox.apps.region_shares import clarity, cover, region_report
from salbox.errors import UsageError

PHOTO = np.ascontiguousarray(data.astronaut()[:160, :240])


def left_half(image):
    """All attention is on the left half."""
    saliency = np.zeros(image.shape[:2], np.float32)
    saliency[:, : image.shape[1] // 2] = 1
    return saliency


@pytest.fixture(autouse=True)
def model():
    salbox.register("left", left_half, card={"task": "fixation", "output": "score"})


def drawn(shape=(20, 30), cells=(20, 30)) -> Attention:
    density = np.random.default_rng(0).random(cells) ** 4
    return Attention(density / density.sum(), shape, "drawn")


def test_shares_by_hand():
    density = np.array([[1.0, 2], [3, 4]]) / 10  # cells of 10 x 10 pixels
    mask = np.zeros((20, 20), bool)
    mask[:10, :] = True
    found = region_report(
        Attention(density, (20, 20)),
        {"column": (10, 0, 10, 20), "quarter": Box(5, 5, 10, 10), "top": mask, "all": (0, 0, 20, 20)},
    )
    assert [region.share for region in found.regions] == pytest.approx([0.6, 0.25, 0.3, 1.0])
    assert [region.area for region in found.regions] == pytest.approx([0.5, 0.25, 0.5, 1.0])
    assert [region.density for region in found.regions] == pytest.approx([1.2, 1.0, 0.6, 1.0])
    assert [region.rank for region in found.regions] == [2, 4, 3, 1]
    assert [region.peak for region in found.regions] == pytest.approx([1.0, 1.0, 0.5, 1.0])
    assert (found["top"].peak_x, found["top"].peak_y) == (15, 5)
    assert found["top"].box == Box(0, 0, 20, 10)
    assert found.rest == pytest.approx(0)
    assert region_report(Attention(density, (20, 20)), {"a": (0, 0, 10, 10)}).rest == pytest.approx(0.9)


def test_a_box_gets_what_its_pixels_sum_to_also_between_cells():
    attention = drawn((23, 37), (7, 11))
    fine = np.kron(attention.density, np.ones((23, 37))) / (23 * 37)
    pixels = fine.reshape(23, 7, 37, 11).sum(axis=(1, 3))
    for box in (Box(3, 4, 10, 9), Box(0, 0, 1, 1), Box(36, 22, 1, 1)):
        mask = np.zeros((23, 37), bool)
        mask[box.y : box.bottom, box.x : box.right] = True
        found = region_report(attention, {"box": box, "mask": mask, "grey": mask * np.uint8(255)})
        truth = pixels[mask].sum()
        assert found["box"].share == pytest.approx(truth, rel=1e-9)
        assert found["box"].share == pytest.approx(attention.share(*box.as_tuple()), rel=1e-9)
        assert [found[name].share for name in ("mask", "grey")] == pytest.approx([truth] * 2, rel=1e-5)
        assert found["mask"].box == box


def test_clarity_by_hand():
    assert clarity(np.full((5, 8), 1 / 40)) == pytest.approx(0)
    spot = np.zeros((5, 8))
    spot[2, 3] = 1
    assert clarity(spot) == pytest.approx(1 - 1 / 40)
    half = np.zeros((4, 4))
    half[:2] = 1 / 8
    assert clarity(half) == pytest.approx(0.5)  # evenly on half of the image
    assert clarity(np.array([[0.5, 0.25, 0.25]])) == pytest.approx(1 - math.exp(1.5 * math.log(2)) / 3)


def test_mean_first_looks_by_simulation():
    """Draw looks one by one that keep away from where they were: their mean is about what is computed."""
    attention = np.random.default_rng(1).random((16, 24)) ** 6
    attention /= attention.sum()
    regions = {"a": np.zeros((16, 24)), "b": np.zeros((16, 24))}
    regions["a"][:, :8] = regions["b"][4:12, 12:20] = 1
    y, x = np.mgrid[:16, :24]
    random, firsts = np.random.default_rng(2), {name: [] for name in regions}
    for _ in range(600):
        open_, waiting = attention.copy(), set(regions)
        for look in range(1, LOOKS + 1):
            spot = int(np.searchsorted(np.cumsum(open_), random.random() * open_.sum()))
            row, column = divmod(min(spot, open_.size - 1), 24)
            for name in [name for name in waiting if regions[name][row, column]]:
                firsts[name].append(look)
                waiting.remove(name)
            open_[(y - row) ** 2 + (x - column) ** 2 <= (0.15 * 24) ** 2] = 0
        for name in waiting:
            firsts[name].append(LOOKS)
    found = mean_first_looks(attention, regions)
    assert found["b"] > 1.3 * found["a"]
    for name in regions:
        assert found[name] == pytest.approx(np.mean(firsts[name]), rel=0.15)


def test_what_gets_more_is_looked_at_first():
    density = np.full((32, 32), 1e-4)
    density[2:6, 2:6], density[20:24, 20:24] = 1, 3
    covers = {name: np.zeros((32, 32)) for name in ("less", "more", "nothing")}
    covers["less"][:8, :8] = covers["more"][18:26, 18:26] = covers["nothing"][:8, 24:] = 1
    assert first_looks(density / density.sum(), covers) == {"more": 1, "less": 2, "nothing": 3}


@pytest.mark.parametrize(
    ("area", "message"),
    [
        ((5, 5, 30, 5), "reaches beyond the image, which is 30x20"),
        ((5, 5, 5), "expected"),
        ((1.5, 0, 3, 3), "expected a box"),
        (np.zeros((20, 30), bool), "its mask is empty"),
        (np.ones((5, 5), bool), "a mask of 5x5, the image is 30x20"),
    ],
)
def test_regions_that_are_none(area, message):
    with pytest.raises((UsageError), match=message):
        cover(area, drawn(), "logo")


def test_regions_in_python():
    photo = data.chelsea()
    found = salbox.apps.regions(photo, {"face": (110, 30, 180, 170), "corner": (0, 0, 80, 80)})
    whole = np.exp(salbox.load("gaze").log_density(photo).astype(np.float64))
    assert found["face"].share == pytest.approx(whole[30:200, 110:290].sum() / whole.sum(), abs=0.005)
    assert found.to_pandas()["name"].tolist() == ["face", "corner"]
    with pytest.raises(UsageError, match="no region 'nose'; there are face, corner"):
        found["nose"]
    with pytest.raises(UsageError, match="no regions"):
        salbox.apps.regions(photo, {})


def given(tmp_path, *texts, image="photo.png"):
    return read_regions([str(text) for text in texts]).of(tmp_path / image)


def test_how_regions_are_given(tmp_path):
    wanted = {"logo": Box(1, 2, 30, 40), "button": Box(5, 6, 7, 8)}
    table, named, listed = (tmp_path / name for name in ("a.csv", "a.json", "b.json"))
    table.write_text("name,x,y,width,height\nlogo,1,2,30,40\nbutton,5,6,7,8\n")
    named.write_text(json.dumps({"logo": [1, 2, 30, 40], "button": [5, 6, 7, 8]}))
    objects = [{"name": n, "x": b.x, "y": b.y, "width": b.width, "height": b.height} for n, b in wanted.items()]
    listed.write_text(json.dumps({"regions": objects}))
    for source in (table, named, listed):
        assert given(tmp_path, source) == wanted
    assert given(tmp_path, "1,2,30,40,logo", "5,6,7,8,button") == wanted
    assert given(tmp_path, "1,2,30,40") == {"region 1": Box(1, 2, 30, 40)}
    table.write_text("image;label;left;top;w;h\nphoto.png;logo;1;2;30;40\nother.png;logo;0;0;9;9\n")
    assert given(tmp_path, table) == {"logo": Box(1, 2, 30, 40)}
    assert given(tmp_path, table, image="other.png") == {"logo": Box(0, 0, 9, 9)}
    table.write_text("0 0 5 5\n1 1 2 2\n")
    assert given(tmp_path, table) == {"region 1": Box(0, 0, 5, 5), "region 2": Box(1, 1, 2, 2)}


def test_a_folder_of_masks_or_one_an_image(tmp_path):
    folder = tmp_path / "masks"
    (folder / "photo").mkdir(parents=True)
    for path in (folder / "sky.png", folder / "photo" / "cat.png"):
        Image.new("L", (8, 8), 255).save(path)
    assert given(tmp_path, folder) == {"cat": folder / "photo" / "cat.png"}
    assert given(tmp_path, folder, image="other.png") == {"sky": folder / "sky.png"}
    assert given(tmp_path, folder, "0,0,2,2,dog") == {"dog": Box(0, 0, 2, 2), "cat": folder / "photo" / "cat.png"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "[", "no JSON"),
        ("a.json", "[" * 100_000, "no JSON"),
        ("a.json", "3", "expected {name"),
        ("a.json", '{"a": [1, 2]}', "expected {name"),
        ("a.json", '{"a": [1, 2, "x", 4]}', "none negative"),
        ("a.json", '{"a": [1, 2, 1e400, 4]}', "none negative"),
        ("a.json", f'{{"a": [1, 2, 1{"0" * 400}, 4]}}', "none negative"),
        ("a.json", '[{"x": 1}]', "region 1: expected the keys"),
        ("a.csv", "a,b\n1,2\n", "region 1: expected the keys"),
        ("a.csv", "1,2,3\n", "3 columns without names"),
        ("a.csv", "x,y,width,height\n1,2,0,4\n", "has no pixels"),
        ("a.csv", "x,y,width,height\n-1,2,3,4\n", "none negative"),
        ("a.csv", "name,x,y,width,height\na,1,2,3,4\na,1,2,3,5\n", "several regions are called 'a'"),
        ("a.csv", "image,x,y,width,height\nelse.png,1,2,3,4\n", "no region is given for it"),
    ],
)
def test_files_that_hold_no_regions(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        given(tmp_path, tmp_path / name)


def test_an_argument_that_is_nothing(tmp_path):
    with pytest.raises(UsageError, match="neither x,y,width,height"):
        given(tmp_path, "1,2,3")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no masks in this folder"):
        given(tmp_path, tmp_path / "empty")


def write_photo(tmp_path, name="a.png", size=(240, 160)):
    Image.fromarray(PHOTO).resize(size).save(tmp_path / name)
    return tmp_path / name


BOXES = ("--regions", "0,0,120,160,left", "--regions", "60,0,120,160,middle", "--regions", "120,0,120,160,right")


def test_the_table(cli, tmp_path):
    code, output, complaints = cli("regions", write_photo(tmp_path), *BOXES, "-m", "left")
    assert code == 0, complaints
    head, names, *rows = [line.split() for line in output.splitlines()]
    assert head[1:3] == ["clarity", "0.50;"]
    assert names[:4] == ["region", "share", "rank", "area"]
    assert [row[:4] for row in rows] == [
        ["left", "1.000", "1", "0.500"],
        ["middle", "0.500", "2", "0.500"],
        ["right", "0.000", "3", "0.500"],
    ]


def test_json_fits_its_schema_and_csv_has_its_columns(cli, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(files("salbox.apps").joinpath("regions.schema.json").read_text())
    photo, other = write_photo(tmp_path), write_photo(tmp_path, "b.png", (480, 320))
    (tmp_path / "broken.png").write_text("nothing")
    for arguments, code in (((photo, "--against", other), 0), ((photo, tmp_path / "broken.png"), 1)):
        found = cli("regions", *arguments, *BOXES, "-m", "left", "--json")
        assert found[0] == code, found[2]
        printed = json.loads(found[1])
        jsonschema.validate(printed, schema, jsonschema.Draft202012Validator)
        assert len(printed["failed"]) == code
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**printed, "images": [{"source": "a"}]}, schema)
    _, output, _ = cli("regions", photo, *BOXES, "-m", "left", "--csv")
    assert output.splitlines()[0] == "image,region,share,rank,area,times_even,peak,first_look"
    assert output.splitlines()[1].startswith(f"{photo},left,1.000,1,0.500,2.00,1.00,1")


def test_before_and_after_on_one_scale(cli, tmp_path):
    now, before = write_photo(tmp_path), write_photo(tmp_path, "before.png", (120, 80))
    salbox.register(
        "size", lambda image: np.fliplr(left_half(image)) if image.shape[1] < 200 else left_half(image),
        card={"task": "fixation", "output": "score"},
    )  # fmt: skip
    command = ("regions", now, "--against", before, *BOXES, "-m", "size")
    code, output, complaints = cli(*command, "--json", "-o", tmp_path / "o")
    assert code == 0, complaints
    (image,) = json.loads(output)["images"]
    assert image["changes"] == {"left": 1.0, "middle": 0.0, "right": -1.0}
    assert [region["share"] for region in image["before"]["regions"]] == [0, 0.5, 1]
    picture = np.asarray(Image.open(tmp_path / "o" / "a.regions.png").convert("RGB"))
    assert picture.shape[1] > 2 * picture.shape[0]
    code, output, complaints = cli("regions", now, before, "--against", before, *BOXES, "-m", "left")
    assert (code, output) == (2, "")
    assert "compares one image with another: 2 were given" in complaints


def test_the_heat_is_where_attention_is(cli, tmp_path):
    Image.new("RGB", (240, 160), (90, 90, 90)).save(tmp_path / "a.png")
    cli("regions", tmp_path / "a.png", "--regions", "10,100,20,20,$_x", "-m", "left", "-o", tmp_path)
    picture = np.asarray(Image.open(tmp_path / "a.regions.png").convert("RGB")).astype(int)
    inner = picture[picture.shape[0] // 3 : picture.shape[0] // 2]
    left, right = inner[:, 40 : inner.shape[1] // 2 - 40], inner[:, inner.shape[1] // 2 + 40 :]
    assert left.mean() > right.mean() + 50


def test_a_region_that_gets_too_little(cli, tmp_path):
    photo = write_photo(tmp_path)
    code, _, complaints = cli("regions", photo, *BOXES, "-m", "left", "--fail-under", "right=0.05")
    assert code == 1
    assert "'right' gets 0.000, less than 0.05" in complaints
    assert cli("regions", photo, *BOXES, "-m", "left", "--fail-under", "left=0.9")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--regions", "0,0,500,10"), 1, "reaches beyond the image, which is 240x160"),
        (("--regions", "nowhere.csv"), 2, "neither x,y,width,height"),
        ((*BOXES, "--fail-under", "left"), 2, "expected NAME=SHARE"),
        ((*BOXES, "--fail-under", "left=2"), 2, "expected NAME=SHARE"),
        ((*BOXES, "--fail-under", "lft=0.1"), 1, "no region 'lft'"),
        ((*BOXES, "--json", "--csv"), 2, "give one of the two"),
        ((*BOXES, "--against", "gone.png"), 1, "no such file"),
    ],
)
def test_wrong_usage(cli, tmp_path, arguments, code, message):
    found = cli("regions", write_photo(tmp_path), "-m", "left", *arguments)
    assert found[0] == code
    assert message in found[2]
    assert "Traceback" not in found[2]
