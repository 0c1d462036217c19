"""The networks that ship: every head loads and has a whole card, and a wheel brings them along."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skimage.data

import salbox
from salbox.models.exported import packaged
from salbox.models.registry import GAZE, GAZE_LARGE, PEOPLE, SHIPPED, STUDENTS
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.network import open_network
from salbox.runtime.session import recorded

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "docs" / "results" / "fidelity" / "figures.json"
GAZE_FIGURES = ROOT / "docs" / "results" / "gaze" / "figures.json"
OBJECT_FIGURES = ROOT / "docs" / "results" / "objects" / "figures.json"
PEOPLE_FIGURES = ROOT / "docs" / "results" / "training" / "figures.json"
NETWORK, GAZE_NETWORK = Path(packaged(SHIPPED)), Path(packaged(GAZE))
NAMES = [f"{head}.student" for head in STUDENTS]
# Published designs whose students had them as salbox trained them for a teacher.
OF_PEOPLE = {"unisal": "unisal.people", "sam": "sam.lite0.people", "dgii": "dgii.lite0.people"}
OBJECTS = ("scfnet", "scfnet.kd")
LARGEST = 6_000_000  # bytes, all heads together


@pytest.fixture(scope="module")
def photo():
    random = np.random.default_rng(0)
    return np.kron(random.integers(0, 256, (6, 8, 3), np.uint8), np.ones((20, 20, 1), np.uint8))


@pytest.mark.parametrize("name", NAMES)
def test_every_student_loads_without_a_file(name, photo, monkeypatch):
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)
    model = salbox.load(name)
    assert model.name == name
    saliency = model(photo)
    assert saliency.shape == photo.shape[:2]
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    assert np.ptp(saliency) > 0


@pytest.mark.parametrize("name", NAMES)
def test_cards_are_whole(name):
    card = salbox.card(name)
    teacher = name.removesuffix(".student")
    assert card.name == name
    assert card.paper == salbox.card(teacher).paper
    assert card.origin.startswith(f"student of {OF_PEOPLE.get(teacher, teacher)} trained on ")
    assert "Apache-2.0" in card.license.weights
    for terms in ("OSIE", "EyeCrowd", "DUTS-TR", "coco-semantic"):
        assert terms in card.license.training_data
    assert "million learned numbers" in card.size
    assert "MB" in card.size
    assert len(card.limits) >= 2
    assert not card.weights_from


def test_cards_say_where_teachers_come_from():
    assert "not verified" in " ".join(salbox.card("rare2012.student").limits)
    fastgaze = salbox.card("fastgaze.student")
    assert "distilled from DeepGaze II" in " ".join(fastgaze.limits)
    assert "The teacher's:" in fastgaze.license.weights
    assert "The teacher's:" in fastgaze.license.training_data


@pytest.mark.parametrize("head", OF_PEOPLE)
def test_cards_of_designs_trained_on_people_say_that_the_papers_teacher_was_another(head):
    card = salbox.card(f"{head}.student")
    assert "not the published network" in card.limits[0]
    assert "The KDSalBox paper's student" in card.limits[0]
    assert "MIT1003" in card.license.training_data
    assert "MIT1003" in card.commercial_use


def test_cards_state_what_was_measured_on_this_network():
    """Shipped again after benchmarks/fidelity.py: see scripts/ship_students.py."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert figures["weights"] == weights_fingerprint(NETWORK), "measure this network: benchmarks/fidelity.py"
    for head in STUDENTS:
        own, card = figures["osie"][head], salbox.card(f"{head}.student")
        assert f"CC {own['cc']:.3f} ± {own['cc_std']:.3f}, KL {own['kl']:.3f}" in card.agreement
        for domain, by_head in figures["domains"].items():
            assert any(f"{domain} {by_head[head]['cc']:.2f}" in limit for limit in card.limits)


@pytest.mark.parametrize(
    ("name", "file", "largest"), [("gaze", GAZE, 1_500_000), ("gaze.large", GAZE_LARGE, 8_000_000)]
)
def test_the_cards_of_gaze_state_what_was_measured_on_these_networks(name, file, largest):
    """Shipped again after benchmarks/gaze.py: see scripts/ship_gaze.py."""
    figures = json.loads(GAZE_FIGURES.read_text(encoding="utf-8"))
    assert figures["weights"][name] == weights_fingerprint(Path(packaged(file))), "measure it: benchmarks/gaze.py"
    assert Path(packaged(file)).stat().st_size <= largest
    card = salbox.card(name)
    assert card.name == name
    for where, own in figures["test"].items():
        row = own["rows"][name]
        nss, auc, cc, gain = (row[metric][0] for metric in ("nss", "auc_judd", "cc", "ig"))
        text = f"{where}, {own['photos']} photos: NSS {nss:.2f}, AUC-Judd {auc:.3f}, CC {cc:.3f}; IG {gain:.2f}"
        assert text in card.agreement


