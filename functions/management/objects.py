"""The objects that the routes call, built once at cold start."""

from maas import bootstrap
from maas.settings import Settings
from page_tokens import PageTokens

settings = Settings.from_env()
registry = bootstrap.registry(settings)
keys = bootstrap.keys(settings)
bucket = bootstrap.bucket(settings)
prices = bootstrap.prices(settings)
page_tokens = PageTokens(lambda: registry.secret("page-tokens"))
purge = registry.purge(bucket.delete_prefix)

# A request has to end within API Gateway's 30 s. The schedule finishes longer purges.
PURGE_SECONDS = 20
