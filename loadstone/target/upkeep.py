"""Leaving a database as a well-kept one would be, without disturbing statistics that exist.

ANALYZE samples rows at random: two tables with the same rows, analysed apart, get
unlike statistics and now and then unlike plans. So a template is analysed once,
and after further DDL only what has no statistics yet.
"""

from __future__ import annotations

from loadstone.target.sql import Session

_OWN_TABLES = """
  SELECT c.oid, c.relname, c.reltuples, c.relpages, c.relallvisible,
         format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
"""

_UNVACUUMED = f"""
  SELECT name FROM ({_OWN_TABLES}) t WHERE relallvisible < relpages OR reltuples < 0 ORDER BY name
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


def keep_new(database: Session) -> list[str]:
    """Vacuum and analyse what DDL has made or rewritten; return the statements that were needed."""
    statements = [f"VACUUM (FREEZE) {name}" for (name,) in database.run(_UNVACUUMED)]
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
