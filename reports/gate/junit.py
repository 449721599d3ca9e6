"""JUnit XML: a test case for the average and for each benchmark. No times: same files, same bytes.

The elements and attributes are those of the schemas that Jenkins and GitLab read (jenkinsci/xunit-plugin,
junit-10.xsd); `skipped` is an inconclusive gate that only warns, `error` one that could not be decided.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from harness.records.foreign import visible
from reports.data.scores import AVERAGE
from reports.gate.decide import ALPHA, GateOutcome, ScoreChange
from reports.gate.verdict import Gate, bounds, by_average, sentences
from reports.words import percent, signed

SUITE = "rence gate"


def render(gate: Gate) -> str:
    """The file of a decided gate: its settings as properties, a case for the average and for each benchmark."""
    cases = [_case(gate, *column) for column in gate.columns]
    suite = _suite(cases)
    properties = ET.Element("properties")
    for name, value in _properties(gate).items():
        ET.SubElement(properties, "property", name=name, value=visible(value))
    suite.insert(0, properties)
    out = ET.SubElement(suite, "system-out")
    out.text = visible("\n".join([*sentences(gate), *gate.remarks]))
    return _document(suite)


def refused(message: str) -> str:
    """A gate that could not be decided: never a pass, and no older file left to look like one."""
    case = ET.Element("testcase", classname=SUITE, name=AVERAGE)
    ET.SubElement(case, "error", type="undecided", message=visible(message.splitlines()[0])).text = visible(message)
    return _document(_suite([case]))


def _case(gate: Gate, name: str, change: ScoreChange, failed: bool) -> ET.Element:
    case = ET.Element("testcase", classname=SUITE, name=visible(name))
    numbers = (
        f"baseline {percent(change.old)}, run {percent(change.new)}, change {signed(change.estimate.value)} points, "
        f"one-sided 95 % bounds {bounds(change)}, {change.problems:,} problems"
    )
    if failed:
        kind = gate.decision.by_average.value if name == AVERAGE else GateOutcome.REGRESSION.value
        warned = kind == GateOutcome.INCONCLUSIVE and gate.on_inconclusive == "warn"
        words = by_average(gate) if name == AVERAGE else f"{name} lost more than {gate.points}."
        found = ET.SubElement(case, "skipped" if warned else "failure", type=kind, message=visible(words))
        found.text = visible(numbers)
    ET.SubElement(case, "system-out").text = visible(numbers)
    return case


def _properties(gate: Gate) -> dict[str, str]:
    d = gate.decision
    return {
        "outcome": gate.outcome.value,
        "run": gate.run,
        "baseline": gate.baseline,
        "made_from": gate.old.made_from,
        "margin_points": f"{100 * d.margin:.6g}",
        "alpha": f"{ALPHA:g}",
        "target": d.average.estimate.estimand,
        "matched": {False: "no", None: "unknown", True: "yes"}[gate.matched],
        "sealed": gate.checked.sealed,
        **({"accepted": gate.checked.reason} if gate.checked.accepted else {}),
        "on_inconclusive": gate.on_inconclusive,
    }


def _suite(cases: list[ET.Element]) -> ET.Element:
    counts = {tag: sum(case.find(tag) is not None for case in cases) for tag in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        name=SUITE,
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
    )
    suite.extend(cases)
    return suite


def _document(suite: ET.Element) -> str:
    counts = {key: suite.attrib[key] for key in ("tests", "failures", "errors")}
    root = ET.Element("testsuites", {"name": SUITE, **counts})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
