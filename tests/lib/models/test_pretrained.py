import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lib.models.pretrained import load_encoder, load_strictly, read_weights


def test_loads_the_encoder_of_a_checkpoint(tmp_path):
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    path = tmp_path / "best.safetensors"
    save_file(
        {f"encoder.{k}": v for k, v in source.state_dict().items()} | {"text.weight": torch.ones(1)}, path
    )
    load_encoder(target, path)
    assert torch.equal(target.weight, source.weight)
    assert torch.equal(target.bias, source.bias)


def test_checkpoint_that_does_not_fit_names_the_file_and_every_entry(tmp_path):
    path = tmp_path / "best.safetensors"
    save_file({"encoder.weight": torch.zeros(2, 4), "encoder.scale": torch.zeros(1)}, path)
    with pytest.raises(ValueError) as error:
        load_encoder(nn.Linear(3, 2), path)
    for part in ("best.safetensors", "missing: bias", "unexpected: scale", "weight (2, 4) instead of (2, 3)"):
        assert part in str(error.value)
    save_file({"model.weight": torch.zeros(2, 3)}, path)
    with pytest.raises(ValueError, match="no entry that starts with 'encoder.'"):
        load_encoder(nn.Linear(3, 2), path)


def test_missing_and_unreadable_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.safetensors does not exist"):
        load_encoder(nn.Linear(3, 2), tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("not a checkpoint at all")
    with pytest.raises(ValueError, match="text.safetensors is not a readable safetensors file"):
        load_encoder(nn.Linear(3, 2), tmp_path / "text.safetensors")


def test_a_failed_load_changes_nothing():
    target = nn.Linear(3, 2)
    before = target.weight.clone()
    with pytest.raises(ValueError, match="missing: bias"):
        load_strictly(target, {"weight": torch.zeros(2, 3)})
    assert torch.equal(target.weight, before)


@pytest.mark.parametrize("name", ["weights.pth", "weights.bin", "weights.safetensors"])
def test_reads_a_state_dict(name, tmp_path):
    source, path = nn.Linear(3, 2).state_dict(), tmp_path / name
    save = save_file if path.suffix == ".safetensors" else torch.save
    save(source, path)
    found = read_weights(path)
    assert found.keys() == source.keys()
    assert all(torch.equal(found[key], value) for key, value in source.items())


def test_files_that_hold_no_state_dict(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(FileNotFoundError, match="weights.pth do not exist"):
        read_weights(path)
    torch.save({"epoch": 3, "state_dict": {}}, path)
    with pytest.raises(ValueError, match="no state dict .* a mapping of epoch, state_dict; save that part"):
        read_weights(path)
    torch.save([torch.ones(1)], path)
    with pytest.raises(ValueError, match="no state dict .* but <class 'list'>"):
        read_weights(path)
    torch.save(nn.Linear(3, 2), path)  # a whole module is code that runs on loading
    with pytest.raises(ValueError, match="weights.pth is not a readable file of weights"):
        read_weights(path)
    for content in (b"", b"not a checkpoint at all", (tmp_path / "weights.pth").read_bytes()[:200]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="weights.pth is not a readable file of weights"):
            read_weights(path)
