import pytest
import torch
from safetensors.torch import load_file
from tiny_training import TinyObjective

from lib.loops.checkpoint import load_state, save_state, save_weights


def test_tied_weights_are_written_under_both_names(tmp_path):
    objective = TinyObjective()
    save_weights(tmp_path / "best.safetensors", objective)
    saved = load_file(tmp_path / "best.safetensors")
    assert torch.equal(saved["tied.weight"], saved["head.weight"])
    TinyObjective().load_state_dict(saved)


class Trap:
    def __reduce__(self):
        return (print, ("executed",))


def test_a_foreign_pickle_is_not_executed(tmp_path, capsys):
    torch.save({"trap": Trap()}, tmp_path / "last.pt")
    with pytest.raises(ValueError, match=r"last\.pt is not a readable checkpoint"):
        load_state(tmp_path / "last.pt")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("write", [lambda path, big: save_state(path, big.state_dict()), save_weights])
def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path, limited_files, write):
    path = tmp_path / "file"
    save_state(path, {"step": 1})
    with pytest.raises(OSError, match=f"disk is full .*{path}"):
        write(path, torch.nn.Linear(1000, 1000))
    assert load_state(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]
