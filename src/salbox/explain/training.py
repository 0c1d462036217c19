"""The two trainings: bases and network together, then the layer that reads maps off the bases' probabilities."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ..datasets import Dataset
from ..errors import UsageError
from ..imaging.writing import atomic
from ..models.exported import STUDENT_FILE, WEIGHTS_FILE
from ..networks.factorized.design import Factorized, factorize, second_phase
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.saved import read_weights, save_weights
from ..supervised.from_command_line import make_plan
from ..supervised.parts import parts_of
from ..supervised.plan import Plan
from ..supervised.train import train
from ..system.progress import Progress
from ..training.clock import Clock
from ..training.run_folder import RunFolder

RECIPES = {"factorize": "factorized", "reformulate": "reformulated"}
SIZE = (240, 320)  # at which a network looks at photos that has no size of its own
START = "start"  # the folder, within a phase's, of the network that it starts from
RUN = "run"


@dataclass(frozen=True)
class Phases:
    """What both trainings have in common.

    Attributes
    ----------
    folder : Path
        Of the explanation.
    datasets : tuple of str
        "[LABEL=]NAME:PATH".
    settings : tuple of str
        "key=value" of the recipe.
    seed : int
    max_seconds : float, optional
        Of each training, whose schedule is made so long.
    clock : {"wall", "processor"}
        What they are measured by.
    device : str
    """

    folder: Path
    datasets: tuple[str, ...]
    settings: tuple[str, ...] = ()
    seed: int = 0
    max_seconds: float | None = None
    clock: Clock = "wall"
    device: str = "cpu"

    def plan(self, phase: str, network: Factorized | None = None) -> Plan:
        """Return the plan of a phase, "factorize" or "reformulate"; without the network only its data count."""
        if not self.datasets:
            raise UsageError("nothing to learn from: give --dataset NAME:PATH, or --no-train")
        folder = self.folder / phase
        size = None if network is None else network.settings.get("size")
        return make_plan(
            RECIPES[phase],
            folder / RUN,
            datasets=self.datasets,
            settings=self.settings,
            size=None if size is None else (int(size[0]), int(size[1])),
            init="none" if network is None else str(folder / START),
            head="people" if network is None else network.heads[0],
            seed=self.seed,
            max_seconds=self.max_seconds,
            compress=self.max_seconds is not None,
            clock=self.clock,
            device=self.device,
        )

    def factorize(
        self, network: TrainableNetwork, bases: int, progress: Progress, exported: Path | None = None
    ) -> Factorized:
        """Return the network of the first phase, trained; a run that was stopped goes on, a finished one is read.

        Parameters
        ----------
        network : TrainableNetwork
            With one head.
        bases : int
        progress : Progress
        exported : Path, optional
            The file that the network came from, which knows the photos that it learned from.

        Raises
        ------
        UsageError
            If the network has several heads, or does not say how its maps are read off features.
        """
        if len(network.heads) != 1:
            heads = ", ".join(network.heads)
            raise UsageError(f"network '{network.name}' has the heads {heads}; name one, as RUN#{network.heads[0]}")
        size = tuple(network.settings.get("size") or SIZE)
        return self._trained("factorize", factorize(network, bases, size=size, seed=self.seed), exported, progress)

    def reformulate(self, first: Factorized, progress: Progress) -> Factorized:
        """Return the network of the second phase, trained, given that of the first."""
        exported = RunFolder(self.folder / "factorize" / RUN).student
        return self._trained("reformulate", second_phase(first, self.seed), exported, progress)

    def finished(self, phase: str) -> Factorized | None:
        """Return the network of a phase that is finished, None of others."""
        run = RunFolder(self.folder / phase / RUN)
        if not run.finished:
            return None
        found = read_weights(run.weights)
        assert isinstance(found, Factorized)  # noqa: S101  # the folder is this phase's
        return found

    def _trained(self, phase: str, start: Factorized, exported: Path | None, progress: Progress) -> Factorized:
        found = self.finished(phase)
        if found is None:
            plan = self.plan(phase, start)
            path = self.folder / phase / START / WEIGHTS_FILE
            if not path.exists():
                if exported is not None and exported.is_file():
                    with atomic(path.with_name(STUDENT_FILE)) as temporary:
                        shutil.copyfile(exported, temporary)
                save_weights(start, path)
            progress.say(f"{phase}: {start.arguments['network']} with {start.arguments['bases']} bases")
            train(plan, progress)
            found = self.finished(phase)
        assert found is not None  # noqa: S101  # it has just been trained
        return found


def validation_photos(plan: Plan) -> list[tuple[Dataset, int]]:
    """Return the photos that validate, (data set, place in it) each: what thresholds are taken over.

    Raises
    ------
    UsageError
        If none does.
    """
    kept = [part.validation for part in parts_of(plan) if part.validation is not None]
    found = [(data, i) for data in kept for i in range(len(data))]
    if not found:
        raise UsageError("no photo of the data sets is left to take thresholds over: too few to keep some apart")
    return found
