"""torch, imported at the first use: names, fields, defaults and specs of algorithms are readable without it.

Not a lazy module in `sys.modules`: libraries that look for "torch" there (scipy does) would load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
else:

    class _Torch:
        def __getattr__(self, name: str) -> Any:
            import torch

            return getattr(torch, name)

    torch = _Torch()

__all__ = ["torch"]
