"""Flask's own server with one thread: one request at a time."""

from app import app
from settings import HOST, PORT

app.run(HOST, PORT, debug=False, threaded=False)
