"""Whether hosts on the network answer: asked once a process with a short timeout, where libraries would retry for minutes."""

from __future__ import annotations

import functools
import os
import sys
import urllib.error
import urllib.request

HUB = "https://huggingface.co"
SECONDS_TO_ANSWER = 10


def reach(host: str) -> None:
    """Asks the web server at `host` for a response of any status.

    Raises:
      OSError: it gives no response within 10 seconds.
    """
    try:
        urllib.request.urlopen(urllib.request.Request(host, method="HEAD"), timeout=SECONDS_TO_ANSWER).close()
    except urllib.error.HTTPError as answer:
        answer.close()


@functools.cache
def answers(host: str) -> bool:
    """Returns whether the web server at `host` can be reached from this process."""
    try:
        reach(host)
    except OSError:
        return False
    return True


@functools.cache
def hub_answers() -> bool:
    """Returns whether the Hugging Face hub can be reached; if not, its libraries are told to look in their caches alone.

    False without asking where the environment has HF_HUB_OFFLINE; HF_ENDPOINT names another hub.
    """
    found = not _is_told_to_stay_offline() and answers(os.environ.get("HF_ENDPOINT", HUB))
    if not found:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read by the hub's libraries when they are imported, which is later
    return found


def _is_told_to_stay_offline() -> bool:
    if "huggingface_hub" in sys.modules:
        return sys.modules["huggingface_hub"].constants.HF_HUB_OFFLINE
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
