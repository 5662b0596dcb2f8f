"""JSON from outside: decoded or refused, and made fit to be stored."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.wire import Malformed, decode, decode_list, storable

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(json_values), st.sampled_from([None, 1]))
def test_an_array_is_decoded_item_by_item_to_the_same_as_in_one_go(items, indent):
    body = json.dumps(items, indent=indent).encode() + b"\r\n "

    assert decode_list(body) == decode(body)


@given(st.binary(max_size=50) | st.text(alphabet='[]{},:"1 \n', max_size=20).map(str.encode))
def test_bytes_that_are_no_array_are_refused_by_both_alike(body):
    try:
        expected = decode(body)
    except Malformed:
        expected = None
    if isinstance(expected, list):
        assert decode_list(body) == expected
    else:
        with pytest.raises(Malformed):
            decode_list(body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[1,]", b"[1", b"[1] 2", b"", b"{}", b"[,1]"])
def test_a_broken_array_is_refused(body):
    with pytest.raises(Malformed):
        decode_list(body)


def test_what_lies_deeper_than_anybody_looks_is_left_out():
    assert storable([1, [2, [3], {"a": 4}]], depth=2) == [1, [2, None, None]]


def test_what_no_database_takes_is_replaced_wherever_it_is():
    assert storable({"a\x00": ["\ud800", float("nan"), {"b": float("inf")}, 1.5, None]}) == {
        "a\ufffd": ["\ufffd", None, {"b": None}, 1.5, None]
    }
