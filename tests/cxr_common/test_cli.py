from __future__ import annotations

import subprocess
import sys

import pytest
from monai.bundle import ConfigParser

from cxr_common.cli import find_config_error, one_line_errors
from cxr_common.errors import InputError, find_input_error


def run(body: str) -> subprocess.CompletedProcess:
    code = f"from cxr_common.cli import report_input_errors\nfrom cxr_common.errors import InputError\n{body}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_a_users_mistake_is_one_line_even_when_wrapped():
    done = run(
        "report_input_errors()\n"
        "try:\n    raise InputError('no such folder', '/nowhere', 'check the path')\n"
        "except Exception as e:\n    raise RuntimeError('Failed to evaluate') from e"
    )
    assert done.returncode == 1
    assert done.stderr == "error: /nowhere: no such folder; check the path\n"


def test_our_own_mistake_keeps_its_traceback():
    done = run("report_input_errors()\n1 / 0")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_a_circle_of_causes_ends():
    a, b = RuntimeError("a"), RuntimeError("b")
    a.__cause__, b.__cause__ = b, a
    assert find_input_error(a) is None
    b.__cause__ = InputError("x")
    assert isinstance(find_input_error(a), InputError)


def test_a_tool_shows_a_users_mistake_as_one_line_and_fails(capsys):
    @one_line_errors
    def main(argv):
        if argv:
            raise InputError("no such folder", argv[0])
        return 0

    assert main([]) == 0
    assert main(["/nowhere"]) == 1
    assert capsys.readouterr().err == "error: /nowhere: no such folder\n"


def test_a_tool_shows_an_image_that_cannot_be_read_as_one_line(capsys):
    """MONAI wraps what a transform raises."""

    @one_line_errors
    def main(argv):
        try:
            raise InputError("is not a radiograph", "a.png")
        except InputError as error:
            raise RuntimeError("applying transform <LoadRadiographd>") from error

    assert main([]) == 1
    assert capsys.readouterr().err == "error: a.png: is not a radiograph\n"


def test_ctrl_c_ends_a_tool_without_a_traceback(capsys):
    @one_line_errors
    def main(argv):
        raise KeyboardInterrupt

    assert main([]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_a_tool_shows_a_mistake_in_the_configuration_as_one_line(capsys):
    @one_line_errors
    def main(argv):
        parser = ConfigParser({"thresholds": "x", "size": "$@thresholds.input_size"})
        return parser.get_parsed_content("size") if argv else 1 // 0

    assert main(["--thresholds", "x"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "no attribute 'input_size'" in error and error.count("\n") == 1
    with pytest.raises(ZeroDivisionError):
        main([])


def test_an_option_that_is_no_python_is_the_users_mistake():
    error = RuntimeError("Failed to evaluate ConfigExpression")
    try:
        compile("torch.device('cu", "<unknown>", "eval")
    except SyntaxError as cause:
        error.__cause__ = cause
    assert "SyntaxError: unterminated string" in str(find_config_error(error))
