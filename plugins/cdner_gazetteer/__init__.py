"""The floor of a board: a dictionary of the mentions in the target's train split."""

from cdner_bench import Spec, hookimpl


@hookimpl
def register_methods() -> list[Spec]:
    """The dictionary, `gazetteer`. It costs nothing, so every preset is the same: it stands on every board."""
    return [
        Spec(
            "gazetteer",
            "cdner_gazetteer.method:GazetteerMethod",
            "a dictionary of the target's train mentions, the longest first: the floor that a method must pass",
            given=("target labels", ("source labels", "sources", (True,))),
            presets={"paper": {}, "cpu": {}, "quick": {}},
            revision=1,
        )
    ]
