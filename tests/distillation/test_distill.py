"""Distillation from a folder of pictures to a student that `salbox.load` takes."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import onnx_writer as ow
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

import salbox  # noqa: E402
from salbox.distillation import distill as distilling  # noqa: E402
from salbox.distillation import estimate, from_command_line, heads  # noqa: E402
from salbox.distillation.distill import distill  # noqa: E402
from salbox.distillation.learned_photos import learned_photos  # noqa: E402
from salbox.distillation.plan import HeadTarget, Plan  # noqa: E402
from salbox.distillation.teacher_maps import TargetMaps  # noqa: E402
from salbox.distillation.teachers.augmentations import FlipRule, plain_view  # noqa: E402
from salbox.distillation.teachers.maps_folder import TeacherMaps  # noqa: E402
from salbox.distillation.teachers.teacher import Teacher  # noqa: E402
from salbox.distillation.training_data import TrainingData, prepare_training_data  # noqa: E402
from salbox.errors import UsageError, WeightsError  # noqa: E402
from salbox.imaging.inputs import find_images  # noqa: E402
from salbox.imaging.postprocess import PostProcess  # noqa: E402
from salbox.models.exported import packaged  # noqa: E402
from salbox.models.registry import SHIPPED  # noqa: E402
from salbox.networks.trainable.reload import read_exported  # noqa: E402
from salbox.networks.trainable.saved import read_weights  # noqa: E402
from salbox.runtime.training_photos import KEY as PHOTOS_KEY  # noqa: E402
from salbox.runtime.training_photos import TrainingPhotos, read_training_photos, to_text  # noqa: E402
from salbox.system.contents import content_digest  # noqa: E402
from salbox.system.progress import Progress  # noqa: E402
from salbox.training.clock import duration  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402
from salbox.training.run_folder import RunFolder  # noqa: E402
from salbox.training.splitting import photo_key, split  # noqa: E402

QUICK = ("epochs=2", "batch_size=4", "size=[32, 32]")
SMOOTHED = Teacher("bms", preprocess=PostProcess(do_smoothing="proportional"))


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")


class Lines(Progress):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def draw(folder: Path, number: int) -> Path:
    """Draw pictures with one bright square each, and its place as a map in a folder beside."""
    (folder / "photos").mkdir(parents=True)
    (folder / "maps").mkdir()
    for i in range(number):
        random = np.random.default_rng(i)
        image = random.integers(30, 60, (48, 48, 3), dtype=np.uint8)
        saliency = np.zeros((48, 48), np.uint8)
        y, x = random.integers(6, 42, 2)
        image[y - 5 : y + 5, x - 5 : x + 5] = 230
        saliency[y - 5 : y + 5, x - 5 : x + 5] = 255
        Image.fromarray(image).save(folder / "photos" / f"p{i:02}.png")
        Image.fromarray(saliency).save(folder / "maps" / f"p{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    return draw(tmp_path_factory.mktemp("drawn"), 14)


@pytest.fixture
def unpacked(monkeypatch):
    """Leave out export and report, which take most of the time."""
    monkeypatch.setattr(distilling, "package", lambda *_, **__: None)


def make_plan(drawn: Path, run: Path, *settings, targets=None, **more) -> Plan:
    return Plan(
        photos=tuple(find_images([str(drawn / "photos")])),
        run=run,
        targets=targets or (HeadTarget("bms", Teacher("bms")),),
        recipe=more.pop("recipe", None) or read_recipe("box", [*QUICK, *settings]),
        init=more.pop("init", "none"),
        workers=1,
        **more,
    )


def maps_target(drawn: Path, name="mine") -> HeadTarget:
    return HeadTarget(name, maps=drawn / "maps", flips=("h", "v"))


@pytest.fixture(scope="module")
def finished(drawn, tmp_path_factory) -> tuple[Path, Lines, distilling.DistillationResult]:
    """A run with a model and a folder of maps as teachers; the folder lacks a map, and another is broken."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(drawn, folder / "drawn")
    names = sorted(path.name for path in (folder / "drawn" / "maps").iterdir())
    (folder / "drawn" / "maps" / names[0]).unlink()
    (folder / "drawn" / "maps" / names[1]).write_bytes(b"no picture")
    said = Lines()
    targets = (maps_target(folder / "drawn"), HeadTarget("bms", Teacher("bms")))
    plan = make_plan(folder / "drawn", folder / "run", targets=targets, domains=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALBOX_THREADS", "1")
        return folder / "run", said, distill(plan, said)


@pytest.mark.slow
def test_a_run_folder_holds_what_came_out(finished):
    run, said, done = finished
    assert done.heads == ("mine", "bms")
    expected = {"student.onnx", "student.safetensors", "card.json", "recipe.yaml", "split.csv", "log.csv"}
    expected |= {"fidelity.json", "fidelity.md", "fidelity-best.png", "fidelity-worst.png", "tensorboard", "maps"}
    assert expected <= {path.name for path in run.iterdir()}
    assert not (run / "work").exists()
    assert read_recipe(str(run / "recipe.yaml")) == read_recipe("box", QUICK)
    with (run / "split.csv").open() as file:
        parts = {line["name"]: line["part"] for line in csv.DictReader(file)}
    assert len(parts) == 14
    assert set(parts.values()) == {"training", "validation", "test"}
    assert "mine: 1 photo without a map" in said.text
    assert "1 broken map" in said.text


@pytest.mark.slow
def test_the_student_works_wherever_a_name_does(finished, drawn):
    run, _, done = finished
    photo = drawn / "photos" / "p03.png"
    maps = salbox.predict(photo, models=[f"{run}#bms", f"{run}#mine"])
    assert {saliency.shape for saliency in maps.values()} == {(48, 48)}
    network = read_weights(run / "student.safetensors").eval()
    with torch.no_grad():
        pixels = network.preprocessing.prepare(salbox.read_image(photo))
        raw = network.maps(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())[0].numpy()
    for saliency, own in zip(maps.values(), (raw[1], raw[0]), strict=True):
        enlarged = cv2.resize(own, (48, 48), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(saliency, enlarged, atol=1e-3 * np.ptp(own))
    assert str(run) in done.command


@pytest.mark.slow
def test_the_student_knows_its_photos(finished):
    run, said, done = finished
    with (run / "split.csv").open() as file:
        lines = list(csv.DictReader(file))
    photos = {line["name"]: run.parent / "drawn" / "photos" / f"{line['name']}.png" for line in lines}
    assert all(line["content"] == content_digest(photos[line["name"]]) for line in lines)
    parts = {
        part: {line["content"][:10] for line in lines if line["part"] == part} for part in ("training", "validation")
    }
    expected = TrainingPhotos(frozenset(parts["training"]), frozenset(parts["validation"]))
    assert read_training_photos(run / "student.onnx") == {"mine": expected, "bms": expected}
    worse = done.fidelity.worse_than_constant()
    assert all(f"note: {line}" in said.text for line in worse)
    assert set(worse) <= set(done.fidelity.notes)


@pytest.mark.slow
def test_cards_say_what_it_is(finished):
    run, _, done = finished
    card = salbox.card(f"{run}#bms")
    with (run / "split.csv").open() as file:
        training = [line["name"] for line in csv.DictReader(file) if line["part"] == "training"]
    assert f"student of bms trained on {len(training)} photos and" in card.origin
    assert card.agreement == done.fidelity.summary("bms")
    assert "random weights" in " ".join(card.limits)
    assert "CC on changed photos" in " ".join(card.limits)
    assert card.paper == salbox.card("bms").paper
    assert json.loads((run / "card.json").read_text())["bms"]["agreement"] == card.agreement
    assert "made elsewhere" in salbox.card(f"{run}#mine").license.training_data


@pytest.mark.slow
def test_the_report_has_a_row_for_each_domain_of_a_model(finished):
    _, _, done = finished
    domains = {(row.head, row.domain) for row in done.fidelity.rows}
    assert ("bms", "photos") in domains
    assert len({domain for head, domain in domains if head == "bms"}) > 1
    assert {domain for head, domain in domains if head == "mine"} == {"photos"}


@pytest.mark.slow
def test_a_finished_run_is_left_alone(finished, drawn):
    run, _, _ = finished
    before = (run / "student.onnx").stat().st_mtime_ns
    said = Lines()
    targets = (maps_target(run.parent / "drawn"), HeadTarget("bms", Teacher("bms")))
    again = distill(make_plan(run.parent / "drawn", run, targets=targets, domains=0.5), said)
    assert again.fidelity is None
    assert "finished already" in said.text
    assert (run / "student.onnx").stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"recipe": read_recipe("box", [*QUICK, "loss.mse=7"])}, "recipe.loss.mse: 5.0 there, 7.0 now"),
        ({"targets": (HeadTarget("aim", Teacher("aim")),)}, "teachers.aim: null there"),
    ],
)
def test_a_folder_of_another_run_is_refused(finished, change, message):
    run, _, _ = finished
    given = {
        "targets": (maps_target(run.parent / "drawn"), HeadTarget("bms", Teacher("bms"))),
        "domains": 0.5,
        **change,
    }
    with pytest.raises(UsageError) as raised:
        distill(make_plan(run.parent / "drawn", run, **given))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_new_heads_leave_the_old_ones_as_they_were(finished, drawn, tmp_path):
    run, _, _ = finished
    said = Lines()
    plan = make_plan(drawn, tmp_path / "more", targets=(maps_target(drawn, "third"),), add_to=str(run))
    done = distill(plan, said)
    assert done.heads == ("mine", "bms", "third")
    old, new = (salbox.load(f"{folder}#bms") for folder in (run, tmp_path / "more"))
    for name in ("p03.png", "p07.png"):
        before, after = (model(drawn / "photos" / name) for model in (old, new))
        assert np.abs(before - after).max() <= 1e-3 * np.ptp(before)
    assert salbox.card(f"{tmp_path / 'more'}#bms").agreement == salbox.card(f"{run}#bms").agreement
    assert "third" in {row.head for row in done.fidelity.rows}
    assert "frozen" in " ".join(salbox.card(f"{tmp_path / 'more'}#third").limits)
    weights = [read_weights(folder / "student.safetensors") for folder in (run, tmp_path / "more")]
    before, after = (network.state_dict() for network in weights)
    assert before.keys() < after.keys()  # what is new is the head that was added
    assert all(torch.equal(before[name], after[name]) for name in before)


