"""Flask with an async view: each request gets an event loop of its own to wait in."""

import asyncio

from flask import Flask

app = Flask(__name__)


@app.get("/health")
async def health():
    await asyncio.sleep(0.1)
    return "ok"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8080)
