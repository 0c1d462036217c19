"""What `salbox app` was started with, for the pages: they run in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What the pages offer beside what they always do.

    Attributes
    ----------
    models : tuple of names or paths
        Models of one's own, offered before the others.
    explanations : tuple of Path
        Folders of `salbox explain`. Pages open no other folder: whoever reaches the app could read it.
    """

    models: tuple[str, ...] = ()
    explanations: tuple[Path, ...] = ()


_settings = Settings()


def current() -> Settings:
    """Return what the app was started with."""
    return _settings


def set_current(settings: Settings) -> None:
    """Let the pages see these settings."""
    global _settings  # the server has one app
    _settings = settings
