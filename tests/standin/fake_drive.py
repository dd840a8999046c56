"""A stand-in Google Drive, good enough for the real gdown: folder pages, large files, ranges, and refusals.

Knows: Drive's hosts and pages, the warning that comes before a large file, what is asked for and how much of it
went out; and the zips of MUSIC-AVQA, the good and the bad. Knows not: how answers travel (fake_proxy).
It is a site for a FakeYouTube, whose proxy then answers for Drive's hosts too:

    drive = FakeDrive(FOLDER, {"videos.zip": FakeDriveFile(ID, zip_of({"00000028.mp4": content}))})
    with FakeYouTube(folder, sites=[drive]) as youtube:
        gdown.download(id=ID, output="videos.zip", proxy=youtube.proxy, verify=youtube.ca_file, use_cookies=False)
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import stat
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tests.standin.fake_proxy import (
    Answer,
    BytesBody,
    Fault,
    Faults,
    FileBody,
    Head,
    plain,
    ranged,
    refusal,
    spoil,
)
from tests.standin.request_log import Answered, RequestLog

__all__ = [
    "BAD_ZIPS", "REAL", "SYNTHETIC", "DriveRequest", "FakeDrive", "FakeDriveFile", "Fault", "bad_zip", "zip_of",
]  # fmt: skip

Kind = Literal["folder", "uc", "download", "other"]
BadZip = Literal["absolute", "dotdot", "backslash", "symlink", "encrypted", "bomb", "corrupt", "truncated"]
BAD_ZIPS: tuple[BadZip, ...] = (
    "absolute", "dotdot", "backslash", "symlink", "encrypted", "bomb", "corrupt", "truncated",
)  # fmt: skip

# The folders inside the official zips; the second is misspelt there as well.
REAL = "MUSIC-AVQA-videos-Real"
SYNTHETIC = "MUCIS-AVQA-videos-Synthetic"

_HOSTS = ("drive.google.com", "docs.google.com", "drive.usercontent.google.com", "accounts.google.com")
_DOWNLOAD = "https://drive.usercontent.google.com/download"
_MODIFIED = "Sat, 05 Mar 2022 08:00:00 GMT"
# What gdown takes for an id in a folder's page; anything shorter it passes over without a word.
_ID = re.compile(r"[-\w]{25,}")


@dataclass(frozen=True)
class FakeDriveFile:
    """A file in the folder.

    `large` ones come after a warning that wants to be confirmed. `page` is shown in place of the file, to its
    first `page_times` downloads (None: to all): "quota", "permission", "missing", "sorry", "warning" (the
    warning again and again), or a number such as "503". `faults` strike at any answer with the file's bytes,
    `resume_faults` only at those to a Range, before the others. Mind that gdown asks for the whole file once
    more before it asks for the rest of it: both answers count. `modified` is the Last-Modified that If-Range
    is held against; None sends none.
    """

    id: str
    content: bytes | Path
    large: bool = True
    page: str | None = None
    page_times: int | None = None
    faults: tuple[Fault, ...] = ()
    resume_faults: tuple[Fault, ...] = ()
    modified: str | None = _MODIFIED

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is no id of Drive's: those have 25 letters or more")


@dataclass(frozen=True)
class DriveRequest(Answered):
    """One request and what became of it.

    `page` names the page that was shown; it is empty where the file's bytes were.
    """

    time: float
    port: int
    host: str
    method: str
    path: str
    kind: Kind
    id: str
    page: str = ""
    user_agent: str = ""
    cookie: str = ""

    @property
    def is_bytes(self) -> bool:
        return self.kind == "download" and not self.page and self.status in (200, 206)


class FakeDrive:
    """The stand-in: one shared folder, with the files at their paths in it.

    `refuse` is asked at every request for the page to be shown instead, in FakeDriveFile's words; None lets it
    pass. `files` may be changed while it runs. `rate` is in bytes a second and connection.
    """

    def __init__(
        self,
        folder_id: str,
        files: Mapping[str, FakeDriveFile],
        name: str = "MUSIC-AVQA",
        rate: float | None = None,
    ) -> None:
        self.folder_id = folder_id
        self.files = dict(files)
        self.name = name
        self.rate = rate
        self.refuse: Callable[[DriveRequest], str | None] = lambda request: None
        self._log = RequestLog[DriveRequest]()
        self._asked: Counter[str] = Counter()
        self._faults = Faults()
        self._lock = threading.Lock()

    # What tests ask for

    @property
    def log(self) -> list[DriveRequest]:
        return self._log()

    def requests(self, kind: Kind | None = None, file_id: str | None = None) -> list[DriveRequest]:
        return [r for r in self.log if kind in (None, r.kind) and file_id in (None, r.id)]

    def sendings(self, file_id: str | None = None) -> list[DriveRequest]:
        """The requests that were answered with a file's bytes."""
        return [request for request in self.requests("download", file_id) if request.is_bytes]

    def bytes_sent(self, file_id: str | None = None) -> int:
        """How many bytes of a file, or of all, went out; a client that hung up need not have read them all."""
        return sum(request.sent for request in self.sendings(file_id))

    # Answers, as a Site

    def knows(self, host: str) -> bool:
        return host in _HOSTS

    def answer(self, head: Head) -> Answer:
        request = _request(head)
        refused = self.refuse(request)
        page, answer = self._refusal(request, refused) if refused else self._decide(head, request)
        self._log.add(replace(request, page=page), answer)
        return answer

    def _decide(self, head: Head, request: DriveRequest) -> tuple[str, Answer]:
        """The name of the page that is shown, empty for a file's bytes, and the answer."""
        if request.host == "accounts.google.com":
            return "sign_in", plain(200, _SIGN_IN)
        if request.kind == "folder":
            return self._folder(request)
        file = self._file(request.id)
        if file is None:
            return self._refusal(request, "missing")
        if request.kind == "uc":
            return "redirect", _redirect(f"{_DOWNLOAD}?{urlencode({'id': file.id, 'export': 'download'})}")
        if request.kind == "download":
            return self._download(head, request, file)
        return "viewer", plain(200, _VIEWER)

    def _file(self, file_id: str) -> FakeDriveFile | None:
        return next((file for file in list(self.files.values()) if file.id == file_id), None)

    def _path(self, file: FakeDriveFile) -> PurePosixPath:
        return next(PurePosixPath(path) for path, each in list(self.files.items()) if each.id == file.id)

    def _download(self, head: Head, request: DriveRequest, file: FakeDriveFile) -> tuple[str, Answer]:
        if file.page:
            with self._lock:
                self._asked[file.id] += 1
                over = file.page_times is not None and self._asked[file.id] > file.page_times
            if not over:
                return self._refusal(request, file.page)
        if file.large and parse_qs(urlsplit(head.path).query).get("confirm") != ["t"]:
            return "warning", self._warning(file)
        return self._bytes(head, file)

    def _warning(self, file: FakeDriveFile) -> Answer:
        return plain(200, _warning_page(file.id, self._path(file).name, _body(file).size))

    def _bytes(self, head: Head, file: FakeDriveFile) -> tuple[str, Answer]:
        name = self._path(file).name
        answer = ranged(head, _body(file), "application/octet-stream")
        # Drive has no ETag; the body's tag is here only for If-Range, which names the date.
        del answer.headers["ETag"]
        if file.modified:
            answer.headers["Last-Modified"] = file.modified
        shown = name.encode("ascii", "replace").decode()
        answer.headers["Content-Disposition"] = f"attachment; filename=\"{shown}\"; filename*=UTF-8''{quote(name)}"
        answer.rate = self.rate
        if answer.status not in (200, 206):
            return "", answer
        fault = None
        if "range" in head.headers:
            fault = self._faults.pick(f"resume {file.id}", file.resume_faults, None, answer.span)
        fault = fault or self._faults.pick(file.id, file.faults, None, answer.span)
        if fault is None:
            return "", answer
        return str(fault.status) if fault.kind == "status" else "", spoil(answer, fault)

    def _refusal(self, request: DriveRequest, page: str) -> tuple[str, Answer]:
        if page.isdigit():
            return page, refusal(int(page))
        if page == "permission":
            asked = f"https://{request.host}{request.path}"
            return page, _redirect(f"https://accounts.google.com/v3/signin/identifier?continue={quote(asked, '')}")
        if page == "warning":
            return page, plain(200, _warning_page(request.id, "a file", 0))
        status, content = _PAGES[page]
        return page, plain(status, content)

    def _folder(self, request: DriveRequest) -> tuple[str, Answer]:
        """The listing of a folder: what lies directly in it, folders first."""
        paths = {PurePosixPath(path): file for path, file in list(self.files.items())}
        folders = {folder: _folder_id(folder) for path in paths for folder in path.parents}
        folders[PurePosixPath()] = self.folder_id
        for folder, folder_id in folders.items():
            if folder_id == request.id:
                inside = [(each, folders[each]) for each in sorted(folders) if each.parent == folder != each]
                files = [(path.name, file.id) for path, file in paths.items() if path.parent == folder]
                title = folder.name or self.name
                return "listing", plain(200, _listing(title, [(p.name, i) for p, i in inside], files))
        return self._refusal(request, "missing")


