from __future__ import annotations

import pytest
import requests

from cxr_common.errors import InputError
from cxr_tools.pacs.patience import LONGEST_WAIT, Unreachable, patiently

ADDRESS = "https://pacs/studies/1.2.3.planted"


def answer(code):
    response = requests.Response()
    response.status_code = code
    return requests.HTTPError(f"{code} for url: {ADDRESS}", response=response)


class Failing:
    def __init__(self, *errors):
        self.errors = list(errors)

    def __call__(self):
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_it_comes_back():
    pauses = []
    errors = [requests.ConnectionError(ADDRESS), answer(503), requests.Timeout(ADDRESS), answer(429)]
    assert patiently(Failing(*errors), 60, pauses.append) == "done"
    assert len(pauses) == 4
    assert pauses[0] < pauses[-1] <= 1.3 * LONGEST_WAIT


def test_it_stays_away():
    pauses = []
    with pytest.raises(Unreachable, match="cannot be reached for 30 s") as raised:
        patiently(Failing(*[requests.ConnectionError(ADDRESS)] * 100), 30, pauses.append)
    assert sum(pauses) == pytest.approx(30)
    assert "planted" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (answer(401), "user and password"),
        (answer(404), "404"),
        (requests.exceptions.SSLError(f"CERTIFICATE_VERIFY_FAILED {ADDRESS}"), "not trusted"),
    ],
)
def test_what_does_not_pass_is_not_tried_again(error, said):
    pauses = []
    with pytest.raises(InputError, match=said) as raised:
        patiently(Failing(error), 60, pauses.append)
    assert not pauses
    assert "planted" not in str(raised.value)
