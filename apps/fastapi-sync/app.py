"""FastAPI with a blocking view: requests sleep in a pool of 40 threads."""

from time import sleep

import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/health")
def health():
    sleep(0.1)
    return PlainTextResponse("ok")


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8080, access_log=False)
