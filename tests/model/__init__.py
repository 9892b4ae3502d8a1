"""The graph semantics of SPEC 4 in plain Python: what the database must do, written without looking at how it does it.

One `Engine` holds one world and takes one event or statement at a time. Nothing here is fast, stored or concurrent.
Where SPEC leaves a choice, READINGS.md names the one taken; "reading 12" in a comment is its number there.

| module | SPEC |
|---|---|
| `definitions` | 1, 2: services, tasks, graphs, versions |
| `event` | 3: the form of an event |
| `state` | 2: task runs, graph runs, outcomes, and look-ups over them |
| `matching` | 4.1.1–4.1.5: which execution an event belongs to |
| `flow` | 4.2: what starts, what is skipped, when a run ends; attempts |
| `placing` | 4.1.6, 4.3: joining, opening, taking over |
| `ends` | what follows from an end; late successes, corrections, marks of what has ended |
| `by_hand` | 4.4: launches, reruns, marks, cancels, pauses |
| `statements` | 4.9: plain SQL |
| `reaper` | 4.6: what time brings |
| `engine` | the operations, each atomic |
| `snapshot` | a state that can be compared with another one's |
"""

from __future__ import annotations
