"""Notebooks without a browser: papermill runs them, in their own process, and says which cell failed."""

import difflib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.atomic import write_text
from workbench.parameters import check_parameters

PROJECT = Path(__file__).resolve().parents[1]
NOTEBOOKS = PROJECT / "notebooks"

KERNEL_ENVIRONMENT = {
    "WORKBENCH_HEADLESS": "1",
    # Read when tqdm is imported; set later, progress widgets would stay in the output.
    "TQDM_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


class NotebookError(Exception):
    """A notebook stopped before its end; the message names the notebook, the cell and the error."""


def find_notebook(name: str) -> Path:
    """Return the notebook that a name or path means.

    Raises:
        FileNotFoundError: there is none; the message lists those of the project.
    """
    for path in (Path(name), NOTEBOOKS / f"{name}.ipynb", NOTEBOOKS / name):
        if path.is_file() and path.suffix == ".ipynb":
            return path
    known = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    close = difflib.get_close_matches(Path(name).stem, known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise FileNotFoundError(f"There is no notebook {name!r}.{hint} Known: {', '.join(known)}.")


def run_notebook(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    output: Path | None = None,
    timeout: int = 4 * 3600,
    folder: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
) -> Path:
    """Run a notebook headless and keep the executed copy.

    Args:
        name: of a notebook in `notebooks/`, or a path.
        parameters: values by name; text is converted to the parameter's type.
        output: the executed copy; the default is `outputs/notebooks/<time>-<name>.ipynb`.
        timeout: seconds that one cell may take.
        folder: where it runs.
        environment: of its kernel, beside that of this process.

    Returns:
        The path of the executed copy.

    Raises:
        FileNotFoundError: no such notebook.
        ValueError: no such parameter, or a value of another type; nothing has run then.
        NotebookError: a cell failed, took too long, or the kernel died.
    """
    source = find_notebook(name)
    values = check_parameters(source, parameters or {})
    if output is None:
        output = PROJECT / "outputs" / "notebooks" / f"{time.strftime('%Y%m%d-%H%M%S')}-{source.stem}.ipynb"
    output = Path(output).absolute()
    output.parent.mkdir(parents=True, exist_ok=True)

    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    # It calls parameters unknown whose lines it cannot parse; they were checked above.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    try:
        papermill.execute_notebook(
            source.absolute(),
            output,
            values,
            # Stored notebooks are stripped of kernel metadata.
            kernel_name="python3",
            language="python",
            cwd=folder,
            progress_bar=False,
            log_output=False,
            execution_timeout=timeout,
            kernel_manager_class=_kernel_manager(environment or {}),
            # The state of one figure widget is the whole plotting library, 5 MB.
            store_widget_state=False,
        )
    except papermill.PapermillExecutionError as error:
        raise NotebookError(
            f"Notebook {source.stem} failed in cell [{error.exec_count}], {_first_line(error.source)!r}: "
            f"{error.ename}: {error.evalue}. Executed copy: {output}"
        ) from error
    except CellTimeoutError as error:
        cell = _running_cell(output)
        raise NotebookError(
            f"Notebook {source.stem}: {cell} took more than {timeout} s. Executed copy: {output}"
        ) from error
    except DeadKernelError as error:
        cell = _running_cell(output)
        raise NotebookError(
            f"Notebook {source.stem}: the kernel died in {cell} often for want of memory. "
            f"Executed copy: {output}"
        ) from error
    return output


def write_page(name: str, parameters: Mapping[str, Any] | None, path: Path) -> Path:
    """Write a copy of a notebook with other parameter values, not executed.

    Args:
        name: of a notebook in `notebooks/`, or a path.
        parameters: values by name; text is converted to the parameter's type.
        path: of the copy.

    Raises:
        FileNotFoundError: no such notebook.
        ValueError: no such parameter, or a value of another type.
    """
    source = find_notebook(name)
    values = check_parameters(source, parameters or {})

    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    page = load_notebook_node(str(source))
    page.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    page = parameterize_notebook(page, values, kernel_name="python3", language="python")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, nbformat.writes(page))
    return path


def is_headless() -> bool:
    """Return whether this process runs a notebook without a browser."""
    return os.environ.get("WORKBENCH_HEADLESS", "") == "1"


def _kernel_manager(more: Mapping[str, str]) -> type:
    """Return a kernel manager over local sockets: no ports that collide, nothing readable over TCP."""
    from jupyter_client.manager import AsyncKernelManager

    class IpcKernelManager(AsyncKernelManager):
        """Starts kernels over ipc, with the environment of a headless run."""

        def __init__(self, **kwargs: Any):
            # The default place of the sockets is the working folder, where kernels that start together
            # take each other's.
            self._sockets = tempfile.mkdtemp(prefix="workbench-kernel-")
            super().__init__(**(kwargs | {"transport": "ipc", "ip": f"{self._sockets}/socket"}))

        def cleanup_ipc_files(self) -> None:
            """Remove the sockets, and their folder with them."""
            super().cleanup_ipc_files()
            shutil.rmtree(self._sockets, ignore_errors=True)

        async def start_kernel(self, **kwargs: Any) -> None:
            environment = {**os.environ, **(kwargs.pop("env", None) or {}), **more, **KERNEL_ENVIRONMENT}
            await super().start_kernel(**kwargs, env=environment)

    return IpcKernelManager


def _running_cell(path: Path) -> str:
    """Return the last cell that was started, from the copy that papermill keeps up to date."""
    code = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    started = [
        f"cell [{number}], {_first_line(''.join(cell['source']))!r},"
        for number, cell in enumerate(code, start=1)
        if cell["metadata"]["papermill"].get("start_time")
    ]
    return started[-1] if started else "the first cell"


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.splitlines() if line.strip()), "")
