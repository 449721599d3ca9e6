"""The JSON Schema of experiment files, and what is told from it: a key's meaning, and a commented example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from algorithms.base import Algorithm
from harness.base import registry
from harness.base.errors import UserError, nearest
from harness.config import limits
from harness.config.evaluation import Decoding
from harness.config.own_files import ProblemFile, TrainFile
from harness.config.shape import experiment_file, may_be_a_section, model
from harness.config.sweeps import SHAPES
from harness.config.tuning_block import Block, TuningBudget
from harness.models.lora import Lora
from harness.records import CollapseRule

_LATER = ("grid", "ablate", "cap", "sweeps")
"""what a first experiment does not need: the example names it in a line"""

_NAMED = (["arms"], ["evaluation", "decodings"])
"""groups whose keys are names of the user's"""

Schema = dict[str, Any]

_OF_ARMS: Schema = {
    "extends": {
        "type": "string",
        "description": "another arm, whose algorithm, hyper-parameters and recipe this one has but for what it changes",
    },
    "title": {"type": "string", "description": "what tables call it; left out: the algorithm's title"},
}


def json_schema() -> Schema:
    """References resolved; arms described by the algorithms that are installed."""
    raw = experiment_file(_sections()).model_json_schema()
    schema = _resolved(raw, raw.get("$defs", {}))
    # What may be null has its keys one level further down than those of other sections.
    schema["properties"]["recipe"]["properties"]["lora"] |= {"properties": _shape(Lora)["properties"]}
    recipe = {**schema["properties"]["recipe"], "description": "where this arm leaves the experiment's recipe"}
    recipe.pop("default", None)
    arms = {name: _arm(found, recipe) for name, found in registry.algorithms().items()}
    # These sections are free-form to pydantic and are checked against their shapes later. A sweep may be one mapping or
    # a list of them: `properties` describe the one, `items` the other.
    for name, shape in SHAPES.items():
        one = _shape(shape)
        schema["properties"][name] |= {"properties": one["properties"], "items": one}
    asked = schema["properties"]["evaluation"]["properties"]["benchmarks"]
    asked["additionalProperties"] = {"anyOf": [asked["additionalProperties"], _shape(ProblemFile)]}
    schema["properties"]["train"] = {
        "anyOf": [{"type": "string"}, _shape(TrainFile)],
        "description": schema["properties"]["train"]["description"],
    }
    schema["properties"]["evaluation"]["properties"]["decodings"]["additionalProperties"] = _shape(Decoding)
    rule = {"properties": _shape(CollapseRule)["properties"], "default": asdict(CollapseRule())}
    schema["properties"]["comparison"]["properties"]["collapse"] |= rule
    block = _shape(Block)["properties"]
    block["benchmarks"]["additionalProperties"] = asked["additionalProperties"]
    block["budget"]["properties"] = _shape(TuningBudget)["properties"]
    schema["properties"]["tuning"]["properties"] = block
    description = schema["properties"]["arms"]["description"]
    # An arm named as an algorithm has its keys. Any other name is the user's, so it must say what it computes or
    # extends.
    schema["properties"]["arms"] = {
        "description": f"{description}. The arm's name is the algorithm unless `algorithm` says otherwise",
        "type": "object",
        "minProperties": 1,
        "properties": arms,
        "additionalProperties": {
            "type": "object",
            "properties": {
                "algorithm": {"enum": list(arms), "description": "what the arm computes"},
                "recipe": recipe,
                **_OF_ARMS,
            },
            "anyOf": [{"required": ["algorithm"]}, {"required": ["extends"]}],
        },
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "rence-bench experiment", **schema}


def explain(key: str) -> str:
    """Meaning, type, range and default of a key such as `recipe.group_size`; of a group, a line for each key in it.

    Raises: UserError with the nearest key if there is no such one.
    """
    at = json_schema()
    done: list[str] = []
    for part in [part for part in key.split(".") if part]:
        inside = at.get("properties", {})
        if part not in inside:
            if done in _NAMED and isinstance(at.get("additionalProperties"), dict):
                inside = {part: at["additionalProperties"]}
            else:
                where = f" in `{'.'.join(done)}`" if done else ""
                hint = nearest(part, inside) if inside else "It holds names of your own."
                raise UserError(f"there is no key `{part}`{where}. {hint}")
        at = inside[part]
        done.append(part)
    lines = [f"{key}: {at['description']}" if key and "description" in at else key, allowed(at)]
    named = at["additionalProperties"].get("properties", {}) if done == ["evaluation", "decodings"] else {}
    inside = {**at.get("properties", {}), **{f"NAME.{name}": inner for name, inner in named.items()}}
    lines += [f"  {name}: {_summary(inner)}" for name, inner in inside.items()]
    return "\n".join(line for line in lines if line)


