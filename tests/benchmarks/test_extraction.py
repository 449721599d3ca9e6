"""Where an answer is found, by each reading, and where there is none and why."""

from __future__ import annotations

import time

import pytest

from benchmarks.marking import mark, mark_all
from benchmarks.marking.marker import mark_texts
from benchmarks.marking.responses.extraction import Place, Reading, extract
from benchmarks.marking.responses.thinking import TAGS, without_thinking
from benchmarks.marks import CHOICE, MATHS, Form, Mark, Response, Rule

OPEN, EMPTY, DENIED = "the last box is open", "the last box is empty", "the last box is denied"
NO_BOX = "there is no box"
NOTHING = "nothing follows the thinking"


@pytest.mark.parametrize(
    "text, answer",
    [
        (r"so \boxed{5}", "5"),
        (r"so \fbox{5}", "5"),
        (r"$\boxed{\text{5}}$", r"\text{5}"),
        (r"I mark my solution with \boxed now. So the result is \boxed{5}.", "5"),
        (r"So the result is \boxed{5}. I marked it with \boxed now.", "5"),
        (r"\boxed 5", "5"),
        (r"\boxed 12.5.", "12.5"),
        (r"$\boxed5$", "5"),
        (r"\boxed{3}, then \boxed 4 .", "4"),
        (r"\boxed{x = \boxed{5}}", "x = {5}"),  # TeX shows all of it
        (r"\boxed{\boxed{5}}", "5"),
        ("\\boxed{\\frac{1}{2}\n\nno brace, so again: \\boxed{3}", "3"),
        ("\\boxed{\\frac{1}{2}\n\nand a stray } later. \\boxed{3}", "3"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{\}}", r"\}"),
        (r"This is not hard: \boxed{5}", "5"),
        (r"\boxed{5} is not divisible by 2, as it must be", "5"),
        (r"The guess was not \boxed{4}. It is \boxed{5}.", "5"),
        (r"\boxed{5} or $\boxed{6}$", r"5 \text{ or } 6"),
        (r"\boxed{5} or, if n is odd, \boxed{6}", "6"),
        ("```latex\n\\boxed{7}\n```", "7"),
        (r"I put my final answer within \boxed{}. It is \boxed{5}.", "5"),
        (r"It is \boxed{5}. I put my final answer within \boxed{}, as you said.", "5"),
        (r"It is \boxed{5}. Put the answer in `\boxed{...}`.", "5"),
        (r"It is \boxed{5}. The form is: answer within $\boxed{\text{your answer}}$", "5"),
    ],
)
def test_a_box(text: str, answer: str) -> None:
    for reading in Reading:
        assert extract(text, reading)[:2] == (answer, Place.BOX)


@pytest.mark.parametrize(
    "text, reason",
    [
        (r"So \boxed{5}. Wait, the answer is \boxed{6", OPEN),
        (r"First \boxed{5}. Hence the final answer is \boxed{}", EMPTY),
        (r"\boxed{5}, no: \boxed{ \, }", EMPTY),
        (r"\boxed{5}, no: \boxed{\text{ }}", EMPTY),
        (r"\boxed{5}, no: \boxed{$ $}", EMPTY),
        (r"\boxed{5}, no: \boxed{\frac{6}{7}", OPEN),
        (r"So it is 6 and not \boxed{5}.", DENIED),
        (r"It cannot be \boxed{5}", DENIED),
        (r"It isn't $\boxed{5}$.", DENIED),
        (r"$x \ne \boxed{5}$", DENIED),
        (r"$\cancel{\boxed{5}}$", DENIED),
        (r"\boxed{5} is wrong.", DENIED),
        (r"$\boxed{5}$ is not the final answer.", DENIED),
        (r"\boxed{5} is not correct", DENIED),
        ("boxed{5}", NO_BOX),
        (r"I put my final answer within \boxed{}.", NO_BOX),
        ("", "the response is empty"),
    ],
)
def test_no_answer_in_a_box(text: str, reason: str) -> None:
    found = extract(text, Reading.BOX)
    assert (found.answer, found.reason) == (None, reason)
    marked = mark_all([Response(text, "5", MATHS), Response(text, "5", MATHS, truncated=True)])
    assert [(one.mark, one.answer, one.reason) for one in marked] == [
        (Mark.NO_ANSWER, None, reason),
        (Mark.TRUNCATED, None, reason),
    ]


