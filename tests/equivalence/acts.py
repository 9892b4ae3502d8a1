"""What a step that is no event does: to the model, and to the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.equivalence import steps as make
from tests.model.reaper import next_instant

if TYPE_CHECKING:
    from tests.equivalence.runner import Player

__all__ = ["Acts", "acts", "pick"]

Acts = tuple[Callable[[], object], Callable[[], object]]
_NOTHING: Acts = (lambda: None, lambda: None)
_A_LITTLE = 0.25


def pick(items: Any, number: int) -> Any:
    """The item a loose number means."""
    return items[number % len(items)]


def acts(player: Player, step: make.Step) -> Acts:
    """The two sides of a step. They answer nothing, or what must be equal."""
    for way in (_launching, _by_hand, _plain_sql, _defining, _time):
        found = way(player, step)
        if found is not None:
            return found
    return _NOTHING


def _launching(player: Player, step: make.Step) -> Acts | None:
    model, side = player.model, player.side
    graphs = list(player.shape.graphs)
    match step:
        case make.Launch():
            graph = pick(graphs, step.graph)
            return (
                _quietly(lambda: model.launch_graph(graph, step.key)),
                _quietly(lambda: side.call("launch_graph", graph=graph, run_key=step.key)),
            )
        case make.LaunchTasks():
            graph = pick(graphs, step.graph)
            names = sorted(model.catalog.graphs[graph].version.tasks)
            tasks = sorted({pick(names, each) for each in step.tasks}) if names else ["a"]
            return (
                _quietly(lambda: model.launch_tasks(graph, tasks, step.key)),
                _quietly(lambda: side.call("launch_tasks", graph=graph, tasks=tasks, run_key=step.key)),
            )
        case make.LaunchChain() if model.catalog.chains:
            chain = pick(sorted(model.catalog.chains), step.chain)
            return (
                _quietly(lambda: model.launch_chain(chain, step.key)),
                _quietly(lambda: side.call("launch_chain", chain_id=side.chain(chain), run_key=step.key)),
            )
    return None


def _by_hand(player: Player, step: make.Step) -> Acts | None:
    model, side, world = player.model, player.side, player.model.world
    match step:
        case make.Rerun() if world.graph_runs:
            run = pick(world.graph_runs, step.graph_run)
            tasks = sorted({pick(sorted(run.version.tasks), each) for each in step.tasks}) or None
            theirs = player.graph_run_ids()[run.id]
            return (
                _quietly(lambda: model.rerun(run.id, tasks)),
                _quietly(lambda: side.call("rerun", graph_run_id=theirs, from_tasks=tasks)),
            )
        case make.Mark():
            found = [
                each
                for each in world.task_runs
                if each.ended == step.ended and not (step.ended and each.status == "SUCCESS")
            ]
            if not found:
                return None
            ours = pick(found, step.pick).id
            return (
                _quietly(lambda: model.mark(ours, step.status)),
                _quietly(lambda: side.call("mark_task_run", id=player.ids()[ours], status=step.status)),
            )
        case make.CancelTask() if world.task_runs:
            ours = pick(world.task_runs, step.pick).id
            return (
                lambda: model.cancel_task_run(ours),
                _quietly(lambda: side.call("cancel_task_run", id=player.ids()[ours])),
            )
        case make.Pause():
            graph = pick(list(player.shape.graphs), step.graph)
            return lambda: model.pause(graph), _quietly(lambda: side.call("pause_graph", graph=graph))
        case make.Resume():
            graph = pick(list(player.shape.graphs), step.graph)
            return (
                lambda: model.resume(graph, skip=step.skip),
                _quietly(lambda: side.call("resume_graph", graph=graph, skip=step.skip)),
            )
        case make.Replay() if model.dead_letters:
            number = step.pick % len(model.dead_letters)
            letter = side.dead_letters()[number]
            return (
                _quietly(lambda: model.replay(number)),
                _quietly(lambda: side.call("replay", dead_letter_id=letter)),
            )
    return None


def _plain_sql(player: Player, step: make.Step) -> Acts | None:
    model, side, world = player.model, player.side, player.model.world
    match step:
        case make.Insert():
            task = pick(player.shape.tasks, step.task).name
            values = (task, step.status, step.key, step.external_id)
            return _quietly(lambda: model.insert_task_run(*values)), lambda: side.insert(*values)
        case make.Update() if world.task_runs:
            statuses = {pick(world.task_runs, number).id: status for number, status in step.changes}
            theirs = {player.ids()[run]: status for run, status in statuses.items()}
            return lambda: model.update_task_runs(statuses), lambda: side.update(theirs)
        case make.Cancel() if world.graph_runs:
            run = pick(world.graph_runs, step.graph_run).id
            return lambda: model.cancel_graph_run(run), lambda: side.cancel(player.graph_run_ids()[run])
        case make.Fill() if world.graph_runs and world.task_runs:
            run = pick(world.graph_runs, step.graph_run).id
            filler = pick(world.task_runs, step.task_run).id
            return (
                lambda: model.fill_place(run, filler),
                lambda: side.fill(player.graph_run_ids()[run], player.ids()[filler]),
            )
    return None


def _defining(player: Player, step: make.Step) -> Acts | None:
    model, side = player.model, player.side
    graphs = model.catalog.graphs
    match step:
        case make.Edit():
            names = [task.name for task in player.shape.tasks]
            chain = (pick(names, step.before), pick(names, step.after))
            owner = next((name for name, graph in graphs.items() if chain in graph.version.chains), None)
            change: dict[str, Any] = {"name": pick(list(graphs), step.graph), "add": [chain]}
            if owner is not None:
                change = {"name": owner, "remove": [chain]}
            return lambda: model.catalog.edit(**change), lambda: side.edit(**change)
        case make.Policy():
            name = pick(list(graphs), step.graph)
            return lambda: model.set_policy(name, step.policy), lambda: side.policy(name, step.policy)
        case make.Redefine():
            name = pick(player.shape.tasks, step.task).name
            times: dict[str, Any] = {
                "max_attempts": step.max_attempts,
                "timeout": step.timeout,
                "ack_timeout": step.ack_timeout,
            }
            return lambda: model.redefine(name, **times), lambda: side.redefine(name, **times)
        case make.Archive():
            graph = pick(list(graphs.values()), step.graph)
            archived = not graph.archived
            return lambda: setattr(graph, "archived", archived), lambda: side.archive(graph.name, archived)
    return None


def _time(player: Player, step: make.Step) -> Acts | None:
    """Time passes from one due instant to the next, and the reaper looks at each."""
    if isinstance(step, make.Deliver):
        return player.model.deliver, player.side.deliver
    if not isinstance(step, make.Wait):
        return None
    world, seconds = player.model.world, step.seconds
    instants = []

    def ours() -> None:
        following = next_instant(world)
        end = world.now + seconds if seconds is not None else max(following or 0, world.now) + _A_LITTLE
        while (following := next_instant(world)) is not None and following + _A_LITTLE < end:
            world.now = max(world.now, following) + _A_LITTLE
            instants.append(world.now)
            player.model.reap()
        world.now = end
        instants.append(end)
        player.model.reap()

    def theirs() -> None:
        for instant in instants:
            player.side.clock(instant)
            while str(player.side.call("reap_stale_runs")).startswith("(more"):
                pass

    return ours, theirs


def _quietly(act: Callable[[], object]) -> Callable[[], None]:
    """Ids differ between the sides: what was made shows in the states."""

    def quiet() -> None:
        act()

    return quiet
