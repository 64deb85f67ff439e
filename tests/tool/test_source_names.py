import pytest

from gotd_jax.tool.source_names import name_and_place, names_and_places


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Returns a function that makes files, and goes into their folder."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text('{"text": "x"}\\n')

    return make


def test_a_source_is_named_by_its_person_or_its_place(files, subtests):
    cases = [
        ("law=cases/*.jsonl", "law", "cases/*.jsonl"),
        ("pool/*.jsonl.gz", "pool", "pool/*.jsonl.gz"),
        ("a/news.jsonl.zst", "news", "a/news.jsonl.zst"),
        ("texts/", "texts", "texts/"),
        ("data/shard-*.txt", "data", "data/shard-*.txt"),
        ("*.jsonl", "pool", "*.jsonl"),
        ("hf:owner/name:train", "owner/name", "hf:owner/name:train"),
        ("law=hf:owner/name:train", "law", "hf:owner/name:train"),
        ("runs/lr=3/x.jsonl", "x", "runs/lr=3/x.jsonl"),  # an equals sign in a path names nothing
        ("shard*=2.jsonl", "pool", "shard*=2.jsonl"),
    ]
    for source, name, place in cases:
        with subtests.test(source=source, name=name):
            files("cases/a.jsonl")
            assert name_and_place(source) == (name, place)


def test_a_place_with_an_equals_sign_that_is_there_is_that_place(files):
    files("lang=en/part-0.jsonl")
    assert name_and_place("lang=en/part-0.jsonl") == ("part-0", "lang=en/part-0.jsonl")
    assert name_and_place("lang=en/*.jsonl") == ("lang=en", "lang=en/*.jsonl")
    assert name_and_place("lang=en") == ("lang=en", "lang=en")
    assert name_and_place("english=lang=en") == ("english", "lang=en")


@pytest.mark.parametrize("source", ["lang=en/part-0.jsonl", "lang=en/*.jsonl", "lang=en"])
def test_a_source_that_can_be_read_in_two_ways_is_refused_with_how_to_write_either(files, source):
    files("lang=en/part-0.jsonl", "en/part-0.jsonl")
    with pytest.raises(ValueError, match=r"can be read in two ways.*Write \./lang=en.* for the one, or lang=\./en"):
        name_and_place(source)
    place = source.partition("=")[2]
    assert name_and_place(f"./{source}")[1] == f"./{source}" and name_and_place(f"lang=./{place}") == ("lang", f"./{place}")


def test_a_source_that_is_there_in_neither_way_is_refused_with_both(files):
    with pytest.raises(ValueError, match=r"There is no file or folder en/part-0.jsonl \(named lang\), and none lang=en/part"):
        name_and_place("lang=en/part-0.jsonl")


def test_sources_of_the_pool_have_names_of_their_own(files, subtests):
    cases = [
        (["a/train.jsonl", "b/train.jsonl"], ["a/train", "b/train"]),
        (["x/a/train.jsonl", "x/b/train.jsonl", "y/a/train.jsonl"], ["x/a/train", "b/train", "y/a/train"]),
        (["a/train.jsonl", "a/train.jsonl.gz"], ["a/train.jsonl", "a/train.jsonl.gz"]),
        (["a/train.v1.jsonl", "b.jsonl"], ["train", "b"]),
        (["x/a/*.jsonl", "x/b", "y/a/*.jsonl"], ["x/a", "b", "y/a"]),
        (["hf:owner/name:train", "hf:owner/name:test"], ["owner/name:train", "owner/name:test"]),
        (["train=a/train.jsonl", "b/train.jsonl"], ["train", "b/train"]),
    ]
    for sources, names in cases:
        with subtests.test(sources=sources):
            files("x/a/train.jsonl", "x/b/train.jsonl", "y/a/train.jsonl", "b/train.jsonl", "b.jsonl")
            files("a/train.jsonl", "a/train.jsonl.gz", "a/train.v1.jsonl")
            assert [name for name, _ in names_and_places(sources)] == names


def test_one_name_for_two_sources_is_refused(files):
    files("a.jsonl", "b.jsonl")
    with pytest.raises(ValueError, match=r"Two sources of the pool are called law\. Name them apart"):
        names_and_places(["law=a.jsonl", "law=b.jsonl"])


def test_a_file_in_two_sources_is_refused(files, subtests):
    cases = [["a.jsonl", "./a.jsonl"], ["one=a.jsonl", "two=*.jsonl"], ["one=a.jsonl", "two=."]]
    for sources in cases:
        with subtests.test(sources=sources):
            files("a.jsonl")
            with pytest.raises(ValueError, match=r"a\.jsonl is in two sources of the pool"):
                names_and_places(sources)
