"""Flask under gevent's server, patched too late: `sleep` is still the blocking one it was when it was imported."""

from time import sleep

from flask import Flask
from gevent import monkey
from gevent.pywsgi import WSGIServer

monkey.patch_all()

app = Flask(__name__)


@app.get("/health")
def health():
    sleep(0.1)
    return "ok"


if __name__ == "__main__":
    WSGIServer(("0.0.0.0", 8080), app).serve_forever()
