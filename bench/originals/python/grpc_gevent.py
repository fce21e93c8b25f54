"""The article's second program. It prepares gRPC for gevent, but its monkey patch is commented out and Flask's own
server runs: so what the article measured as grpc_gevent was threads, the same as plain Flask."""

import grpc.experimental.gevent

# from gevent import monkey
# monkey.patch_all()
grpc.experimental.gevent.init_gevent()

from app import app
from settings import HOST, PORT

app.run(HOST, PORT, debug=False, threaded=True)
