"""gevent: a greenlet per request. time.sleep is gevent's, and lets the others run."""

from gevent import monkey

monkey.patch_all()  # before anything else is imported, so that all of it gets the patched modules

from gevent.pywsgi import WSGIServer

from app import app
from settings import BACKLOG, HOST, PORT

# log=None: a line for each request takes CPU.
WSGIServer((HOST, PORT), app, backlog=BACKLOG, log=None).serve_forever()
