"""Whole responses of the more tangled sort: corrections, several boxes, quoted prompts, cut texts, other languages."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, box, said
from benchmarks.adversarial.equal_notations import OPTIONS
from benchmarks.adversarial.responses import WORK, end, values, work
from benchmarks.adversarial.texts import distinct

Cases = Iterator[SuiteCase]


def corrected_answers(rng: Random) -> Cases:
    """Two boxes in two sentences: the last one counts."""
    gold, other = values(rng)
    turns = (
        "Wait, that is not right.",
        "Checking this, one case was missing.",
        "No: the sign was wrong.",
        "Correction.",
    )
    first_wrong = f"{end(rng, other)} {rng.choice(turns)} {rng.choice(WORK)} {end(rng, gold)}"
    first_right = f"{end(rng, gold)} {rng.choice(turns)} {rng.choice(WORK)} {end(rng, other)}"
    yield said(gold, first_wrong, True, "The last box has the gold.")
    yield said(gold, first_right, False, "The last box has another value.")
    yield said(gold, f"{work(rng)} {first_wrong}", True, "The last box has the gold.")
    yield said(gold, f"{work(rng)} {first_right}", False, "The last box has another value.")


def answers_in_several_boxes(rng: Random) -> Cases:
    """A gold of several values, one box for each."""
    a, b, c, d = (str(value) for value in distinct(rng, 4, 2, 300))
    gold, three = f"{a}, {b}", f"{a}, {b}, {c}"
    yield said(gold, f"{work(rng)} The solutions are {box(a)} and {box(b)}.", True, "Together the boxes are the gold.")
    yield said(gold, f"{work(rng)} The solutions are {box(a)} and {box(d)}.", False, "One of them is another value.")
    yield said(gold, f"{work(rng)} The only solution is {box(a)}.", False, "A solution is missing.")
    yield said(three, f"Answer: {box(a)}, {box(b)}, {box(c)}", True, "Together the boxes are the gold.")
    yield said(three, f"Answer: {box(a)}, {box(b)}, {box(d)}", False, "One of them is another value.")
    yield said(a, f"The candidates are {box(b)}. {rng.choice(WORK)} Only {box(a)} remains.", True, "The last box.")


PROMPTS = (
    "Please reason step by step, and put your final answer within \\boxed{{}}.",
    "The last line must be of the form \\boxed{{answer}}.",
    "I must put my final answer in \\boxed{{...}}.",
    "Format: Answer: \\boxed{{your answer}}",
    "We are told to write the result as \\boxed{{X}}, where X is a number.",
)


def quoted_prompts(rng: Random) -> Cases:
    """The prompt with its own box is repeated before the answer."""
    gold, other = values(rng)
    prompt = rng.choice(PROMPTS).format()
    why = "The last box has the gold; the first is the prompt's."
    yield said(gold, f"{prompt}\n\n{work(rng)} {end(rng, gold)}", True, why)
    yield said(gold, f"{prompt}\n\n{work(rng)} {end(rng, other)}", False, "The last box has another value.")
    yield said(gold, f"{prompt}\n\n{work(rng)} I cannot tell.", False, "The only box is the prompt's.")
    yield said(gold, f"User: What is it? {prompt}\nAssistant: {work(rng)} {end(rng, gold)}", True, why)


def text_after_the_box(rng: Random) -> Cases:
    """Sentences with other numbers after the box."""
    gold, other = values(rng)
    n = rng.randint(2, 99)
    after = (
        f"This agrees with the bound {n} from before.",
        f"(Problem {n}, page {n + 40}.)",
        f"Note that ${other}$ would violate the condition.",
        f"Check: the other candidates are {other} and {n}, which fail.",
        "I hope it is correct.",
    )
    yield said(gold, f"{work(rng)} {end(rng, gold)} {rng.choice(after)}", True, "The box has the gold.")
    late = (f"Note that ${gold}$ would violate the condition.", f"The number {gold} is one less than needed.")
    yield said(gold, f"{work(rng)} {end(rng, other)} {rng.choice(late)}", False, "The box has another value.")
    yield said(gold, f"{end(rng, gold)}\n\n{' '.join(rng.sample(after, 3))}", True, "The box has the gold.")


def answer_lines(rng: Random) -> Cases:
    """A line that announces the answer, beside the box that has it."""
    gold, other = values(rng)
    line = rng.choice(("Answer: ", "**Answer:** ", "Final answer: ", "The answer is ", "ANSWER: "))
    for answer, expected in ((gold, True), (other, False)):
        why = "The line and the box say the gold." if expected else "The line and the box say another value."
        yield said(gold, f"{work(rng)}\n\n{line}${answer}$\n\n{box(answer)}", expected, why)
        yield said(gold, f"{work(rng)}\n{line}{box(answer)}", expected, why)
    yield said(gold, f"{work(rng)} We exclude {gold}.\n{line}{box(other)}", False, "The box has another value.")


def cut_off(rng: Random) -> Cases:
    """Responses that a limit has cut before their answer was finished, though the gold was in their work."""
    gold, other = values(rng)
    n = rng.randint(1000, 99999)
    why = "The text ends before it has an answer."
    yield said(gold, f"{work(rng)} One step gives {gold}. {work(rng, 1)[:-9]}", False, why)
    yield said(gold, f"{work(rng, 3)} The first sum is ${gold}$, and the second is", False, why)
    yield said(str(n), f"{work(rng)} Therefore the answer is $\\boxed{{{str(n)[:2]}", False, "The box is not finished.")
    yield said(gold, f"{work(rng)} So $x = {gold}$ or $x = {other}$. To decide, we test", False, why)


def no_answers(rng: Random) -> Cases:
    """Responses that end without an answer and mention the gold."""
    n, other = distinct(rng, 2, 2, 999)
    mentions = (
        f"The text mentions {n} eggs, but I do not know what is asked.",
        f"I give up. It could be {n} or {other}.",
        f"{n} is given in the problem. I cannot solve it.",
        f"There are {n} cases and I have no time for them.",
        f"I don't know. Perhaps more than {n}, perhaps fewer.",
        f"Is {n} prime? I could not find out what this means for the problem.",
    )
    for text in rng.sample(mentions, 3):
        yield said(str(n), f"{work(rng)} {text}", False, "It gives no answer, and has no box.")
    yield said(str(n), rng.choice(("I don't know.", "???", "...", "No.")) + " " + rng.choice(WORK), False, "No answer.")


LANGUAGES = (
    ("我们先列出方程,然后求解。", "因此答案是 {}。"),
    ("Wir stellen die Gleichung auf und lösen sie.", "Die Antwort ist also {}."),
    ("On pose l'équation et on la résout.", "La réponse est donc {}."),
    ("Составим уравнение и решим его.", "Ответ: {}."),
    ("方程式を立てて解きます。", "したがって、答えは{}です。"),
    ("Planteamos la ecuación y la resolvemos.", "La respuesta es {}."),
    ("방정식을 세우고 풉니다.", "따라서 답은 {}입니다."),
    ("نكتب المعادلة ونحلها.", "الجواب هو {}."),
)


def other_languages(rng: Random) -> Cases:
    """Responses in other languages than English, with a box."""
    gold, other = values(rng)
    start, last = rng.choice(LANGUAGES)
    yield said(gold, f"{start} {other}. {last.format(f'${box(gold)}$')}", True, "The box has the gold.")
    yield said(gold, f"{start} {gold}. {last.format(f'${box(other)}$')}", False, "The box has another value.")
    yield said(gold, f"{start} ({gold})", False, "There is no answer, and no box.")


def long_responses(rng: Random) -> Cases:
    """Thousands of characters of work, line ends of Windows, and a box at the end, or far from it."""
    gold, other = values(rng)
    long = "\r\n".join(f"({i}) {rng.choice(WORK)} This gives {i}." for i in range(rng.randint(12, 25)))
    yield said(gold, f"{long}\r\n{end(rng, gold)}\r\n", True, "The box at the end has the gold.")
    yield said(gold, f"Guess: {gold}.\r\n{long}\r\n{end(rng, other)}", False, "The box at the end has another value.")
    yield said(gold, f"{end(rng, gold)}\r\n\r\nIn detail:\r\n{long}", True, "The only box has the gold.")
    yield said(
        gold, f"{end(rng, other)}\r\n\r\nIn detail:\r\n{long}\r\n{gold}", False, "The only box has another value."
    )


def option_lines(rng: Random) -> Cases:
    """Lines that announce the letter of an option, with or without a box, as multiple-choice prompts ask for them."""
    letter, other = rng.sample("ABCDEF", 2)
    text = rng.choice(OPTIONS)

    def lines(chosen: str) -> tuple[str, ...]:
        return (
            f"ANSWER: **{chosen}**",
            f"ANSWER: ${chosen}$",
            f"Answer: {chosen}",
            f"**Answer: {chosen}**",
            f"The correct answer is **({chosen})**.",
            f"Answer: ({chosen}) {text}",
            f"Final Answer: $\\boxed{{{chosen}}}$",
            f"Since $\\boxed{{x \\ll y}}$ holds, the choice follows.\n**Answer: {chosen}**",
        )

    at = rng.sample(range(8), 3)
    for i in at:
        start = f"{rng.choice(WORK)} Option {other} fails.\n\n"
        yield said(letter, start + lines(letter)[i], True, "The line announces the right option.", "choice")
    start = f"{rng.choice(WORK)} Option {letter} fails.\n\n"
    for i in at:
        yield said(letter, start + lines(other)[i], False, "The line announces another option.", "choice")
