"""What our grammar does not have, such as integrals, read by latex2sympy2_extended: slow, so imported only then."""

from __future__ import annotations

from typing import Any

import sympy

from benchmarks.marking.latex.construction import symbol


def fallback(text: str) -> sympy.Basic | None:
    """What latex2sympy2_extended reads; None if it cannot."""
    from latex2sympy2_extended import NormalizationConfig, latex2sympy, normalize_latex
    from latex2sympy2_extended.latex2sympy2 import ConversionConfig

    normal = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
    )
    try:
        value: Any = latex2sympy(
            normalize_latex(text, normal),
            is_real=True,
            convert_degrees=False,
            normalization_config=None,
            conversion_config=ConversionConfig(lowercase_symbols=False),
        )
    except Exception:  # anything: the parser is fed text of a model
        return None
    if isinstance(value, sympy.MatrixBase):
        value = sympy.ImmutableMatrix(value)
    return value.xreplace({one: symbol(one.name) for one in value.atoms(sympy.Symbol)})
