"""Annotations: on the line that sent a statement, else on the experiment's, and nothing breaks out."""

from gated import make_gate

from loadstone.gate.annotations import annotate
from loadstone.record.gated import GateFinding, Kind, Status


def one(status=Status.FAILED, message="queries 2 → 61", **more):
    return GateFinding(
        experiment="browse", kind=Kind.EXACT, subject="queries", status=status, message=message, **more
    )


def test_a_fact_is_annotated_where_its_statement_was_sent():
    (line,) = annotate(make_gate([one(file="shop/views.py", line=7)]))
    assert line == "::error file=shop/views.py,line=7,title=browse%3A queries failed::queries 2 → 61"


def test_what_points_nowhere_is_annotated_at_its_experiment():
    (line,) = annotate(make_gate([one()]))
    assert line.startswith("::error file=loadstone.toml,line=30,")


def test_open_and_accepted_findings_are_warnings_and_held_ones_are_none():
    found = annotate(make_gate([one(Status.INCONCLUSIVE), one(Status.ACCEPTED), one(Status.HELD)]))
    assert [line.split()[0] for line in found] == ["::warning", "::warning"]


def test_no_text_can_end_the_command_or_begin_another():
    evil = one(message="a\n::set-output name=x::y\r%0A", file="a,line=1:b\n.py", line=3)
    (line,) = annotate(make_gate([evil]))
    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::error file=a%2Cline=1%3Ab\\n.py,line=3,")
    assert line.endswith("::a%0A::set-output name=x::y\\r%250A")