@pytest.mark.parametrize("opening, closing", TAGS)
def test_thinking_is_never_searched(opening: str, closing: str) -> None:
    for form in Form:
        for thought in (r"it is \boxed{7}", "Answer: 7", "$7$", r"\boxed{B}", "Answer: B"):
            for text in (f"{opening}{thought}", f"{opening}{thought}{closing}", f"{thought}{closing}\n"):
                for reading in Reading:
                    found = extract(text.upper() if form is Form.MATHS and "think" in opening else text, reading, form)
                    assert found[:3] == (None, None, NOTHING)
    said = rf"{opening}it is \boxed{{7}}, {'</other>'}{closing} So \boxed{{8}}."
    assert extract(said, Reading.BOX).answer == "8"
    assert extract(rf"\boxed{{8}} {opening} or \boxed{{7}}?", Reading.BOX).answer == "8"


def test_only_its_own_tag_ends_a_section() -> None:
    assert without_thinking("<think>a </reasoning> b</think>c") == "c"
    assert without_thinking("<think>a </reasoning> b") == ""
    assert without_thinking("<think><think>a</think> b") == " b"
    assert without_thinking("a</think>b</think>c") == "c"
    assert without_thinking("if a < b, [x] and <i>c</i>") == "if a < b, [x] and <i>c</i>"


@pytest.mark.parametrize(
    "text, answer",
    [
        ("#### 42", "42"),
        ("so it is\n#### 1,234", "1,234"),
        ("2+40=42\n#### 42\n and the reasoning above confirms it.", "42"),
        ("Answer: 2*7 + 3*6 + 7*7 = 81", "2*7 + 3*6 + 7*7 = 81"),
        ("Consistent.\n\n---\n\nFinal Answer: **73**", "73"),
        ("**Final Answer**\n\n**73**", "73"),
        ("### Final Answer\n$73$", "$73$"),
        ("The answer is 42 because geometry proves it", "42"),
        ("The answer is 72, which is the total.", "72"),
        ("The answer is 72, in total, so the farmer earns that much.", "72"),
        ("The answer is 1,234.", "1,234"),
        ("The answer is -3.5, I think.", "-3.5"),
        ("The answer is 5 cm, as computed.", "5 cm"),
        ("The answer is 12 apples because there are more.", "12 apples"),
        ("The final answer is therefore 7.", "7"),
        ("The answer is 5!", "5!"),  # a factorial
        ("Answer: `$13$`", "$13$"),
        ("So it costs $200,000.\n\n**Answer: $70,000**", "70,000"),
        ("Final Answer:\nThe last digits of \\(2^{9}\\) are:\n\\[Answer: 009\\]", "009"),
        ("Answer: 42\nOn reflection that was wrong.\nAnswer: 41", "41"),
        ("the answer is $x = 5$.", "$x = 5$"),
        ("<answer>12</answer>", "12"),
        ("The answer to the question is 12.", "12"),
        ("A: 26", "26"),
        ("The answer is Evelyn.", "Evelyn"),
        (r"Final Answer: The final answer is $\frac{1}{2}$. I hope it is correct.", r"$\frac{1}{2}$"),
    ],
)
def test_a_stated_answer(text: str, answer: str) -> None:
    assert extract(text, Reading.ANYWHERE)[:2] == (answer, Place.STATED)
    for reading in (Reading.BOX, Reading.RULE):
        assert extract(text, reading)[:3] == (None, None, NO_BOX)


@pytest.mark.parametrize(
    "text",
    [
        "18 eggs were mentioned, I give up.",
        "I don't know.",
        "the answer is not 5",
        "The answer isn't 5.",
        "The answer is no longer 5.",
        "The answer cannot be 5.",
        "The answer is 5. No, I cannot determine it.",
        "$5$ came out, but that is not the answer.",
        "It may be 5, or perhaps not.",
        "<think>maybe $5$</think> I give up, sorry about that.",
        r"So \boxed{5}. Wait, the answer is \boxed{6",
        r"First \boxed{5}. Hence the final answer is \boxed{}",
    ],
)
def test_a_text_that_gives_up_has_no_answer(text: str) -> None:
    (found,) = mark_texts([Response(text, "5", MATHS)])
    assert found.mark is Mark.NO_ANSWER and found.answer is None and found.reason


