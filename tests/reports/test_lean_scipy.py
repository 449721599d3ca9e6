"""What quick commands import, and that scipy's functions are scipy's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reports

ROOT = Path(reports.__file__).parent.parent
CALLS = {
    "stdtrit": (3.0, 0.975), "stdtr": (3.0, 1.2), "ndtri": (0.975,), "ndtr": (1.2,), "log_ndtr": (-40.0,),
    "chdtri": (4.0, 0.05), "bdtr": (2.0, 9, 0.4), "gammaincinv": (2.0, 0.3), "gammainccinv": (2.0, 0.3),
    "betaincinv": (2.0, 5.0, 0.4), "nctdtrinc": (5.0, 0.9, 2.0),
}  # fmt: skip


def run(code: str, *words: str) -> str:
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


@pytest.mark.parametrize("name", CALLS)
def test_the_functions_are_those_of_scipy_to_the_bit(name: str) -> None:
    from scipy import special as whole

    from reports.statistics.lean_scipy import special

    assert (
        np.float64(getattr(special, name)(*CALLS[name])).hex() == np.float64(getattr(whole, name)(*CALLS[name])).hex()
    )


@pytest.mark.parametrize("first", ["reports.statistics", "scipy.special"])
def test_the_whole_of_scipy_can_be_imported_before_and_after(first: str) -> None:
    code = (
        f"import {first}, reports.statistics, scipy.special, scipy.optimize, scipy.stats, scipy.cluster.hierarchy\n"
        "from scipy import special\n"
        "print(round(special.logsumexp([1, 2]), 4), round(scipy.stats.t.ppf(0.975, 3), 4))"
    )
    assert run(code).split() == ["2.3133", "3.1824"]


def test_plan_imports_neither_tables_nor_pictures_nor_what_scipy_wraps_its_functions_with() -> None:
    code = (
        "import rence, sys\n"
        "try: rence.main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'numpy.f2py', 'scipy.special', 'pandas', 'pyarrow', 'matplotlib', 'torch', 'transformers'}\n"
        "print(*sorted(heavy & sys.modules.keys()), 'numpy' in sys.modules)"
    )
    assert run(code, "plan", "configs/quickstart.yaml").splitlines()[-1] == "True"
