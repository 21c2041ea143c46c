"""What each route asks of its caller, by the route's name; one that is not here lets nobody in.

`infer` is for the model that the path names. Lists show what the caller may use or read, and nothing else.
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
    _USE: "infer load unload predict explain",
    Need((INFER,), any_model=True): "invocations",
}
NEEDS = {name: need for need, names in _ROUTES.items() for name in names.split()}
