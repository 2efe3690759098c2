"""A small web server that needs only Python. Replace it with the app that you want to measure."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Home(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open for the next request
    wbufsize = -1  # writes a reply's head and body together; otherwise the body waits 40 ms

    def do_GET(self) -> None:
        body = b"hello"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *ignored: object) -> None:
        """Write nothing, because a line for each request takes time."""


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # connections that may wait; a short queue shows as seconds of latency


Server(("0.0.0.0", 8080), Home).serve_forever()
