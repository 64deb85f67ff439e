from gotd_jax.report import origins


def test_shares_are_of_all_cells_of_a_method_and_methods_that_select_nothing_have_no_line():
    pool = {"news": 30, "law": 10}
    rows = [
        {"method": "none", "pool": pool, "selected": {}},
        {"method": "got_d", "pool": pool, "selected": {"law": 3, "news": 1}},
        {"method": "got_d", "pool": pool, "selected": {"law": 4}},
    ]
    lines = [line.split() for line in origins.text(rows).splitlines()]
    assert lines == [["selected", "from,", "%", "news", "law"], ["(the", "pool)", "75.0", "25.0"], ["got_d", "12.5", "87.5"]]
