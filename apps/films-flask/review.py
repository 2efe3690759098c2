"""A review as the films apps take it: what `POST /reviews/` must send, checked before the database sees it."""

from werkzeug.exceptions import BadRequest

INTEGER = range(-(2**31), 2**31)  # PostgreSQL's type of that name


def parse(body):
    """Return the film's id and the rating from a decoded JSON body. Raises BadRequest with what is wrong with it."""
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object, sent as application/json")
    for name in ("film_id", "rating"):
        value = body.get(name)
        if type(value) is not int or value not in INTEGER:  # JSON's true and false are Python's int too
            raise BadRequest(f"'{name}' must be there and be an integer of 32 bits")
    return body["film_id"], body["rating"]
