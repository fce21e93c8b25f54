"""The article's application: a request that does nothing but wait."""

import logging
import time

from flask import Flask
from werkzeug import serving

from settings import BACKLOG, DELAY

# Flask's own server logs a line for each request, which takes more CPU than the request.
logging.getLogger("werkzeug").setLevel(logging.ERROR)
# Werkzeug 2 asks the one for its backlog, Werkzeug 3 the other.
serving.LISTEN_QUEUE = serving.BaseWSGIServer.request_queue_size = BACKLOG

app = Flask(__name__)


@app.get("/")
def hello():
    time.sleep(DELAY)
    return "Hello World"
