"""Requests generated from `docs/openapi.json`, good ones and bad ones: none may end in a 5xx."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CHECKS

from local.stack import Stack
from local.state import ROOT

schema = schemathesis.openapi.from_path(str(ROOT / "docs" / "openapi.json"))
# What the document promises about answers. Left out: checks on requests that the gateway answers before us.
PROMISES = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_generated_request_ends_in_a_5xx_or_an_undocumented_answer(case: Case[Any], stack: Stack) -> None:
    case.call_and_validate(
        base_url=stack.api_url,
        headers={"Authorization": f"Bearer {stack.api_key}"},
        checks=PROMISES,  # type: ignore[arg-type]  # its own registry gives a wider type than its own method takes
    )
