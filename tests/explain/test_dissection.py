"""Which named region a basis covers, beside sums taken one by one."""

from __future__ import annotations

import numpy as np
import pytest
from shapes_world import COLORS, write_world

from salbox.explain import dissection, ious
from salbox.explain.concept_sets import open_photos
from salbox.explain.contributions import by_category, contributions, shared_out
from salbox.explain.dissection import NAMED, best_concepts, best_photos, chance_ious, dissect, mean_ious, read_parts
from salbox.explain.files import read_arrays, write_arrays
from salbox.explain.thresholds import thresholds
from salbox.explain.vocabulary import build_vocabulary

pytest.importorskip("safetensors")

PICTURES = 24
NOISE = 3  # the basis that stands for nothing


class Planted:
    """Bases of which is known what they stand for: the pixels of one colour each, and noise."""

    count = 4

    def look(self, image):
        found = [np.linalg.norm(image - np.array(color, float), axis=2) for color in COLORS.values()]
        noise = np.random.default_rng(int(image.sum())).random(image.shape[:2])
        return np.stack([*(np.exp(-distance / 60) for distance in found), noise]).astype(np.float32)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, PICTURES)
    return open_photos([f"masks:{folder / 'things'}"])


@pytest.fixture(scope="module")
def vocabulary(world):
    return build_vocabulary((world.concepts(i) for i in range(len(world))), 2)


@pytest.fixture(scope="module")
def limits(world):
    pixels = [world.pixels(i) for i in range(len(world))]
    return thresholds(Planted(), pixels, len(pixels), kept=0.05)


@pytest.fixture(scope="module")
def parts(world, vocabulary, limits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dissection, "PART", 10)
        return dissect(Planted(), world, vocabulary, limits["threshold"].to_numpy(), folder)


def test_intersections_over_unions_one_by_one():
    rng = np.random.default_rng(0)
    regions, active = rng.random((5, 40)) < 0.3, rng.random((7, 40)) < 0.2
    regions[4] = active[6] = False
    expected = [[(r & a).sum() / max(1, (r | a).sum()) for a in active] for r in regions]
    np.testing.assert_allclose(ious(regions, active), expected, rtol=1e-6)


def test_thresholds_keep_the_share_that_was_asked_for(world, limits):
    seen = np.concatenate([Planted().look(world.pixels(i)).reshape(4, -1) for i in range(len(world))], axis=1)
    assert limits["is_exact"].all()
    quantile = np.quantile(seen, 0.95, axis=1).astype(np.float32)
    np.testing.assert_allclose(limits["threshold"], quantile, rtol=1e-7)
    np.testing.assert_array_equal(limits["threshold"][2:], quantile[2:])
    kept = (seen > limits["threshold"].to_numpy()[:, None]).mean(axis=1)
    np.testing.assert_allclose(kept[2:], 0.05, atol=1e-3)
    np.testing.assert_array_equal(kept[:2], (seen[:2] == 1).mean(axis=1))  # more than a twentieth are at the top
    assert (kept[:2] > 0.05).all()


def test_a_basis_that_is_the_same_everywhere_is_active_nowhere():
    class Flat:
        count = 2

        def look(self, image):
            return np.stack([np.zeros((4, 4)), np.eye(4)]).astype(np.float32)

    found = thresholds(Flat(), [None, None], 2)["threshold"].to_numpy()
    active = Flat().look(None) > found[:, None, None]
    assert active.sum(axis=(1, 2)).tolist() == [0, 4]


def test_a_planted_basis_comes_back_under_its_name(parts, vocabulary):
    best = mean_ious(parts, vocabulary, 4).groupby("basis").head(1).set_index("basis")
    assert [best.loc[i, "concept"].split()[0] for i in range(3)] == list(COLORS)
    assert best.loc[0, "concept"] == "red circle"  # which is on every photo
    assert best.loc[:2, "iou"].min() > 0.5
    assert best.loc[NOISE, "iou"] < 0.1


def test_means_counts_and_intervals_are_those_of_the_photos(parts, vocabulary):
    rows = [
        (p, c, iou) for part in read_parts(parts) for p, c, iou in zip(part.photo, part.concept, part.iou, strict=True)
    ]
    assert len({(p, c) for p, c, _ in rows}) == len(rows)
    table = mean_ious(parts, vocabulary, 4)
    for concept in ("red circle", vocabulary.concepts[0]):
        own = np.array([iou[2] for _, c, iou in rows if vocabulary.concepts[c] == concept], float)
        (row,) = table[(table["basis"] == 2) & (table["concept"] == concept)].itertuples()
        assert (row.photos, row.iou) == (len(own), pytest.approx(own.mean()))
        error = 1.96 * own.std(ddof=1) / np.sqrt(len(own))
        assert (row.low, row.high) == (pytest.approx(max(0, own.mean() - error)), pytest.approx(own.mean() + error))


