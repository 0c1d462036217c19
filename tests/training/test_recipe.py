"""Recipes: what ships, what is refused and how, and schedules made shorter."""

from __future__ import annotations

import pytest

pytest.importorskip("pydantic")
pytest.importorskip("yaml")

from salbox.errors import UsageError
from salbox.training.recipe import check_recipe, read_recipe, recipe_names


def test_the_published_settings():
    paper, code, resnet = (read_recipe(name) for name in ("kdsalbox-paper", "kdsalbox-code", "resnet18-kd"))
    assert (paper.optimizer.name, paper.optimizer.learning_rate, paper.freeze_encoder_epochs) == ("adam", 0.1, 3)
    assert paper.loss == code.loss == {"bce": 1}
    assert (code.optimizer.learning_rate, code.epochs, code.batch_size) == (0.01, 40, 4)
    assert (code.schedule.milestones, code.schedule.factor, code.freeze_encoder_epochs) == ([15, 30], 0.1, 0)
    assert (resnet.optimizer.learning_rate, resnet.epochs, resnet.temperature) == (1e-3, 10, 3)
    assert {"box", "gaze", "kdsalbox-code", "kdsalbox-paper", "resnet18-kd"} < {*recipe_names()}


def test_settings_and_options_override():
    changed = read_recipe("box", ["optimizer.learning-rate=0.5", "loss={kl: 2}", "epochs=3"], size=(64, 96))
    assert changed.optimizer.learning_rate == 0.5
    assert changed.optimizer.weight_decay == read_recipe("box").optimizer.weight_decay
    assert (changed.loss, changed.epochs, changed.size) == ({"kl": 2}, 3, (64, 96))


def test_what_was_run_can_be_run_again(tmp_path):
    recipe = read_recipe("kdsalbox-code", ["temperature=2"])
    path = tmp_path / "mine.yaml"
    path.write_text(recipe.to_yaml(), encoding="utf-8")
    assert read_recipe(str(path)) == recipe


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("bx", (), "did you mean 'box'"),
        ("nowhere.yaml", (), "no recipe"),
        ("box", ["epoch=3"], "no key 'epoch'; did you mean 'epochs'"),
        ("box", ["optimizer.learning_rat=3"], "did you mean 'learning_rate'"),
        ("box", ["epochs=many"], "epochs='many'"),
        ("box", ["epochs=0"], "greater than or equal to 1"),
        ("box", ["batch_size=0"], "batch_size=0"),
        ("box", ["accumulate=0"], "accumulate=0"),
        ("box", ["epoch_images=501"], "epoch_images=501: expected 1 to 500, or all"),
        ("box", ["epoch_images=every"], "epoch_images='every': expected 1 to 500, or all"),
        ("box", ["select=auc"], "'cc', 'nll', 'nss' or 'mae'"),
        ("box", ["optimizer.name=rmsprob"], "'rmsprop'"),
        ("box", ["optimizer.smoothing=1"], "optimizer.smoothing=1: input should be less than 1"),
        ("box", ["optimizer.prefixes={encoder.: {rat: 2}}"], "did you mean 'rate'"),
        ("box", ["optimizer.prefixes={encoder.: {rate: -2}}"], "greater than or equal to 0"),
        ("box", ["optimizer.prefixes={encoder.: 2}"], "optimizer.prefixes.encoder.=2"),
        ("box", ["schedule.flor=0.1"], "did you mean 'floor'"),
        ("box", ["schedule.floor=1"], "schedule.floor=1"),
        ("box", ["schedule.every=0"], "schedule.every=0"),
        (
            "box",
            ["schedule={name: warm-up-cosine, warm_up_epochs: 32}"],
            "warm_up_epochs=32: expected less than epochs",
        ),
        ("box", ["loss.ccc=1"], "no loss 'ccc'; did you mean 'cc'"),
        ("box", ["loss={cc: 0}"], "weight above 0"),
        ("box", ["loss.hint=1"], "loss 'hint' has a key of its own: hint.weight"),
        ("box", ["loss.cc=.nan"], "loss.cc"),
        ("box", ["epochs"], "KEY=VALUE"),
        ("box", ["epochs.more=1"], "'epochs' has no parts"),
        ("box", ["epochs={"], "not YAML"),
        ("box", ["schedule.name=cosine"], "'exponential', 'one-cycle' or 'warm-up-cosine'"),
    ],
)
def test_what_does_not_fit_is_one_line(name, settings, message):
    with pytest.raises(UsageError) as raised:
        read_recipe(name, settings)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", "!!python/object/apply:os.getcwd []", "\x00", "1: 2"])
def test_files_that_are_no_recipe_are_one_line(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_recipe(str(path))
    assert "\n" not in str(raised.value)


def test_compressing_scales_everything_alike():
    half = read_recipe("kdsalbox-code").compressed(0.5)
    assert (half.epochs, half.epoch_images, half.schedule.milestones) == (20, 500, [7.5, 15])
    tiny = read_recipe("kdsalbox-paper").compressed(0.01, pictures=200)
    assert (tiny.epochs, tiny.epoch_images) == (1, 80)
    assert tiny.freeze_encoder_epochs == pytest.approx(3 / 40)
    longer = read_recipe("kdsalbox-code").compressed(1.5, pictures=100)
    assert (longer.epochs, longer.epoch_images, longer.schedule.milestones) == (60, 100, [22.5, 45])


@pytest.mark.parametrize("share", [0.03, 0.4, 0.77, 1.3])
def test_compressing_keeps_the_share_of_pictures_seen(share):
    recipe = read_recipe("box")
    found = recipe.compressed(share, pictures=360)
    seen = found.epochs * found.epoch_images
    assert seen == pytest.approx(recipe.epochs * 360 * share, abs=found.epochs)


def test_epochs_of_all_pictures_compress_to_shorter_ones():
    recipe = read_recipe("kdsalbox-code", ["epoch_images=all"])
    assert recipe.images(1200) == 1200
    few = recipe.compressed(0.5, pictures=300)
    assert (few.epochs, few.epoch_images, few.schedule.milestones) == (20, 300, [7.5, 15])
    many = recipe.compressed(0.5, pictures=2000)  # 40,000 pictures in all
    assert (many.epochs, many.epoch_images, many.validate_every) == (80, 500, 4)
    assert many.schedule.milestones == [30, 60]
    assert read_recipe_again(many) == many


def read_recipe_again(recipe):
    return check_recipe(recipe.model_dump(mode="json"), "again")
