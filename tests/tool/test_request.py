import dataclasses
import json

import pytest

from gotd_jax.tool.request import Request


def test_a_request_written_down_is_the_same_again():
    options = {"buckets": "5_000", "noise": "0.5"}
    request = Request(pool="a", target=("b", "c"), shares=(1, 3), budget=5, leak_check="d", method="dsir", options=options)
    assert Request(**request.to_dict()) == request
    assert request.pool == ("a",) and request.budget == "5"
    assert request.options == json.loads(json.dumps(request.to_dict()))["options"] == {"buckets": 5000, "noise": 0.5}


def test_a_method_that_solves_is_called_with_epsilon_and_its_solver_s_options():
    request = Request("a", "b", 5, options={"solver": "semidual", "threshold": "1e-2", "sample": "none"}, epsilon=0.1)
    assert request.arguments == {"debias": 2000, "solver": "semidual", "threshold": 0.01, "sample": None, "epsilon": 0.1}
    assert Request("a", "b", 5, method="crisp", options={"clusters": 3}, epsilon=0.1).arguments == {"clusters": 3}


def test_got_d_is_debiased_where_nothing_else_is_asked_for(subtests):
    request = Request("a", "b", 5)
    assert request.arguments == {"debias": 2000, "epsilon": 0.05} and not request.options
    assert request.to_dict()["options"] == {"debias": 2000} and Request(**request.to_dict()).arguments == request.arguments
    assert dataclasses.replace(request, method="rds_plus").arguments == {}
    for options in ({"debias": 0}, {"share": 0.3}, {"solver": "published"}):
        with subtests.test(options):
            assert Request("a", "b", 5, options=options).arguments == options | {"epsilon": 0.05}


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
        ({"method": "contrast"}, "contrast reads texts to move away from, and was given none. Give --away, in Python away="),
        ({"home": "law"}, "got_d does not read home, which is given. It goes with dapt"),
        ({"method": "loss_difference"}, "Give --language-model, in Python language_model="),
        ({"method": "best"}, "There is no method 'best'. There are: .*tsds"),
        ({"method": "none"}, "none selects nothing"),
        ({"method": "dsir", "options": {"bucket": 5}}, "no option 'bucket'. It has: buckets, ngrams, min_tokens, quality"),
        ({"method": "tapt_c", "options": {"k": 5}}, "It has: noise"),
        ({"method": "random", "options": {"noise": 1}}, "It has: none"),
        ({"method": "dsir", "options": {"buckets": "many"}}, "buckets of the method dsir: 'many' is not a whole number"),
        ({"method": "dsir", "options": {"noise": True}}, "noise of the method dsir: True is not a number or none"),
        ({"options": {"sample": 0.5}}, "sample of the method got_d: 0.5 is not a whole number or none"),
        ({"options": {"epsilon": 0.1}}, "Give it as --epsilon"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        Request(**{"pool": "a", "target": "b", "budget": 1} | fields)
