import pytest

from cxr_common.errors import InputError
from cxr_common.extras import needed


def test_a_package_that_is_not_installed_is_one_line_with_the_command():
    with pytest.raises(InputError) as error:
        needed("no_such_package.part", "no-such-package", "drawing")
    assert str(error.value) == "drawing needs no-such-package, which is not installed; pip install no-such-package"
