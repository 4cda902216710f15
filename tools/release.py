"""Builds what a release publishes, into a folder: `make release`. The same tree gives the same bytes.

The image's context (what `docker build -f deploy/Dockerfile - <` takes), the clients' packages, the version's notes and
the checksums of all; `make` puts the SBOMs there before.
"""

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from version import VERSION

ROOT: Final = Path(__file__).resolve().parent.parent
DOCKERFILE: Final = Path("deploy/Dockerfile")
GO_MODULE: Final = f"example.com/billing@v{VERSION}"
CHECKSUMS: Final = "SHA256SUMS"


class NotBuilt(Exception):
    """Something could not be built; the text says why, and what to do."""


def main(folder: Path) -> None:
    """Build everything into a folder that is there. Raises NotBuilt."""
    notes, released = release_notes()
    (folder / "RELEASE_NOTES.md").write_text(notes, encoding="utf-8")
    write_image_context(folder / f"billing-front-end-{VERSION}-image.tar.gz", released)
    write_python_client(folder)
    write_node_client(folder)
    write_go_client(folder / f"billing-go-v{VERSION}.zip", released)
    write_checksums(folder)


def release_notes() -> tuple[str, datetime]:
    """Return what CHANGELOG.md says of this version, and the day of its heading, which is the date of all files."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(VERSION)}\] - (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise NotBuilt(f"CHANGELOG.md has no dated heading for {VERSION}; write one.")
    return f"# {VERSION}\n\n{found[2].strip()}\n", datetime.fromisoformat(found[1]).replace(tzinfo=UTC)


def image_files() -> list[Path]:
    """Return the files that the image is built from, as the Dockerfile copies them: without what was left there."""
    text = (ROOT / DOCKERFILE).read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    return _files_of([DOCKERFILE, *(Path(word) for line in lines for word in line.split())])


def write_image_context(target: Path, released: datetime) -> None:
    """Write the context of the image as an archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in image_files():
            content = (ROOT / path).read_bytes()
            entry = tarfile.TarInfo(path.as_posix())
            entry.size, entry.mtime = len(content), int(released.timestamp())
            entry.mode = 0o755 if os.access(ROOT / path, os.X_OK) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    with target.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(packed.getvalue())


def write_python_client(folder: Path) -> None:
    """Build the wheel and the source archive of the Python client, without asking an index."""
    client = ROOT / "clients" / "python"
    with tempfile.TemporaryDirectory() as made:
        package = Path(made) / "src" / "billing_entitlements"
        package.mkdir(parents=True)
        shutil.copy(client / "pyproject.toml", made)
        shutil.copy(client / "billing_entitlements.py", package / "__init__.py")
        (package / "py.typed").touch()
        uv = str(Path(sys.executable).with_name("uv"))
        _run([uv, "build", "--offline", "--quiet", "--no-config", "--out-dir", str(folder.resolve()), made])
    (folder / ".gitignore").unlink(missing_ok=True)  # which uv leaves there


def write_node_client(folder: Path) -> None:
    """Pack the Node client as npm takes it."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotBuilt("npm is missing, which packs the Node client; on Debian: apt-get install npm")
    _run([npm, "pack", "--silent", "--ignore-scripts", "--offline", "--pack-destination", str(folder.resolve())],
         ROOT / "clients" / "node")  # fmt: skip


def write_go_client(target: Path, released: datetime) -> None:
    """Write the Go client as a module's archive, as module proxies hold them."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files_of([Path("clients/go")]):
            inside = path.relative_to("clients/go")
            if inside.parts[0] == "example" or inside.suffix == ".work":
                continue
            entry = zipfile.ZipInfo(f"{GO_MODULE}/{inside.as_posix()}", released.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (ROOT / path).read_bytes())
        license_entry = zipfile.ZipInfo(f"{GO_MODULE}/LICENSE", released.timetuple()[:6])
        archive.writestr(license_entry, (ROOT / "LICENSE").read_bytes())


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files of the folder, as `sha256sum --check` reads them."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS)
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / CHECKSUMS).write_text("".join(lines), encoding="ascii")


def _files_of(paths: list[Path]) -> list[Path]:
    """Return the files that git knows there; in a copy without git all but what Python leaves."""
    if (ROOT / ".git").exists():
        listed = _run(["git", "ls-files", "-z", "--", *(path.as_posix() for path in paths)])
        return sorted({Path(name) for name in listed.split("\0") if name})
    found = [file for path in paths for file in ((ROOT / path).rglob("*") if (ROOT / path).is_dir() else [ROOT / path])]
    return sorted({file.relative_to(ROOT) for file in found if file.is_file() and "__pycache__" not in file.parts})


def _run(command: list[str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotBuilt(f"{Path(command[0]).name} {command[1]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except NotBuilt as error:
        sys.exit(str(error))
