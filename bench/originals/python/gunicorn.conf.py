"""Read by gunicorn, which runs app:app with one worker process. It logs no requests unless it is told to."""

from settings import BACKLOG, HOST, PORT, THREADS

bind = f"{HOST}:{PORT}"
backlog = BACKLOG
workers = 1
threads = THREADS  # gthread alone has any
worker_connections = 100_000  # the default of 1000 would be a bound that plain gevent does not have
loglevel = "warning"
graceful_timeout = 0  # whoever measures has stopped asking
