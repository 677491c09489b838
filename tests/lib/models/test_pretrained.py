import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lib.models.pretrained import LoadedWeights, load_encoder, load_strictly, read_weights


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


def test_weights_of_another_architecture_are_told_in_a_line():
    source = {f"layer.{number}": torch.zeros(1) for number in range(300)}
    with pytest.raises(ValueError) as error:
        load_strictly(nn.Sequential(*(nn.Linear(1, 1) for _ in range(4))), source)
    assert str(error.value) == (
        "The weights do not fit Sequential. Entries missing: 0.weight, 0.bias, 1.weight, 1.bias, 2.weight "
        "... and 3 more; unexpected: layer.0, layer.1, layer.10, layer.100, layer.101 ... and 295 more."
    )


SAVE = {
    ".safetensors": save_file,
    ".npz": lambda state, path: np.savez(path, **{name: value.numpy() for name, value in state.items()}),
}


@pytest.mark.parametrize("name", ["weights.pth", "weights.bin", "weights.safetensors", "weights.npz"])
def test_reads_a_state_dict(name, tmp_path):
    source, path = nn.Linear(3, 2).state_dict(), tmp_path / name
    SAVE.get(path.suffix, torch.save)(source, path)
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


def test_archives_that_are_none_or_would_execute_code(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, weight=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match=r"weights.npz is not a readable .npz .*allow_pickle=False"):
        read_weights(path)
    whole = tmp_path / "whole.npz"
    np.savez(whole, weight=np.zeros(100, np.float32))
    with open(tmp_path / "array", "wb") as handle:
        np.save(handle, np.zeros(3))
    alone = (tmp_path / "array").read_bytes()
    for content in (b"", b"not an archive", whole.read_bytes()[:200], alone):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"weights.npz is not a readable .npz file of arrays"):
            read_weights(path)


def test_the_card_of_loaded_weights(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"abc")
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    card = LoadedWeights.of(
        module, path, ignored=["b", "a"], adapted={"0.bias": "halved"}, initial=["1.bias"]
    )
    assert (card.file, card.num_matched, card.ignored) == ("weights.pth", 2, ["a", "b"])
    assert card.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
