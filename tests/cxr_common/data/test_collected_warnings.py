"""Warnings are collected for the thread that reads, and the process is left as it was."""

import logging
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cxr_common.data import RadiographReader
from cxr_common.data.collected_warnings import collected_warnings, ignored_warnings
from tests.image_files import marker_picture, write_dicom


def test_collects_once_and_drops_deprecations():
    with collected_warnings() as texts:
        for _ in range(3):
            warnings.warn("two\n  lines", stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        np.array([1.0]) / np.array([0.0])
    assert texts == ["two lines", "divide by zero encountered in divide"]


def test_process_is_left_as_it_was():
    filters, show, level = list(warnings.filters), warnings.showwarning, logging.getLogger("pydicom").level
    with pytest.raises(KeyError), collected_warnings():
        raise KeyError
    assert (list(warnings.filters), warnings.showwarning) == (filters, show)
    assert logging.getLogger("pydicom").level == level


def test_nested():
    with collected_warnings() as outer:
        warnings.warn("a", stacklevel=1)
        with collected_warnings() as inner:
            warnings.warn("b", stacklevel=1)
        warnings.warn("c", stacklevel=1)
    assert (outer, inner) == (["a", "c"], ["b"])


def test_what_is_ignored_in_one_thread_is_collected_in_another():
    ignoring, done = threading.Event(), threading.Event()

    def writer() -> None:
        with ignored_warnings():
            ignoring.set()
            done.wait(5)
            warnings.warn("of the writer", stacklevel=1)

    with ThreadPoolExecutor(1) as pool, collected_warnings() as texts:
        job = pool.submit(writer)
        ignoring.wait(5)
        warnings.warn("of the reader", stacklevel=1)
        done.set()
        job.result(5)
    assert texts == ["of the reader"]


def test_one_kind_is_ignored():
    with collected_warnings() as texts, ignored_warnings(RuntimeWarning):
        warnings.warn("a", RuntimeWarning, stacklevel=1)
        warnings.warn("b", UserWarning, stacklevel=1)
    assert texts == ["b"]
    with pytest.warns(UserWarning, match="c"), ignored_warnings(RuntimeWarning):
        warnings.warn("c", UserWarning, stacklevel=1)


def test_readers_that_overlap_in_threads():
    show, level = warnings.showwarning, logging.getLogger("pydicom").level
    first_in, second_in = threading.Event(), threading.Event()

    def first() -> list[str]:
        with collected_warnings() as texts:
            first_in.set()
            second_in.wait(5)
            warnings.warn("first", stacklevel=1)
        return texts

    def second() -> list[str]:
        first_in.wait(5)
        with collected_warnings() as texts:
            second_in.set()
            one.result(5)  # the one that came first goes first
            warnings.warn("second", stacklevel=1)
        return texts

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        two = pool.submit(second)
        assert (one.result(5), two.result(5)) == (["first"], ["second"])
    assert warnings.showwarning is show and logging.getLogger("pydicom").level == level


def test_reading_in_threads(tmp_path):
    paths = [write_dicom(tmp_path / f"{i}.dcm", marker_picture(), PixelSpacing=[0, i]) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        scans = list(pool.map(RadiographReader().read, paths * 4))
    for i, scan in enumerate(scans):
        assert scan.warnings == [f"PixelSpacing of {i % 8} x 0 mm cannot be true, the spacing is unknown"]
