"""scipy's special functions without the rest of `scipy.special`: `from reports.statistics.lean_scipy import special`.

The package wraps each function for other array libraries, and for that imports all of numpy, `numpy.f2py` included: a
tenth of a second of processor time, twice what the functions take, which every `rence plan` and `rence compare` would
wait for. The functions are the same compiled ones. `scipy.special` itself can be imported before or afterwards as ever.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

_PACKAGE = "scipy.special"


def _ufuncs() -> Any:
    """The package's compiled module, without running its `__init__`; the package where there is no such module."""
    if _PACKAGE in sys.modules:
        return sys.modules[_PACKAGE]
    import scipy

    bare = ModuleType(_PACKAGE)
    bare.__path__ = [f"{folder}/special" for folder in scipy.__path__]
    sys.modules[_PACKAGE] = bare
    try:
        return importlib.import_module(f"{_PACKAGE}._ufuncs")
    except ImportError:  # another version of scipy, which keeps them elsewhere
        del sys.modules[_PACKAGE]
        return importlib.import_module(_PACKAGE)
    finally:
        if sys.modules.get(_PACKAGE) is bare:
            del sys.modules[_PACKAGE]


if TYPE_CHECKING:
    from scipy import special
else:
    special = _ufuncs()
