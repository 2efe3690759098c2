"""Flask: each request sleeps in its thread."""

from time import sleep

from flask import Flask

app = Flask(__name__)


@app.get("/health")
def health():
    sleep(0.1)
    return "ok"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8080)
