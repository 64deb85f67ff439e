"""A server on this machine with the interface of the Hugging Face hub, of repositories in a folder; it keeps what is asked.

<root>/datasets/<owner>/<name>/<commit>/...    and models likewise; the file `main` beside the commits names the newest
"""

import contextlib
import hashlib
import json
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

API = re.compile(r"/api/(?P<kind>datasets|models)/(?P<name>[^/]+/[^/]+)(?:/(?P<verb>revision|tree|paths-info)/(?P<rest>.*))?")
FILE = re.compile(r"/(?:(?P<kind>datasets)/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


class Hub:
    """Repositories in the folder `root`, and the files `asked` for so far, as `(repository, commit, path)`."""

    def __init__(self, root: Path):
        self.root = root
        self.asked: list[tuple[str, str, str]] = []

    def add(self, kind: str, name: str, commit: str, *, newest: bool = True) -> Path:
        """Returns the new, empty folder of a repository's commit."""
        folder = self.root / kind / name / commit
        folder.mkdir(parents=True)
        if newest:
            (folder.parent / "main").write_text(commit)
        return folder

    def folder(self, kind: str, name: str, revision: str) -> Path | None:
        """Returns the folder of a commit or of `main`; None where there is none."""
        repository = self.root / kind / name
        if revision == "main" and (repository / "main").is_file():
            revision = (repository / "main").read_text()
        return repository / revision if (repository / revision).is_dir() else None


@contextlib.contextmanager
def serving(root: Path):
    """Yields a `Hub` of `root` with its `address`, for as long as the body runs."""
    hub = Hub(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def do_POST(self):
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer(urllib.parse.parse_qs(asked).get("paths") or json.loads(asked or "{}").get("paths", []))

    def _answer(self, paths=()):
        address = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(address.path)
        if found := API.fullmatch(path):
            self._of_repository(found, paths, "recursive=true" in address.query.lower())
        elif found := FILE.fullmatch(path):
            self._of_file(found)
        else:
            self._missing("EntryNotFound")

    def _of_repository(self, found, paths, recursive):
        revision, _, below = (found["rest"] or "main").partition("/")
        folder = self.hub.folder(found["kind"], found["name"], revision)
        if folder is None:
            self._missing("RevisionNotFound" if self.hub.folder(found["kind"], found["name"], "main") else "RepoNotFound")
            return
        if found["verb"] == "tree":
            paths = (folder / below).rglob("*") if recursive else (folder / below).glob("*")
            self._send(json.dumps([_entry(folder, path) for path in sorted(paths)]).encode())
        elif found["verb"] == "paths-info":
            self._send(json.dumps([_entry(folder, folder / path) for path in paths if (folder / path).exists()]).encode())
        else:
            siblings = [{"rfilename": _name(folder, path)} for path in sorted(folder.rglob("*")) if path.is_file()]
            self._send(json.dumps({"id": found["name"], "sha": folder.name, "siblings": siblings, "tags": []}).encode())

    def _of_file(self, found):
        kind = found["kind"] or "models"
        folder = self.hub.folder(kind, found["name"], found["revision"])
        file = folder / found["path"] if folder else None
        if file is None or not file.is_file():
            self._missing("EntryNotFound")
            return
        content = file.read_bytes()
        if self.command == "GET":
            self.hub.asked.append((found["name"], folder.name, found["path"]))
        headers = {"X-Repo-Commit": folder.name, "ETag": f'"{hashlib.sha256(content).hexdigest()}"', "Accept-Ranges": "bytes"}
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if part:
            first, last = int(part[1]), min(int(part[2] or len(content) - 1), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            self._send(content[first : last + 1], 206, headers)
        else:
            self._send(content, 200, headers)

    def _missing(self, code: str):
        self._send(b'{"error": "not found"}', 404, {"X-Error-Code": code})

    def _send(self, content: bytes, status: int = 200, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _entry(folder: Path, path: Path) -> dict:
    content = b"" if path.is_dir() else path.read_bytes()
    kind = "directory" if path.is_dir() else "file"
    return {"type": kind, "path": _name(folder, path), "size": len(content), "oid": hashlib.sha1(content).hexdigest()}


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
