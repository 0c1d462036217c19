"""pysaliency both ways, with pysaliency itself."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from PIL import Image
from trees import photo, random_osie

import salbox
from salbox.datasets import Fixations, image_shape, open_dataset
from salbox.datasets.folder import open_folder
from salbox.errors import UsageError
from salbox.evaluation import MapSource, ModelSource, agreement, evaluate, map_folders
from salbox.evaluation.truth import Truths
from salbox.imaging.postprocess import PostProcess
from salbox.models.scanpath_model import DensityScanpathModel
from salbox.submissions import export_hdf5

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources, which warns
    pysaliency = pytest.importorskip("pysaliency")

from salbox.interop import (
    DensityModel,
    PysaliencySource,
    ScoreModel,
    dataset_from_pysaliency,
    model_from_pysaliency,
    pysaliency_dataset,
    pysaliency_fixations,
    pysaliency_model,
    pysaliency_scanpath_model,
    pysaliency_stimuli,
    scanpath_model_from_pysaliency,
)

# From the library's own code: functions that NumPy 2 and imageio 3 warn of.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*(trapz|in1d).*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Starting with ImageIO v3:DeprecationWarning"),
]


def file_stimuli(paths):
    """Return pysaliency's stimuli; without shapes it would leave the files open, which Python warns of."""
    shapes = [(*image_shape(path, is_turned=False), 3) for path in paths]
    return pysaliency.FileStimuli([str(path) for path in paths], shapes=shapes)


LOG_DENSITY = PostProcess(scale_output="log-density")


@pytest.fixture
def osie(tmp_path):
    return open_dataset(f"osie:{random_osie(tmp_path / 'OSIE')}")


class Brightness(pysaliency.SaliencyMapModel):
    """Bright is salient."""

    def _saliency_map(self, stimulus):
        return np.asarray(stimulus, float).reshape(*stimulus.shape[:2], -1).mean(axis=2)