def template() -> str:
    """A whole experiment with every key, its meaning and its default."""
    suite = dict.fromkeys(registry.benchmark_names()[:2], 4)
    example = {
        "name": "my-experiment",
        "model": "quickstart-base",
        "template": "bare",
        "train": "mini_rl",
        "seeds": [0, 1, 2],
        "budget": {"rollouts": 12288},
        "evaluation": {"benchmarks": suite, "curve": {}},
        "arms": {"grpo": {}, "rence": {}},
        "comparison": {"target": "rence", "baselines": ["grpo"]},
    }
    head = ["# An experiment: one file in, one report out. Next: rence plan FILE, then rence run FILE."]
    return "\n".join([*head, *_commented(json_schema(), example, "")]) + "\n"


def _sections() -> tuple[tuple[str, type], ...]:
    """Backends that have settings, ours and the plug-ins that can be used."""
    found = {name: registry.BACKENDS.get(name) for name in registry.BACKENDS.ours} | registry.BACKENDS.plugins.usable()
    return tuple((name, one.settings) for name, one in found.items() if one.settings and may_be_a_section(name))


def _commented(schema: Schema, example: dict[str, Any], indent: str) -> Iterator[str]:
    """The lines of an example file: of every key its meaning as a comment, then the key.

    Args:
        schema: of a group of keys.
        example: values to show; a key that is not in it is shown at its default.
        indent: of the group; empty at the top of the file, where the backends' sections are.
    """
    backends = {name for name, _ in _sections()} if not indent else set()
    for name, inner in schema["properties"].items():
        if name in _LATER:
            continue
        if "description" in inner:
            yield f"{indent}# {inner['description']}"
        group = inner.get("type") == "object" and inner.get("properties") and name not in ("arms", "tuning")
        if name in backends:
            # In comments: a section is refused on any backend but its own.
            yield f"{indent}# {name}:"
            yield from (f"{indent}# {line}" for line in _commented(inner, {}, indent + "  "))
        elif group:
            yield f"{indent}{name}:"
            yield from _commented(inner, example.get(name, {}), indent + "  ")
        elif name == "arms":
            yield f"{indent}{name}:"
            yield from (f"{indent}  {arm}: {json.dumps(hp)}" for arm, hp in example[name].items())
            yield f"{indent}# Sweeps: `rence config explain grid`, `ablate`, `cap`"
        else:
            yield f"{indent}{name}: {_yaml(example[name] if name in example else inner.get('default', {}))}"


def _yaml(value: Any) -> str:
    """On one line. JSON is YAML; plain words go without quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return value if isinstance(value, str) and value else json.dumps(value)


def _shape(cls: type) -> Schema:
    raw = model(cls).model_json_schema()
    return _resolved(raw, raw.get("$defs", {}))


def _arm(algorithm: Algorithm, recipe: Schema) -> Schema:
    shape = _shape(type(algorithm))
    for name, field in shape["properties"].items():
        field["default"] = getattr(algorithm, name)
    # What the algorithm sets of the recipe is this arm's default.
    inside = recipe["properties"]
    sets = {name: {**inside[name], "default": value} for name, value in algorithm.recipe.items() if name in inside}
    recipe = {**recipe, "properties": {**inside, **sets}} if sets else recipe
    choice = {"enum": registry.algorithm_names(), "description": "what the arm computes, if its name does not say it"}
    shape["properties"] = {"algorithm": choice, **shape["properties"], "recipe": recipe, **_OF_ARMS}
    return {**shape, "title": algorithm.title, "description": f"{algorithm.title}: {algorithm.source}"}


def _resolved(schema: Any, definitions: Schema) -> Any:
    """`$ref`s replaced by what they name, and pydantic's generated titles left out."""
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        return _resolved({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, definitions)
    plain = {k: v for k, v in schema.items() if k != "$defs" and not (k == "title" and isinstance(v, str))}
    return {key: _resolved(value, definitions) for key, value in plain.items()}


def _summary(schema: Schema) -> str:
    described = [schema.get("description", ""), f"({allowed(schema)})" if allowed(schema) else ""]
    return " ".join(part for part in described if part)


def allowed(schema: Schema) -> str:
    """What a key may be: its type, its range, its default."""
    words = [_type(schema)] if _type(schema) else []
    for bound, word in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
    ):
        if bound in schema and schema[bound] < limits.COUNT:  # which bounds all counts, and nobody will reach
            words.append(f"{word} {schema[bound]:g}")
    if "default" in schema and not isinstance(schema["default"], dict):
        words.append(f"default {json.dumps(schema['default'])}")
    return ", ".join(words)


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "anyOf" in schema:
        of = ("mapping" if one.get("type") == "object" else _type(one) for one in schema["anyOf"])
        return " or ".join(filter(None, of))
    names = {"integer": "integer", "number": "number", "string": "word", "boolean": "true or false", "null": "null"}
    if schema.get("type") == "array":
        if "enum" in schema.get("items", {}):
            return f"list out of {', '.join(schema['items']['enum'])}"
        return f"list of {inner}s" if (inner := _type(schema.get("items", {}))) else "list"
    return names.get(schema.get("type", ""), "")
