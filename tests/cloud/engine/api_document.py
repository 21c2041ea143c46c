"""An HTTP API is made from its OpenAPI document: MiniStack takes routes as resources of their own only.

AWS imports `Body` and its extensions:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

_VERBS = {"get", "put", "post", "delete", "patch", "head", "options"}
_ANY = "x-amazon-apigateway-any-method"


def mend() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handlers["create"], handlers["update"]

    def create_with_body(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = create(logical_id, properties, stack)
        _import(made[0], properties.get("Body"))
        return made

    def update_with_body(api_id: str, old: Any, new: dict[str, Any], stack: str, logical_id: str | None = None) -> Any:
        made = update(api_id, old, new, stack, logical_id)
        if new.get("Body") != old.get("Body"):
            _import(made[0], new.get("Body"))
        return made

    handlers |= {"create": create_with_body, "update": update_with_body}


def _import(api_id: str, document: dict[str, Any] | None) -> None:
    """Replaces routes, integrations and authorizers; a request meets either the old ones or the new ones."""
    if not document:
        return
    draft = f"{api_id}-draft"
    apigateway._apis[draft] = apigateway._apis[api_id]
    parts = (apigateway._authorizers, apigateway._integrations, apigateway._routes)
    try:
        for part in parts:
            part[draft] = {}
        _add_routes(draft, document, dict(_schemes(draft, document)))
        for part in parts:
            part[api_id] = part[draft]
    finally:
        for part in (apigateway._apis, *parts):
            part.pop(draft, None)
    api = apigateway._apis[api_id]
    api["name"] = document.get("info", {}).get("title", "")
    if cors := document.get("x-amazon-apigateway-cors"):
        api["corsConfiguration"] = cors


def _schemes(api_id: str, document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The authorization that a route with a scheme of this name has."""
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        authorizer = scheme.get("x-amazon-apigateway-authorizer")
        if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
            yield name, {"authorizationType": "AWS_IAM"}
        elif authorizer:
            kind = {"request": "REQUEST", "jwt": "JWT"}[authorizer["type"]]
            answer = _made(apigateway._create_authorizer, api_id, _authorizer(name, kind, authorizer))
            authorization = "CUSTOM" if kind == "REQUEST" else kind
            yield name, {"authorizationType": authorization, "authorizerId": answer["authorizerId"]}


def _authorizer(name: str, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    sources = given.get("identitySource", "")
    jwt = given.get("jwtConfiguration", {})
    return {
        "name": name,
        "authorizerType": kind,
        "identitySource": [one.strip() for one in sources.split(",") if one],
        "authorizerUri": given.get("authorizerUri", ""),
        "authorizerPayloadFormatVersion": given.get("authorizerPayloadFormatVersion", "2.0"),
        "authorizerResultTtlInSeconds": int(given.get("authorizerResultTtlInSeconds", 300)),
        "enableSimpleResponses": given.get("enableSimpleResponses", False),
        "jwtConfiguration": {"Issuer": jwt.get("issuer"), "Audience": jwt.get("audience"), **jwt},
    }


def _add_routes(api_id: str, document: dict[str, Any], schemes: dict[str, dict[str, Any]]) -> None:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            if verb not in _VERBS and verb != _ANY:
                continue
            route = f"{'ANY' if verb == _ANY else verb.upper()} {path}"
            integration = operation.get("x-amazon-apigateway-integration")
            if integration is None:  # AWS refuses it as well
                raise ValueError(f"AWS::ApiGatewayV2::Api: no integration defined for {route}")
            target = _made(apigateway._create_integration, api_id, _integration(integration))["integrationId"]
            data = {"routeKey": route, "target": f"integrations/{target}"}
            for requirement in operation.get("security", document.get("security", [])):
                for name, scopes in requirement.items():
                    data |= schemes[name] | ({"authorizationScopes": scopes} if scopes else {})
            _made(apigateway._create_route, api_id, data)


def _integration(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "integrationType": given["type"].upper(),
        "integrationUri": given["uri"],
        "integrationMethod": given.get("httpMethod", "POST"),
        "payloadFormatVersion": given.get("payloadFormatVersion", "1.0"),
    }


def _made(create: Callable[..., Any], api_id: str, data: dict[str, Any]) -> dict[str, Any]:
    status, _, answer = create(api_id, data)
    if status != 201:
        raise ValueError(f"AWS::ApiGatewayV2::Api: {answer!r} for {data}")
    return json.loads(answer)
