"""`rence eval`."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from harness.base.errors import UserError
from rence.cli import completion
from rence.cli.accepting import Accept
from rence.cli.console import Json, command, err, out, print_json

if TYPE_CHECKING:
    from harness.config.evaluation import Evaluation
    from harness.config.own_files import ProblemFile

TEMPERATURE, TOP_P, MAX_TOKENS = 1.0, 1.0, 4096
"""the model's own distribution, as in experiments and in the tasks for lm-eval"""
_ITEM = re.compile(
    r"(?P<name>[^:]*[^:\s][^:]*)(?::\s*(?P<k>0*[1-9][0-9]{0,5})\s*)?(?::\s*(?P<rule>maths|numbers|choice)\s*)?"
)
_SHOWN = 80
"""characters of what was written in a message"""
_FILES = (".jsonl", ".json", ".ndjson", ".txt")

Model = Annotated[
    str, typer.Option(metavar="DIR_OR_ID", help="A folder, a hub id, or a shipped model.", show_default=False)
]
Asked = Annotated[
    str,
    typer.Option(
        metavar="NAME[:K][:RULE],...",
        help="`aime24:32,my.jsonl:4` asks for 32 and 4 samples a problem, a bare name for one. A file holds "
        "problems of your own: JSON lines with `problem` and `answer`; `gpqa.jsonl:4:choice` says that its answers are "
        "letters.",
        autocompletion=completion.benchmarks,
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder for the answers; of this model alone.", show_default=False)]
EngineName = Annotated[str, typer.Option(help="What answers: see `rence list engines`.")]
TemplateName = Annotated[
    str,
    typer.Option(help="How a problem becomes a prompt: bare, chat, chat_thinking, chat_examples, qwen_math, plain."),
]
Temperature = Annotated[float, typer.Option(help="0 is greedy. Often 0.6, with top_p 0.95.")]
TopP = Annotated[float, typer.Option(help="Nucleus sampling; 1 is off.")]
MaxTokens = Annotated[int, typer.Option(help="Response limit. Models that think at length want 32768.")]
Seed = Annotated[int, typer.Option(help="Of all sampling.")]
Limit = Annotated[
    int | None, typer.Option(help="Only the first so many problems of each benchmark.", show_default=False)
]
SecondMarker = Annotated[
    bool, typer.Option("--second-marker", help="Mark by Math-Verify alone too, and count where the two disagree.")
]
Chunk = Annotated[
    int | None,
    typer.Option(
        help="Problems generated together, and saved together; by default as many as make 256 samples "
        "(vllm: 1024), one at least.",
        show_default=False,
    ),
]
Gate = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="With --sequential: a baseline of `rence gate --update`, to be met.", show_default=False
    ),
]
Sequential = Annotated[
    bool,
    typer.Option(
        "--sequential",
        help="Ask problems in a random order and stop as soon as the gate is decided: at five looks at most, which "
        "together err as seldom as one gate. Exit codes are those of `rence gate`.",
    ),
]


def add_to(app: typer.Typer) -> None:
    command(app, "eval")(evaluate)


def evaluate(
    model: Model,
    benchmarks: Asked,
    to: Out,
    engine: EngineName = "local",
    template: TemplateName = "chat",
    temperature: Temperature = TEMPERATURE,
    top_p: TopP = TOP_P,
    max_tokens: MaxTokens = MAX_TOKENS,
    seed: Seed = 0,
    limit: Limit = None,
    second_marker: SecondMarker = False,
    chunk: Chunk = None,
    gate: Gate = None,
    sequential: Sequential = False,
    accept: Accept = None,
    json: Json = False,
) -> None:
    """Evaluate any model on any benchmarks: every answer kept and marked, scores with intervals. Run the same again to
    resume; what is complete is never asked twice. `rence compare OUT OTHER_OUT` compares two models."""
    import reports
    from harness.evaluation.display import view_for
    from harness.evaluation.standalone import StandaloneEvaluation, evaluate
    from rence.cli import gated_evaluation as gated

    gated.checked(gate, sequential)
    counts, files = _asked(benchmarks)
    given = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "seed": seed, "limit": limit}
    given |= {"second_marker": second_marker, **({} if chunk is None else {"chunk_problems": chunk})}
    settings = _checked(files, benchmarks=counts, **given)
    if settings.temperature == 0 and max(settings.benchmarks.values()) > 1:
        err().print("At temperature 0 all samples of a problem are equal: one is enough.")
    evaluation = StandaloneEvaluation(model, settings, template, engine, to, chunk, accept=accept)
    wanted = gated.with_looks(evaluation, gate, accept)
    view = view_for(err())
    try:
        with redirect_stdout(sys.stderr):  # ours is for the result alone, whatever an engine has to say
            worked = evaluate(wanted, view)
    finally:
        view.end()
    found = reports.evaluated_model(to, accept)
    decision = gated.decision(to, gate, accept)
    if json:
        print_json(found.to_json() | ({"gate": decision.to_json()} if decision else {}))
    else:
        if not worked:
            out().print(f"{to}: all that was asked for is complete: nothing to do.\n")
        out().print(reports.evaluation_text(found, out().width))
    gated.show(decision, json)


def _asked(text: str) -> tuple[dict[str, int], dict[str, ProblemFile]]:
    """`aime24:32,math500,my.jsonl:4` -> {"aime24": 32, "math500": 1, "my": 4}, and the file of `my`.

    Raises: UserError.
    """
    from harness.base import reserved
    from harness.config.own_files import ProblemFile
    from harness.config.problems import problem_file

    counts: dict[str, int] = {}
    files: dict[str, ProblemFile] = {}
    for item in text.split(","):
        name, k, rule = _parts(item)
        path = Path(name) if "/" in name or name.lower().endswith(_FILES) else None
        if rule and not path:
            raise UserError(
                f"`--benchmarks {item.strip()}`: `{name}` has a rule of its own. `:{rule}` is for files of problems."
            )
        name = path.stem if path else name
        if reserved.alike((*counts, name)) or name in counts:
            raise UserError(f"`--benchmarks` names `{name}` twice (case does not count). Remove one of them.")
        counts[name] = k
        if path:
            files[name] = problem_file(name, path, ProblemFile(str(path), k, rule=rule))
    return counts, files


def _parts(item: str) -> tuple[str, int, Literal["maths", "numbers", "choice"] | None]:
    """Name, k and rule. Raises: UserError."""
    found = _ITEM.fullmatch(item.strip())
    if not found:
        said = f"has `{item.strip()[:_SHOWN]}`" if item.strip() else "one is empty"
        raise UserError(
            "`--benchmarks` must be names or files with commas, with or without `:k` samples a problem (at least 1), "
            f"such as `aime24:32,my.jsonl:4`, and of a file `:maths`, `:numbers` or `:choice`, but {said}.\n"
            "`rence list benchmarks` shows all names."
        )
    return found["name"].strip(), int(found["k"] or 1), found["rule"]  # type: ignore[return-value]


def _checked(files: Mapping[str, ProblemFile], **given: Any) -> Evaluation:
    """The settings, in the ranges that experiment files have.

    Raises: UserError that names the option.
    """
    from harness.config.check import checked
    from harness.config.evaluation import Evaluation
    from harness.config.manifest import Key, Manifest
    from harness.config.shape import model

    options: Mapping[Key, str] = {(f.name,): f"--{f.name.replace('_', '-')}" for f in fields(Evaluation)}
    places = {**options, ("chunk_problems",): "--chunk"}
    settings = checked(Manifest("rence eval", given, places=places), model(Evaluation), given)
    return Evaluation(**dict(settings), files=files)