def go_on(run: Path, there: Path, recipe: str = "box", *settings: str, **changes) -> Plan:
    """Return a plan that trains the network of a run further."""
    targets = (maps_target(run.parent / "drawn"), HeadTarget("bms", Teacher("bms")))
    given = {"targets": targets, "recipe": read_recipe(recipe, [*QUICK, "epochs=1", *settings]), **changes}
    return make_plan(run.parent / "drawn", there, init=str(run), **given)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(32, 32), (64, 96)])
def test_a_trained_network_goes_on(finished, tmp_path, size):
    run, _, _ = finished
    distill(go_on(run, tmp_path / "further", "box", "optimizer.learning_rate=1e-12", f"size={list(size)}"))
    before, after = (read_weights(folder / "student.safetensors") for folder in (run, tmp_path / "further"))
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(old, new, atol=1e-6, rtol=1e-6, msg=name)
    assert tuple(after.settings["size"]) == size
    assert "trained further" in " ".join(salbox.card(f"{tmp_path / 'further'}#bms").limits)


@pytest.mark.slow
def test_a_trained_network_goes_on_with_details_and_a_shorter_encoder(finished, tmp_path):
    run, _, _ = finished
    settings = ("optimizer.learning_rate=1e-12", "network.detail=4", "network.deepest=8")
    distill(go_on(run, tmp_path / "fine", "box", *settings))
    before, after = (read_weights(folder / "student.safetensors") for folder in (run, tmp_path / "fine"))
    assert (after.settings["detail"], after.settings["deepest"]) == (4, 8)
    old = before.head_layers.state_dict()
    for name, new in after.head_layers.named_parameters():
        torch.testing.assert_close(new, old[name], atol=1e-6, rtol=1e-6, msg=name)
    model = salbox.load(f"{tmp_path / 'fine'}#bms")
    assert model(run.parent / "drawn" / "photos" / "p03.png").std() > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "setting", "changes", "message"),
    [
        ("box", "batch_size=4", {"targets": (HeadTarget("bms", Teacher("bms")),)}, "has the heads mine, bms"),
        ("kdsalbox-code", "batch_size=4", {}, "is a 'box', and the recipe's student a 'kdsalbox'"),
        ("box", "network.context=none", {}, "context=contrast, and the recipe has none"),
        ("box", "network.deepest=32", {}, "deepest=16, and the recipe has 32"),
    ],
)
def test_networks_that_cannot_go_on(finished, tmp_path, recipe, setting, changes, message):
    with pytest.raises(UsageError, match=message):
        distill(go_on(finished[0], tmp_path, recipe, setting, **changes))


