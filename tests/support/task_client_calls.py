"""Every call of the clients of OpenAI, Cohere, LangChain and LlamaIndex, for a Python that has them.

`python task_client_calls.py URL KEY` prints what came back as one line of JSON; test_task_clients.py has the
expectations. The server has the models `c-sentences` and `c-reranker`, each with the alias `live` and a quantised form.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import cohere
import openai
from langchain_cohere import CohereRerank
from langchain_core.documents import Document
from langchain_openai import OpenAIEmbeddings
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference
from llama_index.postprocessor.cohere_rerank import CohereRerank as LlamaCohere
from llama_index.postprocessor.jinaai_rerank import JinaRerank

TEXTS = ["The cat sat on the mat.", "Paris is the capital of France.", "dog"]
QUERY = "Where did the cat sit?"
SENTENCES, RERANKER, VARIANT = "c-sentences@live", "c-reranker@live", "dynamic-int8"


def of_openai(url: str, key: str) -> dict[str, Any]:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)

    def vectors(**options: Any) -> Any:
        return [one.embedding for one in client.embeddings.create(model=SENTENCES, **options).data]

    answer = client.embeddings.create(model=SENTENCES, input=TEXTS, user="u-1")
    return {
        "base64": [one.embedding for one in answer.data],
        "order": [one.index for one in answer.data],
        "model": answer.model,
        "tokens": answer.usage.prompt_tokens,
        "float": vectors(input=TEXTS, encoding_format="float"),
        "one": vectors(input=TEXTS[0]),
        "dimensions": vectors(input=TEXTS, dimensions=8),
        "by_number": vectors(input=TEXTS)
        == [one.embedding for one in client.embeddings.create(model="c-sentences@1", input=TEXTS).data],
        "listed": [one.id for one in client.models.list() if one.id.startswith("c-")],
        "variant": vectors(input=TEXTS, extra_body={"variant": VARIANT}),
        "no_variant": refusal(
            openai.APIStatusError,
            lambda: client.embeddings.create(model=SENTENCES, input="a", extra_body={"variant": "int4"}),
        ),
        "no_task": refusal(openai.APIStatusError, lambda: client.embeddings.create(model=RERANKER, input="a")),
        "model_of": client.models.retrieve(SENTENCES).id,
        "async": asyncio.run(_of_async_openai(url, key)),
        "absent": refusal(openai.APIStatusError, lambda: client.embeddings.create(model="absent", input="a")),
        "empty": refusal(openai.APIStatusError, lambda: client.embeddings.create(model=SENTENCES, input=[])),
        "long": refusal(openai.APIStatusError, lambda: client.embeddings.create(model=SENTENCES, input="cat " * 99)),
        "no_key": refusal(
            openai.APIStatusError,
            lambda: openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0).models.list(),
        ),
    }


async def _of_async_openai(url: str, key: str) -> list[list[float]]:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        answers = await asyncio.gather(*(client.embeddings.create(model=SENTENCES, input=one) for one in TEXTS))
    return [answer.data[0].embedding for answer in answers]


def of_cohere(url: str, key: str) -> dict[str, Any]:
    second, first = cohere.ClientV2(api_key=key, base_url=url), cohere.Client(api_key=key, base_url=url)
    asked: dict[str, Any] = {"model": RERANKER, "query": QUERY, "documents": TEXTS}
    returned = first.rerank(**asked, return_documents=True)
    return {
        "v2": [[one.index, one.relevance_score] for one in second.rerank(**asked).results],
        "top_n": [one.index for one in second.rerank(**asked, top_n=2).results],
        "v1": [[one.index, one.relevance_score] for one in returned.results],
        "documents": [one.document.text if one.document else None for one in returned.results],
        "variant": [
            [one.index, one.relevance_score]
            for one in second.rerank(
                **asked, request_options={"additional_body_parameters": {"variant": VARIANT}}
            ).results
        ],
        "no_task": refusal(cohere.core.ApiError, lambda: second.rerank(**asked | {"model": SENTENCES})),
        "absent": refusal(cohere.core.ApiError, lambda: second.rerank(**asked | {"model": "absent"})),
    }


def of_langchain(url: str, key: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"model": SENTENCES, "base_url": f"{url}/v1", "api_key": key, "max_retries": 0}
    embeddings = OpenAIEmbeddings(**asked, check_embedding_ctx_length=False)
    ranker = CohereRerank(model=RERANKER, cohere_api_key=key, base_url=url, top_n=2)
    ranked = ranker.compress_documents([Document(page_content=text) for text in TEXTS], QUERY)
    return {
        "documents": embeddings.embed_documents(TEXTS),
        "query": embeddings.embed_query(TEXTS[0]),
        "async": asyncio.run(embeddings.aembed_documents(TEXTS)),
        "ranked": [[one.page_content, one.metadata["relevance_score"]] for one in ranked],
    }


def of_llama_index(url: str, key: str) -> dict[str, Any]:
    openai_like = OpenAILikeEmbedding(model_name=SENTENCES, api_base=f"{url}/v1", api_key=key, max_retries=0)
    tei = TextEmbeddingsInference(model_name=SENTENCES, base_url=f"{url}/models/{SENTENCES}", auth_token=key)
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in TEXTS]
    jina = JinaRerank(model=RERANKER, base_url=f"{url}/v1", api_key=key, top_n=2)
    coheres = LlamaCohere(model=RERANKER, base_url=url, api_key=key, top_n=2)
    return {
        "texts": openai_like.get_text_embedding_batch(TEXTS),
        "query": openai_like.get_query_embedding(TEXTS[0]),
        "tei": tei.get_text_embedding_batch(TEXTS),
        "jina": [[one.text, one.score] for one in jina.postprocess_nodes(nodes, query_str=QUERY)],
        "cohere": [[one.text, one.score] for one in coheres.postprocess_nodes(nodes, query_str=QUERY)],
    }


def refusal(kind: Any, call: Callable[[], object]) -> list[Any]:
    """Status and body."""
    try:
        call()
    except kind as error:
        return [error.status_code, error.body]
    return [200, None]


def main(url: str, key: str) -> None:
    found = {one.__name__: one(url, key) for one in (of_openai, of_cohere, of_langchain, of_llama_index)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
