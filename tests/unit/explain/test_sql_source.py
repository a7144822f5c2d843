"""The line of code that sent a statement, where a comment says so."""

import pytest

from loadstone.explain.sql_source import source_of


@pytest.mark.parametrize(
    ("comment", "place"),
    [
        ("/*file='shop%2Fviews.py',line='42'*/", "shop/views.py:42"),
        ("/*code.filepath='a.py',code.lineno='7'*/", "a.py:7"),
        ("/*code_filepath='a.py',code_lineno='7'*/", "a.py:7"),
        ("/*action='index',source_location='app/models/x.rb:10'*/", "app/models/x.rb:10"),
        ("/*source_location='app/models/x.rb:10:in `all`'*/", "app/models/x.rb:10"),
        ("/* file='a.py' */ /* line='3' */", "a.py:3"),
        ("/*file='a.py'*/", ""),
        ("/*file='a.py',line='0'*/", ""),
        ("/*file='a.py',line='x'*/", ""),
        ("/*route='%2F'*/", ""),
        ("", ""),
    ],
)
def test_known_forms_are_read(comment, place):
    assert source_of([f"SELECT 1 {comment}"]) == place


def test_statements_of_several_lines_have_none():
    one, other = (f"SELECT 1 /*file='a.py',line='{line}'*/" for line in (1, 2))
    assert source_of([one, one]) == "a.py:1"
    assert source_of([one, other]) == ""
    assert source_of([one, "SELECT 1"]) == ""
    assert source_of([]) == ""