class Halves(pysaliency.Model):
    """The right half is looked at three times as often as the left."""

    def _log_density(self, stimulus):
        height, width = stimulus.shape[:2]
        density = np.where(np.arange(width) < width // 2, 1.0, 3.0) * np.ones((height, 1))
        return np.log(density / density.sum())


class Bad(pysaliency.SaliencyMapModel):
    def __init__(self, values):
        super().__init__(caching=False)
        self.values = values

    def _saliency_map(self, stimulus):
        return self.values


def test_a_score_is_a_saliency_map_model(osie):
    stimuli = pysaliency_stimuli(osie)
    model = pysaliency_model("gaussian", sigma=0.25)
    assert isinstance(model, pysaliency.SaliencyMapModel)
    assert isinstance(model, ScoreModel)
    expected = salbox.load("gaussian", sigma=0.25)(osie.items[2].image)
    given = model.saliency_map(stimuli[2])
    assert given.dtype == np.float64
    np.testing.assert_array_equal(given, expected)
    np.testing.assert_array_equal(model.saliency_map(stimuli[2].stimulus_data), expected)


def test_a_log_density_is_a_model(osie):
    stimuli = pysaliency_stimuli(osie)
    model = pysaliency_model("bms", postprocess=LOG_DENSITY, caching=False)
    assert isinstance(model, pysaliency.Model)
    assert isinstance(model, DensityModel)
    given = model.log_density(stimuli[0])
    assert np.exp(given).sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(given, LOG_DENSITY(salbox.load("bms")(osie.items[0].image)))


def test_a_density_with_a_prior_added_is_one_there_too(osie):
    image = osie.pixels(0)
    density = model_from_pysaliency(Halves(), "halves")
    added = PostProcess(center_prior="proportional_add", scale_output="log-density")
    model = pysaliency_model(density, postprocess=added, caching=False)
    assert isinstance(model, DensityModel)
    found = np.exp(model.log_density(image))
    assert found.sum() == pytest.approx(1, abs=1e-5)
    share = np.exp(density(image)) > np.exp(density(image)).mean()  # one half is 1, the other 0, where it is scaled
    prior = PostProcess(center_prior="proportional_add", center_prior_scale_first=False)(share.astype(np.float32))
    np.testing.assert_allclose(found, prior / prior.sum(), rtol=1e-3)
    smoothed = pysaliency_model(density, postprocess=PostProcess(do_smoothing="proportional"), caching=False)
    assert isinstance(smoothed, ScoreModel)
    assert smoothed.saliency_map(image).min() >= 0


def test_maps_are_cached_as_pysaliency_does(osie):
    stimuli = pysaliency_stimuli(osie)
    kept = pysaliency_model("gaussian")
    assert kept.saliency_map(stimuli[0]) is kept.saliency_map(stimuli[0])
    again = pysaliency_model("gaussian", caching=False)
    assert again.saliency_map(stimuli[0]) is not again.saliency_map(stimuli[0])


def test_a_loaded_model_takes_no_parameters():
    model = salbox.load("gaussian", sigma=0.3)
    gray = np.zeros((20, 30), np.uint8)  # pysaliency's stimuli may be grey
    np.testing.assert_array_equal(pysaliency_model(model).saliency_map(gray), model(gray))
    with pytest.raises(UsageError, match="'gaussian' is loaded; leave out sigma"):
        pysaliency_model(model, sigma=0.2)
    with pytest.raises(UsageError, match="did you mean 'gbvs'"):
        pysaliency_model("gvbs")


def test_a_pysaliency_model_is_a_salbox_model(osie):
    image = osie.items[0].image
    bright = model_from_pysaliency(Brightness(), "bright")
    assert (bright.name, bright.card.output) == ("bright", "score")
    np.testing.assert_allclose(bright(image), osie.pixels(0).mean(axis=2), rtol=1e-6)
    halves = model_from_pysaliency(Halves(), "halves")
    saliency = halves.log_density(image)
    assert saliency[5, 70] - saliency[5, 10] == pytest.approx(np.log(3), abs=1e-6)
    with pytest.raises(UsageError, match="choose a rule"):
        bright.log_density(image)


def test_what_is_no_model_of_images_is_refused():
    with pytest.raises(UsageError, match="'x' is a object: expected pysaliency's"):
        model_from_pysaliency(object(), "x")
    with pytest.raises(UsageError, match="'x' is a object: expected pysaliency's"):
        PysaliencySource("x", object())


@pytest.mark.parametrize(
    ("values", "complaint"),
    [(np.zeros((3, 4)), r"gives a map of shape \(3, 4\)"), (np.full((10, 10), np.nan), "not finite")],
)
def test_bad_maps_are_refused(values, complaint):
    with pytest.raises(UsageError, match=complaint):
        model_from_pysaliency(Bad(values), "bad")(np.zeros((10, 10, 3), np.uint8))


def test_there_and_back_a_model_is_the_same(osie):
    there = pysaliency_model("gaussian", sigma=0.25)
    back = model_from_pysaliency(there, "back")
    image = osie.items[0].image
    np.testing.assert_array_equal(back(image), salbox.load("gaussian", sigma=0.25)(image))


def test_stimuli_are_the_images(osie):
    stimuli = pysaliency_stimuli(osie)
    assert isinstance(stimuli, pysaliency.FileStimuli)
    assert len(stimuli) == len(osie)
    assert list(stimuli.attributes["name"]) == [item.name for item in osie.items]
    assert stimuli.sizes[0] == (60, 80)
    assert stimuli.shapes[0] == (60, 80, 3)
    np.testing.assert_array_equal(stimuli[3].stimulus_data, osie.pixels(3))
    part = stimuli[1:3]
    assert list(part.attributes["name"]) == ["1013", "1023"]
    np.testing.assert_array_equal(part[1].stimulus_data, osie.pixels(2))


def folder_of(tmp_path, tables):
    """Write a folder dataset of 40x30 images with a table of fixations each."""
    (tmp_path / "fixations").mkdir()
    for number, (name, rows) in enumerate(tables.items()):
        photo(tmp_path / "images" / f"{name}.png", 40, 30, seed=number)
        text = "\n".join(",".join(map(str, row)) for row in rows)
        (tmp_path / "fixations" / f"{name}.csv").write_text(text)
    return open_folder(tmp_path, "all")


def test_fixations_without_order_have_no_history(tmp_path):
    data = folder_of(tmp_path, {"a": [(0.0, 0.0, 4), (39.9, 29.9, 7)], "b": [(5.5, 6.25, 4)]})
    found = pysaliency_fixations(data)
    assert not isinstance(found, pysaliency.FixationTrains)
    np.testing.assert_array_equal(found.x, [0.0, 39.9, 5.5])
    np.testing.assert_array_equal(found.y_int, [0, 29, 6])
    np.testing.assert_array_equal(found.n, [0, 0, 1])
    np.testing.assert_array_equal(found.subjects, [4, 7, 4])
    assert (found.lengths == 0).all()


class Ordered:
    """A dataset of two images in memory that knows scanpaths; what the bridge asks of one, no more."""

    items = fixations_read = ()

    def __init__(self, looked):
        self.looked = looked

    def __len__(self):
        return len(self.looked)

    def fixations(self, index):
        return self.looked[index]


def test_scanpaths_keep_order_subjects_and_durations():
    first = Fixations([1, 2, 3, 4, 5.5], [9, 8, 7, 6, 5], [3, 3, 3, 3, 8], [0, 1, 0, 2, 1], [100, 200, 300, 400, 500])
    second = Fixations([7], [7], [3], [0], [150])
    found = pysaliency_fixations(Ordered([first, second]))
    assert isinstance(found, pysaliency.FixationTrains)
    # Observer 3 looked twice at the first image; of the second look, and of observer 8's, a fixation is left out.
    np.testing.assert_array_equal(found.train_subjects, [3, 3, 8, 3])
    np.testing.assert_array_equal(found.train_ns, [0, 0, 0, 1])
    np.testing.assert_array_equal(found.train_xs, [[1, 2], [3, 4], [5.5, np.nan], [7, np.nan]])
    np.testing.assert_array_equal(found.train_ts, [[0, 1], [0, 2], [1, np.nan], [0, np.nan]])
    np.testing.assert_allclose(found.duration, [0.1, 0.2, 0.3, 0.4, 0.5, 0.15])
    np.testing.assert_array_equal(found.x_hist[:2, 0], [np.nan, 1])


def test_order_and_durations_come_back(tmp_path):
    files = [photo(tmp_path / f"{name}.png", 40, 30) for name in "ab"]
    trains = pysaliency.FixationTrains.from_fixation_trains(
        [[1.5, 2.5], [3.5]],
        [[4.0, 5.0], [6.0]],
        [[0, 1], [0]],
        [1, 0],
        [6, 9],
        scanpath_fixation_attributes={"durations": [[0.25, 0.5], [0.125]]},
        scanpath_attribute_mapping={"durations": "duration"},
    )
    data = dataset_from_pysaliency(file_stimuli(files), trains)
    assert [item.name for item in data.items] == ["a", "b"]
    first, second = data.fixations(0), data.fixations(1)
    np.testing.assert_array_equal(first.x, [3.5])
    np.testing.assert_array_equal(second.y, [4, 5])
    np.testing.assert_array_equal(second.subject, [6, 6])
    np.testing.assert_array_equal(second.order, [0, 1])
    np.testing.assert_array_equal(second.duration, [250, 500])
    there = pysaliency_fixations(data)
    np.testing.assert_array_equal(there.train_xs, [[3.5, np.nan], [1.5, 2.5]])
    np.testing.assert_allclose(there.duration, [0.125, 0.25, 0.5])


def test_a_dataset_there_and_back(osie):
    stimuli, fixations = pysaliency_dataset(osie)
    data = dataset_from_pysaliency(stimuli, fixations, name="back")
    assert [item.name for item in data.items] == [item.name for item in osie.items]
    for index in range(len(osie)):
        ours, back = osie.fixations(index), data.fixations(index)
        for name in ("x", "y", "subject"):
            np.testing.assert_array_equal(getattr(back, name), getattr(ours, name))
        np.testing.assert_array_equal(data.pixels(index), osie.pixels(index))


def test_stimuli_in_memory_are_written_as_png(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, shape, np.uint8) for shape in ((12, 16, 3), (9, 7))]
    stimuli = pysaliency.Stimuli(pictures)
    with pytest.raises(UsageError, match="in memory need a folder"):
        dataset_from_pysaliency(stimuli)
    data = dataset_from_pysaliency(stimuli, folder=tmp_path)
    assert [item.name for item in data.items] == ["00000", "00001"]
    assert data.gives == frozenset()
    np.testing.assert_array_equal(data.pixels(0), pictures[0])
    np.testing.assert_array_equal(data.pixels(1), np.stack([pictures[1]] * 3, axis=2))


