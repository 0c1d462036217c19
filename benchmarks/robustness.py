"""The page of what was done to break salbox, made of what the runs wrote into docs/results/robustness.

    python scripts/fuzz_readers.py
    python scripts/kill_runs.py
    python scripts/soak.py
    python benchmarks/serve_load.py
    python benchmarks/robustness.py

A section whose run has not been made says so.
"""

from __future__ import annotations

import json
from typing import Any

from _tables import RESULTS, markdown_table, provenance, write_page

FOLDER = RESULTS / "robustness"

BATCH, AROUND, INPUTS = "prediction/test_batch.py", "system/test_surroundings.py", "imaging/test_inputs.py"
TESTS = {
    "a full disk (a file system of 60 kB)": [
        f"{AROUND}::test_a_full_disk_is_told_and_leaves_nothing_half_written",
        f"{AROUND}::test_with_room_again_all_is_made"],
    "files that may not grow": [f"{BATCH}::test_a_full_disk_is_a_line_a_file_and_leaves_nothing"],
    "outputs that may not be written": [f"{AROUND}::test_a_disk_that_may_not_be_written_to_is_told"],
    "two runs on one folder": [f"{BATCH}::test_two_runs_on_one_folder_do_not_harm_each_other",
                               "imaging/test_partial_files.py::test_what_a_killed_run_left_is_removed_and_what_another_writes_is_not"],
    "input that vanishes": [f"{BATCH}::test_of_a_photo_that_is_gone_no_map_is_said_to_be_there",
                            "evaluation/test_stale.py::test_an_image_that_is_gone_costs_itself_alone"],
    "Ctrl-C: exit 130 and one line": [f"{BATCH}::test_stopped_half_way_and_started_again",
                                      "cli/test_evaluate.py::test_an_interrupt_leaves_what_was_done_and_says_so",
                                      "cli/test_distill.py::test_a_run_that_is_killed_goes_on_and_one_that_is_interrupted_says_so",
                                      "cli/test_cli.py::test_interrupt_is_one_line_and_exit_code_130"],
    "names with newlines, leading dashes, bytes that are no UTF-8": [
        f"{AROUND}::test_names_are_names_whatever_is_in_them",
        f"{AROUND}::test_a_file_whose_name_begins_as_an_option"],
    "5,000 files": [f"{AROUND}::test_five_thousand_files"],
    "links in circles": [f"{INPUTS}::test_links_in_a_circle_end",
                         f"{INPUTS}::test_links_in_circles_end_in_patterns_too"],
    "LANG=C, no HOME, no TMPDIR, standard input closed": [
        f"{AROUND}::test_without_home_a_place_for_temporary_files_a_language_and_standard_input"],
    "a user whom the system does not know": [f"{AROUND}::test_as_somebody_whom_the_system_does_not_know"],
    "every stream closed": [f"{AROUND}::test_with_every_stream_closed"],
    "a parent that is killed": ["system/test_workers.py::test_workers_do_not_outlive_a_parent_that_is_killed"],
    "a process of the service that is killed, or hangs": [
        "serve/test_pool.py::test_nothing_is_lost_when_a_process_is_killed",
        "serve/test_pool.py::test_one_that_takes_too_long_is_given_up"],
}  # fmt: skip

SAME = "prediction/test_reproducible.py"
REPRODUCIBLE = {
    "the same command twice; one process or two": [f"{SAME}::test_the_same_command_twice_and_two_processes",
                                                   f"{BATCH}::test_workers_write_what_one_process_writes"],
    "an image alone or among others": [f"{SAME}::test_alone_and_among_others"],
    "a model alone or with others": [f"{SAME}::test_a_model_alone_and_with_others"],
    "figures with one process or two": ["evaluation/test_evaluation.py::test_two_workers_give_the_same_as_one"],
    "a training that died and went on": ["distillation/test_distill.py::test_a_run_that_dies_goes_on"],
    "version and settings in every map": [f"{SAME}::test_every_output_says_by_which_version_and_settings"],
}  # fmt: skip


