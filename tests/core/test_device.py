"""Which devices a name picks, with stand-ins for GPUs; what is wrong with a name is one sentence."""

import pytest
import torch

from vae_core import device as devices
from vae_core.device import describe_devices, is_fatal, pick_device, pick_devices

GB = 2**30


@pytest.fixture
def gpus(monkeypatch):
    """A machine with three GPUs; gives the free memory of each, in bytes, to be changed."""
    free = [70 * GB, 60 * GB, 10 * GB]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free[device.index], 80 * GB))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "H100" if device.index < 2 else "A10")
    monkeypatch.setattr(devices, "_set_up_for_gpus", lambda: None)
    return free


def names(picked):
    return [str(device) for device in picked]


def test_cuda_is_all_gpus_and_some_can_be_named(gpus):
    assert names(pick_devices("cuda")) == names(pick_devices("auto")) == ["cuda:0", "cuda:1", "cuda:2"]
    assert names(pick_devices("cuda:1")) == ["cuda:1"] and names(pick_devices("cuda:2,0")) == ["cuda:2", "cuda:0"]
    assert str(pick_device("cuda")) == "cuda:0" and names(pick_devices("cpu")) == ["cpu"]


def test_a_process_with_gpus_computes_exactly_and_leaves_each_thread_one_processor():
    threads, deterministic = torch.get_num_threads(), torch.backends.cudnn.deterministic
    try:
        torch.set_num_threads(2)
        devices._set_up_for_gpus()
        assert torch.get_num_threads() == 1 and torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.set_num_threads(threads)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32 = deterministic, True


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuda:9", "device is 'cuda:9', but there is no cuda:9; this machine has cuda:0 to cuda:2."),
        ("cuda:0,0", "device is 'cuda:0,0'; it names cuda:0 twice."),
        ("cuda:", "device is 'cuda:'; it must be one of auto, cpu, cuda, mps, or name GPUs as in cuda:0,2."),
        ("gpu", "device is 'gpu'; it must be one of"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(gpus, name, message):
    with pytest.raises(ValueError) as caught:
        pick_devices(name)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_gpu_without_free_memory_is_named(gpus):
    gpus[1] = GB // 4
    assert names(pick_devices("cuda:0,2")) == ["cuda:0", "cuda:2"]
    with pytest.raises(ValueError, match=r"^cuda:1 \(H100\) has 0\.2 GiB of free memory, which is too little"):
        pick_devices("cuda")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            RuntimeError("The NVIDIA driver on your system is too old (found version 11040). Please update it."),
            "The NVIDIA driver on your system is too old (found version 11040).",
        ),
        (AssertionError("Torch not compiled with CUDA enabled"), "Torch not compiled with CUDA enabled."),
    ],
)
def test_a_machine_on_which_cuda_does_not_start_says_why(monkeypatch, error, reason):
    def init():
        raise error

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "init", init)
    with pytest.raises(ValueError) as caught:
        pick_devices("cuda")
    assert (
        str(caught.value) == f"device is 'cuda', but this machine has no such device; it has cpu. CUDA says: {reason}"
    )


def test_the_header_counts_gpus_of_a_kind(gpus):
    assert describe_devices(pick_devices("cuda")) == "3 GPUs: 2 × H100, 1 × A10"
    assert describe_devices(pick_devices("cuda:2")) == "GPU: A10"


def test_trainings_at_once_follow_from_each_gpus_free_memory(gpus, monkeypatch):
    pytest.importorskip("gradio")
    import app

    assert [app._trainings(None, device) for device in pick_devices("cuda")] == [16, 15, 2]
    assert app._trainings(5, torch.device("cuda", 2)) == 5 and app._trainings(None, torch.device("mps")) == 1
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert app._trainings(None, torch.device("cpu")) == 4


def test_running_out_of_memory_is_not_the_end_of_a_gpu():
    assert is_fatal(torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    assert not is_fatal(torch.OutOfMemoryError("CUDA out of memory.")) and not is_fatal(RuntimeError("shapes"))