def _request(head: Head) -> DriveRequest:
    url = urlsplit(head.path)
    query = parse_qs(url.query)
    kind: Kind = "other"
    if head.host == "drive.usercontent.google.com" and url.path in ("/download", "/uc"):
        kind = "download"
    elif head.host in ("drive.google.com", "docs.google.com") and url.path == "/uc":
        kind = "uc"
    elif url.path == "/embeddedfolderview":
        kind = "folder"
    named = query.get("id") or re.findall(r"/(?:d|folders)/([-\w]+)", url.path) or [""]
    return DriveRequest(
        head.time, head.port, head.host, head.method, head.path, kind, named[0],
        user_agent=head.headers.get("user-agent", ""), cookie=head.headers.get("cookie", ""),
    )  # fmt: skip


def _body(file: FakeDriveFile) -> BytesBody | FileBody:
    body = BytesBody(file.content) if isinstance(file.content, bytes) else FileBody(file.content)
    body.tag = file.modified or ""
    return body


def _folder_id(folder: PurePosixPath) -> str:
    return "1" + hashlib.sha256(str(folder).encode()).hexdigest()[:32]


def _redirect(where: str) -> Answer:
    answer = plain(303)
    answer.headers["Location"] = where
    answer.headers["Set-Cookie"] = "NID=fake; Domain=.google.com; Path=/; Secure; HttpOnly"
    return answer