def test_a_head_on_the_network_that_ships():
    shipped = read_exported(Path(packaged(SHIPPED)))
    trunk = heads.with_new_heads("shipped", ("mine",))
    assert trunk.network.heads == (*shipped.heads, "mine")
    assert trunk.old == len(shipped.heads)
    own = {"unisal": "unisal.people", "sam": "sam.lite0.people", "dgii": "dgii.lite0.people"}
    assert trunk.teachers == {head: own.get(head, head) for head in shipped.heads}
    image = torch.rand(1, 3, 64, 96) * 255
    with torch.no_grad():
        torch.testing.assert_close(trunk.network.eval()(image)[:, : trunk.old], shipped(image))


@pytest.mark.slow
def test_heads_that_cannot_be_added(finished, drawn, tmp_path):
    run, _, _ = finished
    with pytest.raises(UsageError, match="has a head 'bms' already"):
        distill(make_plan(drawn, tmp_path / "a", add_to=str(run)))
    with pytest.raises(WeightsError, match="no such file"):
        distill(make_plan(drawn, tmp_path / "b", add_to=str(tmp_path)))


class KilledError(Exception):
    pass


@pytest.mark.slow
def test_a_run_that_dies_goes_on(drawn, tmp_path, monkeypatch, unpacked):
    class Dying(Lines):
        def say(self, text):
            super().say(text)
            if text.startswith("epoch 1/"):
                raise KilledError

    plan = make_plan(drawn, tmp_path / "run")
    with pytest.raises(KilledError):
        distill(plan, Dying())
    assert (tmp_path / "run" / "work").is_dir()
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "maps").rglob("*.png")}
    monkeypatch.setattr("salbox.training.cache._write", None)  # what was made ready is not made again
    said = Lines()
    done = distill(plan, said)
    assert done.training.epochs == 2
    assert made == {path: path.stat().st_mtime_ns for path in made}


