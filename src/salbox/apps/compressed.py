"""A photo as a file, with what is known of it beside the encoder's own; what `compress` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._coders import FileFormat


@dataclass(frozen=True)
class Compressed:
    """A photo as a file; what `compress` returns.

    Attributes
    ----------
    data : bytes
    file_format : {"jpeg", "webp", "avif"}
    quality : int
        At which its encoder ran; 0 if the file is the one that was given.
    strength : float
        How much was taken from what nobody looks at; 0 if nothing was.
    plain_quality, plain_bytes : int
        Of the encoder's own file that it stands beside: the best one of the size, or the one of the quality.
    gain : float
        In dB, the peak signal-to-noise ratio where the model says that people look, above that of the plain file.
    loss : float
        In dB, that of the whole picture, below that of the plain file.
    """

    data: bytes
    file_format: FileFormat
    quality: int
    strength: float
    plain_quality: int
    plain_bytes: int
    gain: float = 0.0
    loss: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers, ready for JSON, with the number of bytes in the place of the bytes."""
        fields = {name: value for name, value in vars(self).items() if name != "data"}
        return {"bytes": len(self.data), **fields}
