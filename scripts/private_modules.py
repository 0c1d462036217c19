"""A contract for import-linter: a module whose name begins with "_" is imported within its own package only."""

from __future__ import annotations

import grimp
from importlinter import Contract, ContractCheck, output


class PrivateModules(Contract):
    """No package imports a private module of another; one below the package that holds it may."""

    type_name = "private_modules"

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Return whether the contract is kept."""
        broken = [
            f"{importer} imports {module}"
            for module in sorted(graph.modules)
            if _is_private(module)
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if not importer.startswith(module.rpartition(".")[0] + ".")
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print what breaks it."""
        for line in check.metadata["broken"]:
            output.print_error(line, bold=False)


def _is_private(module: str) -> bool:
    name = module.rpartition(".")[2]
    return name.startswith("_") and not name.startswith("__")
