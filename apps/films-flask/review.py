"""A review as the films apps take it: what `POST /reviews/` must send, checked before the database sees it."""

import json

from werkzeug.exceptions import BadRequest

INTEGER = range(-(2**31), 2**31)  # PostgreSQL's type of that name


def parse(body):
    """Return the film's id and the rating from a request's body in JSON. Raises BadRequest with what is wrong with it."""
    try:
        review = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON") from None
    if not isinstance(review, dict):
        raise BadRequest("the body must be a JSON object")
    for name in ("film_id", "rating"):
        value = review.get(name)
        if type(value) is not int or value not in INTEGER:  # JSON's true and false are Python's int too
            raise BadRequest(f"'{name}' must be there and be an integer of 32 bits")
    return review["film_id"], review["rating"]
