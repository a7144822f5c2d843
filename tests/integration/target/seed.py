"""Fills the database: a skewed table, larger than what ANALYZE samples, so that its sample is random."""

import os
import sys

import psycopg2

size, seed = int(sys.argv[1]), int(sys.argv[2])
connection = psycopg2.connect(os.environ["DATABASE_URL"])
with connection, connection.cursor() as cursor:
    cursor.execute(
        """
        CREATE TABLE item AS
        SELECT i AS id, (i * %s) %% 97 AS kind, md5((i %% 911)::text) AS label FROM generate_series(1, %s) i
        """,
        (seed, size),
    )
sys.stdout.write("seeded 100%\n")
