"""Fixation maps that are processed before they are learned from: `salbox train --pre-...`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.exposure import match_histograms

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox import PostProcess  # noqa: E402
from salbox.datasets import open_dataset, open_density_maps  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.supervised import train as training  # noqa: E402
from salbox.supervised.from_command_line import make_plan  # noqa: E402
from salbox.supervised.samples import samples, truth_map  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402

QUICK = ("epochs=1", "batch_size=4", "size=[32, 32]")
CRISP = PostProcess(threshold="p75")


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """Six photos with maps as people made them, from a grey 20 on, and points where somebody looked."""
    root, random = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    for part in ("images", "maps", "fixations", "masks"):
        (root / part).mkdir()
    for i in range(6):
        Image.fromarray(random.integers(0, 256, (32, 40, 3), np.uint8)).save(root / "images" / f"{i}.png")
        Image.fromarray(random.integers(20, 200, (32, 40), np.uint8)).save(root / "maps" / f"{i}.png")
        Image.fromarray(255 * random.integers(0, 2, (32, 40), np.uint8)).save(root / "masks" / f"{i}.png")
        (root / "fixations" / f"{i}.csv").write_text(f"x,y\n{5 + i},10\n20,{12 + i}\n")
    return root


def plan_of(study: Path, run: Path, *settings, **more):
    given = {"images": study / "images", "maps": study / "maps"} if "datasets" not in more else {}
    return make_plan("box", run, settings=(*QUICK, *settings), init="none", **given, **more)


def read(data, index: int, preprocess: PostProcess):
    return samples(data, ("density",), preprocess)[index].maps[0]()


def test_maps_are_matched_and_brought_to_0_to_1(study):
    data = open_density_maps(study / "images", study / "maps")
    reference = np.random.default_rng(1).random((20, 20)) ** 3
    process = PostProcess(histogram_matching="biased", histogram_matching_reference=reference)
    plain = np.asarray(Image.open(study / "maps" / "2.png")) / 199.0
    expected = match_histograms(plain, reference)
    np.testing.assert_allclose(read(data, 2, process), expected / expected.max(), atol=0.02)
    np.testing.assert_allclose(truth_map(data, 2), plain * 199 / (plain * 199).max(), atol=1e-6)  # as people made it


def test_what_lies_below_0_is_raised(study):
    data = open_density_maps(study / "images", study / "maps")
    found = read(data, 0, PostProcess(scale_output="normalized"))
    plain = np.asarray(Image.open(study / "maps" / "0.png")).astype(float)
    np.testing.assert_allclose(found, (plain - plain.min()) / np.ptp(plain), atol=1e-6)


def test_image_based_matching_goes_by_the_photo(study):
    data = open_density_maps(study / "images", study / "maps")
    process = PostProcess(histogram_matching="image-based", histogram_matching_reference=str(study / "maps"))
    np.testing.assert_allclose(read(data, 3, process), read(data, 3, PostProcess()), atol=0.02)


def test_densities_of_fixations_are_processed_and_the_fixations_are_not(study):
    data = open_dataset(f"folder:{study}")
    plain, crisp = (samples(data, ("density", "fixations"), process)[1] for process in (PostProcess(), CRISP))
    density, found = plain.maps[0](), crisp.maps[0]()
    kept = density >= np.percentile(density, 75)
    np.testing.assert_allclose(found, np.where(kept, density, density.min()), rtol=1e-6)
    np.testing.assert_array_equal(crisp.fixations(), plain.fixations())


def test_a_run_belongs_to_its_processing(study, tmp_path):
    plain, crisp = (plan_of(study, tmp_path, preprocess=process) for process in (PostProcess(), CRISP))
    assert crisp.identity() == {**plain.identity(), "preprocess": {"threshold": "p75"}}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("masks", ("loss={bce: 1}",)), ("fixations", ("loss={nss: 1}",))],
)
def test_without_a_map_to_learn_from_it_is_refused(study, tmp_path, kind, settings):
    folder = tmp_path / "only"
    folder.mkdir()
    for part in ("images", kind):
        (folder / part).symlink_to(study / part)
    plan_of(study, tmp_path / "run", *settings, datasets=[f"folder:{folder}"])
    with pytest.raises(UsageError, match="does nothing without a loss on fixation maps"):
        plan_of(study, tmp_path / "run", *settings, datasets=[f"folder:{folder}"], preprocess=CRISP)


def test_a_run_learns_from_processed_maps_and_says_so(study, tmp_path, monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")
    seen = {}

    def stop(plan, network, parts, folder, progress):
        seen["maps"] = np.concatenate([np.fromfile(p, np.uint16) for p in (folder.work).rglob("*.maps")])
        return []

    monkeypatch.setattr(training, "package", stop)
    process = PostProcess(scale_output="min-max", threshold=2.0)  # above all: every map is empty
    run = tmp_path / "run"
    training.train(plan_of(study, run, preprocess=process))
    assert seen["maps"].size
    assert not seen["maps"].any()
    first = (run / "recipe.yaml").read_text().splitlines()[0]
    assert first == "# The fixation maps were processed first: scale_output=min-max, threshold=2.0"
    assert read_recipe(str(run / "recipe.yaml")) == read_recipe("box", QUICK)
    assert json.loads((run / "run.json").read_text())["identity"]["preprocess"]["threshold"] == 2.0


def test_on_the_command_line(cli, study, tmp_path):
    given = ("train", "box", "--images", study / "images", "--maps", study / "maps", "-o", tmp_path / "run")
    code, _, complaints = cli(*given, "--pre-threshold", "ostu")
    assert code == 2
    assert "did you mean 'otsu'" in complaints
    code, _, complaints = cli(*given, "--pre-smooth-prop", "0.1")
    assert code == 2
    assert "--pre-smooth-prop does nothing without --pre-do-smoothing proportional" in complaints
