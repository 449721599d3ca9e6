"""Whole responses to a problem whose prompt asks for a box: where the answer is, and whether there is one.

The rule, which the prompt states: the answer is what the last box outside the thinking holds. A response that opens a
later box and leaves it open or empty has taken its answer back. Nothing in the thinking is an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, box, said
from benchmarks.adversarial.texts import SQUARE_FREE, distinct, frac, proper, root, times

Cases = Iterator[SuiteCase]
WORK = (
    "Let me set up the equation and solve it step by step.",
    "First, count all arrangements, then subtract those that are not allowed.",
    "By symmetry it is enough to look at one half of the figure.",
    "We compare coefficients on both sides.",
    "Consider the remainders modulo the given number.",
    "The triangle is isosceles, so its altitude is also a median.",
    "We use the formula for the sum of a geometric series.",
    "Substituting back, all conditions hold.",
)
ENDS = ("Hence the answer is {}.", "So the final answer is ${}$.", "Therefore: {}", "We conclude {}.", "\\[{}\\]")


def values(rng: Random) -> tuple[str, str]:
    """A gold, and another value of the same form."""
    n, other = distinct(rng, 2, 2, 999)
    p, q = proper(rng), proper(rng)
    while p == q:
        q = proper(rng)
    radicand, second = rng.sample(SQUARE_FREE, 2)
    k = rng.randint(2, 20)
    forms = (
        (str(n), str(other)),
        (str(n), str(other)),
        (frac(p), frac(q)),
        (times(k, root(radicand)), times(k, root(second))),
        (f"({n},{other})", f"({n},{other + 1})"),
        (f"x^2+{n}", f"x^2+{other}"),
    )
    return rng.choice(forms)


def work(rng: Random, sentences: int = 2) -> str:
    return " ".join(rng.sample(WORK, sentences))


def end(rng: Random, answer: str) -> str:
    return rng.choice(ENDS).format(box(answer))


def final_boxes(rng: Random) -> Cases:
    """Work, and one box at its end; the work names other values."""
    gold, other = values(rng)
    yield said(gold, f"{work(rng)} One would first guess {other}. {end(rng, gold)}", True, "Its only box has the gold.")
    yield said(gold, f"{work(rng)} One step gives {gold}. {end(rng, other)}", False, "Its only box has another value.")
    steps = f"Step 1: {rng.choice(WORK)}\n\nStep 2: {rng.choice(WORK)}\n\n## Answer\n\n$${box(gold)}$$\n"
    yield said(gold, steps, True, "Its only box has the gold.")
    yield said(gold, steps.replace(box(gold), box(other)), False, "Its only box has another value.")


def ways_to_draw_a_box(rng: Random) -> Cases:
    """Boxes in bold, in display, doubled, with spaces, as fbox, with words before the value."""
    gold, other = values(rng)
    forms = (
        "**{}**",
        "$$\n{}\n$$",
        "\\[\n{}\n\\]",
        "\\({}\\)",
        "Answer: ${}$",
        "**Final Answer**\n\n${}$.",
        "\\begin{{align*}} x &= {} \\end{{align*}}",
        "> {}",
    )
    for answer, expected in ((gold, True), (other, False)):
        drawn = (
            box(answer),
            f"\\boxed{{ {answer} }}",
            f"\\fbox{{${answer}$}}",
            f"\\boxed{{\\displaystyle {answer}}}",
            f"\\boxed{{\\boxed{{{answer}}}}}",
            f"\\boxed {{{answer}}}",
        )
        why = "The box has the gold, however it is drawn." if expected else "The box has another value."
        yield said(gold, f"{work(rng)}\n\n{rng.choice(forms).format(rng.choice(drawn))}", expected, why)


def braces_in_boxes(rng: Random) -> Cases:
    """Answers with braces in them: a reader that ends at the first brace reads half of them."""
    a, b, c = distinct(rng, 3, 2, 40)
    p, q = proper(rng), proper(rng)
    while p == q:
        q = proper(rng)
    golds = (
        (f"\\frac{{{a}}}{{{b}^{{{c}}}}}", f"\\frac{{{a}}}{{{b}^{{{c + 1}}}}}"),
        (f"\\{{{a},{b}\\}}", f"\\{{{a},{c}\\}}"),
        (f"\\sqrt{{{a}+\\sqrt{{{b}}}}}", f"\\sqrt{{{a}+\\sqrt{{{c}}}}}"),
        (f"\\frac{{{frac(p)}}}{{x}}", f"\\frac{{{frac(q)}}}{{x}}"),
    )
    gold, other = rng.choice(golds)
    yield said(gold, f"{work(rng)} {end(rng, gold)}", True, "The box ends at its own closing brace.")
    yield said(gold, f"{work(rng)} {end(rng, other)}", False, "The box has another value.")
    head = f"\\frac{{{a}}}{{{b}}}"
    yield said(str(a), f"{work(rng)} {end(rng, head)}", False, "The gold is the numerator alone.")
    yield said(head, f"{work(rng)} $\\boxed{{{head}}}$ {{as claimed}}", True, "The box ends at its own closing brace.")


def later_box_left_open(rng: Random) -> Cases:
    """A box with the gold, and a later one that is left open: the answer was taken back and no other was given."""
    gold, other = values(rng)
    turns = ("Wait, let me check. The answer is", "No, I forgot a case. So", "Hmm, on reflection:", "Correction:")
    why = "The later box takes the answer back and is never finished."
    start = f"{work(rng)} {end(rng, gold)}"
    yield said(gold, f"{start} {rng.choice(turns)} \\boxed{{{other}", False, why)
    yield said(gold, f"{start} {rng.choice(turns)} \\boxed{{", False, why)
    yield said(gold, f"{start} {rng.choice(turns)} $\\boxed{{\\frac{{{rng.randint(2, 9)}}}{{", False, why)


def later_box_empty(rng: Random) -> Cases:
    """A box with the gold, and a later one that is empty."""
    gold, _ = values(rng)
    why = "The last box is empty: the answer was taken back and no other was given."
    start = f"{work(rng)} {end(rng, gold)}"
    last = rng.choice(("Hence the final answer is", "Wait. It should be", "**Final answer:**", "Answer:"))
    empty = rng.choice(("\\boxed{}", "\\boxed{ }", "$\\boxed{}$", "\\boxed{\\,}", "\\boxed{~}", "\\boxed{\\text{}}"))
    yield said(gold, f"{start} {last} {empty}", False, why)
    yield said(gold, f"{work(rng)} {last} {empty}", False, "The only box is empty.")


def answers_in_the_thinking(rng: Random) -> Cases:
    """The gold is in the thinking, and what follows it has no answer or another one."""
    gold, other = values(rng)
    why = "Thinking is no answer, and nothing after it is one."
    thought = f"<think>\n{work(rng)} So it is {box(gold)}.\n</think>\n"
    excuses = ("I could not solve this.", "I am not sure about the answer.", "Sorry, I give up here.", "", "Done.")
    yield said(gold, thought + rng.choice(excuses), False, why)
    yield said(
        gold, f"<think>{work(rng)} Maybe ${gold}$? Then the answer is {gold}.</think> {rng.choice(excuses)}", False, why
    )
    yield said(gold, thought + f"{rng.choice(WORK)} {end(rng, other)}", False, "The answer after it is another.")
    yield said(
        gold, f"<think>\n{work(rng)} So it is {box(gold)}. {rng.choice(WORK)}", False, "The thinking never ends."
    )


def answers_after_the_thinking(rng: Random) -> Cases:
    """The thinking has other values, the answer follows it."""
    gold, other = values(rng)
    thoughts = (f"Is it {box(other)}? No.", f"First guess: {other}.", f"The answer is {other}. Hmm.", f"{box(other)}")
    thought = f"<think>{work(rng)} {rng.choice(thoughts)}</think>\n\n"
    yield said(
        gold, thought + f"{rng.choice(WORK)} {end(rng, gold)}", True, "The answer after the thinking is the gold."
    )
    yield said(gold, thought + end(rng, gold), True, "The answer after the thinking is the gold.")
    bare = f"{work(rng)} {rng.choice(thoughts)}\n</think>\n{end(rng, gold)}"
    yield said(gold, bare, True, "The thinking was opened by the prompt; the answer after it is the gold.")
    yield said(gold, bare.replace(box(gold), box(other)), False, "The answer after the thinking is another value.")
