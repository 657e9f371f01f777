"""Tests are found by name: a module has a test file with its name, or is listed here with the file that covers it."""

from pathlib import Path

import fastmlp

PACKAGE, TESTS = Path(fastmlp.__file__).parent, Path(__file__).parent
COVERED = {
    "__main__.py": "cli/test_main.py",
    "ahead.py": "compilation/test_prebuilt.py",
    "batchnorm.py": "inputs/test_checks.py",
    "cli/data.py": "cli/test_train.py",
    "cli/experiments.py": "experiments/test_commands.py",
    "cli/machine.py": "cli/test_info.py",
    "cli/options.py": "cli/test_train.py",
    "cli/output.py": "cli/test_main.py",
    "cli/standardize.py": "cli/test_train.py",
    "cli/sweep.py": "experiments/test_commands.py",
    "compilation/jit.py": "compilation/test_pipeline.py",
    "compilation/levels.py": "compilation/test_prebuilt.py",
    "dask/base.py": "dask/test_classifier.py",
    "dask/blocks.py": "dask/test_partitions.py",
    "dask/crews.py": "dask/test_supervision.py",
    "dask/members.py": "dask/test_homes.py",
    "dask/predicting.py": "dask/test_classifier.py",
    "dask/rounds.py": "dask/test_local_sgd.py",
    "datasets/labels.py": "datasets/test_tables.py",
    "datasets/streams.py": "datasets/test_idx.py",
    "engine/batch.py": "engine/test_step.py",
    "engine/chunks.py": "test_mlp.py",
    "engine/copies.py": "engine/test_precision.py",
    "engine/epoch.py": "engine/test_step.py",
    "engine/inference.py": "test_mlp.py",
    "engine/products.py": "engine/test_precision.py",
    "engine/rows.py": "engine/test_step.py",
    "engine/settings.py": "engine/test_step.py",
    "engine/workspace.py": "engine/test_memory.py",
    "examples/digits.py": "test_examples.py",
    "examples/regression.py": "test_examples.py",
    "examples/search.py": "test_examples.py",
    "examples/table.py": "test_examples.py",
    "course.py": "test_checkpoints.py",
    "engine/crew.py": "test_many.py",
    "engine/moments.py": "test_continue.py",
    "exchange/assembly.py": "exchange/test_from_pytorch.py",
    "exchange/methods.py": "exchange/test_missing_packages.py",
    "experiments/folder.py": "experiments/test_outputs.py",
    "experiments/page.py": "experiments/test_outputs.py",
    "inputs/moments.py": "dask/test_scores.py",
    "inputs/samples.py": "inputs/test_checks.py",
    "inputs/splitting.py": "test_train.py",
    "inputs/streamed.py": "test_start.py",
    "kernels/batchnorm.py": "kernels/test_relu_batchnorm.py",
    "kernels/elements.py": "kernels/test_update.py",
    "kernels/panels.py": "kernels/test_linear.py",
    "kernels/relu.py": "kernels/test_relu_batchnorm.py",
    "kernels/targets.py": "kernels/test_losses.py",
    "kernels/tiles.py": "engine/test_plan.py",
    "loop.py": "test_train.py",
    "losses.py": "kernels/test_losses.py",
    "network/architecture.py": "test_mlp.py",
    "network/drawing.py": "test_init.py",
    "network/folding.py": "test_mlp.py",
    "network/parameters.py": "test_mlp.py",
    "network/parts.py": "test_mlp.py",
    "optimizers.py": "engine/test_rules.py",
    "passes.py": "streaming/test_epochs.py",
    "prebuild.py": "compilation/test_prebuilt.py",
    "simd/ir.py": "simd/test_vector.py",
    "simd/kinds.py": "simd/test_vector.py",
    "simd/pointer.py": "simd/test_vector.py",
    "simd/tile.py": "simd/test_gemm.py",
    "prepared.py": "test_train.py",
    "sklearn/base.py": "sklearn/test_estimator_checks.py",
    "sklearn/classifier.py": "sklearn/test_parity.py",
    "sklearn/constraints.py": "sklearn/test_bad_input.py",
    "sklearn/dataset.py": "sklearn/test_options.py",
    "sklearn/epochs.py": "sklearn/test_parity.py",
    "sklearn/improvement.py": "sklearn/test_parity.py",
    "sklearn/lbfgs.py": "sklearn/test_parity.py",
    "sklearn/network.py": "sklearn/test_parity.py",
    "sklearn/regressor.py": "sklearn/test_parity.py",
    "sklearn/solvers.py": "sklearn/test_parity.py",
    "sklearn/tabular/base.py": "sklearn/tabular/test_estimator_checks.py",
    "sklearn/tabular/classifier.py": "sklearn/tabular/test_estimator_checks.py",
    "sklearn/tabular/constraints.py": "sklearn/tabular/test_estimator_checks.py",
    "sklearn/tabular/recipe.py": "sklearn/tabular/test_estimator_checks.py",
    "sklearn/tabular/regressor.py": "sklearn/tabular/test_estimator_checks.py",
    "sklearn/update_rule.py": "sklearn/test_parity.py",
    "sklearn/workers.py": "sklearn/test_ecosystem.py",
    "streaming/arrays.py": "streaming/test_files.py",
    "streaming/classes.py": "streaming/test_summary.py",
    "streaming/columns.py": "streaming/test_files.py",
    "streaming/filling.py": "streaming/test_files.py",
    "streaming/fragments.py": "streaming/test_files.py",
    "streaming/methods.py": "streaming/test_prediction.py",
    "streaming/opening.py": "streaming/test_files.py",
    "streaming/rows.py": "streaming/test_epochs.py",
    "streaming/sources.py": "streaming/test_files.py",
    "streaming/splitting.py": "streaming/test_epochs.py",
    "streaming/stream.py": "streaming/test_epochs.py",
    "system/cores.py": "engine/test_team.py",
    "system/extras.py": "exchange/test_missing_packages.py",
    "tables/column.py": "tables/test_frames.py",
    "tables/levels.py": "tables/test_encoder.py",
    "tables/numbers.py": "tables/test_encoder.py",
    "system/version.py": "test_packaging.py",
    "system/warning.py": "sklearn/test_bad_input.py",
}  # fmt: skip


def _modules():
    """All modules except those of the guide's pages, which tests/test_guide.py tests."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE)
        if path.name != "__init__.py" and module.parts[0] != "guide":
            yield module.as_posix(), TESTS / module.parent / f"test_{module.stem}.py"


def test_every_module_is_covered_by_a_file_that_is_there():
    without = {module for module, own in _modules() if not own.exists()}
    assert sorted(without - set(COVERED)) == [], "modules without a test file of their name and without a line here"
    assert sorted(set(COVERED) - without) == [], "lines for modules that are gone or have their own file"
    assert [file for file in COVERED.values() if not (TESTS / file).exists()] == []
