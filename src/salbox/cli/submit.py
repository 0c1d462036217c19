"""`salbox submit`: the file that a benchmark takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import MapSource, ModelSource, map_folders
from ..evaluation.rows import known_output
from ..imaging.postprocess import NOTHING, PostProcess
from ..models.specs import parse_models
from ..paths import user_path
from ..submissions import BENCHMARKS, Checked, benchmark_images, check_submission, get_benchmark
from ..submissions import submit as write_submission
from .options import (
    Device,
    MapsOutput,
    MaxModelSize,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Workers,
    loading_options,
    refuse_unused,
    with_postprocess,
)
from .output import escape, say
from .progress import ConsoleProgress, console


@with_postprocess
def submit(
    benchmark: Annotated[str, typer.Option("--benchmark", metavar="|".join(BENCHMARKS), help="What the file is for.")],
    images: Annotated[Path, typer.Option("--images", metavar="DIR", help="The benchmark's images.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file: .json or .h5.")],
    postprocess: PostProcess,
    models: ModelNames = [],  # noqa: B006
    maps: Annotated[
        Path | None, typer.Option("--maps", metavar="DIR", help="Maps on disk instead, named as the images.")
    ] = None,
    maps_output: MapsOutput = None,
    check: Annotated[bool, typer.Option("--check", help="Only check FILE, which is there already.")] = False,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Take fewer images than there are, for a trial.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
    workers: Workers = None,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
) -> int:
    """Write a model's maps of a benchmark's images into the file that the benchmark takes, and check it.

    SALICON takes JSON, the MIT/Tübingen benchmark (mit300, cat2000, coco-freeview) HDF5: saliency maps, or log
    densities if the model gives them or --scale-output log-density makes them. A run that was interrupted goes on
    where it was. The exit code is 1 if the check finds something.

    Examples:

      salbox submit --benchmark mit300 -m gbvs --images BenchmarkIMAGES -o gbvs.h5

      salbox submit --benchmark mit300 -m bms --images BenchmarkIMAGES --scale-output log-density -o bms.h5

      salbox submit --benchmark salicon -m gbvs --images images/test -o fixations_test2014_gbvs_results.json

      salbox submit --benchmark cat2000 --maps maps/gbvs --images testSet -o gbvs.h5

      salbox submit --benchmark mit300 --images BenchmarkIMAGES --check -o gbvs.h5
    """
    chosen = get_benchmark(benchmark)
    expected = (".json",) if chosen.layout == "json" else (".h5", ".hdf5")
    if output.suffix.lower() not in expected:
        raise UsageError(f"{output}: {benchmark} takes a file called {' or '.join('*' + s for s in expected)}")
    refuse_unused("--maps", maps, {"--maps-output": maps_output is not None})
    loading = loading_options(param, weights, sha256, device, max_model_size)
    if check:
        if models or maps is not None:
            raise UsageError("--check writes nothing: leave out -m and --maps")
        written = {**loading, "--overwrite": overwrite, "--workers": workers is not None}
        processed = {"post-processing": postprocess != NOTHING}
        refuse_unused("a file to write: --check writes none", False, {**written, **processed})
    else:
        refuse_unused("a model (-m)", models, loading)
    data = benchmark_images(benchmark, user_path(images), incomplete=incomplete)
    file = user_path(output)
    if check:
        return _report(check_submission(benchmark, file, data), file)
    source = _source(models, maps, maps_output, data, (param, weights, sha256, device, max_model_size), postprocess)
    with ConsoleProgress() as progress:
        checked = write_submission(
            benchmark, data, source, file, overwrite=overwrite, workers=workers, progress=progress
        )
    code = _report(checked, file)
    say(f"where it goes: {chosen.where}")
    return code


def _source(
    models: list[str],
    maps: Path | None,
    maps_output: str | None,
    data: Dataset,
    loading: tuple[list[str], list[str], list[str], str | None, float | None],
    postprocess: PostProcess,
) -> ModelSource | MapSource:
    if bool(models) == (maps is not None):
        raise UsageError("give one model (-m) or a folder of maps (--maps)")
    if maps is None:
        chosen = parse_models(models, *loading)
        if len(chosen) > 1:
            raise UsageError(f"a submission is of one model, not of {', '.join(chosen)}")
        ((name, arguments),) = chosen.items()
        return ModelSource(name, arguments, postprocess)
    output = known_output(maps_output)
    folders = map_folders(user_path(maps), data)
    if len(folders) > 1:
        raise UsageError(f"{maps}: holds maps of {', '.join(f.name for f in folders)}; name one of these folders")
    return MapSource(folders[0], output, postprocess)


def _report(checked: Checked, file: Path) -> int:
    kind = "log densities" if checked.output == "log_density" else "saliency maps"
    say(f"{file}: {checked.maps} {kind}")
    for problem in checked.problems:
        console.print(escape(f"problem: {problem}"))
    return 1 if checked.problems else 0