class DyingAfterTraining(Lines):
    def say(self, text):
        super().say(text)
        if text.startswith("trained"):
            raise KilledError


@pytest.mark.parametrize("changes", ["photos/p00.png", "maps/p00.png"])
def test_a_run_that_dies_begins_anew_if_its_files_changed(tmp_path, monkeypatch, unpacked, changes):
    draw(tmp_path, 3)
    chosen = {"p00.png": "training", "p01.png": "validation", "p02.png": "test"}
    plan = make_plan(tmp_path, tmp_path / "run", targets=(maps_target(tmp_path),), chosen=chosen)
    with pytest.raises(KilledError):
        distill(plan, DyingAfterTraining())
    before = (tmp_path / "run" / "split.csv").read_text()
    shutil.copyfile(tmp_path / Path(changes).with_name("p02.png"), tmp_path / changes)
    seen = []
    monkeypatch.setattr(distilling, "fit", lambda job, *_, **__: seen.append(job) or fail())
    said = Lines()
    with pytest.raises(KilledError):
        distill(plan, said)
    assert "its training begins anew" in said.text
    (job,) = seen
    assert not (job.folder / "last.pt").exists()
    (group,) = job.training.groups
    shown = cv2.cvtColor(cv2.imread(str(tmp_path / "photos" / "p00.png")), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(group.images[0], job.network.preprocessing.prepare(shown))
    assert ((tmp_path / "run" / "split.csv").read_text() == before) == (changes == "maps/p00.png")


def fail():
    raise KilledError


def test_a_run_is_another_one_with_other_weights_or_files_of_parameters(drawn, tmp_path):
    """The paths are the same; what lies there is not."""
    weights, bias = tmp_path / "w.onnx", tmp_path / "bias.npy"
    weights.write_bytes(ow.student())
    targets = {
        "weights": (HeadTarget("a", Teacher(f"{weights}#red")),),
        "parameters": (HeadTarget("a", Teacher("dgii", {"center_bias": str(bias), "weights": str(weights)})),),
    }
    np.save(bias, np.zeros((4, 4)))
    plans = {name: make_plan(drawn, tmp_path / "run", targets=given) for name, given in targets.items()}
    plans["init"] = make_plan(drawn, tmp_path / "run", init=str(weights))
    before = {name: plan.identity() for name, plan in plans.items()}
    assert before == {name: plan.identity() for name, plan in plans.items()}
    np.save(bias, np.ones((4, 4)))
    assert before["parameters"] != plans["parameters"].identity()
    weights.write_bytes(ow.student(opset=17))
    assert before["weights"] != plans["weights"].identity()
    assert before["init"] != plans["init"].identity()


def test_a_run_is_another_one_with_another_run_to_go_on_from(drawn, tmp_path):
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "student.onnx").write_bytes(b"one")
    for change in ({"init": str(tmp_path / "before")}, {"add_to": str(tmp_path / "before")}):
        plan = make_plan(drawn, tmp_path / "run", **change)
        before = plan.identity()
        (tmp_path / "before" / "student.safetensors").write_bytes(str(change).encode())
        assert plan.identity() != before


