"""Leaving a database as a well-kept one would be, without disturbing statistics that exist.

ANALYZE samples rows at random: two tables with the same rows, analysed apart, get
unlike statistics and now and then unlike plans. VACUUM estimates row counts anew
from the few pages it reads. So a template is vacuumed and analysed once; after
further DDL, only tables whose rows were touched are vacuumed, and only what has no
statistics yet is analysed.
"""

from __future__ import annotations

from loadstone.target.sql import Session

_OWN_TABLES = """
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
"""

_TOUCHED = f"""
  SELECT name, concat_ws(' ', pg_relation_filenode(t.oid), n_tup_ins, n_tup_upd, n_tup_del)
  FROM ({_OWN_TABLES}) t LEFT JOIN pg_stat_all_tables s ON s.relid = t.oid ORDER BY name
"""  # noqa: S608 - made of constants

_UNANALYSED_TABLES = f"""
  SELECT name FROM ({_OWN_TABLES}) t
  WHERE NOT EXISTS (SELECT FROM pg_statistic s WHERE s.starelid = t.oid)
  UNION
  SELECT name FROM ({_OWN_TABLES}) t JOIN pg_index i ON i.indrelid = t.oid
  WHERE i.indexprs IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_statistic s WHERE s.starelid = i.indexrelid)
  UNION
  SELECT name FROM ({_OWN_TABLES}) t JOIN pg_statistic_ext e ON e.stxrelid = t.oid
  WHERE NOT EXISTS (SELECT FROM pg_statistic_ext_data d WHERE d.stxoid = e.oid)
  ORDER BY name
"""  # noqa: S608 - made of constants

_UNANALYSED_COLUMNS = f"""
  SELECT name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
  FROM ({_OWN_TABLES}) t JOIN pg_attribute a ON a.attrelid = t.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget IS DISTINCT FROM 0
    AND NOT EXISTS (SELECT FROM pg_statistic s WHERE s.starelid = t.oid AND s.staattnum = a.attnum)
    AND EXISTS (SELECT FROM pg_statistic s WHERE s.starelid = t.oid)
  GROUP BY name ORDER BY name
"""  # noqa: S608 - made of constants


def keep_all(database: Session) -> None:
    """Vacuum, freeze and analyse everything."""
    database.run("VACUUM (FREEZE, ANALYZE)")


def fingerprint(database: Session) -> dict[str, str]:
    """Return, for each table, what changes when its rows are touched or it is rewritten."""
    database.run("SELECT pg_stat_force_next_flush()")
    return {str(name): str(state) for name, state in database.run(_TOUCHED)}


def keep_new(database: Session, before: dict[str, str]) -> list[str]:
    """Vacuum what DDL has touched and analyse what has no statistics; return those statements.

    Args:
        database: on which the DDL was run.
        before: its fingerprint from before the DDL.
    """
    after = fingerprint(database)
    statements = [f"VACUUM (FREEZE) {name}" for name, state in after.items() if before.get(name) != state]
    whole = [name for (name,) in database.run(_UNANALYSED_TABLES)]
    statements += [f"ANALYZE {name}" for name in whole]
    statements += [
        f"ANALYZE {name} ({columns})"
        for name, columns in database.run(_UNANALYSED_COLUMNS)
        if name not in whole
    ]
    for statement in statements:
        database.run(statement)
    return statements
