"""The filter by quality that DSIR's authors put before it: whether a chunk is prose, by counts of its words alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

# English words of the closed classes, as `gotd_jax.methods.dsir.TOKEN` splits them; the authors take NLTK's list, of some 180.
FUNCTION_WORDS = frozenset(
    """
    a an the this that these those i me my mine myself we us our ours ourselves you your yours yourself yourselves he
    him his himself she her hers herself it its itself they them their theirs themselves who whom whose which what am
    is are was were be been being have has had having do does did doing done can could will would shall should may
    might must ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan shouldn wasn weren won
    wouldn t s d ll m re ve o y and but or nor so if because as until while than then when where why how although
    though since unless whether of at by for with about against between into through during before after above below
    to from up down in out on off over under again further once here there not no only own same too very just now all
    any both each few more most other some such
    """.split()
)
LENGTH = (40, 500)  # tokens
REPEATED = (0.02, 0.2)  # the commonest token's share of all
INFORMATIVE = (0.3, 0.7)  # the share of tokens that are neither function words nor punctuation
NOT_DIGITS = 0.8  # the share of tokens that are no single digit


def is_prose(words: Sequence[str]) -> bool:
    """Returns whether a text has the length, the repetition and the mixture of words that the authors ask for.

    The bounds are those of their code (Xie et al. 2023; p-lambda/dsir, experimental/data_selection/dsir_pipeline.py), none
    of them itself allowed. Its tokens and its list of function words are NLTK's; here they are DSIR's own tokens and the list
    above.

    Args:
      words: the text's tokens in lower case.
    """
    count = len(words)
    if not LENGTH[0] < count < LENGTH[1]:
        return False
    counts = Counter(words)
    informative = sum(number for word, number in counts.items() if word not in FUNCTION_WORDS and _has_letters(word)) / count
    return (
        REPEATED[0] < max(counts.values()) / count < REPEATED[1]
        and INFORMATIVE[0] < informative < INFORMATIVE[1]
        and 1 - sum(counts[digit] for digit in "0123456789") / count > NOT_DIGITS
    )


def _has_letters(word: str) -> bool:
    return any(map(str.isalnum, word))
