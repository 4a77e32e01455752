"""Arrays of numbers in an .npz file: as numpy reads them, and nothing is unpickled."""

import contextlib
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.number_arrays import read_number_arrays


def object_array(*arrays: object) -> np.ndarray:
    found = np.empty(len(arrays), object)
    found[:] = arrays
    return found


@pytest.mark.parametrize("dtype", ["<i8", ">i4", "<f8", "u1"])
def test_lists_of_arrays_are_read_as_numpy_reads_them(tmp_path: Path, dtype: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.integers(100, size=(n, 4)).astype(dtype) for n in (3, 1, 5)]
    arrays.append(np.asfortranarray(arrays[0]))
    np.savez_compressed(tmp_path / "list.npz", pitches=object_array(*arrays))
    found = read_number_arrays(tmp_path / "list.npz", "pitches")
    assert len(found) == 4
    for array, original in zip(found, arrays, strict=True):
        assert array.dtype == original.dtype
        np.testing.assert_array_equal(array, original)


def test_rows_of_a_plain_array_are_its_arrays(tmp_path: Path) -> None:
    table = np.arange(30).reshape(2, 3, 5)
    np.savez(tmp_path / "table.npz", pitches=table)
    for found, original in zip(
        read_number_arrays(tmp_path / "table.npz", "pitches"), table, strict=True
    ):
        np.testing.assert_array_equal(found, original)


class Trap:
    """What a pickle may do: call any function."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_that_calls_a_function_is_refused_and_calls_nothing(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    np.savez(tmp_path / "trap.npz", pitches=object_array(Trap(trap), Trap(trap)))
    with pytest.raises(CorruptFileError, match=r"'pitches' is no list of arrays: it"):
        read_number_arrays(tmp_path / "trap.npz", "pitches")
    assert not trap.exists()
    with np.load(tmp_path / "trap.npz", allow_pickle=True) as archive:
        assert archive["pitches"] is not None
    assert trap.exists()  # numpy itself springs it


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (object_array("C4", "D4"), "no list of arrays"),
        (object_array({"a": 1}), "no list of arrays"),
        (object_array(np.array(["C4"])), "not numbers"),
        (np.array(["C4", "D4"]), "not numbers"),
    ],
)
def test_other_things_than_numbers_are_refused(
    tmp_path: Path, contents: np.ndarray, message: str
) -> None:
    np.savez(tmp_path / "other.npz", pitches=contents)
    with pytest.raises(CorruptFileError, match=message):
        read_number_arrays(tmp_path / "other.npz", "pitches")


def test_damaged_and_missing_files_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "damaged.npz"
    with pytest.raises(FormatError, match=r"damaged\.npz: cannot be read: No such file"):
        read_number_arrays(path, "pitches")
    path.write_bytes(b"not a zip file")
    with pytest.raises(CorruptFileError, match=r"is no \.npz file"):
        read_number_arrays(path, "pitches")
    np.savez(path, chords=np.zeros(3))
    with pytest.raises(FormatError, match=r"has no array 'pitches', but chords\.npy"):
        read_number_arrays(path, "pitches")
    whole = pickle.dumps(object_array(np.zeros(3)), protocol=3)
    for contents in (b"", b"\x93NUMPY", whole):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pitches.npy", contents)
        with pytest.raises(CorruptFileError, match="no list of arrays"):
            read_number_arrays(path, "pitches")


def test_a_list_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.npz"
    np.savez(path, pitches=object_array(np.zeros((3, 4)), np.ones((1, 4))))
    with zipfile.ZipFile(path) as archive:
        whole = archive.read("pitches.npy")
    for n_bytes in range(0, len(whole) - 1, 7):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pitches.npy", whole[:n_bytes])
        with pytest.raises(CorruptFileError):
            read_number_arrays(path, "pitches")


def test_bytes_changed_anywhere_never_end_in_a_traceback(tmp_path: Path) -> None:
    path, rng = tmp_path / "list.npz", np.random.default_rng(4)
    np.savez(path, pitches=object_array(np.zeros((3, 4)), np.ones((1, 4))))
    with zipfile.ZipFile(path) as archive:
        whole = archive.read("pitches.npy")
    for _ in range(300):
        changed = bytearray(whole)
        for position in rng.integers(len(whole), size=3):
            changed[position] = rng.integers(256)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pitches.npy", bytes(changed))
        with contextlib.suppress(CorruptFileError):
            read_number_arrays(path, "pitches")


def test_too_large_a_file_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "large.npz", pitches=np.zeros(1000))
    monkeypatch.setattr("seqmusic.formats.number_arrays.MAX_BYTES", 4000)
    with pytest.raises(FormatError, match=r"8,128 bytes of 'pitches' are too many"):
        read_number_arrays(tmp_path / "large.npz", "pitches")