def test_chance_is_what_places_picked_at_random_reach(parts, world, vocabulary):
    found = chance_ious(parts, len(vocabulary), 0.2)
    rng = np.random.default_rng(0)
    for concept in ("red circle", vocabulary.concepts[0]):
        drawn = []
        for i in range(len(world)):
            region = world.concepts(i).masks().get(concept)
            if region is not None:
                active = rng.random((50, region.size)) < 0.2
                drawn.append(ious(region.reshape(1, -1), active).mean())
        assert found[vocabulary.concepts.index(concept)] == pytest.approx(np.mean(drawn), rel=0.05)


def test_a_basis_has_a_name_where_it_covers_more_than_chance(parts, vocabulary, tmp_path):
    table = mean_ious(parts, vocabulary, 4)
    best = best_concepts(table, parts, vocabulary, kept=0.05)
    assert best["basis"].tolist() == [0, 1, 2, 3]
    assert best["iou"].tolist() == table.groupby("basis")["iou"].max().tolist()
    assert best["is_named"].tolist() == [True, True, True, False]
    unsteady = best_concepts(table.assign(low=0.0), parts, vocabulary, kept=0.05)
    assert (unsteady["chance"] > 0).all()
    assert not unsteady["is_named"].any()
    old = []  # of files that do not say how much of a photo concepts cover the IoU alone decides
    for path in parts:
        old.append(tmp_path / path.name)
        arrays = read_arrays(path)
        write_arrays({name: arrays[name] for name in arrays if name != "share"}, old[-1])
    unsure = best_concepts(table, old, vocabulary, kept=0.05)
    assert unsure["chance"].isna().all()
    assert unsure["is_named"].tolist() == (best["iou"] > NAMED).tolist()


def test_parts_that_are_there_are_not_made_again(world, vocabulary, limits, parts):
    class Blind(Planted):
        def look(self, image):
            raise AssertionError("it is there")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dissection, "PART", 10)
        again = dissect(Blind(), world, vocabulary, limits["threshold"].to_numpy(), parts[0].parent)
    assert again == parts
    assert len(parts) == 3


def test_the_photos_on_which_a_basis_is_most_active(parts, world):
    peaks = [float(Planted().look(world.pixels(i))[NOISE].max()) for i in range(len(world))]
    found = best_photos(parts, NOISE, 3)
    assert [i for i, _ in found] == np.argsort(-np.array(peaks))[:3].tolist()
    assert found[0][1] == pytest.approx(max(peaks))


def test_a_basis_is_shared_out_among_its_best_concepts():
    """By hand: of the first basis the two best of three have shares of 3/5 and 2/5; the second stands for nothing."""
    mean_iou = np.array([[0.3, 0.0], [0.2, 0.0], [0.1, 0.0]])
    np.testing.assert_allclose(shared_out(mean_iou, np.array([-5.0, 7.0]), top=2), [-3, -2, 0])
    np.testing.assert_allclose(shared_out(mean_iou, np.array([6.0, 7.0]), top=5), [3, 2, 1])


def test_contributions_rank_what_the_weights_say(parts, vocabulary):
    weights = np.array([2.0, -1.0, -0.5, 0.0], np.float32)
    table = contributions(parts, vocabulary, weights, top=1, replicates=50)
    first, last = table.iloc[0], table.iloc[-1]
    assert (first["concept"], first["scaled"], first["photos"]) == ("red circle", 1, PICTURES)
    assert last["concept"].startswith("green")
    assert last["scaled"] == -1
    assert table["contribution"].sum() == pytest.approx(0.5)
    assert (table["low"] <= table["high"]).all()
    assert first["low"] == first["high"] == 1  # whichever photos are drawn, it is the best of its basis
    again = contributions(parts, vocabulary, weights, top=1, replicates=50)
    assert again.equals(table)


def test_categories_add_up(parts, vocabulary):
    table = contributions(parts, vocabulary, np.array([2.0, -1.0, -0.5, 0.0], np.float32), replicates=0)
    found = by_category(table, {name: name.split()[0] for name in vocabulary.concepts if not name.startswith("blue")})
    assert set(found["category"]) == {"red", "green", "other"}
    assert found["contribution"].sum() == pytest.approx(table["contribution"].sum())
    own = table[table["concept"].str.startswith("red")]["contribution"].sum()
    assert found.set_index("category").loc["red", "contribution"] == pytest.approx(own)
    assert found["concepts"].sum() == len(table)
