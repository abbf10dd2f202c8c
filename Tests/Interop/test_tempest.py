"""OpenStack's own test suite against Baton: each test has the outcome that docs/tempest.md lists."""

import pytest

from tempest_table import difference, expected, outcomes


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The outcomes of all tests, which are run once."""
    home = tmp_path_factory.mktemp("tempest")
    for directory in [home, *home.parents[:2]]:
        directory.chmod(0o755)
    return outcomes(home)


def test_the_table_has_every_test(results):
    assert sorted(expected()) == sorted(results)


@pytest.mark.parametrize(("name", "promised"), sorted(expected().items()), ids=sorted(expected()))
def test_each_test_ends_as_the_table_says(name, promised, results):
    assert not difference(name, promised, results[name])
