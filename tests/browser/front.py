"""Small servers beside the app: one in front of it, as hosts have, which takes a prefix off the path; and any other."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serves on a free port, and gives the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Silent(BaseHTTPRequestHandler):
    """A handler that writes no log."""

    def log_message(self, *_: object) -> None:
        pass


def front(port: int, prefix: str) -> type[BaseHTTPRequestHandler]:
    """Passes the requests below a prefix, such as /vae, on to the app of that port, without the prefix."""

    class Front(Silent):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            headers = dict(self.headers) | {"X-Forwarded-Host": self.headers["Host"]}
            app = http.client.HTTPConnection("127.0.0.1", port)
            app.request(self.command, self.path.removeprefix(prefix), body, headers)
            answer = app.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() != "transfer-encoding":
                    self.send_header(name, value)
            self.end_headers()
            while part := answer.read1():  # as it comes: Gradio streams
                self.wfile.write(part)
            app.close()

        do_HEAD = do_POST = do_GET  # noqa: N815

    return Front
