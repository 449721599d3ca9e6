"""Imports what of transformers every model needs, without scikit-learn and scipy.

transformers imports both where they are installed, for a kind of assisted decoding and for losses of object detection
that nobody here asks for, and scikit-learn brings pandas: 145 MB in each process that trains or answers, and a second
and a half of its start. To import this module first is all there is to do; both can be imported afterwards as ever.
"""

from __future__ import annotations

import sys

_ABSENT = [name for name in ("sklearn", "scipy") if name not in sys.modules]
"""what transformers shall not find"""

sys.modules.update(dict.fromkeys(_ABSENT))  # type: ignore[arg-type]  # None says that a module cannot be imported
try:
    import transformers.generation.candidate_generator
    import transformers.modeling_utils  # noqa: F401
except ImportError:
    pass  # there is none, or another version: it imports what it likes
finally:
    for name in _ABSENT:
        del sys.modules[name]
