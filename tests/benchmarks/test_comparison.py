"""Which answers are equal, kind by kind: what a rule accepts, and the nearest thing that it must refuse.

Only what texts, plain numbers and the structure of an answer tell: nothing here asks a worker.
"""

from __future__ import annotations

import pytest

from benchmarks.marking.comparison import compare, plain_leaf
from benchmarks.marks import NUMBERS, Rule

# kind -> gold, answers that are equal, answers that are not
KINDS: dict[str, list[tuple[str, list[str], list[str]]]] = {
    "integers": [
        ("12", ["12", "+12", "012", "12.", "12.0", "$12$", r"\(12\)", r"\boxed{12}", "１２", "24/2", r"\frac{24}{2}"],
         ["-12", "1 2", "12.1", "21", "12x", "12, 13", "", "²", "11.9999999999"]),
        ("-12", ["−12", "–12", "-12.00"], ["12"]),
        ("073", ["73"], ["730"]),
        ("1000", ["1,000", "1 000", "1{,}000", r"1\,000", r"1,\!000", "1000.0", "10^3", "1e3", r"1\times10^3"],
         ["1,00", "1,0000", "1.000", "1,001", "10,00"]),
        ("1234567", ["1,234,567", "1 234 567"], ["1,234567", "1234,567"]),
        ("1099511627776", ["1,099,511,627,776"], ["1099511627777", "1.099511627776e13"]),
    ],
    "decimals and fractions": [
        ("0.5", [r"\frac{1}{2}", r"\frac12", r"\dfrac{1}{2}", "1/2", ".5", "½", "50%", "2/4", "5e-1"], ["0,55", "5", "0.05"]),
        ("5/4", ["1 1/4", r"1\frac{1}{4}", r"1\tfrac14", "1.25", "1¼"], ["11/4", "1.2", r"1\frac{1}{5}"]),
        (r"-\frac{5}{2}", [r"-2\frac{1}{2}", "-2.5", r"\frac{-5}{2}"], [r"2\frac{1}{2}", "-1.5"]),
        ("2.5", ["2,5", r"2\frac{1}{2}"], ["25", "2;5", "(2,5)"]),
        (r"\frac{9}{25}", [r"{9 \over 25}", r"9 \over 25"], [r"{25 \over 9}"]),
        ("1/0", ["1/0"], ["2/0"]),
        ("7.8e2", ["780", r"7.8\times 10^2", r"7.8 \cdot 10^{2}", "7.8×10²", "7.8 x 10^2", "7.8*10^2"], ["7.8", "78"]),
    ],
    "repeating decimals": [
        (r"\frac{1}{3}", [r"0.\overline{3}", r"0.\bar{3}", r"0.\dot{3}", "0.(3)", r".\overline{3}"],
         ["0.3", "0.333", r"0.\overline{33}4", r"0.\overline{4}"]),
        (r"\frac{1}{6}", [r"0.1\overline{6}", "0.1(6)", r"0.1\dot{6}"], [r"0.\overline{16}"]),
        (r"\frac{1}{7}", [r"0.\overline{142857}", r"0.\dot{1}4285\dot{7}"], [r"0.\overline{142856}"]),
    ],
    "a comma in the gold": [
        ("2,5", ["2, 5", "5,2", r"2\text{ and }5", "2 or 5", r"\{2,5\}", "(2,5)"], ["2.5", "25", "2", "(5,2)"]),
        ("-3,0", ["0,-3", "-3, 0"], ["-3", "-3.0"]),
    ],
    "thousands and lists": [("5, 120", ["5,120", "120, 5"], ["5120"]), ("5120", ["5,120"], ["5, 120", "(5,120)"])],
    "units that one side has": [
        ("5", [r"5\text{ cm}", "5 cm", r"5\,\mathrm{kg}", "5 units", r"5 \text{ square units}", "5 apples", r"\$5", "$5",
               "5 dollars", r"5\text{ cm}^2", "5 m", "5 miles per hour", "5 km/h", r"5 \text{ ways}", "5€", r"5\text{ distinct integers}"],
         ["5 choose two", "5 over three", r"5\text{ is not the answer}", r"5 \text{ million}", "5 dozen", "5x", "5m", "5!",
          r"5\text{ or so}", "5 wrong", "not 5", "5 plus 1", r"5\pi"]),
        (r"5 \text{ cm}", ["5", "5 cm", r"5\text{ centimeters}", r"0.05\text{ m}", "50 mm"],
         [r"5 \text{ kg}", r"5 \text{ m}", r"5\text{ cm}^2", "6", r"5\text{ seconds}"]),
        (r"3\times10^8\text{ m/s}", [r"3\times 10^{8}\,\mathrm{m\,s^{-1}}", "300000000", "3e8 m/s"], [r"3\times10^8\text{ km/s}"]),
        (r"5\,\mu\mathrm{m}", ["5", r"0.005\text{ mm}"], [r"5\text{ mm}"]),
        (r"25^\circ\text{C}", ["25", "25°C", r"25^\circ", r"25^\circ \mathrm{C}"], [r"25^\circ\text{F}"]),
        ("5 m", [r"5\text{ m}", "5m"], [r"5\text{ s}"]),
        (r"5\text{ m}", ["5 m", "5m", r"5\,m"], ["5 s", "5 kg"]),
        (r"\$5\text{ per hour}", ["5", r"\$5 per hour", "5 dollars per hour", "5 dollars an hour"], [r"\$5 per day", "6"]),
        (r"16\text{ daps}", ["16", "16 daps", r"16\text{ daps}"], ["17", "16 choose"]),
        (r"\$18.90", ["18.90", "18.9", r"\$18.9", "18.90 dollars", "1890 cents"], ["18.90 euros", "€18.90", "1890"]),
        (r"15\mbox{ cm}^2", ["15", r"15\text{ cm}^2", r"15 \text{ square cm}", r"15\text{ sq. cm}"], [r"15\text{ cm}", "225"]),
        ("18", ["18 eggs"], ["18 eggs were mentioned, I give up."]),
    ],
    "units converted": [
        (r"1\text{ hour}", ["60 minutes", "3600 s", "1 hr", "1"], ["60", "1 minute", "60 seconds"]),
        (r"500\text{ cm}", [r"5\text{ m}", "5000 mm"], [r"5\text{ cm}", r"50\text{ m}"]),
        (r"2\text{ ft}", ["24 inches", "2 feet"], ["24 feet", r"2 \text{ in}"]),
        (r"5\text{ feet }", [r"4\text{ ft }12\text{ in}"], [r"5\text{ ft }1\text{ in}"]),
        (r"90\text{ minutes}", [r"1\text{ hour and }30\text{ minutes}", "1.5 hours"], [r"1\text{ hour }31\text{ minutes}"]),
        (r"5.4 \text{ cents}", ["5.4", r"\$0.054", "5.4 cents"], [r"\$5.4"]),
        (r"60\text{ mph}", ["60 miles per hour", "60 miles/hour", "60"], ["60 km/h"]),
        (r"3\text{ apples}", ["3 apples", "3 apple"], ["3 oranges"]),
        (r"8:34\text{ p.m.}", ["8:34", "8:34 p.m.", "8:34 PM"], ["8:34 a.m.", "8:35"]),
    ],
    "multipliers": [
        ("5000000", ["5 million", r"5\text{ million}", r"\$5\text{ million}", "5 million dollars"], ["5", "5 billion"]),
        ("24", ["2 dozen", "2 dozen eggs"], ["2"]),
        (r"2.5\text{ million}", ["2500000", "2,500,000"], ["2.5", "2500"]),
    ],
    "percent": [
        ("0.6", ["60%", r"60\%", "60 percent", r"60\text{ percent}"], ["60", "0.6%", "6%"]),
        ("60", ["60%"], ["0.6%", "0.6"]),
        (r"28\%", ["28", "28 percent", "28 pct", "0.28", "28 %", "28 percentage"], ["2.8", "0.028", "29%"]),
        ("0.5", ["50%"], ["0.5%", r"0.5\%"]),
        (r"0.5\%", ["0.5%", "0.005"], ["0.5", "5%"]),
        ("1", ["100%"], ["10%"]),
    ],
    "degrees": [
        (r"30^\circ", ["30", r"30^{\circ}", "30°", "30 degrees", r"30\text{ degrees}", r"30\degree", "1800'"],
         ["30'", "30''", r"30^{\prime}", "31", r"30\text{ minutes}"]),
        (r"30'", ["0.5°", "30'", r"\frac12^\circ"], [r"30^\circ", "30''"]),
        (r"60^\circ, 120^\circ", ["60,120", r"120^\circ,60^\circ"], ["60,121"]),
        (r"(6,235^\circ)", ["(6,235)"], ["(235,6)"]),
        (r"5^\circ30'", ["5.5", r"5.5^\circ"], [r"5^\circ 31'"]),
    ],
    "names": [
        ("5", ["x=5", "x = 5", r"x\approx5", "5=x", "f(2)=5", "a_{n}=5", r"\text{Area} = 5", r"x \in \{5\}", "AB=5",
               r"\angle A = 5", "|AB|=5", "a+b+c=5", "P(A) = 5"], ["x=6", "2x=5", "x>5", "x=5 or 6", "5=6", r"x\ne5"]),
        ("x=5", ["5", "x=5", "x = 5"], ["y=5", "x=6", "6", "x<5"]),
        ("x=2,y=3", ["(2,3)", "2,3", "y=3,x=2", "x=2, y=3", r"x=2\text{ and }y=3", "(x,y)=(2,3)", "2 and 3"],
         ["x=3,y=2", "(3,2)", "3,2", "2", "a=2,b=3", "x=2", r"\{2,3\}"]),
        ("(p,q)=(3,2)", ["(3,2)", "p=3,q=2", "q=2,p=3"], ["(2,3)", "p=2,q=3"]),
        ("p=5,q=2;p=7,q=2", ["(5,2),(7,2)", "(7,2),(5,2)"], ["(2,5),(2,7)", "(5,2)"]),
        ("a=1 \\text{ or } a=-2", ["a=-2 \\text{ or } a=1", "1,-2", "a=1,-2", "-2 and 1"], ["a=1", "b=1 or b=-2", "a=1,2"]),
        ("f(x)=2x+1", ["2x+1", "f(t)=2t+1", "f(x)=2 x+1"], ["g(x)=2x+1"]),
        ("k = 45, n = 2", ["45, 2"], ["2, 45"]),
        ("AB=4,CD=5", ["4, 5"], ["5, 4"]),
        ("x=y=3", ["x=3,y=3"], ["x=3,y=2"]),
    ],
    "chains": [
        ("36", ["36=36", "x=36", "36.0=36"], ["37=36", "36=37", "37=36=36"]),
        (r"\frac{1}{3}", [r"x=\frac{1}{3}\approx0.33", r"\frac13\approx 0.333"], [r"0.333\approx\frac13"]),
        ("11", ["x=11"], ["11=x+c", "11>x"]),
    ],
    "equations are no values": [
        ("0", ["x=0"], ["a^2+b=0", "a+3z=0", "x^2-1=0"]),
        ("1", [], ["2x+z=1", "x^2+y^2=1"]),
    ],
    "brackets": [
        ("(1,2)", ["(1, 2)", r"\left( 1, 2 \right)", "1<x<2", "1,2", r"\langle 1,2\rangle", r"\begin{pmatrix}1\\2\end{pmatrix}"],
         ["[1,2]", "(1,2]", "[1,2)", "(2,1)", r"\{1,2\}", "2,1", r"1\le x<2"]),
        ("[1,2]", ["[1,2]", r"1\le x\le 2", r"x\in[1,2]", r"2 \geq x \geq 1"], ["(1,2)", "1<x<2", "1,2"]),
        ("(1,2]", ["(1, 2]", r"1<x\le2", "]1,2]"], ["(1,2)", "[1,2]", r"1\le x\le2"]),
        (r"(2,\infty)", ["x>2", r"(2,+\infty)", "(2,∞)", r"x\in(2,\infty)", "2<x", "(2, infinity)"],
         [r"(2,\infty]", r"[2,\infty)", r"x\ge2", "x<2", r"(-\infty,2)"]),
        (r"\{1,2\}", ["{1,2}", r"\{2,1\}", "1,2", r"\{1,2,2\}", r"\{1,1,2\}", "2 and 1"], ["(1,2)", r"\{1,3\}", r"\{1\}", "[1,2]"]),
        ("(0;0;0),(0;-2;0)", ["(0,-2,0),(0,0,0)"], ["(0,0,0)", "(0,0,0),(-2,0,0)"]),
        ("75,75", ["75, 75"], ["75", "75,75,75"]),
        ("(1,2),(3,4)", ["(3,4),(1,2)", "(1,2) and (3,4)", "(1,2),(3,4),(1,2)"], ["(1,4),(3,2)", "(1,2)", "1,2,3,4"]),
        (r"\begin{pmatrix} -7 \\ 16 \\ 5 \end{pmatrix}", ["(-7,16,5)", "(-7, 16, 5)", r"\begin{bmatrix}-7\\16\\5\end{bmatrix}",
         r"\begin{pmatrix}-7&16&5\end{pmatrix}", "[-7,16,5]"], ["(16,-7,5)", r"\{-7,16,5\}", "(-7,16)"]),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", [r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", r"\left[\begin{array}{cc}1 & 2 \\3 & 4\end{array}\right]"],
         [r"\begin{pmatrix}1&3\\2&4\end{pmatrix}", "(1,2,3,4)", r"\begin{pmatrix}1&2\end{pmatrix}"]),
        (r"\{5\}", ["5", r"\{5\}", "x=5"], ["6", r"\{5,6\}"]),
    ],
    "inequalities and sets": [
        (r"(-\infty,-1)\cup(2,\infty)", ["x<-1 or x>2", r"x<-1 \text{ or } x>2", r"x>2\text{ or }x<-1", r"(2,\infty)\cup(-\infty,-1)",
          r"x\in(-\infty,-1)\cup(2,\infty)", "x < -1, x > 2", r"\{x \mid x<-1 \text{ or } x>2\}"],
         [r"x\le-1\text{ or }x>2", "x<-1", "-1<x<2", r"(-\infty,-1)\cup[2,\infty)", r"x<-1 \text{ and } x>3"]),
        ("x<-1 or x>2", [r"(-\infty,-1)\cup(2,\infty)", "x > 2 or x < -1"], ["y<-1 or y>2", "x<-1"]),
        ("1<x<3", ["(1,3)", "x>1 and x<3", "3>x>1", r"x\in(1,3)"], ["1<y<3", "[1,3]", "x>1 or x<3", r"1<x\le3"]),
        (r"m \geq \sqrt{2}", [r"m \in [\sqrt{2}, +\infty)", r"[\sqrt2,\infty)", r"\sqrt{2}\le m"], [r"m\le\sqrt2", r"m > \sqrt{2}"]),
        ("x<1", ["-x>-1", "1>x", "2x<2"], ["x>-1", "-x<-1", "x>1"]),
        ("|x|<2", ["-2<x<2", "(-2,2)"], ["x<2", "[-2,2]"]),
        (r"1\leq|z|\leq \frac{3}{2}", [r"z \in \left[-\frac{3}{2}, -1\right] \cup \left[1, \frac{3}{2}\right]"], [r"[1,\frac32]"]),
        (r"\mathbb{R}\setminus\{1\}", ["all reals except 1", r"x\ne1", r"x \neq 1", r"(-\infty,1)\cup(1,\infty)", r"\text{all real numbers except }1",
          r"\mathbb{R} - \{1\}", "x<1 or x>1", "All real numbers except 1"], [r"\mathbb{R}", r"x\ne2", "x=1", r"(-\infty,1]\cup(1,\infty)", "1"]),
        (r"\mathbb{R}", ["all real numbers", r"(-\infty,\infty)", r"\text{all reals}", "ℝ", r"x\in\mathbb{R}"], [r"(0,\infty)", r"\mathbb{Z}"]),
        (r"\emptyset", ["no solution", r"\varnothing", r"\{\}", "∅", r"\text{No solutions}", "no real solutions"], ["0", r"\{0\}", "none of them"]),
        (r"[-2,1)\cup(1,3]", [r"-2\le x<1 \text{ or } 1<x\le3", r"[-2,3]\setminus\{1\}"], ["[-2,3]", r"[-2,1]\cup(1,3]"]),
        (r"[1,3]", [r"[1,2]\cup[2,3]", r"[1,2]\cup(2,3]"], [r"[1,2)\cup(2,3]"]),
        (r"ab \geq e^3", [r"e^3 \le ab", r"ab\ge e^3"], [r"ab \leq e^3", r"ab > e^3"]),
        ("f(2) < f(1) < f(4)", ["f(4)>f(1)>f(2)"], ["f(1)<f(2)<f(4)"]),
        (r"\{-1\} \cup [0,7)", [r"[0,7)\cup\{-1\}"], ["[0,7)", r"\{-1\}\cup[0,7]"]),
    ],
    "plus and minus": [
        (r"\pm 3", ["3,-3", "-3, 3", r"x=\pm3", "3 or -3", "±3", r"\{-3,3\}"], ["3", "-3"]),
        (r"1 \pm \sqrt{19}", [r"1+\sqrt{19},1-\sqrt{19}", r"1 - \sqrt{19} \text{ and } 1 + \sqrt{19}"], [r"1+\sqrt{19}"]),
        (r"\frac{-3\pm\sqrt{5}}{2}", [r"\frac{-3+\sqrt{5}}{2}, \frac{-3-\sqrt{5}}{2}"], [r"\frac{-3+\sqrt{5}}{2}"]),
        (r"\{1\pm\sqrt{5},-2\}", [r"\{-2,1-\sqrt5,1+\sqrt5\}"], [r"\{1\pm\sqrt5\}"]),
        (r"(0,2),(0,-2)", [r"(0,\pm2)"], [r"(\pm2,0)"]),
    ],
    "bases": [
        ("52_8", ["52_8", "52_{8}", "(52)_8", "52", "52_{\\text{eight}}", r"52_{(8)}"], ["52_9", "53_8", "42", "52_{10}"]),
        ("1010_2", ["(1010)_2", "1010_{two}", r"1010_{\text{two}}", "1010"], ["1010_3", "10", "(1010)_{10}"]),
        ("2143_{5}", ["2143"], ["2143_6", "2144"]),
        ("42", ["52_8", "101010_2"], ["42_8", "52_9"]),
    ],
    "multiple choice": [
        ("E", ["E", "(E)", "E.", "E)", "E: text", r"\text{E}", "**E**", "$E$", r"\text{(E)}", "E) first option", "(E) 7", "Option E",
               r"\textbf{(E)}", "e", r"\mathrm{E}", "Answer: E"], ["D", "(D)", "EE", "E or D", "E, D", "5", "not E", "D: E", "AE"]),
        (r"\text{(C)}", ["C", "(C)"], ["B"]),
        ("A,B", ["B,A", r"\text{A, B}", "A and B"], ["A", "A,C", "AB"]),
        ("5", [r"\textbf{(B)}\ 5", "B. 5"], ["(B)", r"\textbf{(B)}\ 6", "B"]),
    ],
    "names of letters": [
        ("ABCD", ["ABCD", r"\text{ABCD}"], ["DCBA", "ABDC", "abcd"]),
        (r"\triangle ABC", ["ABC", r"\triangle ABC"], ["ACB"]),
        (r"\text{CBAD}", ["CBAD"], ["ABCD"]),
    ],
    "several choices are none": [
        ("A", ["(A) first", "A. first option", "A: A polygenic score", "The correct answer is (A)", r"\text{Option A}"],
         ["(A) or (B)", "(A), (B)", "A. B", "A: no, (B)", "A and B", "(A) is wrong", "not A", "A/B", "B. A"]),
    ],
    "domains of letters": [
        (r"k\pi, k\in\mathbb{Z}", [r"k\pi", r"x=k\pi", r"k\pi \text{ where } k \text{ is an integer}", r"x=k\pi,\ k\in\mathbb{Z}"],
         [r"k\pi, k\in\mathbb{N}", r"k, k\in\mathbb{Z}", r"k\in\mathbb{Z}"]),
        ("2n", [r"2n, n\in\mathbb{N}", r"2n \text{ for } n\in\mathbb{Z}"], ["n"]),
    ],
    "systems": [
        ("x=2,y=3", [r"\begin{cases}x=2\\y=3\end{cases}", r"\begin{cases} y&=3\\ x&=2\end{cases}"], [r"\begin{cases}x=3\\y=2\end{cases}"]),
    ],
    "words": [
        (r"\text{yes}", ["yes", "Yes", "YES", r"\textbf{Yes}"], ["no", "not yes", "yes and no"]),
        ("Evelyn", [r"\text{Evelyn}", "evelyn"], ["Briana", "not Evelyn"]),
        (r"\text{east}", ["east", "East"], ["seat", "west"]),
        (r"\text{two lines}", ["two lines", "{twolines}"], ["two line"]),
        ("36", [r"\text{The answer is } 36", "The answer is 36", "approximately 36", "x equals 36", r"\text{Answer: }36", r"\therefore 36",
                "Therefore, the answer is 36", "The final answer is 36.", r"\text{approximately }36"],
         ["The answer is not 36", "not 36", "The answer is 36 or 37", "at least 36", "I think 36 is wrong", "The answer isn't 36", "thirty"]),
        ("f(x)=0", ["f(x) = 0"], [r"\forall x>0, f(x)=0"]),
        ("n=3k", ["3k", "n=3k"], ["3", "n=3", "k"]),
    ],
    "unicode": [
        (r"2\sqrt{5}", ["2√5", "2√(5)", r"2\sqrt5", "2sqrt(5)"], ["2√6"]),
        ("x^2+1", ["x²+1", "x^{2}+1", "x**2+1"], ["x³+1"]),
        (r"2\pi", ["2π", r"2 \pi"], [r"3\pi"]),
        (r"\frac{1}{3}", ["⅓"], ["⅔"]),
        ("204_5", ["204₅"], ["204₆"]),
    ],
    "printed by a program": [
        (r"\frac{1}{3}", ["0.3333333333333333", "0.3333333333"], ["0.333", "0.33333333", "0.3333333334"]),
        ("2", [], ["2.0000000001", "1.9999999999999"]),
        ("0.3333333333", [r"\frac{1}{3}"], ["0.333333333"]),
    ],
}  # fmt: skip

CASES = [
    pytest.param(gold, answer, expected, id=f"{kind}: {gold} {'=' if expected else '!='} {answer}"[:90])
    for kind, rows in KINDS.items()
    for gold, equal, other in rows
    for expected, answers in ((True, equal), (False, other))
    for answer in answers
]


@pytest.mark.parametrize("gold, answer, expected", CASES)
def test_kinds(gold: str, answer: str, expected: bool) -> None:
    """What is right is decided here; what is wrong is refused, or left to the leaf only where a parser could see it."""
    verdict = compare(answer, gold, Rule(), plain_leaf)
    assert (verdict.equal is True) == expected, verdict
    assert verdict.reason
