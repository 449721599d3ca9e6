"""The items of `hostile.py`: families of hostile text, numbers, names, files, rows, templates and models."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.hostile import Item
from harness.base.reserved import RESERVED

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "harness" / "models" / "quickstart-base"
SPARSE = 10 * 10**9
EXPERIMENT = """\
name: tiny
model: quickstart-base
template: bare
train: mini_rl
seeds: [0]
budget: {rollouts: 64}
evaluation: {benchmarks: {mini_sums: 1}}
arms: {grpo: {}, rence: {}}
comparison: {target: grpo}
"""
TOO_LARGE = ("9223372036854775808", "-9223372036854775809", "1" + "0" * 30, "9" * 400, "9" * 5000, "1e999", "-1e999")
WRONG = (*TOO_LARGE, ".nan", "-.inf", "1.5", "-1", "[1]", "{a: 1}", "yes please", "null")
PLAN = ("plan", "e.yaml")
Make = Callable[[Path], None]


def items() -> list[Item]:
    """All, each with a name of its own in its family."""
    found = [
        item
        for family in (yaml, overrides, counts, names, files, rows, templates, models, options, imports)
        for item in family()
    ]
    seen: Counter[tuple[str, str]] = Counter()
    for i, item in enumerate(found):
        seen[item.family, item.name] += 1
        if (nth := seen[item.family, item.name]) > 1:  # long numbers are cut
            found[i] = replace(item, name=f"{item.name} ({nth})")
    return found


def _text(text: str | bytes, name: str = "e.yaml") -> Make:
    def make(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))

    return make


def _all(*makes: Make) -> Make:
    def make(folder: Path) -> None:
        for one in makes:
            one(folder)

    return make


def _bomb(levels: int, width: int, merge: bool = False) -> str:
    lines = ["a0: &a0 {x0: 1}" if merge else "a0: &a0 [1, 2]"]
    for i in range(1, levels):
        inner = ", ".join([f"*a{i - 1}"] * width)
        lines.append(f"a{i}: &a{i} {{<<: [{inner}], x{i}: 1}}" if merge else f"a{i}: &a{i} [{inner}]")
    return EXPERIMENT + "\n".join(lines) + "\n"


def yaml() -> Iterator[Item]:
    """Texts that are no experiment, against `plan`, `reproduce` and `gate`."""
    texts: dict[str, str | bytes] = {
        "empty": "",
        "a comment": "# nothing\n",
        "a word": "word\n",
        "a list": "- a\n- b\n",
    }
    for levels, width in ((3, 2), (9, 9), (24, 2), (40, 10)):
        texts[f"aliases {levels}x{width}"] = _bomb(levels, width)
        texts[f"merge keys {levels}x{width}"] = _bomb(levels, width, merge=True)
    texts["an alias of itself"] = EXPERIMENT + "tuning: &a {x: *a}\n"
    texts["an anchor"] = EXPERIMENT.replace("[0]", "&a [0]")
    texts["an alias of nothing"] = EXPERIMENT.replace("[0]", "*a")
    for tag in (
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system",
        "!!binary aGk=",
        "!!set {a}",
        "!local 1",
        "! 1",
        "!!int '1'",
        "!!str 1",
        "!<tag:x.org,2000:y> 1",
        "!!timestamp 2001-01-01",
    ):
        texts[f"tag {tag[:20]}"] = EXPERIMENT + f"tuning: {{x: {tag}}}\n"
    for opening in ("[", "{a: ", "- ", "? ", "[{a: ", "!!seq [", "&a [", '{"', "'"):
        for depth in (33, 1_000, 100_000):
            texts[f"{opening.strip()} x {depth}"] = EXPERIMENT + "tuning:\n  x: " + opening * depth + "\n"
            texts[f"nothing but {opening.strip()} x {depth}"] = opening * depth
    texts["lines in lines"] = EXPERIMENT + "tuning:\n" + "".join(f"{' ' * i}a:\n" for i in range(1, 1500))
    texts["two documents"] = EXPERIMENT + "---\n" + EXPERIMENT
    texts["a thousand documents"] = EXPERIMENT + "---\na: 1\n" * 1000
    texts["a directive"] = "%YAML 9.9\n---\n" + EXPERIMENT
    texts["a directive of tags"] = "%TAG ! tag:x.org,2000:\n---\n" + EXPERIMENT + "tuning: {x: !y 1}\n"
    for code in (0, 1, 7, 8, 0x1B, 0x7F, 0x80, 0x9B, 0x2028, 0xD800, 0xFFFE):
        texts[f"U+{code:04X} in a value"] = EXPERIMENT + f"tuning: {{x: a{chr(code)}b}}\n"
        texts[f"U+{code:04X} in a key"] = EXPERIMENT + f"tuning: {{a{chr(code)}b: 1}}\n"
        texts[f"U+{code:04X} escaped"] = EXPERIMENT + f'tuning: {{x: "a\\u{code:04x}b"}}\n'
    for coding in ("utf-16", "utf-32", "latin-1", "utf-16-le"):
        texts[coding] = EXPERIMENT.replace("tiny", "tinyé").encode(coding)
    texts["cut off in a letter"] = (EXPERIMENT + "# é").encode()[:-1]
    texts["five million bytes"] = EXPERIMENT + "# " + "x" * 5_000_000 + "\n"
    texts["a million values"] = EXPERIMENT + f"tuning: {{x: [{'1,' * 1_000_000}]}}\n"
    texts["a million keys"] = EXPERIMENT + "tuning: {" + ",".join(f"k{i}" for i in range(400_000)) + "}\nx: 1\n"
    texts["a key of a million letters"] = EXPERIMENT + "x" * 1_000_000 + ": 1\n"
    texts["an algorithm of a million letters"] = EXPERIMENT.replace(
        "grpo: {}", f"grpo: {{algorithm: {'g' * 1_000_000}}}"
    )
    texts["a name of a million letters"] = EXPERIMENT.replace("tiny", "t" * 1_000_000)
    for line in EXPERIMENT.splitlines():
        texts[f"twice {line.partition(':')[0]}"] = EXPERIMENT + line + "\n"
    for old, new in (
        ("{grpo: {}, rence", "{grpo: {}, grpo"),
        ("seeds: [0]", "seeds: [0"),
        ("name: tiny", "name: 'tiny"),
        ("name: tiny", "name:\ttiny\n\tx: 1"),
        ("seeds: [0]", "? seeds\n: [0]\n? [a, b]\n: 1"),
        ("seeds: [0]", "seeds: [0]\n[a]: 1"),
        ("name: tiny", "name: {}"),
        ("seeds: [0]", "seeds: 0"),
        ("arms: {grpo: {}, rence: {}}", "arms: []"),
        ("arms: {grpo: {}, rence: {}}", "arms: {}"),
        ("arms: {grpo: {}", "arms: {grpo: [1]"),
        ("{mini_sums: 1}", "[mini_sums]"),
        ("{mini_sums: 1}", "{mini_sums: {}}"),
        ("{mini_sums: 1}", "{}"),
        ("comparison: {target: grpo}", "comparison: {target: [grpo]}"),
    ):
        texts[f"{new[:30]!r} for {old[:20]!r}"] = EXPERIMENT.replace(old, new)
    accepted = ("' x 1000", "' x 100000")  # an even number of quotes is a text of quotes
    for name, text in texts.items():
        yield Item("yaml", name, PLAN, _text(text), legal=name in accepted)
    for name in ("aliases 40x10", "merge keys 40x10", "[ x 100000", "five million bytes", "a million values", "utf-16",
                 "empty", "U+0000 in a value", "two documents", "tag !!python/name:os.sys"):  # fmt: skip
        yield Item("yaml", f"baseline: {name}", ("gate", "run", "--baseline", "b.yaml"), _text(texts[name], "b.yaml"))
        words = ("plan", "e.yaml", "expected=[p.yaml]")
        yield Item("yaml", f"published: {name}", words, _all(_text(EXPERIMENT), _text(texts[name], "p.yaml")))


COUNTED = (
    "budget.rollouts", "recipe.group_size", "recipe.prompts_per_step", "recipe.epochs", "recipe.minibatches",
    "recipe.microbatch_tokens", "recipe.max_tokens", "recipe.warmup_updates", "recipe.generator_sync_steps",
    "recipe.checkpoint_steps", "evaluation.points", "evaluation.max_tokens", "evaluation.chunk_problems",
    "evaluation.seed", "evaluation.benchmarks.mini_sums", "cap.trials", "seeds", "record_steps", "recipe.learning_rate",
    "arms.rence.t_easy", "arms.grpo.recipe.group_size", "tuning.seeds",
)  # fmt: skip
"""keys that hold numbers, or lists of them"""
MAY = {("recipe.warmup_updates", "0"), ("cap.trials", "null"), ("arms.rence.t_easy", "null")}
LARGE = ("9223372036854775807", "4294967296", "1000000000000")


def overrides() -> Iterator[Item]:
    """Numbers that no key can hold, as a file has them and as the command line does."""
    lists = ("seeds", "record_steps", "tuning.seeds")
    block = "tuning={grid: {recipe.learning_rate: [1e-4]}, seeds: [9], benchmarks: {mini_chains: 1}}"
    for key in COUNTED:
        for value in WRONG:
            if (key, value) in MAY or (key in lists and value == "[1]"):
                continue
            written = f"[{value}]" if key in lists else value
            real = key in ("recipe.learning_rate", "arms.rence.t_easy") and value == "1.5"
            first = (block,) if key.startswith("tuning") else ()
            name = f"{key}={written[:24]}"
            yield Item("numbers", name, (*PLAN, *first, f"{key}={written}"), _text(EXPERIMENT), legal=real)
        for value in LARGE:
            written, first = f"[{value}]" if key in lists else value, (block,) if key.startswith("tuning") else ()
            words = (*PLAN, *first, f"{key}={written}")
            yield Item("numbers", f"large {key}={written}", words, _text(EXPERIMENT), legal=True)
    for value in (*TOO_LARGE, ".nan", "{a: [9223372036854775808]}", "[.inf]"):
        yield Item("numbers", f"words of tuning {value[:24]}", PLAN, _text(f"{EXPERIMENT}tuning: {{x: {value}}}\n"))
    deep = ".".join("a" * 4000)
    for words in (f"{deep}=1", "=1", "a", "a.=1", ".=1", "seeds", "seeds=[", "seeds=&a [0]", "seeds=*a", "a\x1b=1",
                  "seeds=!!x 1", "tuning=" + "[" * 100_000, "seeds=\udcff", "name=a\x00b"[:6] + "\x07"):  # fmt: skip
        yield Item("numbers", f"override {words[:20]!r}", (*PLAN, words), _text(EXPERIMENT))


def counts() -> Iterator[Item]:
    """Experiments that ask for more than anybody can run, against `plan` and `run --dry-run`."""

    def one(name: str, text: str, legal: bool = False, words: tuple[str, ...] = PLAN) -> Item:
        return Item("counts", name, words, _text(text), legal)

    def arms(count: int) -> str:
        listed = "".join(f"  a{i}: {{algorithm: grpo, kl_coef: {i + 1}e-6}}\n" for i in range(count))
        return EXPERIMENT.replace("arms: {grpo: {}, rence: {}}\n", f"arms:\n{listed}").replace(
            "target: grpo", "target: a0"
        )

    for command in (PLAN, ("run", "e.yaml", "--dry-run")):
        said = " ".join(command)
        for count in (1_001, 5_000, 20_000):
            yield one(f"{count} arms, {said}", arms(count), words=command)
        yield one(f"1000 arms x 100 seeds, {said}", arms(1000).replace("[0]", str([*range(100)])), True, command)
        yield one(f"1000 arms x 101 seeds, {said}", arms(1000).replace("[0]", str([*range(101)])), words=command)
        yield one(f"100 arms x 1000 seeds, {said}", arms(100).replace("[0]", str([*range(1000)])), True, command)
        yield one(f"1001 seeds, {said}", EXPERIMENT.replace("[0]", str([*range(1001)])), words=command)
        yield one(f"400000 seeds, {said}", EXPERIMENT.replace("[0]", str([*range(400_000)])), words=command)
        yield one(f"400000 equal seeds, {said}", EXPERIMENT.replace("[0]", str([0] * 400_000)), words=command)
        for points in (1_001, 10**9, 10**12):
            changed = EXPERIMENT.replace("evaluation: {", f"evaluation: {{points: {points}, ")
            yield one(f"{points} points, {said}", changed.replace("64}", "1000000000000}"), words=command)
    values = ", ".join(f"{i}e-6" for i in range(1, 30_000))
    for design in ("full", "one_at_a_time"):
        head = f"grid: {{base: grpo, design: {design}, factors: {{"
        for count in (1_001, 20_000):
            cut = ", ".join(values.split(", ")[:count])
            yield one(f"{design}, a factor of {count}", EXPERIMENT + f"{head}kl_coef: [0.04, {cut}]}}}}\n")
        many = ", ".join(
            f"recipe.{name}: [{values[:600].rpartition(',')[0]}]"
            for name in ("learning_rate", "adam_eps", "weight_decay")
        )
        yield one(f"{design}, three factors", EXPERIMENT + f"{head}{many}}}}}\n", legal=design != "full")
    grids = "".join(f"  - {{base: grpo, factors: {{kl_coef: [0.04, {i}e-6]}}}}\n" for i in range(1, 3_000))
    yield one("3000 grids", f"{EXPERIMENT}grid:\n{grids}")
    yield one("3000 times one grid", EXPERIMENT + "grid:\n" + "  - {base: grpo, factors: {kl_coef: [0.1]}}\n" * 3_000)
    pieces = ", ".join(f"p{i}: {{kl_coef: {i}e-6}}" for i in range(1, 3_000))
    yield one("3000 pieces", f"{EXPERIMENT}ablate: {{base: grpo, pieces: {{{pieces}}}}}\n")
    for length in (90, 101, 900, 1_500):
        chain = "".join(f"  b{i}: {{extends: {f'b{i - 1}' if i else 'grpo'}}}\n" for i in range(length))
        base = EXPERIMENT.replace("arms: {grpo: {}, rence: {}}\n", f"arms:\n  grpo: {{}}\n{chain}")
        turned = EXPERIMENT.replace(
            "arms: {grpo: {}, rence: {}}\n", f"arms:\n  grpo: {{}}\n{''.join(reversed(chain.splitlines(True)))}"
        )
        yield one(f"extends x {length}", base, legal=length < 1000)
        yield one(f"extends x {length}, the last first", turned, legal=length < 100)
    circle = "".join(f"  b{i}: {{extends: b{(i + 1) % 900}}}\n" for i in range(900))
    yield one("a circle of 900", EXPERIMENT.replace("arms: {grpo: {}, rence: {}}\n", f"arms:\n{circle}"))
    many = ", ".join(f"mini_sums{i}: 1" for i in range(300))
    yield one("300 benchmarks", EXPERIMENT.replace("mini_sums: 1", many))
    block = "seeds: [9], benchmarks: {mini_chains: 1}"
    for count in (1_001, 20_000):
        cut = ", ".join(values.split(", ")[:count])
        yield one(f"tuning of {count}", f"{EXPERIMENT}tuning: {{grid: {{recipe.learning_rate: [{cut}]}}, {block}}}\n")
    cut = ", ".join(values.split(", ")[:900])
    yield one("tuning of 100 arms x 900", f"{arms(100)}tuning: {{grid: {{recipe.learning_rate: [{cut}]}}, {block}}}\n")
    yield one("101 published", f"{EXPERIMENT}expected: [{', '.join(['p.yaml'] * 101)}]\n")
    yield one("2000 steps recorded", f"{EXPERIMENT}record_steps: {[*range(1, 2_001)]}\n")
    head = f"{arms(2)}tuning: {{x: [{'1,' * 300_000}]}}\n"
    yield one(
        "a grid in a file of many places",
        f"{head}grid: {{base: a0, factors: {{kl_coef: [0.04, {values[:5000].rpartition(',')[0]}]}}}}\n",
        True,
    )


def names() -> Iterator[Item]:
    """Reserved words, and names that no folder can have."""
    line = '{"problem": "What is 1+1?", "answer": "2"}\n'
    wide = "".join(chr(ord(letter) - 0x61 + 0xFF41) for letter in "average")
    odd = (
        "..",
        ".",
        "a/b",
        "a\\b",
        "-a",
        "a b",
        "a..b",
        "a.",
        "é",
        wide,
        "a" * 256,
        "İ",
        "a\tb",
        "~",
        "$x",
        "a:b",
        "*",
    )
    words = [*RESERVED, *(word.upper() for word in RESERVED), *(word.title() for word in RESERVED[:7]), *odd]
    for word in dict.fromkeys(words):
        quoted = json.dumps(word)
        text = EXPERIMENT.replace("rence: {}", f"{quoted}: {{algorithm: grpo}}")
        yield Item("names", f"arm {word[:20]}", PLAN, _text(text))
        text = EXPERIMENT.replace("mini_sums: 1", f"{quoted}: {{file: my.jsonl}}")
        yield Item("names", f"benchmark {word[:20]}", PLAN, _all(_text(text), _text(line, "my.jsonl")))
        if "/" not in word and word not in ("..", ".") and len(word) < 240:
            words_ = ("eval", "--model", "quickstart-base", "--benchmarks", f"./{word}.jsonl", "--out", "o")
            yield Item("names", f"file {word[:20]}", words_, _text(line, f"{word}.jsonl"))
    for one, two in (("grpo", "GRPO"), ("a.B", "A.b"), ("x_1", "X_1")):
        text = EXPERIMENT.replace(
            "{grpo: {}, rence: {}}", f"{{{one}: {{algorithm: grpo}}, {two}: {{algorithm: grpo, kl_coef: 0.1}}}}"
        )
        yield Item("names", f"arms {one} and {two}", PLAN, _text(text.replace("target: grpo", f"target: {one}")))
    swept = "grid: {base: grpo, factors: {x: {a: {kl_coef: 0.1}, A: {kl_coef: 0.2}}}}\n"
    yield Item("names", "arms of a sweep", PLAN, _text(EXPERIMENT + swept))
    for name in ("mlruns", "MLruns", "mlartifacts", "a" * 256, "a" * 249, "../x", "a/b", "", ".x", "x.y"):
        yield Item("names", f"experiment {name[:20]!r}", PLAN, _text(EXPERIMENT.replace("tiny", json.dumps(name))))
    for pair in (
        "my.jsonl,MY.jsonl",
        "my.jsonl,./my.jsonl",
        "mini_sums,mini_sums",
        "mini_sums,MINI_SUMS.jsonl,mini_sums:2",
    ):
        words_ = ("eval", "--model", "quickstart-base", "--benchmarks", pair, "--out", "o")
        both = _all(_text(line, "my.jsonl"), _text(line, "MY.jsonl"), _text(line, "MINI_SUMS.jsonl"))
        yield Item("names", f"benchmarks {pair}", words_, both)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # for the name of a socket is short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(here)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SPARSE)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def _devices(name: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(f"/dev/{name}")


KINDS: dict[str, Callable[[Path], object]] = {
    "FIFO": _fifo,
    "link to a FIFO": _link_to_fifo,
    "socket": _socket,
    "/dev/zero": _devices("zero"),
    "/dev/random": _devices("random"),
    "/dev/null": _devices("null"),
    "/dev/tty": _devices("tty"),
    "folder": Path.mkdir,
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "link to itself": _loop,
    "10 GB of nothing": _sparse,
    "nothing in it": Path.touch,
    "random bytes": lambda path: path.write_bytes(bytes((i * 197 + i // 256 * 31) % 256 for i in range(4096))) and None,
}


def _model(folder: Path) -> Path:
    place = folder / "m"
    place.mkdir()
    for file in MODEL.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


EVAL = ("eval", "--template", "bare", "--limit", "1", "--max-tokens", "4", "--out", "o", "--model")


def files() -> Iterator[Item]:
    """What is no file, where a file is expected."""
    published = "expected=[x]"
    data = (("RENCE_DATA_DIR", "d"),)
    places: dict[str, tuple[str, tuple[str, ...], Make, tuple[tuple[str, str], ...]]] = {
        "experiment": ("x", ("plan", "x"), lambda f: None, ()),
        "experiment of run": ("x", ("run", "x"), lambda f: None, ()),
        "published": ("x", (*PLAN, published), _text(EXPERIMENT), ()),
        "baseline": ("x", ("gate", "run", "--baseline", "x"), lambda f: None, ()),
        "baseline of eval": (
            "x",
            (*EVAL, "quickstart-base", "--benchmarks", "mini_sums", "--gate", "x", "--sequential"),
            lambda f: None,
            (),
        ),
        "own benchmark": ("x.jsonl", (*EVAL, "quickstart-base", "--benchmarks", "x.jsonl"), lambda f: None, ()),
        "own training set": ("x.jsonl", (*PLAN, "train={file: x.jsonl}"), _text(EXPERIMENT), ()),
        "problems to pin": ("x.jsonl", ("benchmarks", "pin", "x.jsonl"), lambda f: None, ()),
        "file of the data folder": (
            "d/aime24.jsonl",
            (*EVAL, "quickstart-base", "--benchmarks", "aime24"),
            lambda f: (f / "d").mkdir(),
            data,
        ),
        "data folder": ("d", (*EVAL, "quickstart-base", "--benchmarks", "aime24"), lambda f: None, data),
        "answers to grade": ("x.jsonl", ("grade", "x.jsonl"), lambda f: None, ()),
        "rollouts of verl": (
            "5.jsonl",
            ("diff", "grpo", "rence", "--batch", "5.jsonl", "--model", "quickstart-base"),
            lambda f: None,
            (),
        ),
        "batch": ("x", ("diff", "grpo", "rence", "--batch", "x"), lambda f: None, ()),
        "run to report": ("x", ("report", "x"), lambda f: None, ()),
        "run to compare": ("x", ("compare", "x", "x"), lambda f: None, ()),
        "run to gate": ("x", ("gate", "x", "--baseline", "x"), lambda f: None, ()),
        "run to reproduce": ("x", ("reproduce", "x"), lambda f: None, ()),
    }
    for suffix in ("jsonl", "csv", "parquet"):
        words = ("import", "attempts", f"grpo/seed0=x.{suffix}", "--out", "o")
        places[f"{suffix} to import"] = (f"x.{suffix}", words, lambda f: None, ())
    for file in (
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "generation_config.json",
    ):

        def without(folder: Path, file: str = file) -> None:
            (_model(folder) / file).unlink(missing_ok=True)

        places[f"{file} of a model"] = (f"m/{file}", (*EVAL, "./m", "--benchmarks", "mini_sums"), without, ())
        if file in ("config.json", "model.safetensors"):
            places[f"{file} of a plan"] = (f"m/{file}", (*PLAN, "model=./m"), _all(_text(EXPERIMENT), without), ())
    # Empty and optional, or a folder that may lie there.
    fine = {("chat_template.jinja of a model", "nothing in it"), ("data folder", "folder")}
    for place, (path, words, before, environment) in places.items():
        for kind, put in KINDS.items():

            def make(
                folder: Path, before: Make = before, put: Callable[[Path], object] = put, path: str = path
            ) -> None:
                before(folder)
                put(folder / path)

            legal = (place, kind) in fine
            yield Item("files", f"{kind} as {place}", words, make, legal, environment)


def rows() -> Iterator[Item]:
    """Lines that hold no problem and no answer, against `eval` and `grade`."""
    numbers = (*TOO_LARGE, "NaN", "-Infinity", "true", "null", "[]", "{}", '"\\u0000"', '"\\ud800"')
    lines: dict[str, str | bytes] = {f"answer {n[:20]}": f'{{"problem": "1+1?", "answer": {n}}}' for n in numbers}
    lines |= {f"id {n[:20]}": f'{{"problem": "1+1?", "answer": 2, "id": {n}}}' for n in numbers}
    lines |= {f"tolerance {n[:20]}": f'{{"problem": "1+1?", "answer": 2, "tolerance": {n}}}' for n in numbers}
    lines |= {
        "deep": "[" * 100_000,
        "deep in it": '{"problem": "1", "answer": 2, "x": ' + "[" * 100_000,
        "empty": "",
        "a list": "[1]",
        "a word": "word",
        "NUL": b'{"problem": "a\0", "answer": 1}',
        "latin": b'{"problem": "\xe9", "answer": 1}',
        "long": '{"problem": "' + "x" * 2_000_000 + '", "answer": 1}',
        "twice": '{"problem": "a", "problem": "b", "answer": 1}',
        "cut off": '{"problem": "a", "ans',
        "many brackets": '{"problem": "a", "answer": "' + "(" * 50_000 + '"}',
        "many powers": '{"problem": "a", "answer": "' + "9^" * 20_000 + '9"}',
        "rule": '{"problem": "a", "answer": "1", "rule": 3}',
    }
    # One that says nothing wrong: tags may be numbers, true and false are not.
    # Texts hold any number of digits, and true is no tag; 5,000 digits are more than Python reads.
    whole = [n for n in numbers if n.lstrip("-").isdigit() and len(n) < 4_300]
    fine = {f"{key} {n[:20]}" for n in whole for key in ("id", "answer")} | {"id null", "tolerance null"}
    for name, line in lines.items():
        words = (*EVAL, "quickstart-base", "--benchmarks", "x.jsonl")
        yield Item("rows", f"problem: {name}", words, _text(line, "x.jsonl"), legal=name in fine)
    answers: dict[str, str | bytes] = {}
    for n in numbers:
        answers |= {
            f"gold {n[:20]}": f'{{"gold": {n}, "pred": "2"}}',
            f"pred {n[:20]}": f'{{"gold": "2", "pred": {n}}}',
        }
        answers |= {f"expected {n[:20]}": f'{{"gold": "2", "pred": "2", "expected": {n}}}'}
        answers |= {f"tolerance {n[:20]}": f'{{"gold": "2", "pred": "2", "tolerance": {n}}}'}
    answers |= {
        name: line
        for name, line in lines.items()
        if name in ("deep", "empty", "a list", "a word", "NUL", "latin", "cut off")
    }
    nested = json.dumps({"gold": "2", "pred": "\\boxed{" * 20_000})
    answers |= {"boxes in boxes": nested, "powers": json.dumps({"gold": "2", "pred": "\\boxed{9^{9^{9^{9^9}}}}"})}
    fine = {f"gold {n[:20]}" for n in whole} | {
        'gold "\\u0000"',
        "boxes in boxes",
        "powers",
        "expected true",
        "expected null",
        "tolerance null",
        'pred "\\u0000"',
        'pred "\\ud800"',
    }
    for name, line in answers.items():
        yield Item(
            "rows",
            f"answer: {name}",
            ("grade", "x.jsonl", "--workers", "1"),
            _text(line, "x.jsonl"),
            legal=name in fine,
        )


LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
TEMPLATES = {
    "nested loops": LOOP,
    "nested loops in generation": "{% generation %}" + LOOP + "{% endgeneration %}",
    "loops over the question": "{% for a in messages[0].content %}" * 6 + "{% endfor %}" * 6,
    "powers": "{{ 9 ** (9 ** 9) }}",
    "a macro that calls itself twice": "{% macro f(n) %}{{ f(n-1) if n }}{{ f(n-1) if n }}{% endmacro %}{{ f(60) }}",
    "a macro without end": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "ten thousand million letters": "{{ 'a' * 10**10 }}",
    "a hundred million letters": "{{ 'a' * 10**8 }}",
    "a list of a thousand million": "{% set a = [1] * 10**9 %}",
    "centred": "{{ 'a'.center(10**9) }}",
    "padded": "{{ '%01000000000d' % 1 }}",
    "a loop that writes": LOOP.replace("{% endfor %}", "a" * 50 + "{% endfor %}"),
    "brackets": "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}",
    "blocks in blocks": "{% if 1 %}" * 2_000 + "{% endif %}" * 2_000,
    "not Jinja": "{% for",
    "an unknown filter": "{{ messages|nothing }}",
    "a division by zero": "{{ 1 // 0 }}",
    "its own error": "{{ raise_exception('no') }}",
    "the inside of Python": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a file": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}{{ os }}",
    "lorem ipsum": "{{ lipsum(n=10000000) }}",
}


def templates() -> Iterator[Item]:
    """Chat templates of models."""
    for name, source in TEMPLATES.items():
        make = _all(lambda folder: _model(folder) and None, _text(source, "m/chat_template.jinja"))
        yield Item("templates", name, (*EVAL, "./m", "--benchmarks", "mini_sums"), make, name == "the inside of Python")


def models() -> Iterator[Item]:
    """Models' configurations, tokenizers and headers of weights."""
    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    contents: dict[tuple[str, str], str | bytes] = {}
    for key in (
        "num_hidden_layers",
        "hidden_size",
        "vocab_size",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
    ):
        for value in (10**9, 2**63, 10**30, -1, 0, 1.5, None, "many", [1], 1e308):
            contents["config.json", f"{key}={str(value)[:12]}"] = json.dumps({**config, key: value})
    for name, text in {
        "empty": "",
        "a list": "[]",
        "null": "null",
        "deep": "[" * 100_000,
        "deep in it": '{"a":' * 50_000,
        "NaN": '{"hidden_size": NaN}',
        "not UTF-8": b'{"a": "\xff"}',
        "cut off": '{"model_type": "ll',
        "no type": "{}",
        "another type": '{"model_type": "none"}',
        "digits": '{"hidden_size": ' + "9" * 10_000 + "}",
    }.items():
        contents["config.json", name] = text
        contents["tokenizer.json", name] = text
        contents["generation_config.json", name] = text
        contents["tokenizer_config.json", name] = text
    weights = (MODEL / "model.safetensors").read_bytes()
    huge = b'{"a":{"dtype":"F32","shape":[9223372036854775807,9],"data_offsets":[0,4]}}'
    for name, head in {
        "a header of 2**64": b"\xff" * 8 + weights[8:],
        "a header of 1 TB": struct.pack("<Q", 10**12) + weights[8:],
        "a header that is cut off": weights[:40],
        "half": weights[: len(weights) // 2],
        "seven bytes": weights[:7],
        "a header that is deep": struct.pack("<Q", 100_000) + b"[" * 100_000,
        "zeros": b"\0" * 5_000,
        "a huge shape": struct.pack("<Q", len(huge)) + huge + b"\0" * 4,
        "a list for a header": struct.pack("<Q", 2) + b"[]",
    }.items():
        contents["model.safetensors", name] = head
    # What generation and positions say may be left out or be larger than is needed; nothing else of it is read.
    fine = (
        "generation_config.json",
        "max_position_embeddings=1000000000",
        "tokenizer_config.json no type",
        "tokenizer_config.json NaN",  # of a key that no tokenizer has
        "another type",
        "no type",
        "max_position_embeddings",
    )
    for (file, name), content in contents.items():
        make = _all(lambda folder: _model(folder) and None, _text(content, f"m/{file}"))
        said = f"{file} {name}"
        legal = any(words in said for words in fine) and not said.startswith("config.json another")
        yield Item("models", said, (*EVAL, "./m", "--benchmarks", "mini_sums"), make, legal)
        if file in ("config.json", "model.safetensors"):
            yield Item("models", f"{said}, planned", (*PLAN, "model=./m"), _all(_text(EXPERIMENT), make), True)


def options() -> Iterator[Item]:
    """Numbers on the command line."""
    asked = ("eval", "--model", "quickstart-base", "--template", "bare", "--out", "o")
    wrong = (*TOO_LARGE[:5], "-1", "1.5", "nan", "inf", "1e999", "", "0x10", "１", "1_0 ")
    for option in ("--seed", "--limit", "--max-tokens", "--chunk", "--temperature", "--top-p"):
        for value in wrong:
            real = option in ("--temperature",) and value in ("1.5", "1", "１", TOO_LARGE[0], TOO_LARGE[2], "1_0 ")
            small = ("--limit", "1", "--max-tokens", "4")
            words = (*asked, "--benchmarks", "mini_sums", *small, option, value)
            yield Item("options", f"{option} {value[:22]!r}", words, legal=real or value in ("１", "1_0 "))
    for k in ("9223372036854775808", "1" + "0" * 30, "9" * 5000, "-1", "0", "1.5", "nan", "", "１", "1:2", "1e3"):
        words = (*asked, "--limit", "1", "--max-tokens", "4", "--benchmarks", f"mini_sums:{k}")
        yield Item("options", f"k {k[:20]!r}", words)
    for words in (
        ("grade", "x.jsonl", "--tolerance", "nan"),
        ("grade", "x.jsonl", "--tolerance", "1e999"),
        ("grade", "x.jsonl", "--workers", "0"),
        ("grade", "x.jsonl", "--workers", "9" * 30),
        ("run", "e.yaml", "--seed", "9" * 30),
        ("run", "e.yaml", "--workers", "9" * 5000),
        ("run", "e.yaml", "--seed", "-1"),
        ("gate", "r", "--baseline", "b", "--margin", "1e999"),
        ("gate", "r", "--baseline", "b", "--margin", "nan"),
        ("compare", "a", "b", "--margin", "nan"),
        ("diff", "grpo", "rence", "--correct-above", "nan"),
    ):
        row = _all(_text('{"gold": "2", "pred": "2"}\n', "x.jsonl"), _text(EXPERIMENT))
        yield Item("options", " ".join(words)[:60], words, row)


def imports() -> Iterator[Item]:
    """Tables of answers with numbers that no table holds, as JSON lines, CSV and Parquet."""
    base = {"arm": "grpo", "seed": 0, "benchmark": "b", "problem_id": "p", "sample": 0, "correct": 1}
    wrong = (*TOO_LARGE[:5], "-1", "1.5", "NaN", "1e999", '""', "true", "[]", '"word"')
    for column in ("seed", "sample", "step", "tokens", "correct"):
        for value in wrong:
            line = json.dumps({**base, column: "VALUE"}).replace('"VALUE"', value)
            words = ("import", "attempts", "x.jsonl", "--out", "o")
            yield Item(
                "imports", f"jsonl {column}={value[:20]}", words, _text(line + "\n", "x.jsonl"), _may(column, value)
            )
            cells = ",".join(str(cell) for cell in {**base, column: value.strip('"')}.values())
            table = f"{','.join({**base, column: 0})}\n{cells}\n"
            words = ("import", "attempts", "x.csv", "--out", "o")
            yield Item("imports", f"csv {column}={value[:20]}", words, _text(table, "x.csv"), _may(column, value))
        for value in (2**63, 2**64 - 1, 2**53 + 1, -1, 1.5, float("inf"), float("nan")):
            words = ("import", "attempts", "x.parquet", "--out", "o")
            make = partial(_parquet, base, column, value)
            legal = column == "tokens" and value != value
            yield Item(
                "imports", f"parquet {column}={value}", words, make, legal or (column == "step" and value != value)
            )
    for word in ("average", "Report", "start", "..", "a/b", "x" * 300, "é"):
        line = json.dumps({**base, "benchmark": word})
        fine = word in ("..", "a/b", "é")  # which folders are called otherwise
        yield Item(
            "imports",
            f"benchmark {word[:20]}",
            ("import", "attempts", "x.jsonl", "--out", "o"),
            _text(line, "x.jsonl"),
            fine,
        )
    for word in ("average", "report", "..", "a/b", "x" * 300, "é", "seal.json", "LOGS"):
        line = json.dumps({**base, "arm": word})
        yield Item(
            "imports", f"arm {word[:20]}", ("import", "attempts", "x.jsonl", "--out", "o"), _text(line, "x.jsonl")
        )
    both = "".join(json.dumps({**base, "arm": arm}) + "\n" for arm in ("grpo", "GRPO"))
    yield Item("imports", "arms grpo and GRPO", ("import", "attempts", "x.jsonl", "--out", "o"), _text(both, "x.jsonl"))
    both = "".join(json.dumps({**base, "benchmark": name}) + "\n" for name in ("b", "B"))
    yield Item("imports", "benchmarks b and B", ("import", "attempts", "x.jsonl", "--out", "o"), _text(both, "x.jsonl"))
    for seed in ("9223372036854775808", "9" * 400, "-1", "1.5"):
        words = ("import", "attempts", f"grpo/seed{seed}=x.jsonl", "--out", "o")
        yield Item("imports", f"name with seed {seed[:20]}", words, _text(json.dumps(base), "x.jsonl"))
    yield Item(
        "imports",
        "a Parquet file of 20 million equal rows",
        ("import", "attempts", "x.parquet", "--out", "o"),
        _rows_bomb,
    )


def _may(column: str, value: str) -> bool:
    """Whether a cell is fine, or empty where it may be."""
    if column == "correct":
        return value in ("true",)
    return value in ('""', "NaN") and column in ("step", "tokens")


def _parquet(base: dict[str, object], column: str, value: float, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = pa.uint64() if isinstance(value, int) and value > 0 else None
    cells = {name: pa.array([cell]) for name, cell in base.items()} | {column: pa.array([value], kind)}
    pq.write_table(pa.table(cells), folder / "x.parquet")


def _rows_bomb(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    base = {"arm": "grpo", "benchmark": "b", "problem_id": "p", "seed": 0, "sample": 0, "correct": 1}
    batch = {name: pa.array([cell]).take(pa.array([0] * 1_000_000)) for name, cell in base.items()}
    with pq.ParquetWriter(folder / "x.parquet", pa.table(batch).schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(pa.table(batch))
