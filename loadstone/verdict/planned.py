"""What a result says of its plan."""

from __future__ import annotations

from loadstone.record.plan import Plan
from loadstone.record.result import ExperimentInfo, VariantInfo


def experiment_of(plan: Plan) -> ExperimentInfo:
    """Return what was planned."""
    return ExperimentInfo(
        title=plan.title,
        scenario=plan.scenario,
        size=plan.size,
        state=plan.state,
        users=plan.users,
        lanes=list(plan.lanes),
        margin=plan.margin,
        alpha=plan.alpha,
        budget_s=plan.budget_s,
        max_generations=plan.max_generations,
        looks=plan.looks,
        generation_s=plan.generation_s,
        stopping=plan.stopping,
    )


def variants_of(plan: Plan) -> list[VariantInfo]:
    """Return the variants that were planned, *before* first."""
    return [
        VariantInfo(
            name=variant.name,
            label=variant.label,
            toggles=variant.toggles,
            recipe=variant.recipe,
            provenance=variant.provenance,
            control=variant.control,
        )
        for variant in plan.variants
    ]
