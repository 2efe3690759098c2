-- Prints one line that is the same exactly as long as the tables hold what load.sql puts there.
SELECT format(
    '%s films, %s reviews, sha256 %s',
    (SELECT count(*) FROM film),
    (SELECT count(*) FROM review),
    (
        SELECT left(encode(sha256(convert_to(string_agg(film::text, E'\n' ORDER BY film_id), 'UTF8')), 'hex'), 16)
        FROM film
    )
);
