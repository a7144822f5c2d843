from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.explain.sql import fingerprint, is_control, kind_of, n_plus_one, normalise
from loadstone.explain.sql_tokens import split_statements, tokenize


@dataclass(frozen=True)
class Sent:
    """A statement as a tap reports it."""

    sql: str

    @property
    def control(self):
        """Whether it steers the session."""
        return is_control(self.sql)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM t WHERE a=1 AND b='x''y'", "SELECT * FROM t WHERE a = ? AND b = ?"),
        ("select  A,\n\tb -- note\nfrom /* x /* y */ z */ t", "select A, b from t"),
        ("WHERE id IN (1, -2,+3)", "WHERE id IN (?)"),
        ("WHERE id NOT IN ('2020-01-01'::date, '2021-01-01'::date)", "WHERE id NOT IN (?::date)"),
        ("WHERE (a, b) IN ((1, 2), (3, 4))", "WHERE (a, b) IN ((?, ?))"),
        ("WHERE id IN (SELECT a, b FROM t)", "WHERE id IN (SELECT a, b FROM t)"),
        ("INSERT INTO t(a,b) VALUES (1,now()),(2,now()),(3,DEFAULT)",
         "INSERT INTO t(a, b) VALUES (?, now()), (?, DEFAULT)"),
        ("SELECT ARRAY[1,2,3], '{1,2}'::int[], a[1]", "SELECT ARRAY[?], ?::int[], a[?]"),
        ("SELECT E'it\\'s', $tag$ a $$ ; $tag$, X'ff', U&'\\0041'", "SELECT ?, ?, ?, ?"),
        ("SELECT $1::int + $2", "SELECT ?::int + ?"),
        ("SELECT 1.5e-3, .5, 0xff, 1_000", "SELECT ?, ?, ?, ?"),
        ("SELECT a-1, a - -1, -1", "SELECT a - ?, a - ?, ?"),
        ('SELECT x1, "Y 2" FROM t2', 'SELECT x1, "Y 2" FROM t2'),
        ("WHERE a IS NOT NULL AND b = NULL AND c IS TRUE AND d = true",
         "WHERE a IS NOT NULL AND b = ? AND c IS TRUE AND d = ?"),
        ("SELECT data->>'k', data ? 'k', a<>-1", "SELECT data ->> ?, data ? ?, a <> ?"),
        ("SELECT COUNT(*) FROM(SELECT 1)s;", "SELECT COUNT(*) FROM (SELECT ?) s"),
        ('SAVEPOINT "s139_x7"', 'SAVEPOINT "s0_x0"'),
        ('FETCH FORWARD 2000 FROM "_django_curs_139_sync_1"', 'FETCH FORWARD ? FROM "_django_curs_0_sync_0"'),
        ('DECLARE "c17" CURSOR FOR SELECT x1 FROM t2', 'DECLARE "c0" CURSOR FOR SELECT x1 FROM t2'),
        ("", ""),
    ],
)  # fmt: skip
def test_normalising_takes_values_layout_and_comments_out(sql, expected):
    assert normalise(sql) == expected


@given(st.text(alphabet="aE'\"$-/*?()[],;.:+1 \n\\=<|INnullVALUES", max_size=60))
def test_normalising_twice_changes_nothing_and_never_fails(sql):
    once = normalise(sql)
    assert normalise(once) == once
    assert fingerprint(sql) == fingerprint(sql)


@given(st.text(max_size=80))
def test_tokens_lie_in_order_within_the_text(sql):
    end = 0
    for token in tokenize(sql):
        assert token.start >= end
        assert sql.startswith(token.text, token.start)
        end = token.start + len(token.text)


literals = st.one_of(
    st.integers().map(str),
    st.text(alphabet=st.characters(exclude_characters="\0\\", exclude_categories=["Cs"])).map(
        lambda text: "'" + text.replace("'", "''") + "'"
    ),
    st.sampled_from(["NULL", "TRUE", "$1", "1.5", "$$ ; -- $$"]),
)


@given(literals, st.lists(literals, min_size=1, max_size=5))
def test_statements_that_differ_in_values_alone_share_text_and_fingerprint(value, values):
    first = "SELECT a FROM t WHERE b = 7 AND c IN (1)"
    other = f"select a\nFROM t /* again */ WHERE b={value} AND c IN ({', '.join(values)})"
    assert fingerprint(first) == fingerprint(other)
    assert normalise(first).upper() == normalise(other).upper()


def test_fingerprints_tell_tables_apart():
    assert fingerprint("SELECT 1 FROM a") != fingerprint("SELECT 1 FROM b")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", ["select 1"]),
        ("", []),
        (" ; -- nothing\n;", []),
        ("select ';'; select $$;$$ ; ", ["select ';'", "select $$;$$"]),
        ("create rule r as on insert to t do (a; b); c", ["create rule r as on insert to t do (a; b)", "c"]),
        ("create function f() begin atomic select case when a then b end; end; x",
         ["create function f() begin atomic select case when a then b end; end", "x"]),
        ("begin; select 1; end", ["begin", "select 1", "end"]),
    ],
)  # fmt: skip
def test_statements_are_split_at_their_own_semicolons_only(sql, expected):
    assert split_statements(sql) == expected


@pytest.mark.parametrize(
    ("sql", "kind", "control"),
    [
        ("SELECT 1", "select", False),
        ("(SELECT 1) UNION (SELECT 2)", "select", False),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1", "update", False),
        ("/* c */ insert into t values (1)", "insert", False),
        ("BEGIN", "begin", True),
        ("SET LOCAL x = 1", "set", True),
        ("SAVEPOINT a", "savepoint", True),
        ("PREPARE TRANSACTION 'x'", "prepare", True),
        ("PREPARE p AS SELECT 1", "prepare", False),
        ("FETCH 10 FROM c", "fetch", False),
        ("-- nothing", "", True),
    ],
)
def test_statements_are_told_apart_by_verb(sql, kind, control):
    assert (kind_of(sql), is_control(sql)) == (kind, control)


def test_a_query_repeated_per_row_is_named_with_its_count():
    query = "SELECT * FROM brand WHERE id = "
    sent = [Sent(query + str(number)) for number in range(20)]
    sent += [Sent("BEGIN")] * 30 + [Sent("SELECT 1")] * 4
    (repeated,) = n_plus_one(sent, at_least=5)
    assert (repeated.normalised, repeated.calls) == ("SELECT * FROM brand WHERE id = ?", 20)