def test_heads_know_the_photos_they_learned_from(drawn, tmp_path, unpacked):
    (tmp_path / "before").mkdir()
    old = TrainingPhotos(frozenset({"0123456789"}))
    metadata = {**ow.notes(heads=("old",)), PHOTOS_KEY: to_text({"old": old})}
    (tmp_path / "before" / "student.onnx").write_bytes(ow.student(metadata=metadata))
    plan = make_plan(drawn, tmp_path / "run", targets=(maps_target(drawn),), add_to=str(tmp_path / "before"))
    parts = split(plan.photos)
    views = {part: [plain_view(photo) for photo in parts.photos(part)] for part in ("training", "validation", "test")}
    good = frozenset(view.key for part in views.values() for view in part) - {views["training"][0].key}
    maps = TargetMaps(plan.targets[0], TeacherMaps(drawn / "maps"), good, FlipRule((), ()))
    network = SimpleNamespace(heads=["old", "mine"])
    found = learned_photos(plan, SimpleNamespace(network=network, first=1), TrainingData(parts, views, (maps,)))
    digests = {part: frozenset(content_digest(v.photo)[:10] for v in found) for part, found in views.items()}
    unused = content_digest(views["training"][0].photo)[:10]
    assert found == {
        "old": old,
        "mine": TrainingPhotos(digests["training"] - {unused} | {"0123456789"}, digests["validation"]),
    }


def test_three_photos_are_enough_and_no_validation_is_said(tmp_path, unpacked):
    draw(tmp_path, 3)
    said = Lines()
    chosen = {"p00.png": "training", "p01.png": "training", "p02.png": "test"}
    targets = (maps_target(tmp_path),)
    done = distill(make_plan(tmp_path, tmp_path / "run", targets=targets, chosen=chosen), said)
    assert "no photo to validate on" in said.text
    assert done.training.score > -1


@pytest.mark.slow
def test_without_held_out_photos_the_report_says_so(tmp_path):
    draw(tmp_path, 3)
    chosen = {"p00": "training", "p01": "training", "p02": "validation"}
    done = distill(make_plan(tmp_path, tmp_path / "run", targets=(maps_target(tmp_path),), chosen=chosen), Lines())
    assert "measured on the validation part" in done.fidelity.notes[0]


@pytest.mark.slow
def test_a_schedule_is_compressed_to_the_time(drawn, tmp_path, unpacked):
    said = Lines()
    recipe = read_recipe("kdsalbox-code", ["epochs=400", "schedule.milestones=[150, 300]", "size=[32, 32]"])
    recipe = recipe.model_copy(update={"student": "box"})
    plan = make_plan(
        drawn, tmp_path / "run", recipe=recipe, targets=(maps_target(drawn),), max_seconds=10.0, compress=True
    )
    done = distill(plan, said)
    run = read_recipe(str(tmp_path / "run" / "recipe.yaml"))
    assert 1 <= run.epochs < 400
    assert run.schedule.milestones == pytest.approx([150 * run.epochs / 400, 300 * run.epochs / 400])
    assert f"{run.epochs} epochs of" in said.text
    assert "milestones" in said.text
    assert done.training.epochs >= 1


@pytest.mark.slow
def test_an_estimate_writes_nothing(drawn, tmp_path):
    found = estimate.estimate(make_plan(drawn, tmp_path / "run"), Lines())
    assert not (tmp_path / "run").exists()
    assert found.teachers["bms"][0] > 14  # flipped and changed photos beside the photos
    assert found.total >= found.training > 0
    assert found.lines()[-1].startswith("together about")


def test_durations():
    assert [duration(s) for s in (59.4, 61, 3599, 7265)] == ["59 s", "1 min 1 s", "59 min 59 s", "2 h 1 min"]


@pytest.mark.slow
def test_histogram_matched_maps_are_what_is_learned(drawn, tmp_path, unpacked):
    matched = from_command_line.histogram_matched(salbox.PostProcess())
    target = HeadTarget("bms", Teacher("bms", {}, matched))
    distill(make_plan(drawn, tmp_path / "run", "epochs=1", targets=(target,)), Lines())
    record = json.loads((tmp_path / "run" / "maps" / "bms" / "teacher.json").read_text())
    assert record["teacher"]["preprocess"] == {"histogram_matching": "biased"}
    with pytest.raises(UsageError, match="ask for two things"):
        from_command_line.histogram_matched(salbox.PostProcess(histogram_matching="equalization"))


