from __future__ import annotations

import pickle

from cxr_common.errors import InputError, own_input_error


def test_text_says_where_what_and_what_to_do():
    assert str(InputError("is empty", "a.png", "send it again")) == "a.png: is empty; send it again"
    assert str(InputError("is empty")) == "is empty"


def test_it_crosses_process_borders_whole():
    error = pickle.loads(pickle.dumps(InputError("is empty", "a.png", "send it again")))
    assert (error.reason, error.where, error.action) == ("is empty", "a.png", "send it again")


def test_no_address_of_memory_is_shown():
    error = InputError("cannot identify image file <_io.BytesIO object at 0x7f7254bed5d0>", "a.png")
    assert error.reason == "cannot identify image file <_io.BytesIO>"
    assert "0x28" in str(InputError("tag 0x28 is missing"))


def test_an_error_of_another_bundle_s_copy_becomes_ours():
    foreign = type("InputError", (ValueError,), {"reason": "is empty", "where": "x.png", "action": "give another"})
    try:
        try:
            raise foreign("is empty")
        except ValueError as error:
            raise RuntimeError("applying transform") from error
    except RuntimeError as error:
        found = own_input_error(error)
    assert isinstance(found, InputError)
    assert str(found) == "x.png: is empty; give another"
    assert own_input_error(ValueError("x")) is None
    assert own_input_error(type("InputError", (ValueError,), {})()) is None


def test_what_is_shown_of_a_long_text_has_an_end():
    error = InputError(f"{'x' * 100_000!r} is not a label value\n  second", "t.csv line 2", "a" * 5000)
    assert len(str(error)) < 2500
    assert str(error).splitlines()[0].endswith("is not a label value")
