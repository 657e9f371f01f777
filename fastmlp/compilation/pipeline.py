"""How Numba turns functions into machine code here: once, with all that they call.

Numba optimises every function and makes machine code of it. Then it takes the function's LLVM code into each caller,
where both are done again: five times for a product that is five calls below `fastmlp.engine.step.train_steps`. A `Body`
is called by compiled code only, so this happens in an `Entry` alone. It saves a third of the time of a first training,
and more than half of the time of a public kernel, whose ``prange`` becomes three more libraries.

A body goes through fewer of Numba's own passes (`_body_passes`), and LLVM does not optimise it before it is linked.
"""

import copy
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite.binding import Linkage
from numba.core import typed_passes, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import PassManager
from numba.core.environment import lookup_environment

# A full garbage collection looks at all of Numba's objects and frees few of them. Without it, the first training takes
# 5 % and the first fit of an estimator 8 % less time, with 3 % more memory.
_THRESHOLDS = 20_000, 50, 1_000


@contextmanager
def _no_full_collections() -> Iterator[None]:
    before = gc.get_threshold()
    if before[0] != 0:
        gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _add_with_callees(library: JITCodeLibrary, found: dict[JITCodeLibrary, None]) -> None:
    """Add a library to those found, unless it is among them, behind all bodies that it calls."""
    if library not in found:
        for callee in library._linking_libraries if isinstance(library, _BodyLibrary) else []:
            _add_with_callees(callee, found)
        found[library] = None


def _link(module: Any, libraries: list[JITCodeLibrary]) -> None:
    """Add the code of libraries to a module, and that of all bodies that they call, each once.

    Callers come before what they call: LLVM leaves out a body that nothing calls yet.
    """
    found: dict[JITCodeLibrary, None] = {}
    for library in libraries:
        _add_with_callees(library, found)
    for library in reversed(found):
        code = library.own_module() if isinstance(library, _BodyLibrary) else library._get_module_for_linking()
        module.link_in(code, preserve=True)


class _BodyLibrary(JITCodeLibrary):
    """LLVM code to be linked into that of callers; there is no machine code of its own, and none of what it calls."""

    def finalize(self) -> None:
        """Take no code of callees: who links the body links them, too, each once."""
        for library in self._linking_libraries:
            self._reload_init.update(library._reload_init)
        self._finalize_final_module()

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout  # all that LLVM does is done in the entry

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def own_module(self) -> Any:
        """Return the code of the body alone, to be linked; it may come from several libraries, and go unused."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.external:
                function.linkage = Linkage.linkonce_odr
        return self._final_module

    def _get_module_for_linking(self) -> Any:
        """Return the code of the body and of its callees, for libraries of Numba's own, such as those of ``prange``."""
        whole = self.own_module().clone()
        _link(whole, self._linking_libraries)
        return whole

    def get_pointer_to_function(self, name: str) -> int:
        """Say that Python cannot call the function."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """What Numba tells the function's environment."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing: the variable exists only in callers, where `_EntryLibrary` sets it."""


class _EntryLibrary(JITCodeLibrary):
    """Machine code of a function and of all bodies that it calls."""

    def finalize(self) -> None:
        """Link what the function calls, optimise the whole and make machine code of it."""
        for library in self._linking_libraries:
            self._reload_init.update(library._reload_init)
        _link(self._final_module, self._linking_libraries)
        self._linking_libraries.clear()
        super().finalize()

    def _optimize_final_module(self) -> None:
        # Numba runs a cheaper pass first, which finds more reference counts that cancel out; bodies have few of them
        manager, builder = self._codegen._module_pass_manager()
        manager.run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        super()._finalize_final_module()
        for variable in self._final_module.global_variables:
            environment = lookup_environment(variable.name)
            if environment is not None:  # what `print` needs
                self._codegen.set_env(variable.name, environment)


def _for_bodies(context: Any) -> Any:
    """Return Numba's target such that what a ``prange`` compiles, three libraries for each loop, are bodies.

    What Numba keeps for later compilations, also for those of functions that are not ours, stays out of it.
    """
    generator = copy.copy(context.codegen())
    generator._library_class = _BodyLibrary
    return context.subtarget(_internal_codegen=generator, cached_internal_func={})


def _body_passes() -> PassManager:
    """Return Numba's passes but for those of closures, contexts, loops over tuples and whole arrays."""
    manager = PassManager("body")
    for step in (
        untyped_passes.TranslateByteCode,
        untyped_passes.FixupArgs,
        untyped_passes.IRProcessing,
        untyped_passes.RewriteSemanticConstants,
        untyped_passes.DeadBranchPrune,
        untyped_passes.GenericRewrites,
        untyped_passes.RewriteDynamicRaises,
        untyped_passes.InlineInlinables,
        untyped_passes.DeadBranchPrune,
        untyped_passes.ReconstructSSA,
        untyped_passes.DeadBranchPrune,
        typed_passes.NopythonTypeInference,
        typed_passes.PreLowerStripPhis,
        typed_passes.InlineOverloads,
        typed_passes.IRLegalization,
        typed_passes.AnnotateTypes,
        typed_passes.NativeLowering,
        typed_passes.NoPythonBackend,
    ):
        manager.add_pass(step, step.__name__)
    manager.finalize()
    return manager


class Body(Compiler):
    """Compiles a function that only compiled code calls."""

    def define_pipelines(self) -> Any:
        """Choose its passes, and where its code goes."""
        self.state.library = _BodyLibrary(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return [_body_passes()]


class Entry(Compiler):
    """Compiles a function that Python calls, or that is called by its address."""

    def compile_extra(self, function: Any) -> Any:
        """Compile it, and the bodies that it calls."""
        with _no_full_collections():
            return super().compile_extra(function)

    def define_pipelines(self) -> Any:
        """Choose where its code goes."""
        self.state.library = _EntryLibrary(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        self.state.library.enable_object_caching()
        self.state.targetctx = _for_bodies(self.state.targetctx)
        return super().define_pipelines()