def test_cards_of_what_learned_from_people_state_what_was_measured_on_these_networks():
    """Shipped again after benchmarks/training.py: see scripts/ship_trained.py."""
    figures = json.loads(PEOPLE_FIGURES.read_text(encoding="utf-8"))
    assert sum(Path(packaged(f"{name}.onnx")).stat().st_size for name in PEOPLE) <= 8_000_000
    for name in PEOPLE:
        assert figures["weights"][name] == weights_fingerprint(Path(packaged(f"{name}.onnx"))), "measure this network"
        card = salbox.card(name)
        assert card.name == name
        assert card.origin.startswith("trained by salbox on people's fixations: ")
        assert "not the published network" in card.limits[0]
        lines = card.agreement.split("; ")
        assert len(lines) == len(figures["sets"])
        for line, (where, own) in zip(lines, figures["sets"].items(), strict=True):
            row = own["rows"][name]
            assert line.startswith(f"{own['photos']} photos of {where}: NSS {row['nss']:.2f}, ")


@pytest.mark.parametrize("name", OBJECTS)
def test_cards_of_object_models_state_what_was_measured_on_these_networks(name):
    """Shipped again after benchmarks/objects.py: see scripts/ship_trained.py."""
    figures = json.loads(OBJECT_FIGURES.read_text(encoding="utf-8"))
    file = Path(packaged(f"{name}.onnx"))
    assert sum(Path(packaged(f"{each}.onnx")).stat().st_size for each in OBJECTS) <= 5_000_000
    assert figures["weights"][name] == weights_fingerprint(file), "measure this network: benchmarks/objects.py"
    card = salbox.card(name)
    assert card.name == name
    assert card.origin.startswith("trained by salbox on ")
    assert "/" not in card.origin  # no folder of whoever trained it
    assert "not the published network" in card.limits[0]
    for where, own in figures["sets"].items():
        row = own["rows"][name]
        text = f"{own['photos']} photos of {where}: MAE {row['mae']:.3f}, max F {row['max_f']:.3f}"
        assert text in card.agreement


@pytest.mark.parametrize("name", OBJECTS)
def test_scfnet_finds_a_person_in_front_of_a_flag(name):
    photo = skimage.data.astronaut()
    found = salbox.load(name)(photo)
    assert found.shape == photo.shape[:2]
    assert found.min() >= 0
    assert found.max() <= 1
    assert found[250:450, 180:260].mean() > 0.9  # her suit
    assert found[20:200, 380:500].mean() < 0.1  # behind her


@pytest.mark.parametrize("name", PEOPLE)
def test_what_learned_from_people_gives_a_density(name, photo, monkeypatch):
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)
    density = salbox.load(name).log_density(photo)
    assert density.shape == photo.shape[:2]
    assert np.exp(density.astype(np.float64)).sum() == pytest.approx(1, abs=1e-3)


def test_all_maps_come_from_one_run(photo):
    with recorded() as runs:
        maps = salbox.predict(photo, models=NAMES)
    assert len(runs) == 1
    assert list(maps) == NAMES
    for name in NAMES:
        np.testing.assert_array_equal(maps[name], salbox.load(name)(photo))


def test_every_student_has_a_histogram_curve_that_was_fitted_to_this_network(photo):
    matched = open_network(NETWORK).histogram_matched()
    assert matched is not None, "fit them: scripts/fit_histogram_curves.py"
    assert set(matched.heads) == set(STUDENTS), "fit them: scripts/fit_histogram_curves.py"
    maps = salbox.predict(photo, models=NAMES, histogram_matched=True)
    curves = open_network(NETWORK).histogram_curves
    for name, head in zip(NAMES, STUDENTS, strict=True):
        # Whatever the picture: half of the pixels are at most what the curve says of half, but for bringing to size.
        half = np.interp(0.5, curves.quantiles, curves.heads[head])
        assert np.median(maps[name]) == pytest.approx(half, abs=0.02)


def test_the_file_is_small():
    assert NETWORK.stat().st_size <= LARGEST


def test_listing_students_opens_nothing():
    code = (
        "import sys, salbox; names = salbox.list_models(task='fixation');"
        f"missing = set({NAMES!r}) - set(names);"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'torch'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(missing | heavy)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_wheel_predicts_with_every_network_that_ships(tmp_path):
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < 77:
        pytest.skip("this environment's setuptools is too old to build the package")
    # A copy: building leaves folders beside the sources.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run(
        [*pip, "-w", tmp_path / "dist", tmp_path], capture_output=True, text=True, check=False, timeout=120
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "dist").glob("salbox-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for file in (NETWORK, GAZE_NETWORK):
            assert archive.read(f"salbox/runtime/data/{file.name}") == file.read_bytes()
        archive.extractall(tmp_path / "unpacked")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    names = [*NAMES, "gaze"]
    code = (
        "import sys, numpy as np, salbox;"
        f"maps = salbox.predict(np.zeros((48, 64, 3), np.uint8), models={names!r});"
        "print(salbox.__file__, len(maps), 'torch' in sys.modules)"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SALBOX")}
    environment["PYTHONPATH"] = str(tmp_path / "unpacked")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    place, count, torch = done.stdout.split()
    assert Path(place).is_relative_to(tmp_path / "unpacked")
    assert (count, torch) == (str(len(names)), "False")