def test_observers_that_are_no_numbers_are_numbered(tmp_path):
    files = [photo(tmp_path / "a.png", 40, 30)]
    fixations = pysaliency.Fixations.create_without_history([1, 2, 3], [1, 2, 3], [0, 0, 0], np.array(["z", "m", "z"]))
    data = dataset_from_pysaliency(file_stimuli(files), fixations)
    np.testing.assert_array_equal(data.fixations(0).subject, [1, 0, 1])
    assert data.fixations(0).order is None


def test_a_stated_orientation_is_not_followed_as_in_pysaliency(tmp_path):
    path = photo(tmp_path / "a.jpg", 40, 30)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(path).save(path, exif=exif)
    fixations = pysaliency.Fixations.create_without_history([39.0], [29.0], [0])
    data = dataset_from_pysaliency(file_stimuli([path]), fixations)
    assert data.shape(0) == (30, 40)
    assert len(data.fixations(0)) == 1
    assert pysaliency_stimuli(data)[0].stimulus_data.shape == (30, 40, 3)


def test_names_stay_apart(tmp_path):
    paths = [photo(tmp_path / folder / name, 8, 6) for folder, name in (("x", "1.png"), ("y", "1.png"), ("y", "1.jpg"))]
    data = dataset_from_pysaliency(file_stimuli(paths))
    assert [item.name for item in data.items] == ["x/1.png", "y/1.png", "y/1.jpg"]
    data = dataset_from_pysaliency(file_stimuli(paths[:2]))
    assert [item.name for item in data.items] == ["x/1", "y/1"]


