"""Films and their reviews from PostgreSQL: Quart and asyncpg with a pool of connections."""

import os

import asyncpg
from quart import Quart, abort, jsonify, request
from review import parse
from werkzeug.exceptions import HTTPException

POOL_MIN = int(os.environ["DATABASE_POOL_MIN"])
POOL_MAX = int(os.environ["DATABASE_POOL_MAX"])
CURSOR = os.environ["FILMS_CURSOR"] == "yes"

app = Quart(__name__)


@app.while_serving
async def open_pool():
    # No connection string: asyncpg reads the PG* variables.
    async with asyncpg.create_pool(min_size=POOL_MIN, max_size=POOL_MAX) as app.pool:
        yield


@app.get("/films/<int(max=2147483647):film_id>/")
async def get_film(film_id):
    # Reads in a transaction, as the article has it and as psycopg2 does by itself.
    async with app.pool.acquire() as connection, connection.transaction():
        film = await connection.fetchrow("SELECT film_id, title, release_year FROM film WHERE film_id = $1", film_id)
    if film is None:
        abort(404, f"there is no film {film_id}")
    return jsonify(dict(film))


@app.get("/films/")
async def get_films():
    query = "SELECT film_id, title, release_year FROM film WHERE release_year > $1"
    async with app.pool.acquire() as connection, connection.transaction():
        if CURSOR:  # as the article has it: PostgreSQL is asked for fifty rows at a time
            films = [film async for film in connection.cursor(query, 2000)]
        else:
            films = await connection.fetch(query, 2000)
    return jsonify({film["film_id"]: dict(film) for film in films})


@app.post("/reviews/")
async def add_review():
    film_id, rating = parse(await request.get_data())
    try:
        async with app.pool.acquire() as connection:  # outside a transaction a statement commits itself
            await connection.execute("INSERT INTO review (film_id, rating) VALUES ($1, $2)", film_id, rating)
    except asyncpg.ForeignKeyViolationError:
        abort(400, f"there is no film {film_id}")
    return jsonify(film_id=film_id, rating=rating)


@app.errorhandler(HTTPException)
async def tell_error(error):
    return jsonify(error=error.description), error.code
