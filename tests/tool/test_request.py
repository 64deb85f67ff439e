import pytest

from gotd_jax.tool.request import Request


def test_a_request_written_down_is_the_same_again():
    request = Request(pool="a", target=("b", "c"), shares=(1, 3), budget=5, leak_check="d")
    assert Request(**request.to_dict()) == request
    assert request.pool == ("a",) and request.budget == "5"


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"pool": ()}, "No pool is named"),
        ({"target": ()}, "No target is named"),
        ({"shares": (1.0, 2.0)}, "There are 1 targets and the shares"),
        ({"shares": (0.0,)}, "each a number above 0"),
        ({"target": ("b", "c"), "shares": (1.0, float("nan"))}, "each a number above 0"),
        ({"target": ("b", "c"), "shares": (1.0, float("inf"))}, "each a number above 0"),
        ({"epsilon": float("nan")}, "epsilon is nan"),
        ({"epsilon": -0.01}, "epsilon is -0.01"),
        ({"near_duplicates": float("nan")}, "near_duplicates is nan"),
        ({"format": "csv"}, "It can be: jsonl, parquet"),
        ({"parts": 0}, "parts is 0"),
        ({"near_duplicates": 0}, "near_duplicates is 0"),
        ({"budget": "some"}, "is no amount"),
        ({"method": "contrast"}, "away goes with contrast"),
        ({"home": "law"}, "home goes with dapt"),
        ({"method": "rtp"}, "scorer goes with rtp"),
        ({"language_model": "gpt2"}, "language_model goes with loss_difference"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        Request(**{"pool": "a", "target": "b", "budget": 1} | fields)