def main() -> None:
    """Write the page."""
    sections = {"fuzz": fuzzing, "kills": killing, "soak": soaking, "serve": serving}
    texts = []
    for name, section in sections.items():
        path = FOLDER / f"{name}.json"
        texts.append(section(json.loads(path.read_text())) if path.exists() else f"The run `{name}` was not made.")
    fuzz, kills, soak, serve = texts
    write_page(
        "robustness.md",
        f"""# Hard to break

Written by `benchmarks/robustness.py`; its head names the runs. {
            provenance(("salbox", "numpy", "opencv-python-headless", "pillow", "onnxruntime"))
        } What is trusted and what is not says [Security](../security.md).

## Damaged files

{fuzz}

## Runs that are killed

{kills}

## Memory over many predictions

{soak}

## The service under load

{serve}

## Surroundings

Each row is held by tests, which lie in `tests/`.

{markdown_table(["what", "tests"], _rows(TESTS))}

## The same bytes again

On one machine, with the same versions and the same number of threads.

{markdown_table(["what", "tests"], _rows(REPRODUCIBLE))}

Another number of threads, another processor or another version of a library below may change the last bits: sums are
added up in another order there. Trainings on a GPU are not repeatable to the bit.
""",
    )


def fuzzing(found: dict[str, Any]) -> str:
    """Return what came of the damaged files."""
    counts = sorted(set(found["readers"].values()))
    each = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    faults = [[f["reader"], f["fault"], f["text"], f"{f['count']:,}"] for f in found["faults"]]
    told = markdown_table(["reader", "fault", "where", "files"], faults) if faults else "None of these happened."
    command = f"`scripts/fuzz_readers.py --count {found['files']} --seed {found['seed']}`"
    minutes = f"{found['seconds'] / 60:.0f} minutes"
    return f"""{command}: {found["files"]:,} damaged files in all, {each} of each of {len(found["readers"])} kinds, read
in {minutes} in children of a warm process. A fault would be: a death, more than 10 s, more than 1,500 MiB, an exception
that is no `SalboxError`, a message of several lines, a command or connection that a file brought about, a file written
elsewhere, or, where a format carries checksums, another result without an error.

{told}

The slowest file took {found["slowest_seconds"]:.1f} s ({found["slowest_reader"]}), the largest
{found["mebibytes_beyond_the_start"]} MiB.

Kinds: {", ".join(found["readers"])}."""


def killing(found: dict[str, Any]) -> str:
    """Return what came of the runs that were killed."""
    rows = [
        [name, str(r["kills"]), str(r["begun"]), str(r["results"]), "; ".join(r["faults"]) or "none"]
        for name, r in found["verbs"].items()
    ]
    table = markdown_table(["verb", "kills", "outputs had begun", "results compared", "faults"], rows)
    return f"""`scripts/kill_runs.py --seed {found["seed"]}`: {found["kills"]} runs ended by SIGKILL, with all their
processes, at random moments, up to three times in one folder, and started again. A fault would be: a file that is not
whole under its own name, a restart that fails, a result that is not the one of an undisturbed run, something temporary
that is left, or something finished that is made again.

{table}"""


def soaking(found: dict[str, Any]) -> str:
    """Return what memory many predictions took."""
    least, most = found["sides"]
    return f"""`scripts/soak.py --count {found["predictions"]} --seed {found["seed"]}`: {found["predictions"]:,} images
of {least} to {most} pixels a side, {", ".join(found["models"])} in turn, {found["megapixels"]:,.0f} megapixels in
{found["seconds"] / 60:.0f} minutes. Memory was {found["after_warm_up"]:.0f} MiB after the first tenth, and
{found["at_the_end"]:.0f} MiB in the last: {100 * (found["ratio"] - 1):+.1f} %. Its peak was
{found["peak_mebibytes"]} MiB."""


def serving(found: dict[str, Any]) -> str:
    """Return what the service did under load."""
    times = found["milliseconds"]
    statuses = ", ".join(f"{count:,} times {status}" for status, count in found["statuses"].items())
    return f"""`benchmarks/serve_load.py --seconds {found["seconds"]:.0f}`: {
        found["clients"]
    } clients on the loopback, JPEGs of
160x120 to 1280x720, model `{found["model"]}`, {found["workers"]} processes. {found["provenance"]}

{
        markdown_table(
            ["", ""],
            [
                ["answers a second", f"{found['a_second']:.1f}"],
                [
                    "milliseconds: median, 90 %, 99 %, longest",
                    " / ".join(f"{times[p]:.0f}" for p in ("p50", "p90", "p99", "p100")),
                ],
                ["statuses", statuses],
                ["requests lost", str(found["lost"])],
                ["answers that were not the first one's bytes", str(found["different"])],
                ["processes killed half-way, replaced", f"{int(found['killed'])}, {found['restarts']}"],
                [
                    "MB of all processes before the kill, at the end",
                    f"{found['memory_before_the_kill']:.0f}, {found['memory_at_the_end']:.0f}",
                ],
            ],
        )
    }"""


def _rows(named: dict[str, list[str]]) -> list[list[str]]:
    return [[what, "<br>".join(f"`{test}`" for test in tests)] for what, tests in named.items()]


if __name__ == "__main__":
    main()
