"""Whether the Hugging Face hub answers: asked once and shortly, where its own libraries try for most of a minute."""

from __future__ import annotations

import functools
import os
import sys
import urllib.error
import urllib.request

ENDPOINT = "https://huggingface.co"
SECONDS_TO_ANSWER = 5


@functools.cache
def answers() -> bool:
    """Returns whether the hub can be reached from this process; if not, its libraries are told to look in their caches alone.

    False without asking where the environment has HF_HUB_OFFLINE; HF_ENDPOINT names another hub.
    """
    found = not _is_told_to_stay_offline() and _reaches(os.environ.get("HF_ENDPOINT", ENDPOINT))
    if not found:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read by the hub's libraries when they are imported, which is later
    return found


def _is_told_to_stay_offline() -> bool:
    if "huggingface_hub" in sys.modules:
        return sys.modules["huggingface_hub"].constants.HF_HUB_OFFLINE
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _reaches(host: str) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(host, method="HEAD"), timeout=SECONDS_TO_ANSWER).close()
    except urllib.error.HTTPError as answer:  # any answer will do
        answer.close()
    except OSError:
        return False
    return True