# Drive's pages: the marks that programs go by, in the order and on the lines where Drive has them.


def _page(title: str, body: str) -> bytes:
    head = f'<title>{html.escape(title)}</title><meta charset="utf-8"/>'
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode()


def _warning_page(file_id: str, name: str, size: int) -> bytes:
    fields = {"id": file_id, "export": "download", "confirm": "t", "uuid": "5d3d7f3a-2b8e-4c53-9d0c-6f1f3a1f8f2e"}
    inputs = "".join(f'<input type="hidden" name="{key}" value="{value}">' for key, value in fields.items())
    return _page(
        "Google Drive - Virus scan warning",
        '<div class="uc-main"><div id="uc-text"><p class="uc-warning-caption">Google Drive can\'t scan this file '
        'for viruses.</p><p class="uc-warning-subcaption"><span class="uc-name-size">'
        f'<a href="/open?id={file_id}">{html.escape(name)}</a> ({_size(size)})</span> is too large for Google to '
        "scan for viruses. Would you still like to download this file?</p>"
        f'<form id="download-form" action="{_DOWNLOAD}" method="get"><input type="submit" id="uc-download-link" '
        f'class="jfk-button jfk-button-action" value="Download anyway"/>{inputs}</form></div></div>',
    )


def _size(count: int) -> str:
    for power, letter in ((3, "G"), (2, "M"), (1, "K")):
        if count >= 1024**power:
            return f"{count / 1024**power:.0f}{letter}"
    return str(count)


