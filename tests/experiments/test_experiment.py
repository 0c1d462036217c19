"""An experiment from a file to its page: figures, pictures, what fails, and that it goes on where it was stopped."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

import salbox  # noqa: E402
from salbox import PostProcess  # noqa: E402
from salbox.distillation.teachers.maps_folder import TeacherMaps  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.experiments import grid  # noqa: E402
from salbox.experiments.experiment import run_experiment  # noqa: E402
from salbox.experiments.plan import read_experiment  # noqa: E402
from salbox.experiments.testing import test_student as measure_student  # noqa: E402
from salbox.imaging.image import read_image  # noqa: E402
from salbox.metrics.fidelity import fidelity_cc, fidelity_kl, fidelity_nss, fidelity_sim  # noqa: E402
from salbox.networks.trainable.saved import read_weights  # noqa: E402
from salbox.system.progress import Progress  # noqa: E402
from salbox.training import trainer  # noqa: E402

RECIPE = "{base: box, epochs: 2, size: [32, 32], batch_size: 4, loss: {mse: 1}, network: {context: none}}"
TEXT = f"""
models: [squares, none, edges]
images: photos
maps: maps/{{model}}
pre: {{threshold: 0.5}}
post: {{scale_output: min-max, threshold: p50}}
recipe: {RECIPE}
test: {{images: others, maps: "other-maps/{{model}}"}}
run: others
"""


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")


class Lines(Progress):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def draw(root: Path, photos: str, maps: str, number: int) -> None:
    """Draw photos with a bright square each, and two models' maps of them: the square, and its upper edge."""
    for folder in (photos, f"{maps}/squares", f"{maps}/edges"):
        (root / folder).mkdir(parents=True)
    for i in range(number):
        random = np.random.default_rng([i, len(photos)])
        image = random.integers(30, 60, (40, 48, 3), dtype=np.uint8)
        square, edge = (random.integers(0, 90, (40, 48), dtype=np.uint8) for _ in range(2))
        y, x = random.integers(6, 34, 2)
        image[y - 5 : y + 5, x - 5 : x + 5] = 230
        square[y - 5 : y + 5, x - 5 : x + 5] = 255
        edge[y - 5 : y - 2, x - 5 : x + 5] = 255
        Image.fromarray(image).save(root / photos / f"p{i}.png")
        Image.fromarray(square).save(root / maps / "squares" / f"p{i}.png")
        Image.fromarray(edge).save(root / maps / "edges" / f"p{i}.png")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    draw(root, "photos", "maps", 6)
    draw(root, "others", "other-maps", 3)
    (root / "study.yaml").write_text(TEXT)
    return root


def read(drawn: Path, folder: Path):
    return read_experiment(drawn / "study.yaml", folder, workers=1)


@pytest.fixture(scope="module")
def finished(drawn, tmp_path_factory):
    """The folder of a whole run, what it said and what came of it."""
    folder, said = tmp_path_factory.mktemp("finished") / "study", Lines()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALBOX_THREADS", "1")
        return folder, said, run_experiment(read(drawn, folder), said)


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return {line["MODEL"]: line for line in csv.DictReader(file)}


def training_photos(folder: Path) -> set[str]:
    with (folder / "students" / "edges" / "split.csv").open() as file:
        return {line["name"] for line in csv.DictReader(file) if line["part"] == "training"}


def processed(drawn: Path, model: str, name: str, maps: str = "other-maps"):
    """Return a teacher's map as it is learned from: below half of it 0."""
    values = np.asarray(Image.open(drawn / maps / model / f"{name}.png")).astype(float)
    scaled = (values - values.min()) / np.ptp(values)
    return np.where(scaled >= 0.5, scaled, 0)