@pytest.mark.parametrize(
    "text",
    ["The answer is 5 choose two.", "Answer: 10 over three", "If the answer is 5, we are done.", "Is the answer 5?"],
)
def test_what_is_no_statement(text: str) -> None:
    assert extract(text, Reading.ANYWHERE).answer not in ("5", "10")


@pytest.mark.parametrize(
    "text, answer",
    [
        ("We get $x = 5$ and then $y = 7$", "7"),
        ("We add. Therefore, there are 12 ways. I hope it is correct.", "12"),
        ("We add 3 and 4. So, the pair is $(7, 6)$. <|im_start|>user", "(7, 6)"),
        ("We add 3 and 4. The sum is 7. Next we look at", None),
        ("The answer is between 6 and 7.", None),
        ("Therefore it is 7 at most. There are 7 cases and I have no time.", None),
    ],
)
def test_only_a_conclusion_is_searched(text: str, answer: str | None) -> None:
    (found,) = mark_texts([Response(text, answer or "7", MATHS)])
    assert found.mark is (Mark.CORRECT if answer else Mark.NO_ANSWER)
    assert found.place == ("searched" if answer else "")


def test_an_empty_box_may_be_followed_by_a_statement() -> None:
    text = "\\boxed{5} is wrong. \\boxed{} \n**Answer: 6**"
    assert extract(text, Reading.ANYWHERE)[:2] == ("6", Place.STATED)
    assert extract(text, Reading.BOX).answer is None


@pytest.mark.parametrize(
    "text, letter",
    [
        (r"\boxed{E}", "E"),
        (r"\boxed{E: A polygenic score}", "E"),
        (r"\boxed{E) first option}", "E"),
        (r"\boxed{E. text}", "E"),
        (r"\boxed{\text{(E)}}", "E"),
        (r"\boxed{\textbf{(E)}\ 42}", "E"),
        (r"\boxed{\mathrm{b}}", "B"),
        (r"\boxed{(c)}", "C"),
        (r"\boxed{\text{Option B}}", "B"),
        (r"\boxed{C: both A and B}", "C"),
        ("ANSWER: $B$", "B"),
        ("ANSWER: **B**", "B"),
        ("**Answer:** (B)", "B"),
        ("**Answer: D**", "D"),
        ("Answer: **B**", "B"),
        (r"Answer: $\boxed{B}$", "B"),
        (r"Answer: \text{B}", "B"),
        ("Answer: (b)", "B"),
        ("**Final Answer**\n\nC", "C"),
        ("#### A", "A"),
        ("<answer>A</answer>", "A"),
        ("The correct option is (C)", "C"),
        ("The correct answer choice is C.", "C"),
        ("so the answer is B.", "B"),
        ("The answer is A because the others fail.", "A"),
        ("The answer to the question is option (D), as shown.", "D"),
        ("Therefore, B is the correct answer.", "B"),
        ("Option (H) is correct.", "H"),
        ("I'd go with J.", "J"),
        (r"Since \boxed{\langle H\rangle \ll \Delta E} holds, the choice follows." "\n**Answer: D**", "D"),
        ("**Answer: D**\n" r"since \boxed{x > 3}", "D"),
        ("The answer is B. No: the answer is C.", "C"),
        ("Answer: B, since C is wrong.", "B"),
        ("(B)", "B"),
        ("**B**", "B"),
        ("B) the second one", "B"),
        ("Let us see.\nA is wrong.\n\n(C)", "C"),
    ],
)
def test_a_letter(text: str, letter: str) -> None:
    assert extract(text, Reading.RULE, Form.CHOICE).answer == letter
    for gold in "ABCDEFGHIJ":
        assert mark(text, gold, CHOICE).mark is (Mark.CORRECT if gold == letter else Mark.WRONG)
        found = mark_texts([Response(text, gold, CHOICE), Response(text, gold, Rule())])
        assert [one.mark is Mark.CORRECT for one in found] == [gold == letter] * 2


