"""Films and their reviews from PostgreSQL: Flask and psycopg2 with a pool of connections."""

import os
from contextlib import contextmanager
from threading import BoundedSemaphore

from flask import Flask, abort, jsonify, request
from psycopg2.errors import ForeignKeyViolation
from psycopg2.extras import RealDictCursor
from psycopg2.pool import ThreadedConnectionPool
from review import parse
from werkzeug.exceptions import HTTPException

POOL_MIN = int(os.environ["DATABASE_POOL_MIN"])
POOL_MAX = int(os.environ["DATABASE_POOL_MAX"])
COMMIT = os.environ["FILMS_COMMIT"] == "yes"

app = Flask(__name__)
# No connection string: libpq reads the PG* variables. A connection given back is closed when POOL_MIN are there already.
pool = ThreadedConnectionPool(POOL_MIN, POOL_MAX, "", cursor_factory=RealDictCursor)
free = BoundedSemaphore(POOL_MAX)  # who finds the pool empty waits, as with asyncpg; psycopg2's own would raise


@contextmanager
def acquire():
    """Lend a connection of the pool and commit in the end."""
    with free:
        connection = pool.getconn()
        try:
            yield connection
            if COMMIT:
                connection.commit()
        finally:
            pool.putconn(connection)  # rolls back what is not committed


@app.get("/films/<int(max=2147483647):film_id>/")
def get_film(film_id):
    with acquire() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT film_id, title, release_year FROM film WHERE film_id = %s", (film_id,))
        film = cursor.fetchone()
    if film is None:
        abort(404, f"there is no film {film_id}")
    return jsonify(film)


@app.get("/films/")
def get_films():
    with acquire() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT film_id, title, release_year FROM film WHERE release_year > %s", (2000,))
        films = cursor.fetchall()
    return jsonify({film["film_id"]: film for film in films})


@app.post("/reviews/")
def add_review():
    film_id, rating = parse(request.get_data())
    try:
        with acquire() as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO review (film_id, rating) VALUES (%s, %s)", (film_id, rating))
    except ForeignKeyViolation:
        abort(400, f"there is no film {film_id}")
    return jsonify(film_id=film_id, rating=rating)


@app.errorhandler(HTTPException)
def tell_error(error):
    return jsonify(error=error.description), error.code
