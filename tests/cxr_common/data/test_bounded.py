"""Decoders end in time and alone."""

import ctypes
import faulthandler
import os
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from cxr_common.data import bounded, dicom_pixels
from cxr_common.errors import InputError
from tests.image_files import JPEG_2000_LOSSLESS, marker_picture, read_image, write_dicom

TWO_ARGUMENTS = type("Odd", (Exception,), {"__init__": lambda self, _a, _b: Exception.__init__(self, "odd")})


def loop():
    while True:
        pass


def crash():
    faulthandler.disable()  # pytest's, which would print where the child crashed
    ctypes.string_at(0)


def doubt():
    warnings.warn("doubtful", UserWarning, stacklevel=1)
    return np.array([3])


def refuse():
    raise InputError("is cut off", "x.png", "copy it")


def odd():
    raise TWO_ARGUMENTS(1, 2)


def test_results_errors_and_warnings_come_through():
    big = np.arange(3_000_000)
    np.testing.assert_array_equal(bounded.bounded(lambda: big * 2, "x"), big * 2)
    with pytest.raises(ZeroDivisionError):
        bounded.bounded(lambda: 1 / 0, "x")
    with pytest.raises(Exception, match="odd"):
        bounded.bounded(odd, "x")
    with pytest.warns(UserWarning, match="doubtful"):
        assert bounded.bounded(doubt, "x") == [3]
    assert bounded.bounded(lambda: b"\n\x00 bytes", "x") == b"\n\x00 bytes"
    with pytest.raises(InputError, match="x.png: is cut off; copy it"):
        bounded.bounded(refuse, "x")


def test_nothing_that_a_decoder_sends_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "run"),)

    with pytest.raises(InputError, match="crashed"):  # it can be sent in no form
        bounded.bounded(lambda: np.array([Evil()]), "x")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("call", "said"), [(loop, "takes over 1 seconds"), (crash, "crashed")])
def test_a_decoder_that_does_not_return(call, said):
    with pytest.raises(InputError, match=f"x: .*{said}"):
        bounded.bounded(call, "x", 1)


def test_a_decoder_that_waits(monkeypatch):
    monkeypatch.setattr(bounded, "_PATIENCE", 0.5)
    with pytest.raises(InputError, match="takes over 1 seconds"):
        bounded.bounded(lambda: time.sleep(60), "x", 1)


def test_a_looping_decoder_of_a_file(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", marker_picture(), JPEG_2000_LOSSLESS)
    read_image(path)
    monkeypatch.setattr(bounded, "MAX_SECONDS", 1)
    monkeypatch.setattr(dicom_pixels, "decode", lambda _: loop())
    with pytest.raises(InputError, match=r"a\.dcm: decoding takes over 1 seconds"):
        read_image(path)


def test_a_process_that_may_use_little_time_itself():
    # What a limit of the shell (ulimit -t) or of a cluster allows, no process may raise.
    code = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (50, 50))\n"
    code += "from cxr_common.data.bounded import bounded; print(bounded(lambda: 7, 'a'))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "7\n"