@pytest.mark.parametrize(
    "text, mark_",
    [
        ("Answer: B or C", Mark.WRONG),
        ("The answer is A, B.", Mark.WRONG),
        (r"\boxed{A, B}", Mark.WRONG),
        (r"\boxed{A/B}", Mark.WRONG),
        (r"\boxed{A} or \boxed{B}", Mark.WRONG),
        (r"\boxed{(A) \text{ and } (B)}", Mark.WRONG),
        (r"\boxed{AB}", Mark.WRONG),
        (r"\boxed{B = mc^2}", Mark.WRONG),
        (r"\boxed{A person}", Mark.WRONG),
        (r"\boxed{\text{not B}}", Mark.WRONG),
        ("The answer is a person.", Mark.NO_ANSWER),
        ("Answer: A person who helps.", Mark.NO_ANSWER),
        ("A person who helps.", Mark.NO_ANSWER),
        ("The answer is B cells.", Mark.NO_ANSWER),
        ("The answer is not B.", Mark.NO_ANSWER),
        ("Option B is wrong.", Mark.NO_ANSWER),
        ("If the answer is B, then x = 3.", Mark.NO_ANSWER),
        ("Answer: I think so.", Mark.NO_ANSWER),
        ("answer: b", Mark.NO_ANSWER),
        (r"\boxed{B} and then \boxed{", Mark.NO_ANSWER),
        (r"\boxed{B} and then \boxed{}", Mark.NO_ANSWER),
        ("<think>Answer: B</think>", Mark.NO_ANSWER),
        (r"It is not \boxed{B}.", Mark.NO_ANSWER),
        (r"\boxed{B} is wrong.", Mark.NO_ANSWER),
        ("I doubt that the answer is B.", Mark.NO_ANSWER),
    ],
)
def test_no_single_letter(text: str, mark_: Mark) -> None:
    for gold in "AB":
        found = mark(text, gold, CHOICE)
        assert found.mark is mark_ and found.reason


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 5 choose two",
        "5 choose two",
        "5 over three",
        "So I computed 5 minus one",
        "I do not think the answer is $5$.",
        "It would be wrong to say that the answer is $5$.",
        "The answer is twice $5$.",
        "The answer is anything but $5$.",
        "So we get 13 rather than $5$.",
        "The answer is $5$. This is wrong; it should be 13.",
        "$5$ is wrong.",
        "Suppose the answer is $5$.",
    ],
)
def test_a_number_that_is_not_said_to_be_the_answer(text: str) -> None:
    (found,) = mark_texts([Response(text, "5", Rule())])
    assert found.mark is not Mark.CORRECT, found


@pytest.mark.parametrize(
    "text, gold",
    [
        (r"\boxed{2}, wait, actually: \boxed{3}", "2, 3"),
        (r"Let $a=$\boxed{2}, let $b=$\boxed{3}.", "2, 3"),
        (r"Rejecting \boxed{2}, I get only \boxed{3}.", "2, 3"),
    ],
)
def test_a_box_that_corrects_another_is_not_joined_to_it(text: str, gold: str) -> None:
    assert mark(text, gold, Rule()).mark is Mark.WRONG


def test_hostile_texts_are_read_in_no_time() -> None:
    n = 5_000
    texts = [
        "answer is " * n, "answer: " * n, "**Answer:** A, " * n, "(A) " * n, "A or " * n, "#### " * n, "<answer>" * n,
        "<think>" * n, "[think]</think>" * n, "\\boxed 5" * n, "\\boxed{}" * n, "within \\boxed{}" * n,
        "\\boxed{\n\n" * n + "}" * n, "$" * n, "\\[" * n, "\\(" * n + "answer: ", "answer of " * n, "can not " * n,
        "if the " * n, "answer" + " " * n + "\n" * n, "The answer is " + "5," * n, "*" * n + "answer" + "*" * n,
    ]  # fmt: skip
    texts += [sign * 200_000 for sign in ("(", "[", "*", "$", " ", "\n", "{", "\\", "_", "`", "A", "0", ",", "=", "é")]
    for text in texts:
        for form in (Form.MATHS, Form.CHOICE):
            started = time.process_time()
            extract(text, Reading.ANYWHERE, form)
            assert time.process_time() - started < 2, (text[:20], form)
