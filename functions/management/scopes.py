"""The scopes that each route requires, by the route's name. A route that is missing refuses everybody."""

from maas.access.caller import ANYBODY, BREACH, CAPTURES, INFER, JOBS, KEYS, READ, WRITE, Need

_ROUTES = {
    READ: "list_models get_model model_history list_versions get_version version_files list_aliases get_alias "
    "list_rollouts get_rollout model_metrics",
    WRITE: "create_model update_model delete_model restore_model create_version complete_version update_version "
    "delete_version restore_version put_alias delete_alias roll_back_alias start_rollout pause_rollout "
    "resume_rollout abort_rollout",
    JOBS: "list_jobs retry_job",
    CAPTURES: "list_captures",
    KEYS: "create_key list_keys get_key key_history rotate_key revoke_key",
}
NEEDS = {name: Need((scope,)) for scope, names in _ROUTES.items() for name in names.split()}
# A caller with scope `infer` may run asynchronous inferences: these routes check that the job is its own.
NEEDS |= dict.fromkeys(
    ("create_job", "get_job", "complete_job", "job_results", "cancel_job"), Need((JOBS, INFER), any_model=True)
)
NEEDS["breach_rollout"] = Need((BREACH, WRITE))
NEEDS |= dict.fromkeys(("openapi", "swagger_ui_html", "swagger_ui_redirect", "get_caller"), ANYBODY)
