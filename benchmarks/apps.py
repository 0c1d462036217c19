"""The page of what people want saliency for: crop, cutout, compress and regions, measured and looked at.

    python benchmarks/apps.py [sheets] [regions] [odd]

measures these parts again, of those named or all, and puts them together with what `apps_timings.py` measured and with
the tables of the pages of crops, cutouts and compression. Writes docs/results/apps.md.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from _apps_odd import TOOLS, odd_rows
from _apps_regions import HEAD, region_rows
from _apps_sheets import write_sheets
from _parts import keep, kept
from _tables import RESULTS, ROOT, markdown_table, write_page

PARTS = ("sheets", "regions", "odd")
FIGURES = RESULTS / "apps" / "figures.json"
SHEETS = ROOT / "runs" / "apps"  # of photos that are not handed on
TIMES = ("tool", "megapixels", "s", "most, GB")
# What was seen on the sheets, in words; the numbers are those of the photos on them.
LOOKED_AT = {
    "crop": "At 1:1 every head stays in, and all of the puppy, the elk and the clock. At 9:16 there is no room for it "
    "all: one of three people is left (6, 7), the clock (13) and the tomato (12) lose a side, and of the sign in 10 "
    "'hannel' is left, for the people beside it get more attention than text does.",
    "cutout": "People, also several (6, 7, 15), animals, products on white and grey (12, 14) and the beer glass (4) "
    "come out whole, with edges that follow hair as far as strands lie together, and the road sign (11) without its "
    "post. Lost are the plate and half the toothbrush (5), the wooden figure (13), the bowl (14) and one of two men "
    "(16); cars (18), a bit of the pavilion (16), of the wall and what is behind the spokes (20) stay in.",
    "compress": "Where people look ours has less of the plain file's ringing and blocks: the skin in 1, 2 and 7, the "
    "lattice in 8, the fur in 17. Where nobody does, texture is flatter: the grid of the cloth (5) is faint, asphalt "
    "(18), concrete (3) and felt (6) are smooth, the trousers and the floor in 7 blurred; the soft shadow in 13, lawn "
    "(17) and straw (8) stay what they are.",
    "regions": "Faces and the heads of animals get most, also in groups; of things the dial (13), the mouth of the "
    "tomato (12) and the bowl (14). Text gets less than people usually give it: 16 % for 'Broad Channel' (10), and the "
    "'6' at the edge of the photo 3 % (20).",
}


def table_of(page: str, heading: str) -> str:
    """Return the first table below a heading of another page."""
    lines = (RESULTS / page).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("#") and heading in line)
    rest = lines[start:]
    first = next(number for number, line in enumerate(rest) if line.startswith("|"))
    last = next((number for number, line in enumerate(rest) if number > first and not line.startswith("|")), len(rest))
    return "\n".join(rest[first:last])


def part(name: str, head: tuple[str, ...], texts: int) -> str:
    """Return the table of a part, and where it was measured; nothing if it was not."""
    found = kept(FIGURES).get(name)
    if found is None:
        return "Not measured yet."
    return f"{markdown_table(head, found['rows'], figures=len(head) - texts)}\n\n{found['measured']}"


def sheet(name: str, what: str) -> str:
    """Return what is on a contact sheet and what was seen."""
    return f"On the sheet (`runs/apps/{name}.jpg`): {what[0].lower()}{what[1:]} {LOOKED_AT[name]}"


def write() -> None:
    """Put the page together."""
    text = f"""# Crops, cutouts, compression, regions

What the four tools do on photos, in one place: each one's table, what a contact sheet of the same twenty photos shows,
times and memory, and files of wrong kinds. The photos are OSIE's, which are not handed on: `benchmarks/apps.py sheets`
draws the sheets from one's own copy. Written by `benchmarks/apps.py` and `benchmarks/apps_timings.py`.

## Crops

The share of people's fixations that a crop keeps; how it is measured, and more, on [its page](crop.md).

OSIE test:

{table_of("crop.md", "OSIE test")}

MIT1003 validation:

{table_of("crop.md", "MIT1003 validation")}

{sheet("crop", "Each photo, with its crops at 1:1 and 9:16.")}

## Cutouts

Photos with masks; shapes of known alpha, and more, on [its page](cutout.md).

{table_of("cutout.md", "Photos with masks")}

{sheet("cutout", "Each photo, with its cutout by `scfnet` on a chequered ground.")}

## Compression

Against the plain encoder at equal size, by people's fixations; what the columns are, and more, on [its
page](compress.md).

{table_of("compress.md", "Compression with attention")}

{
        sheet(
            "compress",
            "Details at their own size, of the plain JPEG of quality 50 and of ours of that size: on the left "
            "where people are said to look most, on the right where least.",
        )
    }

## Regions

Nine equal fields of each photo. 'Share, off by': the mean difference between the share of attention that a field gets
and the share of people's fixations on it. Rank correlations are between the fields of a photo, and their mean over
photos: of the shares, and of the order of first looks with the order in which people's first looks fall on them, in
the mean over people; beside it the order by share alone.

{part("regions", HEAD, 1)}

{
        sheet(
            "regions",
            "Attention over each photo, with the share of nine fields and their place in the order of looks.",
        )
    }

## Times and memory

From a JPEG file to what the tool writes, in a process of its own, models included: wall time, and the most memory that
the process took.

{part("timings", TIMES, 1)}

## Files of wrong and rare kinds

What each tool wrote, or said of a file that it could not read; the others of the same run were done.

{part("odd", ("file", *TOOLS), len(TOOLS) + 1)}
"""
    write_page("apps.md", text)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=(*PARTS, "page"))
    parser.add_argument("--limit", type=int, default=70, help="photos of a set, for regions")
    given = parser.parse_args()
    parts = given.part or PARTS
    if "sheets" in parts:
        write_sheets(SHEETS)
    if "regions" in parts:
        keep(FIGURES, "regions", region_rows(given.limit))
    if "odd" in parts:
        with tempfile.TemporaryDirectory() as folder:
            keep(FIGURES, "odd", odd_rows(Path(folder)))
    write()


if __name__ == "__main__":
    main()
