"""The model that a topology asks for: its file, with the topology's own thresholds where it states any."""

import msgspec

from touchstone.errors import UsageError
from touchstone.matching.model import Model, default_model, from_json
from touchstone.topology.compile import Matching


def model_of(matching: Matching) -> Model:
    """The model that the topology names, or what is believed before anything was learnt; `accept` and `review` as the topology says.

    Where it states one of the two only, the model's other one gives way: nobody reviews what is accepted. The version stays the file's.

    Raises:
        UsageError: the file is no model, of another format, or was changed by hand.
    """
    model = default_model() if matching.model is None else from_json(matching.model, "the file of matching.model")
    accept, review = matching.accept, matching.review
    if accept is None:
        accept = model.accept if review is None else max(model.accept, review)
    if review is None:
        review = min(model.review, accept)
    if not 0 < review <= accept < 1:
        raise UsageError(f"expected matching.review at most matching.accept, both between 0 and 1, found {review:g} and {accept:g}")
    return msgspec.structs.replace(model, accept=accept, review=review)
