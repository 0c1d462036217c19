"""Training on fixations and masks: which pictures, what is learned, what is written, and that a run goes on exactly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from trees import nus_tree  # noqa: E402

import salbox  # noqa: E402
from salbox.datasets import open_dataset, open_density_maps  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.networks.scfnet.card import CARD as SCFNET  # noqa: E402
from salbox.networks.trainable.saved import read_weights  # noqa: E402
from salbox.supervised.estimate import estimate  # noqa: E402
from salbox.supervised.from_command_line import make_plan  # noqa: E402
from salbox.supervised.package import _published_card  # noqa: E402
from salbox.supervised.parts import parts_of  # noqa: E402
from salbox.supervised.plan import Plan, Source  # noqa: E402
from salbox.supervised.samples import samples  # noqa: E402
from salbox.supervised.train import in_epochs, train  # noqa: E402
from salbox.system.progress import Progress  # noqa: E402
from salbox.training.augmentation import Augmentation  # noqa: E402
from salbox.training.batches import draw_epoch, load  # noqa: E402
from salbox.training.cache import joined, prepare  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402

QUICK = ("epochs=3", "batch_size=4", "size=[32, 32]", "epoch_images=16", "optimizer.learning_rate=0.01")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")


class Lines(Progress):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def squares(root: Path, number: int = 24, kind: str = "fixations") -> Path:
    """Write photos with one bright square each, where two people look, or which is the object."""
    (root / "images").mkdir(parents=True)
    (root / kind).mkdir()
    random = np.random.default_rng(0)
    for i in range(number):
        image, mask = np.full((48, 64, 3), 60, np.uint8), np.zeros((48, 64), np.uint8)
        y, x = random.integers(6, 42), random.integers(6, 58)
        image[y - 5 : y + 5, x - 5 : x + 5] = 230
        mask[y - 5 : y + 5, x - 5 : x + 5] = 255
        Image.fromarray(image).save(root / "images" / f"{i:02}.png")
        if kind == "fixations":
            places = np.stack([x + random.normal(0, 2, 6), y + random.normal(0, 2, 6)]).T.clip(0, 47)
            lines = [f"{a:.2f},{b:.2f},{k % 2}" for k, (a, b) in enumerate(places)]
            (root / kind / f"{i:02}.csv").write_text("x,y,subject\n" + "\n".join(lines) + "\n")
        else:
            Image.fromarray(mask).save(root / kind / f"{i:02}.png")
    return root


def plan_of(run: Path, *folders: Path, recipe: str = "box", settings=QUICK, **more) -> Plan:
    texts = [f"{folder.name}=folder:{folder}" for folder in folders]
    return make_plan(recipe, run, datasets=texts, settings=settings, init="none", **more)


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    return squares(tmp_path_factory.mktemp("data") / "people")


def test_parts_follow_the_hash_of_names(people, tmp_path):
    (parts,) = parts_of(plan_of(tmp_path, people))
    names = [{item.name for item in part.items} for part in (parts.training, parts.validation, parts.test)]
    assert sum(map(len, names)) == 24
    assert len(set.union(*names)) == 24
    assert all(names)
    (whole,) = parts_of(plan_of(tmp_path, people, all_images=True))
    assert whole.test is None
    assert len(whole.training) + len(whole.validation) == 24


def test_a_split_that_is_named(people, tmp_path):
    chosen = {"00": "training", "01": "training", "02": "validation", "03": "test"}
    (parts,) = parts_of(plan_of(tmp_path, people, chosen=chosen))
    assert [[item.name for item in part.items] for part in (parts.training, parts.validation, parts.test)] == [
        ["00", "01"],
        ["02"],
        ["03"],
    ]


def test_a_tests_part_of_the_publishers_is_not_learned_from(tmp_path):
    entries = {f"{1000 + k}.jpg": [([40.0, 50.0], [30.0, 20.0])] * 2 for k in range(24)}
    root = nus_tree(tmp_path / "osie", entries, (80, 60))
    plan = make_plan("box", tmp_path / "run", datasets=[f"osie:{root}"])
    (parts,) = parts_of(plan)
    test = {item.name for item in parts.test.items}
    assert test == {item.name for item in open_dataset(f"osie:{root}", "test").items}
    assert not test & {item.name for part in (parts.training, parts.validation) for item in part.items}


def test_densities_and_counts_of_fixations(people):
    data = open_dataset(f"folder:{people}")
    made = samples(data, ("density", "fixations"))
    density, places = made[3].maps[0](), made[3].fixations()
    assert density.max() == 1
    assert density.shape == (48, 64)
    fixations = data.fixations(3)
    np.testing.assert_allclose(places * (64, 48), np.stack([fixations.x, fixations.y], axis=1))


def test_counts_move_with_flips_and_crops(people, tmp_path):
    """A fixation in a corner cell is in the mirrored one afterwards, and crops of maps are those of pictures."""
    data = open_dataset(f"folder:{people}")
    options = {"resize": lambda image: np.repeat(np.repeat(image, 4, 0), 4, 1), "heads": 1}
    pictures = prepare(
        samples(data, ("density", "fixations")), tmp_path / "p", map_size=lambda h, w: (h // 4, w // 4), **options
    )
    (group,) = pictures.groups
    drawn = draw_epoch(pictures, 0, images=24, batch_size=8, seed=1, augmentation=Augmentation(crop=0.5))
    flipped = 0
    for each in drawn:
        batch = load(pictures, each)
        assert batch.images.shape[-2:] == (96, 128)
        assert batch.maps.shape[-2:] == batch.fixations.shape[-2:] == (24, 32)
        for k, (row, flip, (top, left)) in enumerate(zip(each.rows, each.flips, each.corners, strict=True)):
            counts = np.asarray(group.counts[row])[top // 4 : top // 4 + 24, left // 4 : left // 4 + 32]
            counts = counts[:, ::-1] if "h" in flip else counts
            np.testing.assert_array_equal(batch.fixations[k, 0].numpy(), counts)
            picture = np.asarray(group.images[row])[top : top + 96, left : left + 128]
            picture = picture[:, ::-1] if "h" in flip else picture
            np.testing.assert_array_equal(batch.images[k].permute(1, 2, 0).numpy(), picture)
            flipped += "h" in flip
    assert 0 < flipped < 24


def test_weights_say_how_often_a_data_set_is_drawn(people, tmp_path):
    data = open_dataset(f"folder:{people}")
    options = {"resize": lambda image: image[:32, :32], "map_size": lambda h, w: (h, w), "heads": 1}
    few = prepare(samples(data.subset(range(6), "few"), ("density",)), tmp_path / "few", **options)
    many = prepare(samples(data.subset(range(6, 24), "many"), ("density",)), tmp_path / "many", **options)
    both = joined([(few, "few", 2.0), (many, "many", 2 / 3)])
    drawn = [each for epoch in range(50) for each in draw_epoch(both, epoch, images=24, batch_size=6, seed=3)]
    count = sum(len(each.rows) for each in drawn if both.groups[each.group].domain == "few")
    assert count == pytest.approx(0.5 * sum(len(each.rows) for each in drawn), rel=0.05)
    alike = joined([(few, "few", 1.0), (many, "many", 1.0)])
    assert alike.weights is None


def test_a_run_from_folder_to_command(people, tmp_path):
    """It learns where the squares are, beats the centre bias, and its folder works as a model."""
    lines = Lines()
    more = ("epochs=8", "epoch_images=24")
    done = train(plan_of(tmp_path / "run", people, settings=(*QUICK, *more)), lines)
    run = tmp_path / "run"
    for name in ("student.onnx", "student.safetensors", "card.json", "recipe.yaml", "split.csv", "log.csv"):
        assert (run / name).is_file(), name
    with Image.open(run / "examples.png") as examples:
        assert examples.size[0] > 800
    figures = json.loads((run / "evaluation.json").read_text())["people"]
    found = {r["model"]: r["value"] for r in figures["results"] if r["metric"] == "nss"}
    assert not any("work" in str(fact) for fact in figures["facts"].values())  # which is gone by now
    assert found["run"] > 1
    (measured,) = done.measured
    assert measured.part == "test"
    card = salbox.card(str(run))
    assert "NSS" in card.agreement
    assert "people" in card.origin
    saliency = salbox.load(str(run))(Image.open(people / "images" / "00.png"))
    assert saliency.shape == (48, 64)
    again = train(plan_of(run, people, settings=(*QUICK, *more)), lines)
    assert again.training is None
    assert lines.lines[-1].endswith("is finished already")
    with pytest.raises(UsageError, match="holds another run"):
        train(plan_of(run, people), lines)


def test_likelihood_of_fixations_and_a_prior_of_its_own(people, tmp_path):
    plan = plan_of(
        tmp_path / "run",
        people,
        recipe="dgii",
        settings=(*QUICK, "epochs=2", "freeze_encoder_epochs=2", "size=[64, 64]"),
    )
    train(plan, Lines())
    network = read_weights(tmp_path / "run" / "student.safetensors")
    assert network.output == "log_density"
    assert network.needs_prior
    assert network.bias.shape == (1, 1, 32, 32)
    density = np.exp(salbox.load(str(tmp_path / "run")).log_density(Image.open(people / "images" / "00.png")))
    assert density.sum() == pytest.approx(1, abs=1e-4)


def test_data_sets_kept_apart(people, tmp_path):
    """UniSal has norms of its own for each data set; the network that is written sees photos as the larger one's."""
    other = squares(tmp_path / "more squares", 12)
    plan = plan_of(tmp_path / "run", people, other, recipe="unisal", settings=(*QUICK, "epochs=1", "size=[64, 64]"))
    train(plan, Lines())
    network = read_weights(tmp_path / "run" / "student.safetensors")
    assert network.domains == ("people", "more_squares")
    assert network.domain == "people"
    norms = [
        network.get_parameter(f"decoder.skip_2x.{n}")
        for n, _ in network.decoder.skip_2x.named_parameters()
        if "bn_" in n
    ]
    assert len(norms) >= 4
    image = torch.rand(1, 3, 64, 64) * 255
    network.eval()
    first = network(image)
    network.choose_domain("more_squares")
    assert not torch.allclose(first, network(image))
    with pytest.raises(UsageError, match="no domain"):
        network.choose_domain("people2")