def test_what_does_not_fit_is_refused(tmp_path, osie):
    path = photo(tmp_path / "a.png", 40, 30)
    beyond = pysaliency.Fixations.create_without_history([1.0], [1.0], [1])
    with pytest.raises(UsageError, match="fixations on stimulus 1, but there are 1 stimuli"):
        dataset_from_pysaliency(file_stimuli([path]), beyond)
    wrong = pysaliency.FileStimuli([str(path)], shapes=[(99, 40, 3)])
    fixations = pysaliency.Fixations.create_without_history([1.0], [1.0], [0])
    with pytest.raises(UsageError, match="40x30 pixels, but pysaliency says 40x99"):
        dataset_from_pysaliency(wrong, fixations).fixations(0)
    nothing = osie.subset([0], "x")
    nothing._fixations[0] = Fixations([], [])
    with pytest.raises(UsageError, match="no fixations"):
        pysaliency_fixations(nothing)


def test_both_write_the_same_hdf5(osie, tmp_path):
    h5py = pytest.importorskip("h5py")
    export_hdf5(osie, ModelSource("imsig"), tmp_path / "ours.h5")
    theirs = pysaliency_model("imsig"), pysaliency_stimuli(osie)
    pysaliency.export_model_to_hdf5(*theirs, str(tmp_path / "theirs.h5"))
    bridged = PysaliencySource("bridged", pysaliency_model("imsig"))
    export_hdf5(osie, bridged, tmp_path / "bridged.h5")
    with h5py.File(tmp_path / "theirs.h5") as expected:
        assert len(expected) == len(osie)
        for name in ("ours.h5", "bridged.h5"):
            with h5py.File(tmp_path / name) as given:
                assert sorted(given) == sorted(expected)
                for key in expected:
                    np.testing.assert_array_equal(given[key][()], expected[key][()])


def test_a_row_of_an_evaluation(osie, tmp_path):
    rows = [PysaliencySource("bright", Brightness()), PysaliencySource("halves", Halves()), ModelSource("bms")]
    table = evaluate(osie, rows, ["nss", "cc", "auc"], folder=tmp_path)
    as_salbox = model_from_pysaliency(Brightness(), "bright")
    values = [salbox.metrics.nss(as_salbox(item.image), osie.fixations(i)) for i, item in enumerate(osie.items)]
    np.testing.assert_allclose(table.rows["bright"]["nss"], values, atol=1e-6)
    assert "version=" in table.facts["bright"]
    matrix, number = agreement(osie, rows)
    assert number == len(osie)
    assert matrix[0, 0] == pytest.approx(1)


