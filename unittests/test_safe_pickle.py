"""fairface.safe_pickle."""

import os
import pickle
import weakref
from io import BytesIO

import pytest

from fairface.safe_pickle import DamagedPickleError, Inert, Name, PickleMachine, Unfinished, UnsafePickleError

SHARED = ["twice"]
DATA = {
    "text": "é\n", "bytes": b"\x00\xff", "numbers": [0, -1, 255, 70_000, 2**40, -(2**70), 0.1, float("inf")],
    "constants": (None, True, False, ()), "tuples": ((1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "shared": [SHARED, SHARED],
    "many": list(range(3000)), 7: {b"inner": {}}, None: [],
}  # fmt: skip


class Holder(Unfinished):
    def __init__(self):
        self.state = None

    def set_state(self, state):
        self.state = state


def load(data, calls=None, **options):
    return PickleMachine(calls or {}, **options).load(BytesIO(data))


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_come_as_pickle_reads_them(protocol):
    data = pickle.dumps(DATA, protocol)
    if protocol < 3:  # bytes are a call there
        found = load(data, {Name("_codecs", "encode"): lambda text, encoding: text.encode(encoding)})
    else:
        found = load(data)
    assert found == pickle.loads(data)
    assert found["shared"][0] is found["shared"][1]


def test_a_file_of_several_pickles():
    file = BytesIO(pickle.dumps([1]) + pickle.dumps("two") + b"rest")
    machine = PickleMachine({})
    assert [machine.load(file), machine.load(file), file.read()] == [[1], "two", b"rest"]


def test_names_stay_names_and_objects_of_unknown_classes_are_inert():
    name, made = load(b"\x80\x02cos\nsystem\ncsome.where\nThing\n)\x81}X\x01\x00\x00\x00aK\x01sb\x86.")
    assert name == Name("os", "system")
    assert type(made) is Inert
    assert made.cls == Name("some.where", "Thing")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.", "it calls os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.)R.", None),  # STOP before the call: a name
        (b"\x80\x02ctime\ntime\n}b.", "it changes time.time"),
        (b"(ios\nsystem\n.", "it uses INST"),
        (b"(cos\nsystem\no.", "it uses OBJ"),
        (b"\x80\x02\x82\x01.", "it uses EXT1"),
        (b"\x80\x05\x97.", "it uses NEXT_BUFFER"),
        (b"K\x01Q.", "it refers to objects outside the file"),
        (b"\x80\x04K\x01K\x02\x93.", "whose name is not text"),
        (b"}((K\x01tK\x02u.", "a key of a dictionary is a tuple"),
    ],
)
def test_what_is_refused(code, said):
    if said is None:
        assert load(code) == Name("os", "system")
    else:
        with pytest.raises(UnsafePickleError, match=said):
            load(code)


def test_only_the_given_names():
    names = frozenset({Name("a", "b")})
    assert load(b"ca\nb\n.", names=names) == Name("a", "b")
    with pytest.raises(UnsafePickleError, match=r"it asks for os\.system"):
        load(b"cos\nsystem\n.", names=names)
    with pytest.raises(UnsafePickleError, match=r"it makes an object of a\.b"):
        load(b"\x80\x02ca\nb\n)\x81.", names=names)


def test_state_goes_to_objects_of_ours_only():
    found = load(b"ca\nb\n)R(K\x01K\x02lb.", {Name("a", "b"): Holder})
    assert found.state == [1, 2]
    with pytest.raises(UnsafePickleError, match="it changes a list"):
        load(b"]K\x01b.")


def test_strings_of_python_2():
    code = b"(U\x02\xff\xd8T\x01\x00\x00\x00aS'b'\nt."
    assert load(code, old_strings_are_bytes=True) == (b"\xff\xd8", b"a", b"b")
    assert load(code) == ("\xff\xd8", "a", "b")


@pytest.mark.parametrize(
    "code",
    [b"", b"K\x01", b".", b"K", b"\x86.", b"0.", b"h\x05.", b"t.", b"\x80\x06N.", b"\xfe", b"I" + b"x" * 9999 + b"\n."],
)
def test_damage_is_told_in_a_short_line(code):
    with pytest.raises(DamagedPickleError) as caught:
        load(code)
    assert 0 < len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_run(tmp_path, protocol):
    trace = tmp_path / "was_run"

    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(trace),)

    code = pickle.dumps([Attack()], protocol)
    with pytest.raises(UnsafePickleError, match=r"it calls posix\.mkdir"):
        load(code)
    assert not trace.exists()
    pickle.loads(code)
    assert trace.exists()  # the attack is a real one


def test_the_machine_keeps_no_data():
    machine = PickleMachine({Name("a", "b"): Holder})
    found = weakref.ref(machine.load(BytesIO(b"ca\nb\n)Rq\x01.")))
    assert found() is None
