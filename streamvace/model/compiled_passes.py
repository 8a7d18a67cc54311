"""Passes of the networks through the compiler: one graph a pass, instead of two a block.

A pass is compiled in the warm-up, where its kind first occurs, and called whenever the kind occurs again. As with CUDA
graphs, everything but the latents and the timestep is at fixed addresses: weights, caches, `FixedBuffers`. The trace
makes an input of each such tensor, so a show neither checks nor compiles anything. Kinds that the warm-up does not meet
run eagerly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from streamvace.model.captured import Body, CapturedPasses, Kind, Mark, run_eagerly, unmarked
from streamvace.model.compiled import Backend
from streamvace.model.rope import rotation_for_compiler

log = logging.getLogger(__name__)

LIMIT = 0.05
"""Largest difference of a compiled pass from the eager one, relative to its mean magnitude. In bf16 a fused pass rounds
less often and differs by 0.01; a wrong one is off by more than a half."""


@dataclass(frozen=True)
class _Compiled:
    """A compiled pass, which is a Body. held: the tensors that it reads and writes beside latents and timestep."""

    graph: Callable[..., Sequence[Tensor]]
    held: tuple[Tensor, ...]

    def __call__(self, x: Tensor, t: Tensor, mark: Mark) -> Tensor:
        # Noise and noised latents lie differently in memory; the graph is made for one layout.
        return self.graph(x.contiguous(), t.contiguous(), *self.held)[0]


class CompiledPasses:
    """A RunPass that compiles. graphs: captures what it has compiled, on a CUDA card.

    fault: why no more passes are compiled; empty while all is well.
    """

    def __init__(self, graphs: CapturedPasses | None = None, backend: Backend = "inductor") -> None:
        self.fault = ""
        self._graphs, self._backend = graphs, backend
        self._made: dict[Hashable, _Compiled] = {}
        self._capturing = self._tried = False

    @property
    def capturing(self) -> bool:
        """See PreparedPasses."""
        return self._capturing

    @capturing.setter
    def capturing(self, value: bool) -> None:
        self._capturing = value
        if self._graphs is not None:
            self._graphs.capturing = value

    @property
    def about(self) -> dict[str, str]:
        """See PreparedPasses."""
        made = {"compile": f"step: {len(self._made)} passes compiled{self.fault and f'; {self.fault}'}"}
        return made | (self._graphs.about if self._graphs is not None else {})

    def __call__(self, kind: Kind, body: Body, x: Tensor, t: Tensor, mark: Mark) -> Tensor:
        """See RunPass."""
        key = (kind, x.shape, x.dtype)
        if kind is not None and self._capturing and not self.fault and key not in self._made:
            self._compile(key, body, x, t)
        return (self._graphs or run_eagerly)(kind, self._made.get(key, body), x, t, mark)

    def _compile(self, key: Hashable, body: Body, x: Tensor, t: Tensor) -> None:
        """Compile the pass, and keep it if it gives what the eager one gives."""
        try:
            if not self._tried:
                # A missing compiler shows in seconds here, and only after the whole pass is lowered there.
                self._tried = True
                compile_pass(_trial, x[:, :1], t, self._backend)(x[:, :1], t, unmarked)
            made = compile_pass(body, x, t, self._backend)
            ours, right = (each(x, t, unmarked).float() for each in (made, body))
        except Exception as error:  # noqa: BLE001 - a compiler raises anything; the show goes on, and the user sees why
            line = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
            self._give_up(f"a pass cannot be compiled and runs eagerly, which is slower: {line[:200]}")
            return
        difference = float((ours - right).abs().mean() / right.abs().mean())
        if difference < LIMIT:
            self._made[key] = made
        else:
            self._give_up(f"a compiled pass differs by {difference:.2g}, more than {LIMIT:g}, and runs eagerly")

    def _give_up(self, fault: str) -> None:
        self.fault = fault
        log.warning("--compile step: %s", fault)


def _trial(x: Tensor, t: Tensor, mark: Mark) -> Tensor:
    """The smallest pass."""
    return x + 1


def compile_pass(body: Body, x: Tensor, t: Tensor, backend: Backend) -> _Compiled:
    """Trace a pass on latents like `x` and timesteps like `t`, and compile it. Runs nothing.

    Raises what tracing and compiling raise, such as a pass whose operations depend on data.
    """
    # Here, not above: they load the whole compiler, which a start without it need not wait for.
    from torch._dynamo import lookup_backend
    from torch.fx.experimental.proxy_tensor import make_fx

    def traced(x: Tensor, t: Tensor) -> Tensor:
        return body(x, t, unmarked)

    x, t = x.contiguous(), t.contiguous()
    with rotation_for_compiler():
        graph = make_fx(traced, tracing_mode="fake", _allow_non_fake_inputs=True)(x, t)
    held = take_constants(graph)
    build: Callable[..., Any] = lookup_backend(backend) if isinstance(backend, str) else backend
    with torch.no_grad():
        return _Compiled(build(graph, [x, t, *held]), held)


def take_constants(graph: GraphModule) -> tuple[Tensor, ...]:
    """Make inputs of all tensors that a graph holds as constants, in place, and return them in the inputs' order.

    The graph's single result becomes a tuple of one, as compilers expect.
    """
    nodes = list(graph.graph.nodes)
    first = next(node for node in nodes if node.op != "placeholder")
    inputs: dict[str, Any] = {}
    held: list[Tensor] = []
    for node in nodes:
        if node.op == "get_attr":
            if node.target not in inputs:
                with graph.graph.inserting_before(first):
                    inputs[node.target] = graph.graph.placeholder(f"held_{len(held)}")
                inputs[node.target].meta.update(node.meta)
                held.append(getattr(graph, node.target))
            node.replace_all_uses_with(inputs[node.target])
            graph.graph.erase_node(node)
        elif node.op == "output":
            node.args = (node.args,)
    graph.recompile()
    return tuple(held)