def test_figures_are_those_of_the_processed_maps(finished, drawn):
    folder, _, _ = finished
    found = table(folder / "all_results.csv")
    assert list(found) == ["squares", "none", "edges"]
    assert list(found["edges"]) == ["MODEL", "LOSS", "NSS", "CC", "SIM", "KL", "ERROR"]
    post = PostProcess(scale_output="min-max", threshold="p50")
    functions = {"NSS": fidelity_nss, "CC": fidelity_cc, "SIM": fidelity_sim, "KL": fidelity_kl}
    for model in ("squares", "edges"):
        student = salbox.load(str(folder / "students" / model))
        pairs = [(post(student(drawn / "others" / f"p{i}.png")), processed(drawn, model, f"p{i}")) for i in range(3)]
        for column, function in functions.items():
            expected = np.mean([function(s, t) for s, t in pairs])
            assert float(found[model][column]) == pytest.approx(expected, abs=2e-3), column


def test_loss_is_the_recipe_s_of_the_network_s_own_output(finished, drawn):
    folder, _, _ = finished
    network = read_weights(folder / "students" / "edges" / "student.safetensors").eval()
    losses = []
    for i in range(3):
        pixels = network.preprocessing.prepare(read_image(drawn / "others" / f"p{i}.png"))
        with torch.no_grad():
            found = network.maps(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())[0, 0].numpy()
        target = cv2.resize(processed(drawn, "edges", f"p{i}"), found.shape[::-1], interpolation=cv2.INTER_AREA)
        losses.append(np.mean((found - target) ** 2))
    loss = float(table(folder / "all_results.csv")["edges"]["LOSS"])
    assert loss == pytest.approx(np.mean(losses), rel=1e-3)


def test_a_line_a_photo(finished):
    folder, _, _ = finished
    with (folder / "image_statistics.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [(line["MODEL"], line["IMAGE"]) for line in lines] == [
        (model, f"p{i}") for model in ("squares", "edges") for i in range(3)
    ]
    mean = np.mean([float(line["CC"]) for line in lines if line["MODEL"] == "edges"])
    assert float(table(folder / "all_results.csv")["edges"]["CC"]) == pytest.approx(mean)


def test_a_model_that_fails_is_a_line_and_the_others_go_on(finished):
    folder, said, done = finished
    line = table(folder / "all_results.csv")["none"]
    assert "none: no such folder of maps" in line["ERROR"]
    assert {line[column] for column in ("LOSS", "NSS", "CC", "SIM", "KL")} == {""}
    assert not done.complete
    assert any(text.startswith("failed: none: ") for text in said.lines)
    assert (folder / "students" / "edges" / "student.onnx").is_file()


def test_maps_of_the_photos_to_run_on(finished, drawn):
    folder, _, _ = finished
    post = PostProcess(scale_output="min-max", threshold="p50")
    expected = post(salbox.load(str(folder / "students" / "squares"))(drawn / "others" / "p1.png"))
    found = np.asarray(Image.open(folder / "maps" / "squares" / "p1.png"))
    np.testing.assert_allclose(found / 255, expected, atol=0.51 / 255 + 1e-4)
    assert sorted(path.name for path in (folder / "maps").iterdir()) == ["edges", "squares"]


