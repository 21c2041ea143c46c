"""Tasks as the clients of others call them: OpenAI's embeddings, Cohere's rerank, text-embeddings-inference.

Each function takes a request's body and gives the body of its answer.
"""
