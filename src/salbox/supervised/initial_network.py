"""What a supervised training starts from: a network with first weights, or a trained one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from ..datasets import center_bias
from ..errors import UsageError
from ..losses import WeightedLoss
from ..networks.encoders import WeightsWarning
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.factory import build_network, network_class
from ..system.progress import Progress
from ..training.devices import check_devices
from ..training.frozen_features import check_features
from ..training.module import check_side_weights
from ..training.optimizer import check_prefixes
from ..training.run_network import read_trained
from ..training.validation import check_criterion
from ..types import FloatMap
from .parts import Parts
from .plan import Plan

PRIOR_SHAPE = (96, 128)  # (H, W) of a centre bias that is learned


def make_initial_network(plan: Plan, parts: Sequence[Parts], progress: Progress) -> TrainableNetwork:
    """Return the network with its first weights; what does not fit is found here, before pictures are made ready.

    Raises
    ------
    UsageError
        If plan, recipe and network do not go together.
    WeightsError
        If the first weights cannot be had or do not fit.
    """
    recipe = plan.recipe
    if plan.init_run is None:
        network = _untrained(plan, progress)
    else:
        network = read_trained(plan.init_run, [plan.head], recipe, renamed=True)
    for source in reversed(plan.sources):  # one that keeps data sets apart has to know them all
        network.choose_domain(source.domain)
    WeightedLoss(recipe.loss, temperature=recipe.temperature, output=network.output, given=plan.given)
    check_criterion(recipe.select, network.output)
    check_prefixes(network, recipe.optimizer)
    check_side_weights(network, recipe)
    check_features(network, recipe.cache_features)
    check_devices(recipe, plan.device, plan.devices, plan.nodes)
    if network.needs_prior and plan.init_run is None:
        if "fixations" not in plan.given:
            raise UsageError(f"network '{network.name}': a centre bias of its own needs data sets with fixations")
        network.set_prior(_log_prior(parts))
    return network.train()


def _untrained(plan: Plan, progress: Progress) -> TrainableNetwork:
    recipe = plan.recipe
    domains = [source.domain for source in plan.sources]
    arguments = {**network_class(recipe.student).for_domains(domains), **recipe.network}
    output = arguments.pop("output", None)
    if output is None and plan.given[0] == "mask":
        output = "probability"
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", WeightsWarning)
        network = build_network(
            recipe.student,
            [plan.head],
            encoder=recipe.encoder,
            init=plan.init,
            size=recipe.size,
            output=output,
            seed=plan.seed,
            **arguments,
        )
    for warning in raised:
        progress.say(f"note: {warning.message}")
    return network


def _log_prior(parts: Sequence[Parts]) -> FloatMap:
    """Return the log of the density of all training fixations, whatever the image: (h, w)."""
    datasets = [part.training for part in parts]
    fixations = [data.fixations(i) for data in datasets for i in range(len(data))]
    shapes = [data.shape(i) for data in datasets for i in range(len(data))]
    height, width = PRIOR_SHAPE
    sigma = float(np.mean([data.sigma(0) / data.shape(0)[1] for data in datasets])) * width
    return np.log(center_bias(fixations, shapes, (height, width), sigma)).astype(np.float32)
