"""Code that asks which Airflow it runs on, and only does something on some of its versions."""

from __future__ import annotations

import ast
import re

from dagproof.source.asking import function_around, tests_before
from dagproof.source.dagfile import Chain, Place

_VERSION = re.compile(
    r"airflow_?v?_?\d|airflow_?version|\b__version__\b|\bversion\.version\b|is_?airflow_?[23]|\bAF_?[23]|Version\(",
    re.IGNORECASE,
)


def depends_on_version(places: Chain) -> bool:
    """Say whether some step of a way only happens on some versions of Airflow, as the code itself asks."""
    return any(_VERSION.search(ast.unparse(test)) for place in places for test in _tests(place))


def _tests(place: Place) -> list[ast.expr]:
    return tests_before(place, function_around(place) or place.module.tree)
