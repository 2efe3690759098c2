"""Sanic's own server, a worker for every CPU."""

import asyncio

from sanic import Sanic
from sanic.response import text

app = Sanic("health")


@app.get("/health")
async def health(_request):
    await asyncio.sleep(0.1)
    return text("ok")


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8080, fast=True, debug=False, access_log=False)
