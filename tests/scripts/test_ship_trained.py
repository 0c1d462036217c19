"""The card of a trained network as it ships says what its run cannot know."""

from __future__ import annotations

from dataclasses import replace

import programs
import pytest

pytest.importorskip("onnx")

import salbox


@pytest.fixture(scope="module")
def script():
    return programs.script("ship_trained")


def test_what_went_on_from_another_run_says_all_that_it_learned_from(script):
    run = replace(
        salbox.card("scfnet"),
        name="scfnet.people",
        summary="The design 'scfnet' on lite0, which learned object masks from 9 pictures of DUTS and 7 pictures of "
        "taught. Its weights are the mean of 2 trainings'.",
        origin="trained on object masks: 9 pictures of DUTS and 7 pictures of taught",
        limits=("Trained by its user, not the published network: on lite0, trained further from run 'x'.", "Another."),
    )
    card = script.finished(run, "scfnet", 3_200_000, 3_700_000, "MAE .05")
    learned = "masks of 3,060 photos of DUTS-TR, and U2-Net-p's and ISNet's maps of 908 photos without masks"
    assert card.origin == f"trained by salbox on {learned}"
    assert card.summary == (
        f"The design 'scfnet' on lite0, which learned {learned}. Its weights are the mean of 2 trainings'."
    )
    assert "marked by U2-Net-p" in card.license.training_data
    assert "trained further" not in card.limits[0]
    assert card.limits[1:] == ("Another.",)
    other = script.finished(run, "other", 3_200_000, 3_700_000, "")
    assert other.summary == run.summary
    assert other.origin == "trained by salbox on masks of objects: 9 pictures of DUTS and 7 pictures of taught"
