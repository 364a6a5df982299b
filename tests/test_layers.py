"""The doors of the house: which part may import which, and that no two files import each other in a circle."""

import ast
import subprocess
import sys
from pathlib import Path

from .conftest import ROOT

# Each may import itself and what comes before it.
DOORS = ("vae_core", "vae_core.storage", "vae_core.evaluation", "vae_core.training", "vae_core.runs", "ui", "app")
LARGEST = {".py": 16, ".js": 12}  # files of that kind in one folder
FRONT = ("vae_core.__init__", "vae_core.__main__", "vae_core.cli")  # made of all the core has

PROGRAM = """
import sys
for name in ("gradio", "plotly", "ui", "app"):
    sys.modules[name] = None  # importing it fails
import pkgutil, importlib, vae_core
for module in pkgutil.walk_packages(vae_core.__path__, "vae_core."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from vae_core import VAE, TrainConfig, VAEConfig, load_dataset, train
model = VAE(VAEConfig(latent_dim=2, hidden_dim=8))
print(len(list(train(model, load_dataset("digits", "unused"), TrainConfig(steps=2)))))
"""


def imports() -> dict[str, set[str]]:
    """By module of the program, the modules of the program that it imports."""
    files = [*(ROOT / "vae_core").rglob("*.py"), *(ROOT / "ui").rglob("*.py"), ROOT / "app.py"]
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}
    return {module: _imports_of(module, path, set(paths)) for module, path in paths.items()}


def _imports_of(module: str, path: Path, known: set[str]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{name}.{alias.name}" for alias in node.names} | {name, f"{name}.__init__"}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & known


def door(module: str) -> int:
    """The place in DOORS of the part that a module belongs to."""
    return max(n for n, part in enumerate(DOORS) if module == part or module.startswith(f"{part}."))


def test_every_import_goes_through_a_door():
    wrong = [
        f"{module} imports {other}"
        for module, others in imports().items()
        for other in others
        if module not in FRONT and door(other) > door(module)
    ]
    assert not wrong


def test_no_imports_go_in_a_circle():
    left = {module: others - {module} for module, others in imports().items() if not module.endswith("__init__")}
    left = {module: {other for other in others if other in left} for module, others in left.items()}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert not left


def test_no_folder_holds_too_many_files_to_find_one():
    for suffix, most in LARGEST.items():
        files = [path for part in ("vae_core", "ui", "checkpoints") for path in (ROOT / part).rglob(f"*{suffix}")]
        for folder in {path.parent for path in files}:
            assert len(list(folder.glob(f"*{suffix}"))) <= most, folder


def test_the_tree_names_every_file():
    tree = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## The tree")[1].split("\n## ")[0]
    files = [path for part in ("vae_core", "ui", "checkpoints") for path in (ROOT / part).rglob("*")]
    names = {path.name for path in files if path.suffix in (".py", ".js") and not path.name.startswith("__")}
    assert {name for name in names if name not in tree} == set()


def test_the_core_imports_and_trains_without_gradio_and_plotly():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2\n"


def test_the_command_line_of_the_core_needs_neither():
    absent = "import sys; sys.modules['gradio'] = sys.modules['plotly'] = None"
    program = f"{absent}; from vae_core.cli import main; main(['-h'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "train | evaluate" in done.stdout, done.stderr
