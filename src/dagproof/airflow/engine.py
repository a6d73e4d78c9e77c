"""Airflow made fit for forking: one metadata database, one API in the process, no thread left alive.

``dag.test()`` talks to the Execution API of its own process over a background event loop. A thread that is alive
while a process forks leaves its locks held for ever in the child, so here the same API is called on the caller's
thread instead, and everything costly (the API's routes, SQLAlchemy's compiled statements) is warmed before forking.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from dagproof.airflow import private
from dagproof.inside import background
from dagproof.worlds.metadata import replace_metadata

BUNDLE = "dagproof"


#: Builds the grammar of IRIs when jsonschema imports it, for a second. It is there where Jupyter is installed.
_SLOW_GRAMMAR = "rfc3987_syntax"


def import_jsonschema() -> None:
    """Import what Airflow validates with as in most of its installations, where the format `iri` is not checked."""
    sys.modules[_SLOW_GRAMMAR] = None  # type: ignore[assignment]  # that is how an import is refused
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[_SLOW_GRAMMAR]  # a task may want it


class InlineTransport:
    """Calls an ASGI app on the caller's own thread; a forked child gets an event loop of its own."""

    def __init__(self, app: Any) -> None:
        self._http = _client_library()
        self._asgi = self._http.ASGITransport(app=app)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._entered: list[Any] = []

    def enter(self, context: Any) -> None:
        """Enter an asynchronous context that lasts as long as the process."""
        self._entered.append(context)  # one that is garbage would be left
        self.run(context.__aenter__())

    def run(self, coroutine: Any) -> Any:
        """Run `coroutine` to its end, also from a thread in which an event loop is running already."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._own_loop().run_until_complete(coroutine)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, coroutine).result()

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._pid != os.getpid():  # a loop's epoll descriptor must not be shared over a fork
            self._loop, self._pid = asyncio.new_event_loop(), os.getpid()
        return self._loop

    def handle_request(self, request: Any) -> Any:
        """Answer `request`, its body read to the end."""
        return self.run(self._answer(request))

    async def _answer(self, request: Any) -> Any:
        _on_this_thread.set(True)
        private.api_version.set(None)  # the newest: since 3.4 there are endpoints that ask
        body = request.read()
        copy = self._http.Request(request.method, request.url, headers=request.headers, content=body)
        response = await self._asgi.handle_async_request(copy)
        content = await response.aread()
        return self._http.Response(response.status_code, headers=response.headers, content=content, request=request)

    def close(self) -> None:
        """Stay open: another client may come."""


_transports: list[InlineTransport] = []
"""The one of this process, once its API is there."""


_adapters: dict[Any, Any] = {}
"""What checks values of a type, by that type: built by the warm-up, for all runs."""


def _client_library() -> Any:
    """Return the HTTP library that tasks talk with, whose own kind of responses they want: httpx, or httpx2."""
    base = next(kind for kind in private.ExecutionClient.__mro__ if not kind.__module__.startswith("airflow."))
    return importlib.import_module(base.__module__.partition(".")[0])


_on_this_thread: ContextVar[bool] = ContextVar("on_this_thread", default=False)


def _keep_endpoints_on_this_thread() -> None:
    """Let the API's synchronous endpoints run where they are called, instead of each on a thread of its own."""
    import anyio.to_thread

    original = anyio.to_thread.run_sync

    async def run_sync(function: Any, *args: Any, **options: Any) -> Any:
        return function(*args) if _on_this_thread.get() else await original(function, *args, **options)

    replace(anyio.to_thread, run_sync=run_sync)


def install_inline_api() -> None:
    """Put the in-process Execution API on :class:`InlineTransport`, built once for the whole process."""
    _keep_endpoints_on_this_thread()
    _remember_overridden_dependencies()
    routes = private.execution_api_router.routes
    routes[:] = [route for route in routes if private.deleted_route_tag not in getattr(route, "tags", ())]
    api = private.InProcessExecutionAPI
    with private.patched(versioned_api=_unversioned_api):
        app = api().app
    # tracing and token renewal are nothing that a task of this process needs
    app.user_middleware[:] = [m for m in app.user_middleware if not m.cls.__module__.startswith("airflow.")]
    transport = InlineTransport(app)
    _transports.append(transport)
    transport.enter(app.router.lifespan_context(app))
    replace(api, app=property(lambda self: app), transport=property(lambda self: transport))


