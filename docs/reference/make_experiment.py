"""Every key of an experiment file, from the words that `rence config explain` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markdown import code, paragraph, table

from harness.config.explain import allowed, json_schema

HEAD = """\
# Keys of an experiment file

*Written by `make reference` from the words of `rence config explain KEY`; a test holds the two together.*

`rence config new` prints a commented file to start from, `rence config schema` the JSON Schema that editors complete
by. Any key can be set on the command line: `rence run FILE budget.rollouts=24576`. A key that does not exist, or a
value that it may not have, is an error with file, line and the nearest one that does.

What an arm may hold beside the keys below are the hyper-parameters of its algorithm: `rence show grpo`, or
`rence config explain arms.grpo`.

"""
_ONE_ARM = "grpo"
"""whose keys that are no hyper-parameters every arm has"""
_EVERY_ARM = ("algorithm", "extends", "title")


def page() -> str:
    """The whole page."""
    return "\n".join((HEAD.rstrip() + "\n", *_body(json_schema()["properties"]))).rstrip() + "\n"


def _body(keys: dict[str, Any]) -> Iterator[str]:
    """The keys at the top of the file, then each group of keys."""
    yield "## At the top\n"
    yield _table({name: key for name, key in keys.items() if not _is_group(key)})
    for name, key in keys.items():
        if _is_group(key):
            yield f"## {code(name)}\n"
            yield paragraph(_sentence(key)) + "\n"
            yield _table(_inside(name, key))


def _is_group(key: dict[str, Any]) -> bool:
    return bool(key.get("properties"))


def _inside(name: str, key: dict[str, Any]) -> dict[str, Any]:
    """The keys of a group; of arms those that any of them has; of what has keys itself, these too."""
    if name == "arms":
        one = key["properties"][_ONE_ARM]["properties"]
        return {f"NAME.{each}": one[each] for each in _EVERY_ARM} | {
            "NAME.recipe": {"description": "where this arm leaves the experiment's recipe: the keys of `recipe`"}
        }
    found = {}
    for one, inner in key["properties"].items():
        found[one] = inner
        found |= {f"{one}.{each}": deeper for each, deeper in inner.get("properties", {}).items()}
        named = inner.get("additionalProperties")
        if isinstance(named, dict) and "properties" in named:
            found |= {f"{one}.NAME.{each}": deeper for each, deeper in named["properties"].items()}
    return found


def _table(keys: dict[str, Any]) -> str:
    return table(
        ("key", "may be", "means"),
        [(code(name), allowed(key) or "mapping", _sentence(key)) for name, key in keys.items()],
    )


def _sentence(key: dict[str, Any]) -> str:
    words = key.get("description", "")
    return words[:1].upper() + words[1:]