def _listing(title: str, folders: Sequence[tuple[str, str]], files: Sequence[tuple[str, str]]) -> bytes:
    entries = [(f"https://drive.google.com/drive/folders/{i}", i, name, "Folder") for name, i in folders]
    entries += [
        (f"https://drive.google.com/file/d/{i}/view?usp=drive_web", i, name, "Compressed Archive")
        for name, i in files
    ]
    body = "".join(
        f'<div class="flip-entry" id="entry-{i}" tabindex="0" role="link"><div class="flip-entry-info">'
        f'<a href="{url}" target="_blank"><div class="flip-entry-visual"><div class="flip-entry-icon">'
        f'<img src="https://ssl.gstatic.com/images/icon.png" alt="{kind}"/></div></div>'
        f'<div class="flip-entry-title">{html.escape(name)}</div></a></div>'
        '<div class="flip-entry-last-modified"><div>Mar 5, 2022</div></div></div>'
        for url, i, name, kind in entries
    )
    return _page(title, f'<div class="folder-view"><div class="flip-entries">{body}</div></div>')


_QUOTA = _page(
    "Google Drive - Quota exceeded",
    '<div class="uc-main"><div id="uc-text"><p class="uc-error-caption">Sorry, you can&#39;t view or download '
    'this file at this time.</p><p class="uc-error-subcaption">Too many users have viewed or downloaded this '
    "file recently. Please try accessing the file again later. If the file you are trying to access is "
    "particularly large or is shared with many people, it may take up to 24 hours to be able to view or "
    "download the file. If you still can't access a file after 24 hours, contact your domain administrator."
    "</p></div></div>",
)
_MISSING = _page(
    "Error 404 (Not Found)!!1",
    "<p><b>404.</b> <ins>That’s an error.</ins><p>The requested URL was not found on this server. "
    "<ins>That’s all we know.</ins>",
)
_SORRY = _page(
    "Sorry...",
    "<h1>We're sorry...</h1><p>... but your computer or network may be sending automated queries. To protect our "
    "users, we can't process your request right now.</p>",
)
_SIGN_IN = _page("Google Drive: Sign-in", "<h1>Sign in</h1><p>to continue to Google Drive</p>")
_VIEWER = _page("Google Drive", "<script>/* a viewer, which no program reads */</script>")
_PAGES = {"quota": (200, _QUOTA), "missing": (404, _MISSING), "sorry": (429, _SORRY)}


# The zips


def zip_of(files: Mapping[str, bytes], folder: str = REAL, compress: bool = False) -> bytes:
    """A zip in the official layout: the folder, and the files directly in it."""
    return _zip({f"{folder}/{name}": content for name, content in files.items()}, compress, folder)


def bad_zip(kind: BadZip, files: Mapping[str, bytes], folder: str = REAL, bomb: int = 32 * 1024**2) -> bytes:
    """A zip in the official layout whose last member is bad; "truncated": the whole is.

    A "corrupt" member has one wrong byte, so that only its checksum tells. A "bomb" unpacks to so many bytes
    from a thousandth of them.
    """
    *_, last = files
    good = {f"{folder}/{name}": content for name, content in files.items()}
    content = good.pop(f"{folder}/{last}")
    if kind == "truncated":
        cut = zip_of(files, folder)
        return cut[: len(cut) // 2]
    names = {
        "absolute": f"/nonexistent/{folder}/{last}",
        "dotdot": f"{folder}/../../{last}",
        "backslash": f"..\\..\\{folder}\\{last}",
    }
    member = zipfile.ZipInfo(names.get(kind, f"{folder}/{last}"))
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    if kind == "symlink":
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        content = b"/etc/passwd"
    if kind == "bomb":
        content = bytes(bomb)
        member.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        _write(archive, good, False, folder)
        archive.writestr(member, content)
        if kind == "encrypted":
            # Goes into the directory; the member's own head is changed below.
            member.flag_bits |= 1
    whole = bytearray(packed.getvalue())
    if kind == "encrypted":
        whole[member.header_offset + 6] |= 1
    if kind == "corrupt":
        whole[member.header_offset + 30 + len(member.filename.encode())] ^= 0xFF
    return bytes(whole)


def _zip(members: Mapping[str, bytes], compress: bool, folder: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        _write(archive, members, compress, folder)
    return packed.getvalue()


def _write(archive: zipfile.ZipFile, members: Mapping[str, bytes], compress: bool, folder: str) -> None:
    archive.mkdir(folder)
    for name, content in members.items():
        archive.writestr(name, content, zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED)
