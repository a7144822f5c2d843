import pytest

from loadstone.errors import ConfigurationError
from loadstone.lanes.capacity_conductor import split_cores


def test_generators_have_the_last_cores_and_the_target_the_others():
    assert split_cores([0, 2, 1, 3], 1) == ((0, 2, 1), (3,))
    assert split_cores([0, 2, 1, 3], 3) == ((0,), (2, 1, 3))


def test_the_target_keeps_a_core():
    with pytest.raises(ConfigurationError, match="cores of their own"):
        split_cores([0, 1], 2)
