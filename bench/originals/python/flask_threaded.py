"""Plain Flask: its own server, a thread per request."""

from app import app
from settings import HOST, PORT

app.run(HOST, PORT, debug=False, threaded=True)