def test_masks_are_learned_as_probabilities(tmp_path):
    folder = squares(tmp_path / "objects", 16, "masks")
    plan = plan_of(tmp_path / "run", folder, settings=(*QUICK, "loss={bce: 1}", "select=mae"))
    assert plan.given == ("mask",)
    done = train(plan, Lines())
    assert salbox.card(str(tmp_path / "run")).output == "probability"
    assert {m.name for m in done.measured[0].table.metrics} >= {"mae"}


def test_a_card_names_the_published_design_where_another_network_ships_under_its_name():
    assert _published_card("scfnet") == SCFNET
    assert _published_card("scfnet") != salbox.card("scfnet")
    assert _published_card("unisal") == salbox.card("unisal")


def test_photos_with_maps_of_equal_names(people, tmp_path):
    data = open_dataset(f"folder:{people}")
    maps = tmp_path / "maps"
    maps.mkdir()
    for index, item in enumerate(data.items[:12]):
        density = samples(data, ("density",))[index].maps[0]()
        Image.fromarray(np.rint(density * 255).astype(np.uint8)).save(maps / f"{item.name}.png")
    opened = open_density_maps(people / "images", maps)
    assert len(opened) == 12
    assert "12 images without a map" in opened.notes[0]
    plan = make_plan("box", tmp_path / "run", images=people / "images", maps=maps, settings=QUICK, init="none")
    assert plan.given == ("density",)
    train(plan, Lines())
    assert (tmp_path / "run" / "student.onnx").is_file()


