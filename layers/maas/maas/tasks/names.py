"""The tasks by name."""

TEXT_EMBEDDINGS, RERANK, TEXT_CLASSIFICATION = "embeddings", "rerank", "text-classification"
ZERO_SHOT = "zero-shot-classification"
IMAGE_CLASSIFICATION, IMAGE_EMBEDDINGS = "image-classification", "image-embeddings"
TEXT_TASKS = (
    TEXT_EMBEDDINGS,
    RERANK,
    TEXT_CLASSIFICATION,
    "token-classification",
    ZERO_SHOT,
    "fill-mask",
)
IMAGE_TASKS = (IMAGE_CLASSIFICATION, IMAGE_EMBEDDINGS)
NO_TASK = "none"  # what a push names to serve the graph as it is
TASKS = TEXT_TASKS + IMAGE_TASKS