@pytest.mark.slow
def test_a_side_output_learns_from_the_second_teacher(drawn, tmp_path, unpacked):
    recipe = read_recipe("resnet18-kd", ["epochs=1", "batch_size=4", "size=[32, 32]"])
    targets = (maps_target(drawn), HeadTarget("bms", Teacher("bms")))
    done = distill(make_plan(drawn, tmp_path / "run", recipe=recipe, targets=targets), Lines())
    assert done.heads == ("mine",)
    with (tmp_path / "run" / "log.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert float(line["kl mine"]) != float(line["kl bms"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domains": 1.5}, "0 to 1"),
        ({"compress": True}, "needs --max-time"),
        ({"in_process": True, "targets": (HeadTarget("x", maps=Path("x")),)}, "--in-process is for one teacher"),
        ({"domains": 0.5, "targets": (HeadTarget("x", maps=Path("x")),)}, "not maps alone"),
        (
            {"targets": (HeadTarget("x", maps=Path("x")), HeadTarget("x", maps=Path("y")))},
            "two teachers are called 'x'",
        ),
        ({"recipe": read_recipe("box", ["hint.weight=1"])}, "add --in-process"),
        ({"in_process": True, "targets": (HeadTarget("bms", SMOOTHED),)}, "leave out the --pre options"),
        ({"max_seconds": 0.0}, "more than no time"),
    ],
)
def test_plans_that_do_not_fit(drawn, tmp_path, change, message):
    with pytest.raises(UsageError, match=message):
        make_plan(drawn, tmp_path, **change)


def test_a_teacher_without_features_cannot_run_in_the_process(drawn, tmp_path):
    with pytest.raises(UsageError, match="PyTorch network"):
        distill(make_plan(drawn, tmp_path / "run", in_process=True), Lines())


@pytest.mark.slow
def test_fastgaze_teaches_in_the_process_with_its_features(shared, drawn, tmp_path, unpacked):
    weights = shared / "weights" / "fastgaze" / "fastgaze_fp32.npz"
    target = HeadTarget("fastgaze", Teacher("fastgaze", {"weights": str(weights)}))
    plan = make_plan(drawn, tmp_path / "run", "epochs=1", "hint.weight=0.1", targets=(target,), in_process=True)
    done = distill(plan, Lines())
    assert done.training.epochs == 1
    with (tmp_path / "run" / "split.csv").open() as file:
        held = [line["name"] for line in csv.DictReader(file) if line["part"] != "training"]
    stored = {path.stem for path in (tmp_path / "run" / "maps" / "fastgaze").glob("*.png")}
    assert set(held) <= stored  # maps of the training photos are made beside the student, not stored
    assert {name.partition("@")[0] for name in stored} == set(held)


def test_a_slow_teacher_need_not_see_all_photos(drawn, tmp_path):
    few = frozenset({"p00", "p02", "p04"})
    targets = (HeadTarget("bms", Teacher("bms"), photos=few), HeadTarget("gaussian", Teacher("gaussian")))
    plan = make_plan(drawn, tmp_path / "run", "flips=false", targets=targets, domains=0.5, keep_plain=False)
    data = prepare_training_data(plan, split(plan.photos), RunFolder(plan.run), Lines())
    training, photos = data.views["training"], {photo_key(photo) for photo in data.split.training}
    assert {view.photo_key for view in training} == photos
    assert len(training) == len(photos)  # each either plain or changed
    assert any(view.domain for view in training)
    bms, gaussian = (target.good for target in data.targets)
    assert {view.photo_key for view in training if view.key in bms} == few & photos
    assert all(view.key in gaussian for view in training)
    assert {view.photo_key for view in data.views["validation"] if view.key in bms} <= few
    assert all(view.key in bms for view in data.views["test"])
    assert all(view.key in gaussian for part in ("validation", "test") for view in data.views[part])
    without = make_plan(drawn, tmp_path / "run", "flips=false", targets=(targets[1],)).identity()
    assert plan.identity()["teachers"]["gaussian"] == without["teachers"]["gaussian"]
    other = HeadTarget("bms", Teacher("bms"), photos=frozenset({"p00"}))
    assert other.identity() != targets[0].identity()
