"""What a process does in its role: train as one of several workers, or serve them."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from fairface.cli import describe
from fairface.errors import FairfaceError
from fairface.printable import printable
from fairface.workers.member import Member
from fairface.workers.place import SCHEDULER, SERVER, WORKER, Place, check_port
from fairface.workers.rollcall import RollCall
from fairface.workers.start import cores_for

_STOPPED = 130  # exit code after Ctrl-C


def take_part(place: Place, work: Callable[[Any], int], debug: bool = False) -> int:
    """Do what the place's role is; returns the exit code, or leaves the process at once after a failure.

    Args:
        place: from :func:`fairface.workers.place.read_place`.
        work: trains, given what makes the world of this worker (``fairface.training.setup.Join``).
        debug: show the traceback of an error.
    """
    if place.role != WORKER:
        serve(place)
    member = Member(place)
    try:
        rank = member.wait_for_all()
        os.environ.setdefault("OMP_NUM_THREADS", str(cores_for(place.local_size)))
        # Only now: MXNet is not needed to see that somebody is missing.
        from fairface.workers.joining import Joining

        joining = Joining(place, rank)
        code = work(joining)
        member.done()
        joining.close()
    except BaseException as error:
        _fail(member, error, debug)
    member.close()
    return code


def serve(place: Place) -> NoReturn:
    """Be scheduler or server until the workers are done. They end it; signals that are meant for a run do not.

    Where nobody else holds the roll call, the scheduler does.

    Raises:
        ConfigError: the port is in use.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if place.role == SCHEDULER:
        check_port("", place.port)
        if place.roll_call is None:
            expected = {WORKER: place.workers, SERVER: place.servers}
            RollCall(expected, place.timeout, address="", port=place.port + 1)
    if place.role == SERVER or place.roll_call is not None:
        Member(place)
    import fairface.mx  # noqa: F401 - MXNet takes the role when it is imported, and leaves the process at the end

    sys.exit(0)


def _fail(member: Member, error: BaseException, debug: bool) -> NoReturn:
    """Tell the others and the user, and end at once: what others still owe this process will never come."""
    code = 2 if isinstance(error, (FairfaceError, OSError)) else _STOPPED if isinstance(error, KeyboardInterrupt) else 1
    text = "stopped" if code == _STOPPED else describe(error)
    member.failed(text, code)
    if debug or code == 1:
        traceback.print_exc()
    print(printable(text if code == _STOPPED else f"error: {text}"), file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(code)
