"""HTTP /v2: `infer` here, without a web framework; every other route in oip_app, imported when first asked for."""

from typing import Any

from maas import bootstrap, http
from maas.settings import Settings

dataplane = bootstrap.dataplane(Settings.from_env())


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    request = http.request_of(event)
    infer = http.INFER.fullmatch(request.path)
    if not infer or request.method != "POST":
        return _web(event, context)
    try:
        return http.answer(200, dataplane.infer(infer[1], infer[2], request.body))
    except Exception as error:
        return http.error_answer(error)


def _web(event: dict[str, Any], context: Any) -> dict[str, Any]:
    import oip_app

    answer: dict[str, Any] = oip_app.handler(dataplane)(event, context)
    return answer
