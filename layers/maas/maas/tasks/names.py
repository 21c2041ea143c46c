"""The tasks by name."""

TEXT_EMBEDDINGS, RERANK, TEXT_CLASSIFICATION = "embeddings", "rerank", "text-classification"
TOKEN_CLASSIFICATION, ZERO_SHOT = "token-classification", "zero-shot-classification"
FILL_MASK = "fill-mask"
IMAGE_CLASSIFICATION, IMAGE_EMBEDDINGS = "image-classification", "image-embeddings"
TEXT_TASKS = (TEXT_EMBEDDINGS, RERANK, TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION, ZERO_SHOT, FILL_MASK)
IMAGE_TASKS = (IMAGE_CLASSIFICATION, IMAGE_EMBEDDINGS)
NO_TASK = "none"  # what a push names to serve the graph as it is
TASKS = TEXT_TASKS + IMAGE_TASKS
