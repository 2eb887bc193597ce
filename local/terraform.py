"""Terraform itself: is it here, where do its providers come from, and what may it know of the caller."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from local.state import StackError

OLDEST = (1, 11)
OPTIONAL_FOLDER = Path("/opt")
_REGISTRY = "registry.terraform.io"
_PROVIDER = f"{_REGISTRY}/hashicorp/aws"
_REGISTRY_LIMIT_S = 5
_KEPT_SETTINGS = ("TF_PLUGIN_CACHE_DIR",)


def binary() -> str:
    """Return the Terraform on the PATH, or say in a line how to get one that is new enough."""
    advice = "install it from https://developer.hashicorp.com/terraform/install and put it on the PATH"
    wanted = ".".join(map(str, OLDEST))
    found = shutil.which("terraform")
    if found is None:
        raise StackError(f"Terraform >= {wanted} is needed and was not found: {advice}")
    answer = subprocess.run([found, "version", "-json"], env=environment(), capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise StackError(f"{found} does not run ({answer.stderr.strip()}): {advice}")
    version: str = json.loads(answer.stdout)["terraform_version"]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise StackError(f"Terraform >= {wanted} is needed and {found} is {version}: {advice}")
    return found


def environment() -> dict[str, str]:
    """Copy the environment without what could lead Terraform to a real account or other settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    kept |= {name: os.environ[name] for name in _KEPT_SETTINGS if name in os.environ}
    config = _cli_config()
    if config is not None:
        kept["TF_CLI_CONFIG_FILE"] = str(config)
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nothing | {"AWS_EC2_METADATA_DISABLED": "true", "CHECKPOINT_DISABLE": "1"}


def provider_arguments() -> list[str]:
    """Return the arguments of `terraform init`: none, or the mirror that replaces the registry."""
    return provider_source()[0]


def provider_source() -> tuple[list[str], str | None]:
    """Return the arguments of `terraform init` and, unless it is the registry, where providers come from."""
    config = _cli_config()
    if config is not None and re.search(r"^\s*(filesystem|network)_mirror\b", config.read_text(), re.MULTILINE):
        return [], f"as {config} says"
    if registry_answers():
        return [], None
    for folder in _implied_mirrors():
        if (folder / _PROVIDER).is_dir():
            return [], f"the mirror {folder}, which Terraform looks into by itself"
    for folder in _optional_mirrors():
        if (folder / _PROVIDER).is_dir():
            return [f"-plugin-dir={folder}"], f"the mirror {folder}, for {_REGISTRY} cannot be reached"
    raise StackError(
        f"{_REGISTRY} cannot be reached and this machine has no provider mirror: configure a"
        f" filesystem_mirror in ~/.terraformrc, or put one at {_implied_mirrors()[0]}"
    )


def _cli_config() -> Path | None:
    """Find Terraform's own settings; a variable that names a missing file counts as none."""
    named = os.environ.get("TF_CLI_CONFIG_FILE")
    path = Path(named) if named else Path.home() / ".terraformrc"
    return path if path.is_file() else None


def _implied_mirrors() -> list[Path]:
    data_folders = [os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")]
    data_folders += (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    home = Path.home() / ".terraform.d" / "plugins"
    return [home, *(Path(folder) / "terraform" / "plugins" for folder in data_folders)]


def _optional_mirrors() -> list[Path]:
    return sorted(folder.parent for folder in OPTIONAL_FOLDER.glob(f"*/{_REGISTRY}"))


def registry_answers() -> bool:
    """Tell whether the registry is in reach."""
    try:
        url = "https://registry.terraform.io/.well-known/terraform.json"
        with urllib.request.urlopen(url, timeout=_REGISTRY_LIMIT_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    """Run Terraform with the arguments given; without any, only make sure that it could be."""
    try:
        found = binary()
    except StackError as error:
        sys.exit(str(error))
    if sys.argv[1:]:
        sys.exit(subprocess.run([found, *sys.argv[1:]], env=environment(), check=False).returncode)


if __name__ == "__main__":
    main()
