"""The tasks by name."""

TEXT_TASKS = (
    "embeddings",
    "rerank",
    "text-classification",
    "token-classification",
    "zero-shot-classification",
    "fill-mask",
)
IMAGE_TASKS = ("image-classification", "image-embeddings")
NO_TASK = "none"  # what a push names to serve the graph as it is
TASKS = TEXT_TASKS + IMAGE_TASKS
