"""Small servers beside the app, each a function that answers a request; one stands in front of it, as hosts have."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Answers all requests to a free port by that function, and gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_HEAD = do_POST = do_CONNECT = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def in_front_of(port: int, prefix: str) -> Answer:
    """Passes requests below a prefix, such as /vae, on to the app of that port, without the prefix."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        if not request.path.startswith(f"{prefix}/"):
            if request.path == "/favicon.ico":  # the host's own, which a browser asks for by itself
                request.send_response(204)
                request.end_headers()
            else:
                request.send_error(404)
            return
        body = request.rfile.read(int(request.headers["Content-Length"] or 0))
        headers = dict(request.headers) | {"X-Forwarded-Host": request.headers["Host"]}
        app = http.client.HTTPConnection("127.0.0.1", port)
        app.request(request.command, request.path.removeprefix(prefix), body, headers)
        found = app.getresponse()
        request.send_response(found.status)
        for name, value in found.getheaders():
            if name.lower() != "transfer-encoding":
                request.send_header(name, value)
        request.end_headers()
        while part := found.read1():  # as it comes: Gradio streams
            request.wfile.write(part)
        app.close()

    return answer
