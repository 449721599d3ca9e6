"""What an experiment file may hold, as pydantic models made from the frozen dataclasses: a key's name, type, range,
default and doc (the string under the field) are written down once, there.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from harness.experiment import Evaluation, Experiment, Recipe, VerlSettings
from harness.records import Comparison

_EXPECTED = "files of published scores, beside this one or by their paths, that the report sets beside ours"
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True)


@cache
def docs(cls: type) -> dict[str, str]:
    """The string under each field of a dataclass and of its bases."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not is_dataclass(base):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body  # type: ignore[attr-defined]
        for field, below in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                found[ast.unparse(field.target)] = inspect.cleandoc(ast.literal_eval(below.value)).replace("\n", " ")
    return found


@cache
def model(cls: type) -> type[BaseModel]:
    """A dataclass as a pydantic model that refuses unknown keys and wrong types."""
    return create_model(cls.__name__, __config__=_STRICT, **{f.name: _field(cls, f.name) for f in fields(cls)})


@cache
def experiment_file() -> type[BaseModel]:
    """The whole file. Arms are mappings here: what one may hold depends on its algorithm."""
    of = {name: _field(Experiment, name) for name in ("name", "model", "template", "train", "seeds", "backend")}
    budget = create_model("Budget", __config__=_STRICT, rollouts=_field(Experiment, "budget_rollouts"))
    described = docs(Experiment)
    return create_model(
        "Experiment",
        __config__=_STRICT,
        schema_=(Literal[1], Field(1, alias="schema", description="version of this file's format")),
        **of,
        budget=(budget, Field(description="what every trial may spend")),
        recipe=(model(Recipe), Field(default_factory=model(Recipe), description=described["recipe"])),
        evaluation=(model(Evaluation), Field(description=described["evaluation"])),
        arms=(dict[str, dict[str, Any] | None], Field(min_length=1, description=described["arms"])),
        comparison=(model(Comparison), Field(description=described["comparison"])),
        tuning=_field(Experiment, "tuning"),
        record_steps=_field(Experiment, "record_steps"),
        expected=(tuple[str, ...], Field((), description=_EXPECTED)),
        verl=(model(VerlSettings), Field(default_factory=model(VerlSettings), description=described["verl"])),
    )


def _field(cls: type, name: str) -> Any:
    f = next(f for f in fields(cls) if f.name == name)
    default: Any = {}
    if f.default is not MISSING:
        default = {"default": f.default}
    elif f.default_factory is not MISSING:
        default = {"default_factory": f.default_factory}
    return _hints(cls)[name], Field(**default, description=docs(cls).get(name))


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)
