"""The scopes that each route needs, by the route's name. A route without an entry refuses every caller.

A scope `infer` must cover the model in the path. Lists show only models that the caller may use or read.
"""

from maas.access.caller import ANYBODY, INFER, OPEN, READ, Need

_ABOUT = Need((INFER, READ))
_USE = Need((INFER,))
_LIST = Need((INFER, READ), any_model=True)
_ROUTES = {
    OPEN: "live ready alive ping",
    ANYBODY: "server_metadata openapi swagger_ui_html swagger_ui_redirect refuse",
    _LIST: "models repository_index statistics v1_models",
    _ABOUT: "model_metadata model_ready model_config model_statistics status",
    _USE: "infer load unload predict explain profile tei_embed tei_rerank tei_predict tei_tokenize",
    Need((INFER,), any_model=True): "invocations embeddings rerank_v1 rerank_v2",
}
NEEDS = {name: need for need, names in _ROUTES.items() for name in names.split()}