def test_figures_are_kept_only_under_a_version(osie, tmp_path):
    def bright(**version):
        return evaluate(osie, [PysaliencySource("m", Brightness(), **version)], ["nss"], folder=tmp_path)

    def halves(**version):
        return evaluate(osie, [PysaliencySource("m", Halves(), **version)], ["nss"], folder=tmp_path)

    assert bright().rows["m"]["nss"][0] != halves().rows["m"]["nss"][0]
    first = bright(version="1").rows["m"]["nss"]
    files = len(list(tmp_path.rglob("*.jsonl")))
    np.testing.assert_array_equal(bright(version="1").rows["m"]["nss"], first)
    assert len(list(tmp_path.rglob("*.jsonl"))) == files


def test_a_model_that_looks_maps_up_needs_its_stimuli(tmp_path):
    paths = []
    for name in "ab":
        gray = np.random.default_rng(ord(name)).integers(0, 256, (30, 40), np.uint8)
        paths.append(tmp_path / "images" / f"{name}.png")
        paths[-1].parent.mkdir(exist_ok=True)
        Image.fromarray(gray).save(paths[-1])
        (tmp_path / "maps").mkdir(exist_ok=True)
        Image.fromarray(255 - gray).save(tmp_path / "maps" / f"{name}.png")
    stimuli = file_stimuli(paths)
    fixations = pysaliency.Fixations.create_without_history([3.0, 30.0], [4.0, 20.0], [0, 1])
    data = dataset_from_pysaliency(stimuli, fixations)
    stored = pysaliency.SaliencyMapModelFromDirectory(stimuli, str(tmp_path / "maps"))
    table = evaluate(data, [PysaliencySource("stored", stored, stimuli)], ["nss"], folder=tmp_path / "kept")
    (folder,) = map_folders(tmp_path / "maps", data)
    own = evaluate(data, [MapSource(folder)], ["nss"], folder=tmp_path / "kept")
    np.testing.assert_allclose(table.rows["stored"]["nss"], own.rows["maps"]["nss"], atol=1e-12)
    with pytest.raises(UsageError, match=r"has no map of this image .* needs its own stimuli"):
        PysaliencySource("stored", stored).mapper()(Truths(data).of(0))
    other = dataset_from_pysaliency(file_stimuli([photo(tmp_path / "c.png", 8, 6)]))
    with pytest.raises(UsageError, match="no stimulus is called 'c'"):
        PysaliencySource("stored", stored, stimuli).mapper()(Truths(other).of(0))


def test_a_source_goes_to_other_processes_if_its_model_does():
    source = pickle.loads(pickle.dumps(PysaliencySource("bright", Brightness(), version="1")))
    assert (source.name, source.version, source.output) == ("bright", "1", "score")

    class Local(Brightness):
        pass

    with pytest.raises(UsageError, match=r"'local' cannot be sent to other processes .*: use workers=1"):
        pickle.dumps(PysaliencySource("local", Local()))


def test_scanpath_models_across(osie):
    """pysaliency's log-likelihoods of next fixations are those of the densities, and a model comes back as it went."""
    model = salbox.load("gaze")
    own = DensityScanpathModel(model)
    theirs = pysaliency_scanpath_model(model)
    assert isinstance(theirs, pysaliency.ScanpathModel)
    stimuli, fixations = pysaliency_dataset(osie)
    chosen = fixations[fixations.lengths > 1][:4]
    likelihoods = theirs.log_likelihoods(stimuli, chosen)
    for k in range(len(chosen)):
        history = [values[k][: chosen.lengths[k]] for values in (chosen.x_hist, chosen.y_hist)]
        density = own.conditional_log_density(osie.pixels(int(chosen.n[k])), *history)
        assert likelihoods[k] == pytest.approx(density[chosen.y_int[k], chosen.x_int[k]], abs=1e-5)
    back = scanpath_model_from_pysaliency(theirs, "back")
    np.testing.assert_allclose(
        back.conditional_log_density(osie.pixels(0), [3, 8], [4, 9]),
        own.conditional_log_density(osie.pixels(0), [3, 8], [4, 9]),
    )
    assert back.name == "back"
    with pytest.raises(UsageError, match="ScanpathModel"):
        scanpath_model_from_pysaliency(Brightness(), "b")
    with pytest.raises(UsageError, match="gives a score"):
        pysaliency_scanpath_model("gaussian")