def test_the_page_and_the_pictures(finished, drawn, monkeypatch):
    folder, _, _ = finished
    page = (folder / "experiment.md").read_text()
    assert "| none | – | – | – | – | – |" in page
    assert f"| edges | {float(table(folder / 'all_results.csv')['edges']['LOSS']):.3f} |" in page
    mean = np.mean(
        [processed(drawn, "edges", f"p{i}", "maps") for i in range(6) if f"p{i}" in training_photos(folder)], axis=0
    )
    expected = np.mean([fidelity_cc(mean, processed(drawn, "edges", f"p{i}")) for i in range(3)])
    constant = next(line for line in page.splitlines() if line.startswith("| edges: a constant |"))
    assert float(constant.split("|")[4]) == pytest.approx(expected, abs=2e-3)
    assert "- none: " in page
    assert "![](grid.png)" in page
    with Image.open(folder / "grid.png") as picture:
        assert picture.format == "PNG"
    seen = {}
    monkeypatch.setattr(grid, "save_rows", lambda rows, columns, path: seen.update(rows=rows, columns=columns))
    experiment = read(drawn, folder)
    models = [model for model in experiment.models if model.name != "none"]
    assert grid.draw_grid(experiment, models, experiment.run, folder / "again.png", Lines())
    assert seen["columns"] == ("picture", "squares", "edges")
    assert [row.title for row in seen["rows"][:2]] == ["p0: teachers", "p0: students"]
    teacher, student = (row.panels[2].pixels for row in seen["rows"][2:4])
    np.testing.assert_allclose(teacher, processed(drawn, "edges", "p1"), atol=1e-4)
    post = PostProcess(scale_output="min-max", threshold="p50")
    expected = post(salbox.load(str(folder / "students" / "edges"))(drawn / "others" / "p1.png"))
    np.testing.assert_allclose(student, expected, atol=1e-5)


def test_maps_are_matched_as_those_that_are_learned_from(finished, drawn, tmp_path):
    """In a folder of each category, and one photo's is missing."""
    for i, category in enumerate(("faces", "streets")):
        (tmp_path / "made" / category).mkdir(parents=True)
        (tmp_path / "made" / category / f"p{i}.png").write_bytes(
            (drawn / "other-maps" / "edges" / f"p{i}.png").read_bytes()
        )
    experiment = read(drawn, Path(shutil.copytree(finished[0], tmp_path / "study")))
    model = next(each for each in experiment.models if each.name == "edges")
    found = measure_student(experiment, model, experiment.test, TeacherMaps(tmp_path / "made"), Lines())
    assert list(found.images) == ["p0", "p1"]
    with pytest.raises(UsageError, match="no map of the photos to test on"):
        measure_student(experiment, model, experiment.test[2:], TeacherMaps(tmp_path / "made"), Lines())


def test_a_photo_without_a_teacher_s_map_has_an_empty_place(finished, drawn, monkeypatch, tmp_path):
    experiment = read(drawn, finished[0])
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "strange.png")
    from salbox.imaging.inputs import find_images

    seen = {}
    monkeypatch.setattr(grid, "save_rows", lambda rows, columns, path: seen.update(rows=rows))
    grid.draw_grid(experiment, experiment.models[:1], find_images([str(tmp_path)]), tmp_path / "g.png", Lines())
    assert [row.panels[1].kind for row in seen["rows"]] == ["photo", "map"]


def test_what_is_finished_is_not_done_again(finished, drawn, monkeypatch):
    folder, _, done = finished

    def nothing(*_, **__):
        raise AssertionError("is done again")

    monkeypatch.setattr(trainer, "learn", nothing)
    monkeypatch.setattr("salbox.experiments.loss.mean_loss", nothing)
    monkeypatch.setattr("salbox.experiments.teacher_maps.write_map", nothing)
    monkeypatch.setattr("salbox.evaluation.sources.score_map", nothing)
    monkeypatch.setattr("salbox.prediction.batch.write_map", nothing)
    again = run_experiment(read(drawn, folder), Lines())
    assert [each.means for each in again.results] == [each.means for each in done.results]


def test_other_post_processing_measures_and_writes_again_and_trains_nothing(finished, drawn, monkeypatch):
    folder, _, _ = finished
    monkeypatch.setattr(trainer, "learn", None)
    before = table(folder / "all_results.csv")["edges"]
    other = drawn / "other.yaml"
    other.write_text(TEXT.replace("p50", "p90").replace("none, ", ""))
    done = run_experiment(read_experiment(other, folder, workers=1), Lines())
    assert done.complete
    after = table(folder / "all_results.csv")["edges"]
    assert before["LOSS"] == after["LOSS"]
    assert before["CC"] != after["CC"]
    found = np.asarray(Image.open(folder / "maps" / "edges" / "p0.png"))
    assert np.mean(found > 0) == pytest.approx(0.1, abs=0.02)
    run_experiment(read(drawn, folder), Lines())  # as the other tests expect it
    assert table(folder / "all_results.csv")["edges"] == before


