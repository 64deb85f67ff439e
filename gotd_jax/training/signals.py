"""Ctrl-C and SIGTERM, held back until a step is done and its state is saved."""

from __future__ import annotations

import signal
import threading


class DelayedSignals:
    """A context in which the first Ctrl-C or SIGTERM waits until `deliver` is called; a second one does not wait.

    Outside the main thread, where Python allows no signal handlers, no signal is held back. A signal that the process was
    started to ignore (Ctrl-C, by nohup or in a script's background) stays ignored.
    """

    def __init__(self):
        self._received: int | None = None
        self._previous: dict = {}

    def __enter__(self) -> DelayedSignals:
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
            self._previous = {number: signal.signal(number, self._hold) for number in heeded}
        return self

    def __exit__(self, *exception) -> None:
        self._restore()

    @property
    def waiting(self) -> bool:
        """Whether a signal has come."""
        return self._received is not None

    def deliver(self) -> None:
        """Raises the exception of the waiting signal: KeyboardInterrupt, or SystemExit with a shell's 128 + number."""
        if self._received == signal.SIGINT:
            raise KeyboardInterrupt
        if self._received is not None:
            raise SystemExit(128 + self._received)

    def _hold(self, number: int, frame) -> None:
        self._received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
