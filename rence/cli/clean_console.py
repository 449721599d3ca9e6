"""rich's console, on which only our own styles act: texts are shown as they are, with signs for what cannot be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from harness.records.foreign import visible


class CleanConsole(Console):
    """Prints no markup: what has a style is a `rich.text.Text`."""

    def __init__(self, stderr: bool, quiet: bool) -> None:
        super().__init__(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def render_str(self, text: str, **options: Any) -> Text:
        """Cleaned before it is measured, so that columns fit."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Whatever came otherwise, as a `Text` of others."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
