"""Flask under gevent's server, patched before anything else is imported: the sleep yields to other requests."""
# ruff: noqa: E402 - the order of the imports is what this app is about

from gevent import monkey

monkey.patch_all()

from time import sleep

from flask import Flask
from gevent.pywsgi import WSGIServer

app = Flask(__name__)


@app.get("/health")
def health():
    sleep(0.1)
    return "ok"


if __name__ == "__main__":
    WSGIServer(("0.0.0.0", 8080), app).serve_forever()
