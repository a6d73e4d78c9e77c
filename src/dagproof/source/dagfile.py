"""A DAG file: its DAGs, its tasks, and the code that runs when it is parsed and when its tasks run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.source import words
from dagproof.source.called import (
    decorators,
    inheriting,
    is_dag_class,
    is_operator,
    is_transparent,
    mapped_on,
    receiver_of,
    task_decorator,
    without_mapper,
)
from dagproof.source.names import Names, Resolver
from dagproof.source.pieces import Body, Chain, Dag, Group, Phase, Place, Site, Task
from dagproof.source.project import Module, readable_scope
from dagproof.source.scopes import Scope
from dagproof.source.values import (
    Arguments,
    Value,
    constant,
    decorator_arguments,
    dictionary,
    followed,
    keywords,
)

__all__ = ["Body", "Chain", "Dag", "DagFile", "Group", "Phase", "Place", "Site", "Task"]

MOST_CALLS = 30
RUN_METHODS = ("execute", "poke", "pre_execute", "post_execute", "execute_complete")


class DagFile:
    """What can be told about one file of a DAG folder. It makes no DAG where `dags` is empty."""

    def __init__(self, module: Module, resolver: Resolver, phase: Phase = "parse") -> None:
        self.module = module
        self.resolver = resolver
        self.dags: list[Dag] = []
        self.tasks: list[Task] = []
        self.bodies: list[Body] = []
        self.groups: list[Group] = []
        self._called: list[tuple[ast.Call, Scope]] = []
        """Calls of what ``task(function)`` gives."""
        self._mapped: dict[ast.expr, list[tuple[ast.Call, Scope]]] = {}
        self._seen: set[tuple[Scope, Phase, Scope | None]] = set()
        self._reached: dict[Task, list[Body]] = {}
        self._walk(module.scope, phase, (), None, imported=False)
        for call, scope in self._called:
            self._note_call(call, scope)
        for task in self.tasks:
            task.dag = self._dag_of(task)
            task.calls += [mapped for call, _ in task.calls for mapped in self._mapped.get(call, [])]

    def sites(self, phase: Phase) -> Iterator[Site]:
        """Yield every call that happens while the file is parsed, or while its tasks run."""
        yield from self.sites_of([body for body in self.bodies if body.phase == phase])

    def reached_by(self, task: Task) -> list[Body]:
        """Return all that one task runs, also what other tasks share with it."""
        if task in self._reached:
            return self._reached[task]
        kept = self._seen, self.bodies
        self._seen, self.bodies = set(), []
        for scope, chain in task.entries:
            self._walk(scope, "run", chain, task, imported=False, receiver=task.receivers.get(scope))
        found = self.bodies
        self._seen, self.bodies = kept
        self._reached[task] = found
        return found

    def sites_of(self, bodies: list[Body]) -> Iterator[Site]:
        """Yield every call in some bodies."""
        for body in bodies:
            for call, scope in body.scope.calls:
                yield Site(call, scope, self.resolver.names(call.func, scope), body)

    def default_args(self, dag: Dag | None) -> Arguments:
        """Return what a DAG gives to all of its tasks."""
        if dag is None or dag.is_asset:
            return Arguments({}, dag is None)
        given = dag.arguments.known.get("default_args")
        return dictionary(given, self.resolver) if given else Arguments({}, dag.arguments.open)

    def imports_of(self, module: Module) -> Iterator[ast.stmt]:
        """Yield the statements of this file that import a module, or else something of the project."""
        led = [
            (found[0], one.node)
            for one in self.module.scope.imports
            if one.target and (found := self.resolver.project.find(one.target, self.module))
        ]
        yield from (node for target, node in led if target is module)
        yield from (node for _, node in led)

    def groups_of(self, task: Task) -> list[Group]:
        """Return the groups around a task, the outermost first."""
        call, scope = task.calls[0] if task.calls else (task.node, task.scope)
        around = [one for one in self.groups if one.module is scope.module and _contains(one.span, call.lineno)]
        return sorted(around, key=lambda group: group.span)

    # Walking

    def _walk(
        self,
        scope: Scope,
        phase: Phase,
        chain: Chain,
        task: Task | None,
        *,
        imported: bool,
        receiver: Scope | None = None,
    ) -> None:
        if (scope, phase, receiver) in self._seen or len(chain) > MOST_CALLS:
            return
        self._seen.add((scope, phase, receiver))
        self.bodies.append(Body(scope, phase, chain, task))
        for child in scope.children:
            if phase == "parse":
                self._decorate(child, chain)
            if child.kind == "class" or (child.kind == "lambda" and phase == "run"):
                self._walk(child, phase, chain, task, imported=imported, receiver=receiver)
            elif child.decorators and phase == "parse" and not imported:
                self._asset(child, chain)
        if phase == "parse":
            self._follow_imports(scope, chain)
        for call, inner in scope.calls:
            names = self.resolver.names(call.func, inner)
            further = (*chain, Place(scope.module, call))
            if phase == "run":
                self._run_call(call, inner, names, further, task, receiver)
            elif not (imported and self._makes_something(names)):
                self._parse_call(call, inner, names, chain, further, imported=imported)

    def _decorate(self, made: Scope, chain: Chain) -> None:
        """Enter what decorates a definition: it runs when the definition is met."""
        for node in made.decorators:
            if not isinstance(node, ast.Call):
                names = self.resolver.names(node, made.parent or made)
                self._enter(names, "parse", (*chain, Place(made.module, node)), None, only_functions=True)

    def _makes_something(self, names: Names) -> bool:
        return is_dag_class(self.resolver, names) or any(words.OPERATOR.search(name) for name in names)

    def _follow_imports(self, scope: Scope, chain: Chain) -> None:
        for statement, target, _ in scope.imports:
            found = self.resolver.project.find(target, scope.module) if target else None
            if found and found[0] is not self.module:
                imported = readable_scope(found[0])
                if imported:
                    self._walk(imported, "parse", (*chain, Place(scope.module, statement)), None, imported=True)

    def _run_call(
        self, call: ast.Call, scope: Scope, names: Names, chain: Chain, task: Task | None, receiver: Scope | None
    ) -> None:
        own = receiver_of(self.resolver, call.func, scope, receiver)
        if own and own is receiver and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            names = self.resolver.attribute(f"{own.qualname}()", call.func.attr)
        self._enter(names, "run", chain, task, receiver=own)
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            if isinstance(argument, ast.Name | ast.Attribute):
                self._enter(self.resolver.names(argument, scope), "run", chain, task, only_functions=True)

    def _enter(
        self,
        names: Names,
        phase: Phase,
        chain: Chain,
        task: Task | None,
        *,
        only_functions: bool = False,
        receiver: Scope | None = None,
    ) -> None:
        for name in names:
            made = self.resolver.project.definitions.get(name)
            if made and made.kind == "class" and not only_functions:
                for method in ("__init__", "__post_init__", "__call__"):
                    found = self.resolver.attribute(f"{name}()", method)
                    self._enter(found, phase, chain, task, only_functions=True, receiver=made)
            elif (
                made and made.kind in ("function", "lambda") and (phase == "run" or is_transparent(self.resolver, made))
            ):
                self._walk(made, phase, chain, task, imported=False, receiver=inheriting(made, receiver))
                if phase == "run":
                    for node in made.decorators:
                        self._wrapped(self.resolver.names(node, made.parent or made), chain, task)

    def _wrapped(self, names: Names, chain: Chain, task: Task | None, depth: int = 3) -> None:
        """Enter what a decorator of the project puts in the place of a function: it runs when that is called."""
        for name in names:
            made = self.resolver.project.definitions.get(name)
            for value in made.returns if made and made.kind == "function" and depth else ():
                found = self.resolver.names(value, made) if made else ()
                self._enter(found, "run", chain, task, only_functions=True)
                self._wrapped(found, chain, task, depth - 1)

    def _parse_call(
        self, call: ast.Call, scope: Scope, names: Names, chain: Chain, further: Chain, *, imported: bool
    ) -> None:
        if is_dag_class(self.resolver, names):
            self.dags.append(self._dag(call, scope, chain))
            return
        if words.is_task_group(names):
            span = self._with(call, scope)
            if span:
                self.groups.append(Group(scope.module, span, keywords(call, scope, self.resolver)))
            return
        self._note_mapping(call, scope)
        if any(words.is_task_decorator((without_mapper(name),)) for name in names):
            self._called.append((call, scope))
        if words.is_task_decorator(names) and call.args:
            self._called_function(self.resolver.names(call.args[0], scope), call, scope, names, chain)
            return
        for name in dict.fromkeys(without_mapper(name) for name in names):
            made = self.resolver.project.definitions.get(name)
            decorator = task_decorator(self.resolver, made) if made else None
            if made and decorator is not None:
                self._task_of_function(made, decorator, call, scope, chain)
                return
            if is_operator(self.resolver, name, call):
                self._operator(name, call, scope, chain, further)
                return
            if made and words.is_dag_decorator(decorators(self.resolver, made)):
                self._dag_of_function(made, chain)
            if made and made.kind == "function" and made.decorators:
                self._group_of_function(made)
                if name not in names and words.is_group_decorator(decorators(self.resolver, made)):
                    self._enter((name,), "parse", further, None)  # .partial(…), .expand(…) and .expand_kwargs(…)
        self._enter(names, "parse", further, None)

    def _note_mapping(self, call: ast.Call, scope: Scope) -> None:
        """Remember which ``.partial(…)`` an ``.expand(…)`` belongs to."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("expand", "expand_kwargs"):
            for value in followed(Value(call.func.value, scope), self.resolver):
                self._mapped.setdefault(value.node, []).append((call, scope))

    def _called_function(self, functions: Names, call: ast.Call, scope: Scope, names: Names, chain: Chain) -> None:
        for name in functions:
            made = self.resolver.project.definitions.get(name)
            if made:
                arguments = decorator_arguments(call.func, scope, self.resolver)
                given = arguments.known.get("task_id")
                task_id = constant(given, self.resolver) if given else made.name
                shown = task_id if isinstance(task_id, str) else None
                self._add_task(Task(call, scope, names, shown, arguments, chain, function=made), [name])

    def _note_call(self, call: ast.Call, scope: Scope) -> None:
        """Let the task that ``task(function)`` made know that it is called."""
        function: ast.expr = call.func
        while (inner := mapped_on(function)) is not None:
            function = inner
        nodes = [value.node for value in followed(Value(function, scope), self.resolver)]
        for task in self.tasks:
            if task.node in nodes and task.function is not None:
                task.calls.append((call, scope))

    # Tasks

    def _task_of_function(self, made: Scope, decorator: ast.expr, call: ast.Call, scope: Scope, chain: Chain) -> None:
        known = next((task for task in self.tasks if task.function is made), None)
        if known:
            known.calls.append((call, scope))
            return
        home = made.parent or made
        arguments = decorator_arguments(decorator, home, self.resolver)
        given = arguments.known.get("task_id")
        task_id = constant(given, self.resolver) if given else made.name
        names = self.resolver.names(decorator, home)
        task = Task(
            decorator, home, names, task_id if isinstance(task_id, str) else None, arguments, chain, function=made
        )
        task.calls.append((call, scope))
        self._add_task(task, [made.qualname], Place(scope.module, call))

    def _asset(self, made: Scope, chain: Chain) -> None:
        home = made.parent or made
        for node in made.decorators:
            names = self.resolver.names(node, home)
            if made.kind == "function" and words.is_asset_decorator(names):
                given = decorator_arguments(node, home, self.resolver).known
                named = [constant(given[key], self.resolver) for key in ("dag_id", "name") if key in given]
                dag_id = next((name for name in named if isinstance(name, str)), None if named else made.name)
                span = (min(one.lineno for one in made.decorators), _span(made.node)[1])
                self.dags.append(Dag(node, home, dag_id, Arguments(given, True), chain, span, is_asset=True))
                below = task_decorator(self.resolver, made)
                arguments = decorator_arguments(below, home, self.resolver) if below else Arguments({}, False)
                names = self.resolver.names(below, home) if below else names
                task = Task(node, home, names, made.name, arguments, chain, function=made)
                self._add_task(task, [made.qualname])

    def _add_task(
        self, task: Task, functions: list[str], place: Place | None = None, receiver: Scope | None = None
    ) -> None:
        self.tasks.append(task)
        for name in functions:
            made = self.resolver.project.definitions.get(name)
            if made and made.kind in ("function", "lambda"):
                task.entries.append((made, (*task.chain, place or task.place)))
                inherited = inheriting(made, receiver)
                if inherited:
                    task.receivers[made] = inherited
                self._walk(made, "run", task.entries[-1][1], task, imported=False, receiver=inherited)

    def _operator(self, name: str, call: ast.Call, scope: Scope, chain: Chain, further: Chain) -> None:
        arguments = keywords(call, scope, self.resolver)
        given = arguments.known.get("task_id")
        task_id = constant(given, self.resolver) if given else None
        task = Task(call, scope, (name,), task_id if isinstance(task_id, str) else None, arguments, chain)
        task.calls.append((call, scope))
        callables = arguments.known.get("python_callable")
        functions = list(self.resolver.names(*callables)) if callables else []
        receiver = receiver_of(self.resolver, *callables) if callables else None
        if name.startswith("<"):
            receiver = self.resolver.project.definitions.get(name)
            for method in RUN_METHODS:
                functions += self.resolver.attribute(f"{name}()", method)
            self._enter(self.resolver.attribute(f"{name}()", "__init__"), "parse", further, None, only_functions=True)
        self._add_task(task, functions, receiver=receiver)

    # DAGs

    def _dag(self, call: ast.Call, scope: Scope, chain: Chain) -> Dag:
        arguments = keywords(call, scope, self.resolver)
        if any(name.startswith("<") for name in self.resolver.names(call.func, scope)):
            arguments = Arguments(arguments.known, True)  # its own class may give it anything
        given = Value(call.args[0], scope) if call.args else arguments.known.get("dag_id")
        dag_id = constant(given, self.resolver) if given else None
        return Dag(call, scope, dag_id if isinstance(dag_id, str) else None, arguments, chain, self._with(call, scope))

    def _with(self, call: ast.Call, scope: Scope) -> tuple[int, int] | None:
        for statement, inner in scope.body.withs:
            for item in statement.items:
                values = followed(Value(item.context_expr, inner), self.resolver)
                if any(value.node is call for value in values):
                    return _span(statement)
        return None

    def _dag_of_function(self, made: Scope, chain: Chain) -> None:
        home = made.parent or made
        for node in made.decorators:
            if words.is_dag_decorator(self.resolver.names(node, home)) and all(
                dag.node is not node for dag in self.dags
            ):
                arguments = decorator_arguments(node, home, self.resolver)
                given = arguments.known.get("dag_id")
                if isinstance(node, ast.Call) and node.args:
                    given = Value(node.args[0], home)
                dag_id = constant(given, self.resolver) if given else made.name
                shown = dag_id if isinstance(dag_id, str) else None
                self.dags.append(Dag(node, home, shown, arguments, chain, _span(made.node)))

    def _group_of_function(self, made: Scope) -> None:
        home = made.parent or made
        for node in made.decorators:
            if words.is_group_decorator(self.resolver.names(node, home)):
                self.groups.append(Group(made.module, _span(made.node), decorator_arguments(node, home, self.resolver)))

    def _dag_of(self, task: Task) -> Dag | None:
        if len(self.dags) == 1:
            return self.dags[0]
        given = task.arguments.known.get("dag")
        if given:
            nodes = [value.node for value in followed(given, self.resolver)]
            return next((dag for dag in self.dags if dag.node in nodes), None)
        call, scope = task.calls[0] if task.calls else (task.node, task.scope)
        line = call.lineno
        around = [dag for dag in self.dags if dag.scope.module is scope.module and _contains(dag.span, line)]
        return max(around, key=lambda dag: dag.span or (0, 0), default=None)


def _span(node: ast.AST) -> tuple[int, int]:
    return (getattr(node, "lineno", 1), getattr(node, "end_lineno", None) or 1)


def _contains(span: tuple[int, int] | None, line: int) -> bool:
    return span is not None and span[0] <= line <= span[1]
