"""Two explanations side by side, beside sums done another way."""

from __future__ import annotations

import numpy as np
import pytest
from planted_bases import Colors, write_explanation
from shapes_world import write_world

from salbox.errors import UsageError
from salbox.explain import compare, write_comparison
from salbox.explain.concept_sets import open_photos
from salbox.explain.dissection import read_parts

pytest.importorskip("safetensors")
pytest.importorskip("pyarrow")

SECOND = (1.0, 1.5, -1.0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, 24)
    photos = open_photos([f"masks:{folder / 'things'}"])
    few = open_photos([f"masks:{folder / 'things'}"], 12)
    write_explanation(folder / "first", photos, Colors())
    write_explanation(folder / "second", photos, Colors(SECOND))
    write_explanation(folder / "few", few, Colors())
    write_explanation(folder / "plain", photos, Colors(), weighted=False)
    return folder


def test_the_figures_are_contributions_over_their_root_mean_square(folders):
    found = compare(folders / "first", folders / "second", replicates=20)
    from salbox.explain import Explanation

    for name, column in (("first", "first"), ("second", "second")):
        own = Explanation(folders / name).contributions.set_index("concept")["contribution"][found.table["concept"]]
        np.testing.assert_allclose(found.table[column], own / np.sqrt((own**2).mean()), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.table["difference"], found.table["second"] - found.table["first"])
    assert found.names == ("first", "second")  # both models are called alike
    assert found.same_photos
    assert found.table["concept"].iloc[0].startswith("green")  # which took saliency away and now adds most
    assert found.table["concept"].iloc[-1].startswith("red")


def test_the_same_photos_are_drawn_for_both(folders):
    """A network beside itself: whatever is drawn, nothing differs; drawn apart it would."""
    found = compare(folders / "first", folders / "first", replicates=20)
    np.testing.assert_array_equal(found.table[["difference", "low", "high"]], 0)
    assert len(found.certain) == 0
    apart = compare(folders / "first", folders / "few", replicates=20)
    assert not apart.same_photos
    assert (apart.table["high"] > apart.table["low"]).all()


def test_the_interval_is_that_of_replicates_done_by_hand(folders):
    """Ten photos' worth of sums, photo by photo, instead of products of matrices."""
    replicates, photos = 7, 24
    found = compare(folders / "first", folders / "second", replicates=replicates, seed=3).table.set_index("concept")
    from salbox.explain import Explanation

    concepts = sorted(found.index)
    parts = {name: list(read_parts(Explanation(folders / name).parts)) for name in ("first", "second")}
    times = np.random.default_rng(3).multinomial(photos, np.full(photos, 1 / photos), size=replicates)
    differences = []
    for drawn in times:
        sides = []
        for name, weights in (("first", Colors().weights), ("second", Colors(SECOND).weights)):
            share = np.zeros(len(concepts))
            total, count = np.zeros((len(concepts), 3)), np.zeros(len(concepts))
            for part in parts[name]:
                for photo, concept, iou in zip(part.photo, part.concept, part.iou, strict=True):
                    total[concept] += drawn[photo] * iou.astype(float)
                    count[concept] += drawn[photo]
            mean = total / np.maximum(1, count)[:, None]
            for basis in range(3):
                best = sorted(range(len(concepts)), key=lambda c: -mean[c, basis])[:5]
                whole = sum(mean[c, basis] for c in best)
                for c in best:
                    share[c] += weights[basis] * mean[c, basis] / whole
            sides.append(share / np.sqrt((share**2).mean()))
        differences.append(sides[1] - sides[0])
    low, high = np.quantile(differences, (0.025, 0.975), axis=0)
    np.testing.assert_allclose(found.loc[concepts, "low"], low, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.loc[concepts, "high"], high, rtol=1e-3, atol=1e-4)


def test_without_weights_the_best_cover_is_compared(folders):
    from salbox.explain import Explanation

    found = compare(folders / "first", folders / "plain", replicates=0)
    assert not found.by_weight
    best = Explanation(folders / "plain").dissection.groupby("concept")["iou"].max()
    np.testing.assert_allclose(found.table["second"], best[found.table["concept"]], rtol=1e-5)
    np.testing.assert_array_equal(found.table["difference"], 0)


def test_the_page(folders, tmp_path):
    page = tmp_path / "changed.html"
    write_comparison(folders / "first", folders / "second", page, replicates=20)
    text = page.read_text(encoding="utf-8")
    assert "<h1>From first to second</h1>" in text
    assert "More in second" in text
    assert "the same ones drawn for both" in text
    assert str(folders) not in text


def test_what_cannot_be_compared_is_refused(folders, tmp_path):
    with pytest.raises(UsageError, match="holds no explanation"):
        compare(folders / "first", tmp_path)