@pytest.mark.parametrize("at", [3, 7])
def test_a_run_that_was_interrupted_goes_on_exactly(people, tmp_path, monkeypatch, at):
    settings = (*QUICK, "epochs=2")
    train(plan_of(tmp_path / "whole", people, settings=settings), Lines())
    from salbox.training import trainer

    steps, learn = [], trainer.learn

    def interrupted(*arguments, **keywords):
        steps.append(None)
        if len(steps) == at:
            raise KeyboardInterrupt
        return learn(*arguments, **keywords)

    monkeypatch.setattr(trainer, "learn", interrupted)
    monkeypatch.setattr(trainer, "CHECKPOINT_EVERY", 0.0)
    with pytest.raises(KeyboardInterrupt):
        train(plan_of(tmp_path / "stopped", people, settings=settings), Lines())
    monkeypatch.setattr(trainer, "learn", learn)
    train(plan_of(tmp_path / "stopped", people, settings=settings), Lines())
    whole, stopped = (read_weights(tmp_path / name / "student.safetensors") for name in ("whole", "stopped"))
    for (name, a), b in zip(whole.state_dict().items(), stopped.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_patience_ends_a_training(people, tmp_path):
    plan = plan_of(
        tmp_path / "run", people, settings=(*QUICK, "epochs=40", "patience=1", "optimizer.learning_rate=1e-9")
    )
    done = train(plan, Lines())
    assert done.training.epochs < 10
    assert done.training.stopped


def test_trained_further_from_a_run(people, tmp_path):
    train(plan_of(tmp_path / "run", people, settings=(*QUICK, "epochs=1")), Lines())
    plan = make_plan(
        "box", tmp_path / "on", datasets=[f"folder:{people}"], settings=(*QUICK, "epochs=1"), init=str(tmp_path / "run")
    )
    train(plan, Lines())
    assert "trained further from run" in " ".join(salbox.card(str(tmp_path / "on")).limits)


def test_trained_further_at_another_size(people, tmp_path):
    train(plan_of(tmp_path / "run", people, settings=(*QUICK, "epochs=1")), Lines())
    settings = (*QUICK, "epochs=1", "optimizer.learning_rate=1e-9", "size=[64, 96]")
    given = {"datasets": [f"folder:{people}"], "init": str(tmp_path / "run"), "settings": settings}
    train(make_plan("box", tmp_path / "on", **given), Lines())
    size = salbox.load(str(tmp_path / "on")).network.metadata.preprocessing
    assert (size.height, size.width) == (64, 96)
    before, after = (read_weights(tmp_path / name / "student.safetensors").state_dict() for name in ("run", "on"))
    for name, tensor in before.items():
        if name.endswith("weight"):
            torch.testing.assert_close(after[name], tensor, atol=1e-5, rtol=0)


def test_a_run_made_otherwise_is_not_trained_further_in_silence(people, tmp_path):
    train(plan_of(tmp_path / "run", people, settings=(*QUICK, "epochs=1")), Lines())
    given = {"datasets": [f"folder:{people}"], "init": str(tmp_path / "run"), "settings": (*QUICK, "epochs=1")}
    with pytest.raises(UsageError, match="was trained with encoder=mobilenetv2"):
        train(make_plan("box", tmp_path / "other encoder", **given, encoder="resnet18"), Lines())
    with pytest.raises(UsageError, match="is a 'box', and the recipe's student a 'msinet'"):
        train(make_plan("msinet", tmp_path / "other network", **given), Lines())


def test_a_network_that_keeps_data_sets_apart_has_to_know_them(people, tmp_path):
    settings = (*QUICK, "size=[64, 64]", "network.domains=[here, there]")
    with pytest.raises(UsageError, match=r"no domain 'people'.*--dataset LABEL="):
        train(plan_of(tmp_path / "run", people, recipe="unisal", settings=settings), Lines())


def test_what_an_estimate_says(people, tmp_path):
    lines = estimate(plan_of(tmp_path / "run", people)).lines()
    assert lines[0].startswith("training: ")
    assert lines[-1].startswith("together about")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"datasets": ()}, "nothing to learn from"),
        ({"datasets": ("folder:{0}", "folder:{0}")}, "two data sets are called 'folder'"),
        ({"weights": ("nobody=2",)}, "no data set is called so"),
        ({"weights": ("folder=much",)}, "expected LABEL=NUMBER"),
        ({"weights": ("folder=-1",)}, "expected a positive number"),
        ({"images": Path("photos")}, "go together"),
        ({"settings": ("loss={nss: 1}", "hint.weight=1")}, "hints are a teacher's"),
    ],
)
def test_what_does_not_fit_is_refused(people, tmp_path, arguments, message):
    given = {"datasets": ("folder:{0}",), **arguments}
    given["datasets"] = [text.format(people) for text in given["datasets"]]
    with pytest.raises(UsageError, match=message):
        make_plan("box", tmp_path / "run", **given)


def test_losses_that_the_data_cannot_give(tmp_path):
    data = open_dataset(f"folder:{squares(tmp_path / 'masks', 8, 'masks')}")
    plan = Plan((Source("m", data),), tmp_path / "run", read_recipe("box", (*QUICK, "loss={nss: 1}")))
    with pytest.raises(UsageError, match="needs fixations"):
        train(plan, Lines())


def test_steps_become_epochs():
    recipe = read_recipe("opensalicon")
    assert recipe.schedule.every_steps == 4000
    assert in_epochs(recipe, 500).schedule.every == 8
    assert in_epochs(read_recipe("unisal"), 500).schedule.every == 1
