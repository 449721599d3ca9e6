"""The closed list of units: what each is, exactly, and the nouns that are counted."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Unit(NamedTuple):
    """A product of powers of base units."""

    factor: Fraction
    """of the base units below that it is"""
    dimensions: tuple[tuple[str, int], ...]
    """base unit or noun, and its power; sorted; empty for a mere multiplier, such as a million"""
    text: str
    """as it was written"""
    multiple: Fraction = Fraction(1)
    """a number that stands as a word, such as `million`: of the value, not of the unit"""

    @property
    def plain(self) -> bool:
        """`units`, `square units`: no more than that there is a unit."""
        return all(name == "unit" for name, _ in self.dimensions)


_PREFIXES = {
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "c": Fraction(1, 100), "d": Fraction(1, 10),
    "m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9), "p": Fraction(1, 10**12),
    "kilo": 10**3, "mega": 10**6, "giga": 10**9, "tera": 10**12, "centi": Fraction(1, 100), "deci": Fraction(1, 10),
    "milli": Fraction(1, 10**3), "micro": Fraction(1, 10**6), "nano": Fraction(1, 10**9),
}  # fmt: skip
_PREFIXED = {"m", "g", "s", "L", "l", "N", "J", "W", "Pa", "Hz", "V", "A", "F", "eV", "mol", "T", "C", "B",
             "meter", "metre", "gram", "second", "liter", "litre", "newton", "joule", "watt", "pascal", "hertz",
             "volt", "ampere", "farad", "mole", "byte", "electronvolt"}  # fmt: skip

_BASE = _words("m kg s A K mol bit degree radian dollar euro pound yen rupee yuan ruble peso franc percent")
_SCALED: dict[str, tuple[str, str | int]] = {
    # name: what it is, how many of that
    "meter": ("m", 1), "metre": ("m", 1), "inch": ("m", "0.0254"), "in": ("inch", 1), "foot": ("inch", 12),
    "feet": ("foot", 1), "ft": ("foot", 1), "yard": ("foot", 3), "yd": ("yard", 1), "mile": ("yard", 1760),
    "mi": ("mile", 1), "g": ("kg", "1/1000"), "gram": ("g", 1), "tonne": ("kg", 1000),
    "pound-mass": ("kg", "0.45359237"),
    "lb": ("pound-mass", 1), "ounce": ("pound-mass", "1/16"), "oz": ("ounce", 1), "stone": ("pound-mass", 14),
    "ton": ("pound-mass", 2000), "second": ("s", 1), "sec": ("s", 1), "minute": ("s", 60), "min": ("minute", 1),
    "kcal": ("calorie", 1000),
    "hour": ("s", 3600), "h": ("hour", 1), "hr": ("hour", 1), "day": ("hour", 24), "week": ("day", 7),
    "fortnight": ("week", 2), "ampere": ("A", 1), "amp": ("A", 1), "kelvin": ("K", 1), "mole": ("mol", 1),
    "yr": ("year", 1),
    "byte": ("bit", 8), "B": ("byte", 1), "deg": ("degree", 1), "arcminute": ("degree", "1/60"),
    "arcsecond": ("degree", "1/3600"), "rad": ("radian", 1), "revolution": ("degree", 360),
    "USD": ("dollar", 1), "buck": ("dollar", 1), "cent": ("dollar", "1/100"), "penny": ("cent", 1),
    "pennies": ("cent", 1), "¢": ("cent", 1), "EUR": ("euro", 1), "GBP": ("pound", 1), "JPY": ("yen", 1),
    "INR": ("rupee", 1), "Rs": ("rupee", 1), "RMB": ("yuan", 1), "CNY": ("yuan", 1), "rouble": ("ruble", 1),
    "%": ("percent", 1), "pct": ("percent", 1), "percentage": ("percent", 1), "percentage point": ("percent", 1),
}  # fmt: skip
_COMPOUND: dict[str, tuple[dict[str, int], str]] = {
    "liter": ({"m": 3}, "1/1000"), "litre": ({"m": 3}, "1/1000"), "L": ({"m": 3}, "1/1000"),
    "l": ({"m": 3}, "1/1000"), "cc": ({"m": 3}, "1/1000000"), "gallon": ({"m": 3}, "0.003785411784"),
    "gal": ({"m": 3}, "0.003785411784"), "quart": ({"m": 3}, "0.000946352946"), "qt": ({"m": 3}, "0.000946352946"),
    "pint": ({"m": 3}, "0.000473176473"), "cup": ({"m": 3}, "0.0002365882365"),
    "tablespoon": ({"m": 3}, "0.00001478676478125"), "teaspoon": ({"m": 3}, "0.00000492892159375"),
    "acre": ({"m": 2}, "4046.8564224"), "hectare": ({"m": 2}, "10000"), "ha": ({"m": 2}, "10000"),
    "mph": ({"m": 1, "s": -1}, "0.44704"), "kph": ({"m": 1, "s": -1}, "5/18"), "kmh": ({"m": 1, "s": -1}, "5/18"),
    "fps": ({"m": 1, "s": -1}, "0.3048"), "Hz": ({"s": -1}, "1"), "hertz": ({"s": -1}, "1"),
    "N": ({"kg": 1, "m": 1, "s": -2}, "1"), "newton": ({"kg": 1, "m": 1, "s": -2}, "1"),
    "J": ({"kg": 1, "m": 2, "s": -2}, "1"), "joule": ({"kg": 1, "m": 2, "s": -2}, "1"),
    "W": ({"kg": 1, "m": 2, "s": -3}, "1"), "watt": ({"kg": 1, "m": 2, "s": -3}, "1"),
    "Pa": ({"kg": 1, "m": -1, "s": -2}, "1"), "pascal": ({"kg": 1, "m": -1, "s": -2}, "1"),
    "C": ({"A": 1, "s": 1}, "1"), "coulomb": ({"A": 1, "s": 1}, "1"),
    "V": ({"A": -1, "kg": 1, "m": 2, "s": -3}, "1"), "volt": ({"A": -1, "kg": 1, "m": 2, "s": -3}, "1"),
    "ohm": ({"A": -2, "kg": 1, "m": 2, "s": -3}, "1"), "Omega": ({"A": -2, "kg": 1, "m": 2, "s": -3}, "1"),
    "F": ({"A": 2, "kg": -1, "m": -2, "s": 4}, "1"), "farad": ({"A": 2, "kg": -1, "m": -2, "s": 4}, "1"),
    "T": ({"A": -1, "kg": 1, "s": -2}, "1"), "tesla": ({"A": -1, "kg": 1, "s": -2}, "1"),
}  # fmt: skip
MULTIPLIERS = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
                "dozen": 12}  # fmt: skip
_NAMED = _words(
    """eV electronvolt atm bar torr calorie cal decibel dB month year decade century degC degF am pm bpm rpm knot carat
    parsec pc light-year ly au unit"""
)
NOUNS = _words(
    """acorn adult album animal answer apple arrangement arrow article attempt bag bagel ball balloon banana base
    basket bead bean bear bee beetle bike bill bird biscuit block blossom boat bone book bottle bowl box boy
    bracelet branch brick bucket bug bus bushel bunch butterfly button cabin cake calendar can candle candy car
    card carrot cart carton case cat cell chair chapter cherry chicken child children chip chocolate choice
    circle class clip clock coin color colour column combination comic container cookie copy corner correct cow
    cracker crate crayon cube cupcake customer desk diagonal diamond die dice digit dime dinner dish divisor dog
    doll donkey donut door doughnut dress drink driver duck edge egg element employee end envelope eraser error
    event exam face factor family fan farmer fence finger fish flag floor flower fly foot-step fork frog fruit
    function game garden gene gift girl glass goal goat goldfish grade grain grape graph grape guest hamster
    hand hat head hen hexagon hole home horse house icecube integer intersection invitation island item jar
    jellybean jewel job jump key kid kitten kite lamp lap layer leaf leaves leg lemon lesson letter lid light
    line liter-bottle lollipop loaf loaves machine magazine man men marble mark marker match matches meal member
    message mint mistake monkey morning mouse mice movie muffin mug mushroom name necklace nickel night note
    notebook number nut octagon onion orange orchid order ornament outcome outfit owl pack package packet page
    pair pan pancake paper parent part partition party path pattern peach pear pebble pen pencil pentagon people
    peach permutation person pet phone photo picture pie piece pig pill pillow pizza place plane plant plate
    player point polygon pond post potato present prime prize problem program project pumpkin pupil puppy
    puppies puzzle question rabbit rat rectangle region ribbon ride ring rise river road rock rod room root rope
    rose round route row ruler run saleswoman sandwich scarf scholar school seashell seat seed segment selection
    sequence session set shape sheep sheet shell shelf shelves ship shirt shoe shop shot show side sister
    sibling sign skirt slice snack sock solution song soldier sphere spider spoon square stamp star state
    station step stick sticker stop store story strawberry street string student subset sweater sweet swimmer
    symbol table tank task team tear term test tick ticket tile time toffee token tomato tool toothpick top town
    toy train trailer tray treat tree triangle trip trophy truck tube turn turtle tulip value van vase vehicle
    vertex vertices visit visitor vote voter wagon walk wall water way well wheel window wing winner woman women
    wood word worker workshop yolk zebra zero couple crossing configuration coloring colouring assignment
    distribution tournament handshake vector pupil teacher musician dancer singer instrument car-pool passenger
    tourist farm barrel pot sack stack slip cucumber flight tuple quadruple triple quadrilateral trapezoid
    parallelogram rhombus matrix matrices polynomial pirate sailor daughter son brother friend cousin baby
    babies mother father"""
)
BEFORE = _words(
    """distinct different possible positive negative nonnegative non-negative whole full more less fewer real integer
    complex ordered unordered prime even odd unique valid additional extra remaining left new old red blue green
    yellow white black small large big right equal favorable successful rational lattice the us u.s. american
    free such"""
)
"""that may stand before a noun, or be left over after one"""
AFTER = _words(
    """tall long wide high deep old apart away ago later earlier more left each altogether total together in remaining
    all today"""
)

OVERALL = _words("total altogether overall")


def _table() -> dict[str, Unit]:
    found = {name: Unit(Fraction(1), ((name, 1),), name) for name in _BASE | _NAMED}
    for name, (dimensions, factor) in _COMPOUND.items():
        found[name] = Unit(Fraction(factor), tuple(sorted(dimensions.items())), name)
    for name, (other, count) in _SCALED.items():
        found[name] = Unit(found[other].factor * Fraction(count), found[other].dimensions, name)
    for name in _PREFIXED & found.keys():
        for prefix, scale in _PREFIXES.items():
            if (len(prefix) > 1) == (len(name) > 3):  # kilometer and km, but no kilom
                found.setdefault(prefix + name, Unit(found[name].factor * scale, found[name].dimensions, name))
    found["pounds"] = Unit(Fraction(1), (("pounds", 1),), "pounds")  # of money or of mass
    return found


TABLE = _table()
PERCENT = (("percent", 1),)
DEGREE, RADIAN = TABLE["degree"], TABLE["radian"]
"""between which no rational factor lies"""
