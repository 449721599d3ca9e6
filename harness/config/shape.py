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
from types import UnionType
from typing import Any, Literal, Union, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from harness.config import limits
from harness.config.evaluation import Decoding, Evaluation
from harness.config.experiment import Cap, Experiment
from harness.config.training_recipe import Recipe
from harness.records import CollapseRule, Comparison, Plan, Sweep

_EXPECTED = "files of published scores, beside this one or by their paths, that the report sets beside ours"
_GRID = "a sweep: arms made from one by changing factors, every combination of them or one at a time"
_ABLATE = "a sweep: an arm with all its pieces, and one arm without each"
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
    written = [f.name for f in fields(cls) if not f.metadata.get("unwritten")]
    return create_model(cls.__name__, __config__=_STRICT, **{name: _field(cls, name) for name in written})


def _comparison() -> type[BaseModel]:
    """In a file the target may be left out where there is a sweep, and the baselines always."""
    own = {f.name: _field(Comparison, f.name) for f in fields(Comparison)}
    described = docs(Comparison)
    own["target"] = (str | None, Field(None, description=f"{described['target']}; null in a sweep: its base"))
    baselines = f"{described['baselines']}; null: all other arms"
    own["baselines"] = (list[str] | None, Field(None, description=baselines))
    rule = model(CollapseRule)
    own["collapse"] = (rule | None, Field(default_factory=rule, description=described["collapse"]))
    return create_model("Comparison", __config__=_STRICT, **own)


def _evaluation() -> type[BaseModel]:
    """Decodings have a shape of their own, and names of the user's."""
    own = {f.name: _field(Evaluation, f.name) for f in fields(Evaluation) if not f.metadata.get("unwritten")}
    own["decodings"] = (dict[str, model(Decoding)] | None, Field(None, description=docs(Evaluation)["decodings"]))
    return create_model("Evaluation", __config__=_STRICT, **own)


def may_be_a_section(name: str) -> bool:
    """Whether a backend of this name may have settings: files hold them under its name, beside keys of ours."""
    return name not in {f.name for f in (*fields(Experiment), *fields(Plan))} | {*experiment_file().model_fields}


@cache
def experiment_file(sections: tuple[tuple[str, type], ...] = ()) -> type[BaseModel]:
    """The whole file. Arms are mappings here: what one may hold depends on its algorithm.

    Args:
        sections: backends with the types of their settings.
    """
    of = {name: _field(Experiment, name) for name in ("name", "model", "template", "train", "seeds", "backend")}
    budget = create_model("Budget", __config__=_STRICT, rollouts=_field(Experiment, "budget_rollouts"))
    # help and schema are the strings below the fields of our own dataclasses: said once
    described, comparison = docs(Experiment), _comparison()
    return create_model(
        "Experiment",
        __config__=_STRICT,
        schema_=(Literal[1], Field(1, alias="schema", description="version of this file's format")),
        **of,
        budget=(budget, Field(description="what every trial may spend")),
        recipe=(model(Recipe), Field(default_factory=model(Recipe), description=described["recipe"])),
        evaluation=(_evaluation(), Field(description=described["evaluation"])),
        arms=(
            dict[str, dict[str, Any] | None],
            Field(min_length=1, max_length=limits.ARMS, description=described["arms"]),
        ),
        grid=(Any, Field(None, description=_GRID)),
        ablate=(Any, Field(None, description=_ABLATE)),
        cap=(model(Cap), Field(default_factory=model(Cap), description=described["cap"])),
        comparison=(comparison, Field(default_factory=comparison, description=described["comparison"])),
        tuning=(dict[str, Any], Field(default_factory=dict, description=described["tuning"])),
        sweeps=(tuple[model(Sweep), ...], Field((), description=described["sweeps"])),  # type: ignore[misc]
        record_steps=_field(Experiment, "record_steps"),
        expected=(tuple[str, ...], Field((), max_length=limits.PUBLISHED, description=_EXPECTED)),
        **{name: _section(name, settings) for name, settings in sections},
    )


def _section(backend: str, settings: type) -> Any:
    sentence = (inspect.getdoc(settings) or "how it trains").partition(".")[0].replace("\n", " ")
    about = f"of backend `{backend}` alone: {sentence[:1].lower()}{sentence[1:]}"
    return model(settings), Field(default_factory=model(settings), description=about)


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
    return {name: _strict(hint) for name, hint in get_type_hints(cls, include_extras=True).items()}


def _strict(hint: Any) -> Any:
    """`Lora | None` with the dataclass as its model, which refuses unknown keys too."""
    if not isinstance(hint, UnionType):
        return hint
    return Union[tuple(model(one) if is_dataclass(one) else one for one in get_args(hint))]  # noqa: UP007
