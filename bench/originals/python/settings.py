"""What every program is started with. Each can be run by hand, too: PORT=8000 DELAY=2 python3 flask_threaded.py"""

import os

HOST = "127.0.0.1"
PORT = int(os.environ.get("PORT", 8000))
DELAY = float(os.environ.get("DELAY", 2))  # seconds that a request takes
THREADS = int(os.environ.get("THREADS", 50))  # of gunicorn's gthread

# How many connections may wait to be accepted. The default of Flask's server is 128, of gevent's 256: with more clients
# than that, the kernel drops some SYNs, each of which is sent again a second later, and that would be measured instead
# of the server. It is the kernel's own limit (net.core.somaxconn) on most Linux systems.
BACKLOG = 4096
