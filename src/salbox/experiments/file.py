"""The file of an experiment: which keys it has, what may stand there, and what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import UsageError, nearest, one_line
from ..formats.yaml_file import read_keys
from ..imaging.postprocess import NOTHING, PostProcess, without_effect
from ..networks.trainable.factory import FIRST_WEIGHTS
from ..paths import user_path
from ..training.complaints import first_complaint
from ..training.recipe import Recipe, read_recipe, recipe_names
from ..training.recipe_parts import Part

DEFAULT_RECIPE = "box"
MODEL = "{model}"  # in a path: where a model's name stands

_REFERENCE = "histogram_matching_reference"


class PhotosToTest(Part):
    """Photos to test on, with the teachers' maps of them."""

    images: str | None = None
    maps: str | None = None


class ExperimentFile(BaseModel):
    """What stands in the file.

    Attributes
    ----------
    name : str, optional
        What the experiment, and its folder, is called; by default as the file.
    models : list of str, or text
        Names of models, as `salbox.load` takes them; with `maps` any names. In a text they are separated by commas.
    images : str
        The folder of photos to learn from.
    maps : str, optional
        The folder of the models' maps of them, with "{model}" in it; without it salbox runs the models.
    pre, post : dict
        Fields of `PostProcess`: what is done to the models' maps before they are learned from and compared with, and
        to the students' before they are compared and written.
    recipe : str or dict, optional
        A recipe's name or file; or the keys of one that differ from those of the recipe `base`.
    init : str, optional
        First weights of the students' encoders, as `salbox distill --init` takes them.
    test : PhotosToTest
        By default the photos of `images` that nobody learned from.
    run : str, optional
        A folder of photos of which the students' maps are written.
    """

    model_config = Part.model_config

    name: str | None = None
    models: list[str] | str
    images: str
    maps: str | None = None
    pre: dict[str, Any] = {}
    post: dict[str, Any] = {}
    recipe: str | dict[str, Any] = DEFAULT_RECIPE
    init: str | None = None
    test: PhotosToTest = PhotosToTest()
    run: str | None = None


class ReadFile:
    """A file that was read, its paths relative to where it lies.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UsageError
        If it cannot be read, or has a key or a value that does not fit; in one line, with the nearest key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.keys = ExperimentFile.model_validate(read_keys(path))
        except ValidationError as error:
            raise self.error(first_complaint(error, ExperimentFile)) from None
        keys = self.keys
        self.name = path.stem if keys.name is None else keys.name
        if not _is_file_name(self.name):
            raise self.error(f"name='{one_line(self.name, 40)}': expected a name that a folder can have")
        self.models = self._models(keys.models)
        self.pre, self.post = self._process("pre", keys.pre), self._process("post", keys.post)
        self.recipe = self._recipe(keys.recipe)
        if keys.test.maps is not None and keys.test.images is None:
            raise self.error("test.maps does nothing without test.images")

    def error(self, message: str) -> UsageError:
        """Return an error that names the file."""
        return UsageError(f"{self.path}: {message}")

    def place(self, text: str) -> Path:
        """Return a path as the file means it: ~ expanded, else relative to the folder that the file lies in."""
        return self.path.parent / user_path(text)

    def maps_of(self, model: str, text: str, key: str) -> Path:
        """Return the folder of a model's maps that stands under a key.

        Raises
        ------
        UsageError
            If several models would have one folder.
        """
        if MODEL not in text and len(self.models) > 1:
            raise self.error(f"{key}='{one_line(text, 80)}': expected {MODEL} in it, as there are several models")
        return self.place(text.replace(MODEL, model))

    def _models(self, given: list[str] | str) -> list[str]:
        texts = given.split(",") if isinstance(given, str) else given
        names = [text.strip() for text in texts if text.strip()]
        if not names:
            raise self.error("models: none is named")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise self.error(f"models: '{one_line(twice, 80)}' stands twice")
        if self.keys.maps is not None and (odd := next((name for name in names if not _is_file_name(name)), None)):
            raise self.error(f"models: '{one_line(odd, 80)}': expected a name that a folder can have")
        return names

    def _process(self, key: str, given: Mapping[str, Any]) -> PostProcess:
        """Return what is done to maps, of the options under a key."""
        known = [field.name for field in fields(PostProcess)]
        values = dict(given)
        for name, value in values.items():
            if name not in known:
                raise self.error(
                    f"no key '{key}.{one_line(name, 40)}'{nearest(name, known)} (keys: {', '.join(known)})"
                )
            if not _fits(value, getattr(NOTHING, name)):
                raise self.error(f"{key}.{name}={one_line(repr(value), 40)}: expected a value as {_kind(name)}")
        if values.get(_REFERENCE) is not None:
            values[_REFERENCE] = str(self.place(values[_REFERENCE]))
        try:
            process = PostProcess(**values)
        except UsageError as error:
            raise self.error(f"{key}.{error}") from None
        if (found := without_effect(process)) is not None:
            raise self.error(f"{key}.{found[0]} does nothing without {found[1]}")
        return process

    def _recipe(self, given: str | dict[str, Any]) -> Recipe:
        changes = {} if isinstance(given, str) else dict(given)
        name = given if isinstance(given, str) else changes.pop("base", DEFAULT_RECIPE)
        if not isinstance(name, str):
            raise self.error(f"recipe.base={one_line(repr(name), 40)}: expected a recipe's name or file")
        for key in changes.keys() - Recipe.model_fields.keys():
            raise self.error(f"no key 'recipe.{one_line(key, 40)}'{nearest(key, Recipe.model_fields)}")
        try:
            return read_recipe(name if name in recipe_names() else self._recipe_file(name), **changes)
        except UsageError as error:
            raise self.error(str(error)) from None

    @property
    def init(self) -> str | None:
        """First weights: a word, or a path that is there as the file means it."""
        given = self.keys.init
        if given is None or given in FIRST_WEIGHTS or not self.place(given).exists():
            return given
        return str(self.place(given))

    def _recipe_file(self, name: str) -> str:
        """Return the path of a recipe's file; of what is none the name, which the error then names."""
        path = self.place(name)
        return str(path) if path.is_file() else name


def _is_file_name(name: str) -> bool:
    return bool(name.strip(". ")) and not set(name) & set('/\\:*?"<>|\0') and name.isprintable() and len(name) <= 100


def _fits(value: Any, default: Any) -> bool:
    """Return whether a value of a file is of the kind of an option's default."""
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value is None or isinstance(value, str) if default is None else True


def _kind(name: str) -> str:
    default = getattr(NOTHING, name)
    return "a path" if default is None else repr(default)
