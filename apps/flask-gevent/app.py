"""Flask under gevent's server, nothing patched: the sleep blocks the one thread and with it every other request."""

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
