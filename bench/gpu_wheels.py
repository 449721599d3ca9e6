"""Packs what `bench/gpu.py` needs beside Python, torch and transformers: wheels in a folder, below 60 MB.

    python bench/gpu_wheels.py FOLDER [--python 3.12] [--platform manylinux2014_x86_64]

Take the repository and the folder to the machine with the GPU: `python bench/gpu.py --wheels FOLDER`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

MOST_BYTES = 60_000_000
PACKAGES = ("annotated-types", "filelock", "jinja2", "packaging", "peft>=0.17,<0.22", "accelerate", "psutil",
            "pydantic>=2.10", "pyyaml>=6.0")  # fmt: skip
"""what is imported, by name; their own requirements among transformers' and torch's are there already"""
ALSO = ("typing-extensions", "typing-inspection", "MarkupSafe")


def pack(folder: Path, python: str, platform: str) -> int:
    """Download them; the bytes that they take.

    Args:
        python: version of the machine that they are for, such as 3.12.
        platform: its tag in names of wheels.
    Raises: SystemExit if they are larger than they may be, or pip fails.
    """
    where = ["--python-version", python, "--platform", platform, "--only-binary", ":all:", "--dest", str(folder)]
    # pydantic-core must be the one that pydantic asks for, so that pydantic's own requirements are taken with it.
    for packages, alone in ((["pydantic>=2.10"], []), ([*PACKAGES, *ALSO], ["--no-deps"])):
        command = [sys.executable, "-m", "pip", "download", "--quiet", *alone, *where, *packages]
        if subprocess.run(command).returncode:
            raise SystemExit("pip could not download them: see above.")
    size = sum(wheel.stat().st_size for wheel in folder.glob("*.whl"))
    if size > MOST_BYTES:
        raise SystemExit(f"{size / 1e6:.1f} MB are too much: at most {MOST_BYTES / 1e6:.0f}.")
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=f"{sys.version_info[0]}.{sys.version_info[1]}")
    parser.add_argument("--platform", default="manylinux2014_x86_64")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    size = pack(asked.folder, asked.python, asked.platform)
    print(f"{asked.folder}: {len(list(asked.folder.glob('*.whl')))} wheels, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
