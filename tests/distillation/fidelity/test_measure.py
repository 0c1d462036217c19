"""Fidelity of students: the table against figures worked out in another way."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from scipy import stats

from salbox.distillation.fidelity.measure import CONSTANT, PHOTOS, STUDENT, Pair, compare, mean_map, measure
from salbox.errors import UsageError

rng = np.random.default_rng(5)


def blob(seed, shape=(240, 320)):
    return cv2.GaussianBlur(np.random.default_rng(seed).random(shape), (0, 0), 6)


def scaled(values):
    return (values - values.min()) / (values.max() - values.min())


TEACHERS = [blob(k) for k in range(4)]
STUDENTS = [t + 0.02 * rng.standard_normal(t.shape) for t in TEACHERS]
MEAN = mean_map(TEACHERS)


def pairs(head="imsig", domain=None):
    return [Pair(f"p{k}", head, s, t, domain) for k, (s, t) in enumerate(zip(STUDENTS, TEACHERS, strict=True))]


def test_means_and_deviations_by_hand():
    found = measure(pairs(), {"imsig": MEAN})
    cc, kl, constant = [], [], []
    for s, t in zip(STUDENTS, TEACHERS, strict=True):
        p, q = (scaled(m) / scaled(m).sum() for m in (s, t))
        cc.append(stats.pearsonr(s.ravel(), t.ravel())[0])
        kl.append((q * np.log(2.2e-16 + q / (p + 2.2e-16))).sum())
        constant.append(stats.pearsonr(np.mean([scaled(m) for m in TEACHERS], axis=0).ravel(), t.ravel())[0])
    row = found.row("imsig")
    assert (row.pictures, row.maps, row.domain) == (4, STUDENT, PHOTOS)
    assert [row.cc, row.cc_std] == pytest.approx([np.mean(cc), np.std(cc)], abs=1e-9)
    assert [row.kl, row.kl_std] == pytest.approx([np.mean(kl), np.std(kl)], abs=1e-9)
    assert found.row("imsig", maps=CONSTANT).cc == pytest.approx(np.mean(constant), abs=1e-9)
    assert found.compared[2].cc == pytest.approx(cc[2], abs=1e-9)


def test_the_mean_of_maps_of_any_scale_and_size():
    large = [cv2.resize(t, (640, 480), interpolation=cv2.INTER_NEAREST) * 9 - 4 for t in TEACHERS]
    np.testing.assert_allclose(mean_map(iter(large)), MEAN, atol=1e-9)
    assert MEAN.shape == (240, 320)
    with pytest.raises(UsageError, match="no teacher map"):
        mean_map([])


def test_rows_by_head_and_domain_plain_photos_first():
    both = [*pairs("bms", "noisy"), *pairs("bms"), *pairs("aim")]
    found = measure(both, {"bms": MEAN, "aim": MEAN})
    names = [(row.head, row.domain, row.maps) for row in found.rows]
    assert names == [
        (head, domain, maps)
        for head, domain in (("bms", PHOTOS), ("bms", "noisy"), ("aim", PHOTOS))
        for maps in (STUDENT, CONSTANT)
    ]
    assert found.row("bms", "noisy").cc == found.row("aim").cc
    with pytest.raises(UsageError, match="did you mean 'noisy'"):
        found.row("bms", "nosy")
    with pytest.raises(UsageError, match="did you mean 'aim'"):
        found.row("aims")


def test_a_perfect_student_and_a_constant_one():
    flat = np.full((48, 64), 0.3)
    found = measure([Pair("a", "x", TEACHERS[0], TEACHERS[0]), Pair("b", "x", flat, TEACHERS[0])], {"x": flat})
    perfect, constant = found.compared
    assert (perfect.cc, perfect.kl, perfect.sim) == pytest.approx((1, 0, 1), abs=1e-9)
    assert (constant.cc, constant.kl) == (0, pytest.approx(perfect.constant_kl))


def test_pandas_json_markdown_and_the_cards_line_say_the_same():
    found = measure(pairs(), {"imsig": MEAN})
    row = found.row("imsig")
    table = found.to_pandas()
    assert table.query("maps == 'student'")["cc"].item() == row.cc
    assert len(found.to_pandas(per_image=True)) == 4
    plain = json.loads(json.dumps(found.to_dict(per_image=True)))
    assert plain["rows"][0]["kl"] == row.kl
    assert plain["per_image"][3]["key"] == "p3"
    assert "per_image" not in found.to_dict()
    assert f"| imsig | student | photos | 4 | {row.cc:.3f} ± {row.cc_std:.3f} |" in found.to_markdown()
    assert CONSTANT in found.to_markdown()
    assert found.summary("imsig").startswith(f"CC {row.cc:.3f} ± {row.cc_std:.3f}, KL")
    changed = measure(pairs(domain="noisy"), {"imsig": MEAN})
    assert "4 held-out photos, domain noisy" in changed.summary("imsig")


def test_pairs_are_taken_one_by_one():
    taken = []

    def watched():
        for pair in pairs():
            taken.append(pair.key)
            yield pair

    first = next(compare(watched(), {"imsig": MEAN}))
    assert (first.key, taken) == ("p0", ["p0"])


def test_nothing_to_compare():
    with pytest.raises(UsageError, match="no map of a student"):
        measure([], {})
    with pytest.raises(UsageError, match="no mean teacher map of head 'imsig'"):
        measure(pairs(), {"bms": MEAN})


def test_a_student_below_the_constant_is_named_and_no_other():
    worse = [Pair(f"p{k}", "upside-down", -t, t) for k, t in enumerate(TEACHERS)]
    found = measure([*pairs(), *worse], {"imsig": MEAN, "upside-down": MEAN})
    constant = found.row("upside-down", maps=CONSTANT).cc
    assert found.worse_than_constant() == (
        f"upside-down is worse than a constant: its CC with the teacher is -1.000, that of the {CONSTANT} "
        f"{constant:.3f}",
    )
