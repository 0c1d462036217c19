"""Recipes: what ships, what is refused and how, and schedules made shorter."""

from __future__ import annotations

import pytest

pytest.importorskip("pydantic")
pytest.importorskip("yaml")

from salbox.errors import UsageError
from salbox.training.recipe import read_recipe, recipe_names
from salbox.training.schedule import rate


def test_the_published_settings():
    paper, code, resnet = (read_recipe(name) for name in ("kdsalbox-paper", "kdsalbox-code", "resnet18-kd"))
    assert (paper.optimizer.name, paper.optimizer.learning_rate, paper.freeze_encoder_epochs) == ("adam", 0.1, 3)
    assert paper.loss == code.loss == {"bce": 1}
    assert (code.optimizer.learning_rate, code.epochs, code.batch_size) == (0.01, 40, 4)
    assert (code.schedule.milestones, code.schedule.factor, code.freeze_encoder_epochs) == ([15, 30], 0.1, 0)
    assert (resnet.optimizer.learning_rate, resnet.epochs, resnet.temperature) == (1e-3, 10, 3)
    assert recipe_names() == ["box", "gaze", "kdsalbox-code", "kdsalbox-paper", "resnet18-kd"]


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
        ("box", ["batch_size=1"], "batch_size=1"),
        ("box", ["epoch_images=501"], "500"),
        ("box", ["loss.ccc=1"], "no loss 'ccc'; did you mean 'cc'"),
        ("box", ["loss={cc: 0}"], "weight above 0"),
        ("box", ["loss.cc=.nan"], "loss.cc"),
        ("box", ["epochs"], "KEY=VALUE"),
        ("box", ["epochs.more=1"], "'epochs' has no parts"),
        ("box", ["epochs={"], "not YAML"),
        ("box", ["schedule.name=cosine"], "'constant', 'step' or 'one-cycle'"),
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


def test_a_step_schedule_falls_at_its_milestones():
    recipe = read_recipe("kdsalbox-code")
    assert [rate(recipe, e) for e in (0, 14.9, 15, 29, 30, 39)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_one_cycle_is_pytorchs():
    torch = pytest.importorskip("torch")
    recipe = read_recipe("box", ["epochs=2", "schedule.warm_up=0.25"])
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=1001, pct_start=0.25)
    for step in range(1001):
        # PyTorch warms up a step shorter, hence the tolerance.
        assert rate(recipe, 2 * step / 1000) == pytest.approx(optimizer.param_groups[0]["lr"], abs=0.005)
        optimizer.step()
        if step < 1000:
            cycle.step()
    assert rate(recipe, 0.5) == 1
    assert rate(recipe, 2.0) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_a_constant_schedule_stays():
    assert rate(read_recipe("kdsalbox-paper"), 17.3) == 1
