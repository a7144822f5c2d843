import pytest

from loadstone.config.crew import Crew, CrewWish, compile_crew, parse_address
from loadstone.errors import ConfigurationError


def test_one_process_here_unless_told_otherwise():
    assert compile_crew(CrewWish()) == Crew(local=1)
    assert not compile_crew(CrewWish()).distributed


def test_who_expects_others_sends_nothing_itself_unless_told():
    assert compile_crew(CrewWish(expect_workers=3)).local == 0
    assert compile_crew(CrewWish(expect_workers=3, workers=2)).total == 5


def test_a_master_is_on_loopback_unless_told_otherwise():
    assert compile_crew(CrewWish(expect_workers=1)).bind == "127.0.0.1"


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (CrewWish(workers=0), "0 workers cannot share"),
        (CrewWish(workers=65), "65 workers cannot share"),
        (CrewWish(bind="10.0.0.5"), "nobody is expected"),
        (CrewWish(expect_workers=1, bind="10.0.0.5"), "could take part"),
        (CrewWish(expect_workers=1, bind="0.0.0.0:7000"), "could take part"),
        (CrewWish(expect_workers=1, bind="10.0.0.5:x"), "is no address"),
        (CrewWish(expect_workers=1, target_host="10.0.0.5"), "not this machine's loopback"),
    ],
)
def test_what_would_go_beyond_this_machine_needs_to_be_meant(wish, problem):
    with pytest.raises(ConfigurationError, match=problem) as raised:
        compile_crew(wish)
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("confirmed", "named"), [(["10.0.0.5"], []), ([], ["10.0.0.5"]), (["10.0.0.6"], ["10.0.0.5"])]
)
def test_a_target_elsewhere_is_named_and_confirmed_or_refused(confirmed, named):
    wish = CrewWish(
        expect_workers=1, bind="10.0.0.5", token="s", target_host="10.0.0.5", allowed_hosts=confirmed
    )
    with pytest.raises(ConfigurationError) as raised:
        compile_crew(wish, named)
    assert 'allowed_hosts = ["10.0.0.5"]' in raised.value.remedy
    assert "--allow-host 10.0.0.5" in raised.value.remedy


def test_with_a_secret_and_confirmed_it_may():
    crew = compile_crew(
        CrewWish(
            expect_workers=2,
            bind="10.0.0.5:7000",
            token="s",
            target_host="10.0.0.5",
            allowed_hosts=["10.0.0.5"],
        ),
        ["10.0.0.5"],
    )
    assert (crew.bind, crew.port, crew.target_host) == ("10.0.0.5", 7000, "10.0.0.5")
    assert crew.listen == "0.0.0.0"  # noqa: S104 - compared, not bound


def test_the_target_listens_on_loopback_unless_it_is_to_be_found_elsewhere():
    assert {Crew().listen, Crew(target_host="localhost").listen} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("text", "address"), [("host", ("host", 5557)), ("host:1", ("host", 1)), ("::1", ("::1", 5557))]
)
def test_an_address_needs_no_port(text, address):
    assert parse_address(text, 5557) == address
