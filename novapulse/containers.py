"""SuperStart.sh --docker: the containers of docker-compose.yml, with secrets made once."""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from novapulse import env
from novapulse.terminal import complain, say

ADDRESS = "https://localhost"
FAILED = 1


def main() -> int:
    """Build and start the containers; one sentence where Docker is absent or does not answer."""
    docker = shutil.which("docker")
    if docker is None:
        complain("Docker is not installed. Without it: ./SuperStart.sh")
        return FAILED
    if not _succeeds([docker, "info"]):
        complain(
            "Docker is installed but its daemon does not answer; start it, or do without: ./SuperStart.sh"
        )
        return FAILED
    if not _succeeds([docker, "compose", "version"]):
        complain("Docker is here but its Compose plugin is not (docker-compose-plugin).")
        return FAILED
    configuration = ensure_secrets(env.load_configured().data_dir / "docker" / "compose.env")
    say(f"Starting the containers; their secrets are in {configuration}")
    command = [
        docker,
        "compose",
        "--env-file",
        str(configuration),
        "up",
        "--detach",
        "--build",
        "--wait",
    ]
    code = subprocess.run(command, cwd=env.PROJECT_ROOT, check=False).returncode
    if code == 0:
        say(
            f"NovaPulse is running at {ADDRESS} (its certificate is your own; the browser will ask)."
        )
    return code


def _succeeds(command: list[str]) -> bool:
    return (
        subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    )


def ensure_secrets(path: Path) -> Path:
    """Random passwords and key, made at the first start and kept; readable by us alone."""
    if path.exists():
        return path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = (
        f"POSTGRES_PASSWORD={secrets.token_hex(32)}",
        f"OWNER_PASSWORD={secrets.token_hex(32)}",
        f"NOVA_SECRET_KEY={secrets.token_urlsafe(64)}",
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