def _unversioned_api(**options: Any) -> Any:
    """Return an API of the newest version alone, where Airflow would make one that speaks all of them.

    Tasks of this very process speak the newest. Building the other versions' routes takes seconds, and translating
    between versions goes through a request's dependencies a second time.
    """
    from fastapi import FastAPI

    app = FastAPI(**{name: value for name, value in options.items() if "version" not in name})
    app.generate_and_include_versioned_routers = app.include_router  # type: ignore[attr-defined]
    return app


def _remember_overridden_dependencies() -> None:
    """Let FastAPI analyse a dependency once: where some are overridden, it analyses all of them at each request."""
    from fastapi.dependencies import utils

    original, known = utils.get_dependant, {}

    def get_dependant(**of: Any) -> Any:
        key = tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in of.items())
        if key not in known:
            known[key] = original(**of)
        return known[key]

    replace(utils, get_dependant=get_dependant)


def hurry_metadata() -> None:
    """Let SQLite not wait for the disk: this metadata database never has to survive a power cut."""
    from sqlalchemy import event

    def connected(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    settings = private.settings
    engines = [settings.engine, getattr(getattr(settings, "async_engine", None), "sync_engine", None)]
    for engine in engines:
        if engine is not None:
            event.listen(engine, "connect", connected)


def load_metadata(template: Path | None) -> None:
    """Make this process's metadata database: a copy of `template` where there is one, else migrated and empty."""
    dispose()
    if template is not None and template.exists():
        replace_metadata(template, database_path())
    elif not database_path().exists() or database_path().stat().st_size == 0:
        private.initdb()


def add_variables(variables: Mapping[str, str]) -> None:
    """Put variables into this process's metadata database, but for those that are there."""
    from sqlalchemy import select

    Variable = private.Variable  # noqa: N806 - it is a class
    with private.create_session() as session:
        there = set(session.scalars(select(Variable.key)))
        missing = [(key, value) for key, value in variables.items() if key not in there]
        session.add_all(Variable(key, value) for key, value in missing)


def save_metadata(template: Path) -> None:
    """Make this process's metadata database the template of all others."""
    dispose()  # the last connection to close writes the log back into the file
    part = template.with_suffix(f".{os.getpid()}")
    shutil.copyfile(database_path(), part)
    for suffix in ("-wal", "-shm"):  # of what stood there before: it would be applied to the new one
        template.with_name(template.name + suffix).unlink(missing_ok=True)
    os.replace(part, template)


def database_path() -> Path:
    """Return the file of the metadata database that this process is bound to."""
    return Path(str(private.settings.engine.url.database))


def dispose() -> None:
    """Close every connection to the metadata database, so that none is shared with a forked child."""
    settings = private.settings
    settings.Session.remove()
    settings.engine.dispose()
    asynchronous = getattr(settings, "async_engine", None)
    if asynchronous is not None and _transports:  # each of its connections has a thread, which ends in its own loop
        _transports[0].run(asynchronous.dispose())
    elif asynchronous is not None:
        asynchronous.sync_engine.dispose(close=False)


def wait_for_threads(seconds: float = 5.0) -> list[str]:
    """Wait until this is the only thread; return the names of those that are left, and who started them."""
    deadline = time.monotonic() + seconds
    while threading.active_count() > 1 and time.monotonic() < deadline:
        time.sleep(0.005)
    return [background.named(t) for t in threading.enumerate() if t is not threading.main_thread()]


@contextmanager
def without_bundle_sync() -> Iterator[None]:
    """Keep ``dag.test()`` from reading the whole DAG folder again: what it needs is in the database already."""
    with private.patched(get_all_dag_bundles=lambda self: [], sync_bundles_to_db=lambda self, **kwargs: None):
        yield


@contextmanager
def without_rendered_fields() -> Iterator[None]:
    """Let the rendered templates of a task be checked as always, and not be kept: nobody looks at them after a run."""
    kind = private.TypeAdapter

    def adapter(of: Any) -> Any:
        if of not in _adapters:
            _adapters[of] = kind(of)
        return _adapters[of]

    with private.patched(set_rendered_fields=lambda *_: None, TypeAdapter=adapter):
        yield


def replace(owner: Any, **attributes: Any) -> None:
    """Set attributes of a module or class for as long as the process lives."""
    for name, value in attributes.items():
        setattr(owner, name, value)
