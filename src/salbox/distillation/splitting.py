"""The first name of `salbox.training.splitting`, kept for programs that import it from here."""

from ..training.splitting import PARTS, Part, Split, part_of_name, photo_key, read_split, split, write_split

__all__ = ["PARTS", "Part", "Split", "part_of_name", "photo_key", "read_split", "split", "write_split"]
