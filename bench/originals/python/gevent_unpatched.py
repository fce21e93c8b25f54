"""gevent's server, and nobody patched time.sleep: each request blocks the one thread that serves all of them."""

from gevent.pywsgi import WSGIServer

from app import app
from settings import BACKLOG, HOST, PORT

# log=None: a line for each request takes CPU.
WSGIServer((HOST, PORT), app, backlog=BACKLOG, log=None).serve_forever()
