"""Expressions, by Math-Verify in its own processes: what is equal, and what hostile text can and cannot do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.marking import mark, mark_all, second_marker
from benchmarks.marking.marker import mark_texts
from benchmarks.marking.pool import Pool
from benchmarks.marks import MATHS, NUMBERS, Mark, Response, Rule

ROOT = Path(__file__).parents[2]
C, W, N, F = Mark.CORRECT, Mark.WRONG, Mark.NO_ANSWER, Mark.GRADER_FAILED

# answer, gold
EQUAL = [
    (r"\frac{x+2}{7}", r"\frac{x}{7}+\frac{2}{7}"),
    ("(x+1)^2", "x^2 + 2x + 1"),
    (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt 2}"),
    (r"\sin^2 x + \cos^2 x", "1"),
    (r"\tan^2(y)+1", r"\sec^2(y)"),
    (r"\frac{1}{1+i}", r"\frac{1-i}{2}"),
    (r"\frac{n(n+1)}{2}", r"\binom{n+1}{2}"),
    ("e^{x+y}", "e^x e^y"),
    ("x^2 - x^2", "0"),
    ("2**(1/4)", r"\sqrt{\sqrt{2}}"),
    ("(3*sqrt(5))/7", r"\frac{3\sqrt{5}}{7}"),
    ("exp(16)", "e^{16}"),
    (r"\log_2 8", "3"),
    ("3,-3", r"\pm 3"),
    (r"x=1 \text{ or } x=2", "1,2"),
    (r"\{3,1,2\}", r"\{1,2,3\}"),
    ("(x,y)=(1,2)", "(1,2)"),
    (r"x \in (-\infty, 3)", r"(-\infty,3)"),
    ("x<3", "3>x"),
    ("2=x", "x=2"),
    ("y=-\\frac{1}{2}x+\\frac{3}{4}", "2x+4y-3=0"),
    (r"\angle APC = 74^\circ", r"74^\circ"),
    (r"I_{\max} = \frac{q}{\sqrt{2LC}}", r"\frac{q}{\sqrt{2CL}}"),
    (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    (r"\begin{pmatrix}4\-3\end{pmatrix}", r"\begin{pmatrix} 4 \\ -3 \end{pmatrix}"),
    ("1/2004!", r"\frac{1}{2004!}"),
    ("33.5\\%", "0.335"),
    ("5 apples", "5"),
    (r"\text{(C)}", "C"),
    ("b", "B"),
]
DIFFERENT = [
    ("(x+1)^2", "x^2 + 2x - 1"),
    (r"\frac{1}{m}", r"\frac{1}{m} t"),
    ("V", "v"),
    ("1/2006!", "1/2004!"),
    ("2^{2025}", "3^{2025}"),
    (r"1+\frac{1}{\mathrm{e}}", r"1-\frac{1}{\mathrm{e}}"),
    ("0", "3x+4y+14=0"),
    ("1,2", r"1,2,\ldots,n"),
    ("41 or 42", "42"),
    ("3", r"\pm 3"),
    ("[1,2]", "[1,2)"),
    ("(2,1)", "(1,2)"),
    ("b/a", "a/b"),
    ("-i", "i"),
    ("n", "n!"),
    (r"\begin{pmatrix}1&2\\3&5\end{pmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    (r"\sqrt{2}+10^{-5}", r"\sqrt{2}"),
    ("5 apples and 3 pears", "5"),
    ("yes", "no"),
    ("", "0"),
]


def boxed(answer: str) -> str:
    return f"so \\boxed{{{answer}}}"


def test_what_is_equal_and_what_is_not() -> None:
    rows = [(a, g, C) for a, g in EQUAL] + [(a, g, W if a else N) for a, g in DIFFERENT]
    found = mark_all(Response(boxed(answer), gold, MATHS) for answer, gold, _ in rows)
    wrong = [(*row, one.mark) for row, one in zip(rows, found, strict=True) if one.mark is not row[2]]
    assert wrong == []


def test_a_rounded_value_of_an_exact_gold_needs_a_tolerance() -> None:
    answer, gold = boxed("0.6054"), r"\cos^{10}(\frac{\pi}{10})"
    assert mark(answer, gold, Rule(tolerance=1e-4)).mark is C
    assert mark(answer, gold, MATHS).mark is W


def test_expressions_of_numbers_are_no_numbers() -> None:
    assert mark(boxed("5+7"), "12", MATHS).mark is C
    assert mark(boxed("5+7"), "12", NUMBERS).mark is W


@pytest.mark.parametrize("gold", ["", r"\frac{1}{2", "\\begin{cases} x", "}{", "\0"])
def test_a_gold_that_does_not_parse_is_compared_as_text(gold: str) -> None:
    assert mark(boxed(r"\sqrt{3}"), gold, MATHS).mark is W


@pytest.mark.parametrize(
    "text, gold, expected, answer",
    [
        ("16 eggs.\nA: 26", "26", C, "26"),
        ("so it is\n#### 1,234", "1234", C, "1,234"),
        ("The answer is $42.", "42", C, "42"),
        (r"Final Answer: The final answer is $\frac{1}{2}$. I hope it is correct.", "0.5", C, r"$\frac{1}{2}$"),
        (r"a \boxed{200} first. Final Answer: The final answer is $255$. I hope it is correct.", "255", C, "$255$"),
        ("3+2", "5", C, "3+2"),
        ("Evelyn", r"\text{Evelyn}", C, "Evelyn"),
        ("I think that it must be 7, or perhaps not.", "8", N, None),
        (r"We get $x = 5$ and then \( \sqrt{16} \)", "4", C, r"\sqrt{16}"),
        ("", "4", N, None),
        (r"\boxed{4", "4", N, None),  # a box that is never closed withdraws the answer
        ("<think>7</think> 8", "8", C, "8"),
    ],
)
def test_texts_without_a_box(text: str, gold: str, expected: Mark, answer: str | None) -> None:
    (found,) = mark_texts([Response(text, gold, MATHS)])
    assert (found.mark, found.answer) == (expected, answer)


SLOW = [
    "9^{9^{9^{9}}}",
    "3^{300000000}",
    "10^{9}!",
    "(" * 400 + "x" + ")" * 400,
    r"\frac{1}{" * 100 + "x" + "}" * 100,
    r"\sum_{k=1}^{10^{9}} \frac{1}{k^3}",
    "x^" * 300 + "2",
    r"\int_0^1 \sin(x^{x^{x}}) dx",
    r"\binom{10^{9}}{10^{8}}",
    "+".join(f"x_{{{i}}}^{{{i}}}" for i in range(100)),
]
SHORT = [
    "\0",
    "\u202e5",
    "\ud800",
    "{" * 1000,
    "}" * 1000,
    "\\" * 1000,
    "9" * 100_000,
    "a " * 50_000,
    "𝟓",
    r"\input{/etc/passwd}",
    "__import__('os').system('true')",
    "[" * 1999,
    "(," * 900,
    r"\begin{pmatrix}" * 100,
    r"\frac" * 300,
    "$" * 999,
    "1" + ",000" * 400,
    "\n" * 10_000 + "7",
]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool(2)
    yield made
    made.close()


def test_hostile_answers_get_a_mark_and_hold_nobody_up(pool: Pool) -> None:
    mark_all([Response(boxed("x+y"), "y+x", MATHS)] * 2, pool)
    rows = [Response(boxed(text), r"\sqrt{5}", MATHS) for text in (*SLOW, *SHORT)]
    found = mark_all([*rows, Response(boxed(r"5^{\frac{1}{2}}"), r"\sqrt{5}", MATHS)], pool)
    assert found[-1].mark is C
    assert {one.mark for one in found[:-1]} <= {W, F, N}
    assert any(one.mark is F for one in found)


def test_hostile_texts_without_a_box(pool: Pool) -> None:
    found = mark_texts([Response(text, r"\sqrt{5}", MATHS) for text in (*SLOW, *SHORT)], pool)
    assert {one.mark for one in found} <= {W, F, N}


def test_workers_that_somebody_killed_are_replaced(pool: Pool) -> None:
    pool.ask_all([("compare", f"x+{name}", f"{name}+x", "maths", 0.0) for name in "yz"])
    for pid in workers_of(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    found = [pool.ask(("compare", f"x+{n}", f"{n}+x", "maths", 0.0)) for n in range(4)]
    assert [reply.value for reply in found] == [True] * 4


def workers_of(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid), "-f", "marking.worker"], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def test_any_thread_may_ask() -> None:
    """Math-Verify alone raises outside the main thread, or hangs there."""
    found: list[Mark] = []
    threads = [
        threading.Thread(target=lambda: found.append(mark(boxed("(x+1)^2"), "x^2+2x+1", MATHS).mark)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [C] * 4


def test_workers_end_with_their_process() -> None:
    program = (
        "from benchmarks.marking import mark\nfrom benchmarks.marks import MATHS\nimport os, subprocess, sys\n"
        r"mark('\\boxed{x+1}', '1+x+0', MATHS)" + "\n"
        "found = subprocess.run(['pgrep', '-P', str(os.getpid()), '-f', 'marking.worker'], capture_output=True)\n"
        "print(found.stdout.decode(), flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    workers = [int(pid) for pid in done.stdout.split()]
    assert workers
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_the_second_marker_is_math_verify_alone() -> None:
    responses = [
        Response(boxed(r"\frac{1}{m}"), r"\frac{1}{m} t", MATHS),  # it takes t for a unit
        Response("The answer is 42, I think.", "42", MATHS),  # no box: it takes the last number
        Response(boxed("41"), "42", MATHS),
    ]
    assert second_marker.mark_all(responses) == [C, C, W]
    assert [one.mark for one in mark_all(responses)] == [W, N, W]
