"""The codec of metric names: MLflow's own validator takes every encoded name, and decoding gives the original."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name, _validate_param_name, _validate_tag_name

from harness.tracking.names import MAX_LENGTH, decode, encode

AWKWARD = st.text(st.sampled_from("ab0@,%[]:/. _-é\n"), max_size=30)


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("actor/pg_loss", "actor/pg_loss"),
        ("val-core/aime24/acc/mean@32", "val-core/aime24/acc/mean:at:32"),
        ("exact_match,none", "exact_match:comma:none"),
        ("50% [x]", "50:percent: :open:x:close:"),
        ("/a//b/", ":empty:/a/:empty:/b/:empty:"),
        ("..", ":dot:."),
        ("a/./b", "a/:dot:/b"),
        (":at:", ":colon:at:colon:"),
        ("β", ":x3b2:"),
        ("", ":empty:"),
    ],
)
def test_known_names(name: str, encoded: str) -> None:
    assert encode(name) == encoded
    assert decode(encoded) == name


@given(st.one_of(AWKWARD, st.text(max_size=30)))
@example(":empty:")
@example("@sha256@")
@example("a:x40:b")
@settings(max_examples=400, deadline=None)
def test_round_trip_through_mlflows_validator(name: str) -> None:
    encoded = encode(name)
    for validate in (_validate_metric_name, _validate_param_name, _validate_tag_name):
        validate(encoded)
    assert decode(encoded) == name


@given(st.text(st.sampled_from("a@/."), min_size=240, max_size=400))
@settings(max_examples=50, deadline=None)
def test_long_names_fit_and_stay_apart(name: str) -> None:
    encoded = encode(name)
    _validate_metric_name(encoded)
    assert len(encoded) <= MAX_LENGTH
    assert encode(name + "a") != encoded


def test_a_shortened_name_is_not_decoded_into_another() -> None:
    with pytest.raises(ValueError, match=r"metric_names\.json"):
        decode(encode("x" * 251))
