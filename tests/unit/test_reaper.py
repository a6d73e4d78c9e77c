"""The reaper: what a process announced is undone, however the process ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagproof import reaper


def wait_for(claim: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether a claim becomes true in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that would live for a minute, in a session of its own."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a Python program that has `reaper` and `tmp` at hand, and prints when it is ready."""
    started = []

    def start(program: str, **options: object) -> subprocess.Popen[str]:
        prologue = f"""
            import os, signal, subprocess, sys, time
            from pathlib import Path
            from dagproof import reaper
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored
            tmp = Path({str(tmp_path)!r})
        """
        source = textwrap.dedent(prologue) + textwrap.dedent(program)
        process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload] # options are anybody's
            [sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, **options
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_temporary_directory_is_there_for_the_length_of_the_block(tmp_path: Path) -> None:
    """It is ours alone, and gone afterwards with all that is in it."""
    with reaper.temporary_directory("x-", tmp_path) as path:
        (path / "deep").mkdir()
        (path / "deep" / "file").write_text("x")
        assert path.stat().st_mode & 0o777 == 0o700
        assert path.parent == tmp_path
    assert not path.exists()


def test_a_directory_that_somebody_made_read_only_is_removed(tmp_path: Path) -> None:
    """A task may lock its own folders."""
    locked = tmp_path / "top" / "locked" / "inner"
    locked.mkdir(parents=True)
    (locked / "file").write_text("x")
    locked.chmod(0o500)
    locked.parent.chmod(0o000)
    reaper.rmtree_later(tmp_path / "top").undo()
    assert not (tmp_path / "top").exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """What a link in our directory points to is not ours."""
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    (theirs / "file").write_text("x")
    with reaper.temporary_directory(parent=tmp_path) as path:
        (path / "link").symlink_to(theirs)
    assert (theirs / "file").read_text() == "x"
    assert theirs.stat().st_mode & 0o777 == 0o755


def test_a_process_is_killed_at_the_end_of_the_block(sleeper: subprocess.Popen[bytes]) -> None:
    """Its owner then waits for it."""
    with reaper.kill_later(sleeper.pid):
        assert sleeper.poll() is None
    assert sleeper.wait(timeout=1) == -signal.SIGTERM


def test_a_process_that_ignores_the_signal_is_killed() -> None:
    """After the time of grace comes SIGKILL."""
    program = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen(["sh", "-c", program], stdout=subprocess.PIPE, start_new_session=True) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        reaper.kill_later(deaf.pid, grace=0.1, group=True).undo()
    assert deaf.returncode == -signal.SIGKILL


def test_a_group_is_ended_also_when_its_leader_is_gone() -> None:
    """The children of a dead leader go too."""
    program = "sleep 60 & echo $!"
    with subprocess.Popen(["sh", "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True) as leader:
        undo = reaper.kill_later(leader.pid, group=True)
        assert leader.stdout is not None
        orphan = int(leader.stdout.readline())
        leader.wait()
        assert reaper.start_time(orphan)
        undo.undo()
    assert not reaper.start_time(orphan)


def test_a_process_that_was_given_the_number_of_ours_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    """A number is not enough to know a process by."""
    reaper.kill(sleeper.pid, started="1", stop=signal.SIGKILL, grace=0.1, group=False)
    reaper.kill(sleeper.pid, started="1", stop=signal.SIGKILL, grace=0.1, group=True)
    assert sleeper.poll() is None


def test_a_dead_process_has_no_start_time(sleeper: subprocess.Popen[bytes]) -> None:
    """Neither as a zombie nor after somebody waited for it."""
    assert reaper.start_time(sleeper.pid)
    sleeper.kill()
    assert wait_for(lambda: reaper.start_time(sleeper.pid) == "")
    sleeper.wait()
    assert reaper.start_time(sleeper.pid) == ""


def test_ps_and_proc_agree_on_who_lives(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without /proc is asked in another way."""
    monkeypatch.setattr(reaper, "_PROC", Path("/nowhere"))
    assert reaper.start_time(sleeper.pid)
    assert reaper._group_lives(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert not reaper.start_time(sleeper.pid)
    assert not reaper._group_lives(sleeper.pid)


def test_what_was_forgotten_is_kept(tmp_path: Path) -> None:
    """Its owner changed his mind."""
    undo = reaper.rmtree_later(tmp_path)
    undo.forget()
    undo.undo()
    assert tmp_path.exists()


def test_what_could_not_be_undone_stays_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again when the process ends."""
    undo = reaper.rmtree_later(tmp_path / "x")
    with monkeypatch.context() as patch:
        patch.setitem(reaper.ACTIONS, "rmtree", lambda path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            undo.undo()
    (tmp_path / "x").mkdir()
    undo.undo()
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_is_left_when_the_owner_is_ended(start: Callable[..., subprocess.Popen[str]], number: int) -> None:
    """By whatever signal: the directory, and a process that would have lived on."""
    owner = start(
        """
        with reaper.temporary_directory("ours-", tmp) as path:
            child = subprocess.Popen(["sleep", "60"], start_new_session=True)
            reaper.kill_later(child.pid)
            print(path, child.pid, flush=True)
            time.sleep(60)
    """,
        stderr=subprocess.DEVNULL,
    )
    assert owner.stdout is not None
    path, pid = owner.stdout.readline().split()
    os.kill(owner.pid, number)
    assert wait_for(lambda: not Path(path).exists() and not reaper.start_time(int(pid)))


def test_ctrl_c_in_the_terminal_does_not_reach_the_watchdog(start: Callable[..., subprocess.Popen[str]]) -> None:
    """The whole foreground group gets SIGINT; an owner that dies of it at once is still cleaned up after."""
    owner = start(
        """
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        with reaper.temporary_directory("ours-", tmp) as path:
            print(path, flush=True)
            time.sleep(60)
    """,
        start_new_session=True,
    )
    assert owner.stdout is not None
    path = Path(owner.stdout.readline().strip())
    os.killpg(owner.pid, signal.SIGINT)
    assert wait_for(lambda: not path.exists())


def test_a_normal_exit_undoes_the_rest_at_once(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """Nobody has to wait for the watchdog: it is done when the process has ended."""
    owner = start("""
        path = tmp / "ours"
        path.mkdir()
        reaper.rmtree_later(path)
    """)
    assert owner.wait(timeout=10) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_newest_is_undone_first() -> None:
    """A process ends before the directory that it writes to goes."""
    done: list[str] = []
    lines = [json.dumps({"key": key, "action": "note", "arguments": {"what": key}}) for key in "abc"]
    lines.append(json.dumps({"key": "b"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(reaper.ACTIONS, "note", lambda what: done.append(what))
        reaper.watch(iter([*lines, '{"key": "cut sho']))
    assert done == ["c", "a"]


def test_one_failure_does_not_keep_the_others_from_being_undone() -> None:
    """The watchdog goes on."""
    done: list[str] = []
    lines = [json.dumps({"key": key, "action": key, "arguments": {}}) for key in ("fine", "broken", "unknown")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(reaper.ACTIONS, "fine", lambda: done.append("fine"))
        patch.setitem(reaper.ACTIONS, "broken", lambda: 1 / 0)
        reaper.watch(iter(lines))
    assert done == ["fine"]


def test_the_pipe_to_a_reader_closes_when_the_owner_ends(start: Callable[..., subprocess.Popen[str]]) -> None:
    """As in `dagproof … | head`: the watchdog, which may be busy for seconds, does not hold our output open."""
    owner = start(
        """
        deaf = subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(0.2)
        reaper.kill_later(deaf.pid, grace=3.0, group=True)
        print(deaf.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """,
        stderr=subprocess.STDOUT,
    )
    began = time.monotonic()
    pid, _ = owner.communicate(timeout=10)
    assert time.monotonic() - began < 2.5
    assert reaper.start_time(int(pid))
    assert wait_for(lambda: not reaper.start_time(int(pid)))


def test_a_forked_child_keeps_nothing_alive_and_undoes_nothing(start: Callable[..., subprocess.Popen[str]]) -> None:
    """A fork that outlives its parent does not hold the pipe; one that ends early leaves the parent's things."""
    owner = start("""
        with reaper.temporary_directory("ours-", tmp) as path:
            early = os.fork()
            if early == 0:
                sys.exit(0)  # unwinds the block and runs the exit handlers
            os.waitpid(early, 0)
            assert path.exists()
            late = os.fork()
            if late == 0:
                os.close(1)
                time.sleep(60)
            print(path, late, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert owner.stdout is not None
    path, late = owner.stdout.read().split()
    try:
        assert wait_for(lambda: not Path(path).exists())
        assert reaper.start_time(int(late))
    finally:
        os.kill(int(late), signal.SIGKILL)


def test_a_forked_child_may_announce_its_own(start: Callable[..., subprocess.Popen[str]]) -> None:
    """With a watchdog of its own."""
    owner = start("""
        with reaper.temporary_directory("ours-", tmp):
            child = os.fork()
            if child == 0:
                with reaper.temporary_directory("childs-", tmp) as path:
                    print(path, flush=True)
                    os.kill(os.getpid(), signal.SIGKILL)
            os.waitpid(child, 0)
            time.sleep(60)
    """)
    assert owner.stdout is not None
    path = Path(owner.stdout.readline().strip())
    assert wait_for(lambda: not path.exists())


def test_a_new_watchdog_takes_over_from_one_that_was_ended(start: Callable[..., subprocess.Popen[str]]) -> None:
    """It is told everything."""
    owner = start("""
        with reaper.temporary_directory("first-", tmp) as first:
            children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGKILL)
            os.waitpid(int(children[0]), 0)
            with reaper.temporary_directory("second-", tmp) as second:
                print(first, second, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
    """)
    if not Path("/proc/self/task").exists():
        pytest.skip("this system does not tell who a process's children are")
    assert owner.stdout is not None
    paths = owner.stdout.read().split()
    assert len(paths) == 2
    assert wait_for(lambda: not any(Path(path).exists() for path in paths))


def test_the_watchdog_ends_with_its_owner(start: Callable[..., subprocess.Popen[str]]) -> None:
    """It is no process to find in a list weeks later."""
    owner = start("""
        with reaper.temporary_directory("ours-", tmp):
            print(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(), flush=True)
    """)
    if not Path("/proc/self/task").exists():
        pytest.skip("this system does not tell who a process's children are")
    assert owner.stdout is not None
    watchdog = int(owner.stdout.readline())
    assert wait_for(lambda: not reaper.start_time(watchdog))


def test_importing_starts_nothing() -> None:
    """The watchdog comes with the first announcement."""
    program = "from dagproof import reaper; print(reaper._ours.pipe)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "None\n"
