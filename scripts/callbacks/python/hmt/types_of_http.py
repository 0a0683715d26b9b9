"""The types of the package `http_types`, used if the package is not installed."""

from dataclasses import dataclass, field
from typing import Any, Optional

__all__ = ["HttpExchange", "Request", "Response"]


@dataclass
class Request:
    """A request."""

    method: str = "get"
    headers: dict = field(default_factory=dict)
    query: dict = field(default_factory=dict)
    host: str = ""
    path: str = "/"
    pathname: str = "/"
    protocol: str = "http"
    bodyAsJson: Optional[Any] = None
    timestamp: Optional[Any] = None
    body: Optional[str] = None


@dataclass
class Response:
    """A response with a body, as text or as JSON."""

    body: Optional[str] = None
    statusCode: int = 200
    headers: dict = field(default_factory=dict)
    timestamp: Optional[Any] = None
    bodyAsJson: Optional[Any] = None


@dataclass
class HttpExchange:
    """A request and its response."""

    request: Request
    response: Response
    meta: Optional[Any] = None