def test_another_recipe_or_preparation_needs_another_folder(finished, drawn, tmp_path):
    before = (finished[0] / "all_results.csv").read_bytes()
    for old, new, message in (
        ("epochs: 2", "epochs: 3", r"another recipe.epochs \(2 there, 3 now\)"),
        ("threshold: 0.5", "threshold: 0.6", r"another pre.threshold \(0.5 there, 0.6 now\)"),
        ("run: others", "init: none", r"another init \(None there, none now\)"),
    ):
        changed = drawn / "changed.yaml"
        changed.write_text(TEXT.replace(old, new))
        with pytest.raises(UsageError, match=message):
            run_experiment(read_experiment(changed, finished[0]), Lines())
    assert (finished[0] / "all_results.csv").read_bytes() == before


@pytest.mark.slow
def test_one_that_was_stopped_goes_on_exactly(finished, drawn, tmp_path, monkeypatch):
    """Stopped in the second of two trainings, at its last step."""
    folder, whole = tmp_path / "study", finished[0]
    steps, learn = [], trainer.learn

    def interrupted(*arguments, **keywords):
        steps.append(None)
        if len(steps) == 4:
            raise KeyboardInterrupt
        return learn(*arguments, **keywords)

    monkeypatch.setattr(trainer, "learn", interrupted)
    monkeypatch.setattr(trainer, "CHECKPOINT_EVERY", 0.0)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(read(drawn, folder), Lines())
    assert list(table(folder / "all_results.csv")) == ["squares", "none"]
    first = folder / "students" / "squares" / "student.onnx"
    state = first.stat()
    assert (folder / "students" / "edges" / "work").is_dir()
    steps.clear()
    monkeypatch.setattr(trainer, "learn", lambda *a, **k: steps.append(None) or learn(*a, **k))
    run_experiment(read(drawn, folder), Lines())
    assert len(steps) == 1
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (state.st_ino, state.st_mtime_ns)
    for model in ("squares", "edges"):
        ours, theirs = (read_weights(each / "students" / model / "student.safetensors") for each in (folder, whole))
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
            assert torch.equal(a, b)
    assert (folder / "all_results.csv").read_text() == (whole / "all_results.csv").read_text()


def test_a_record_that_is_none_is_one_line(drawn, tmp_path):
    (tmp_path / "experiment.json").write_text("[]")
    with pytest.raises(UsageError, match="not what salbox writes there"):
        run_experiment(read(drawn, tmp_path), Lines())


@pytest.mark.slow
def test_models_that_are_run_are_tested_on_what_nobody_learned_from(drawn, tmp_path):
    path = drawn / "run.yaml"
    path.write_text(f"models: imsig\nimages: photos\nrecipe: {RECIPE}\npre: {{do_smoothing: proportional}}\n")
    folder, said = tmp_path / "out", Lines()
    done = run_experiment(read_experiment(path, folder, workers=1), said)
    assert done.complete, said.lines
    with (folder / "students" / "imsig" / "split.csv").open() as file:
        held_out = [line["name"] for line in csv.DictReader(file) if line["part"] == "test"]
    assert list(done.results[0].tested.images) == held_out
    fidelity = json.loads((folder / "students" / "imsig" / "fidelity.json").read_text())
    reported = next(row for row in fidelity["rows"] if row["maps"] == "student" and row["domain"] == "photos")
    assert done.results[0].means["CC"] == pytest.approx(reported["cc"], abs=2e-3)
    assert not (folder / "maps").exists()
    assert (folder / "grid.png").is_file()
