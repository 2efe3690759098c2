-- Puts the data set into its one state, whatever the tables held before. Run by PostgreSQL's superuser in the database
-- `films`, from this folder: psql --dbname films --file load.sql
\set ON_ERROR_STOP on
\set films `cat films.json`
SET client_min_messages = warning;
SET lock_timeout = '10s';

BEGIN;
SET LOCAL ROLE films;

CREATE TABLE IF NOT EXISTS film (
    film_id integer PRIMARY KEY,
    title text NOT NULL,
    release_year integer NOT NULL
);
CREATE TABLE IF NOT EXISTS review (
    film_id integer REFERENCES film,
    rating integer
);

TRUNCATE film, review;

INSERT INTO film (film_id, title, release_year)
SELECT made.*
FROM json_each(:'films') AS entry, json_to_record(entry.value) AS made (film_id integer, title text, release_year integer)
ORDER BY made.film_id;
COMMIT;

-- Or the first to read the rows would set their hint bits, and autovacuum would wake up in the middle of a measurement.
VACUUM (ANALYZE) film, review;
