"""How long what is left will take."""

from __future__ import annotations


class Pace:
    """Work a second since the first work was seen: what comes before that, such as imports, happens once."""

    def __init__(self, done: float, since: float = 0.0) -> None:
        """
        Args:
            since: when work began, on the clock of `left`, if that is known; 0: when the first is seen.
        """
        self._done, self._since = done, since

    def left(self, done: float, total: float, now: float) -> float | None:
        """Seconds; None until there is something to go by."""
        if not self._since:
            if done > self._done:
                self._done, self._since = done, now
            return None
        return (now - self._since) * (total - done) / (done - self._done) if done > self._done else None


def clock(seconds: float) -> str:
    """75 -> `1:15`, 3675 -> `1:01:15`"""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def left_in_words(seconds: float | None) -> str:
    return "time left not known yet" if seconds is None else f"about {clock(seconds)} left"
