"""A bundle behind HTTP: the Open Inference Protocol v2, and a page to try it on."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from surefoot import __version__
from surefoot.data import preprocess
from surefoot.exporting.answers import describe_answers
from surefoot.exporting.predictor import Predictor
from surefoot.serving.guard import LOOPBACK, HostGuard, is_loopback, read_body
from surefoot.serving.page import POLICY, make_nonce, render_page
from surefoot.serving.protocol import MAX_ROWS, RequestError, describe_model, describe_server, read_picture, read_request, write_response
from surefoot.types.errors import SurefootError


def make_app(predictor: Predictor, host: str = "127.0.0.1") -> FastAPI:
    """The application.

    Args:
        predictor: a loaded bundle.
        host: the address it will be bound to; on a loopback address only requests to this machine's own names are answered.
    """
    app = FastAPI(title="surefoot", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    service = _Service(predictor)
    app.add_api_route("/", service.show_page, methods=["GET"])
    app.add_api_route("/predict", service.predict, methods=["POST"])
    app.add_api_route("/v2", service.describe_server, methods=["GET"])
    app.add_api_route("/v2/health/live", service.tell_live, methods=["GET"])
    app.add_api_route("/v2/health/ready", service.tell_ready, methods=["GET"])
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        app.add_api_route(path, service.describe_model, methods=["GET"])
        app.add_api_route(f"{path}/ready", service.tell_model_ready, methods=["GET"])
        app.add_api_route(f"{path}/infer", service.infer, methods=["POST"])
    app.add_exception_handler(RequestError, _answer_request_error)
    app.add_exception_handler(SurefootError, _answer_known_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_unknown_error)
    if is_loopback(host):
        app.add_middleware(HostGuard, hosts=LOOPBACK | {host})
    return app


class _Service:
    """The endpoints; each answers about the one model."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.metadata = describe_model(predictor)

    async def show_page(self) -> Response:
        nonce = make_nonce()
        return HTMLResponse(
            render_page(self.predictor, nonce), headers={"Content-Security-Policy": POLICY.format(nonce=nonce), "X-Content-Type-Options": "nosniff"}
        )

    async def tell_live(self) -> Response:
        return JSONResponse({"live": True})

    async def tell_ready(self) -> Response:
        return JSONResponse({"ready": True})

    async def describe_server(self) -> Response:
        return JSONResponse(describe_server(__version__))

    async def describe_model(self, request: Request) -> Response:
        self._check_model(request)
        return JSONResponse(self.metadata)

    async def tell_model_ready(self, request: Request) -> Response:
        self._check_model(request)
        return JSONResponse({"name": self.predictor.manifest.name, "ready": True})

    async def infer(self, request: Request) -> Response:
        self._check_model(request)
        if "inference-header-content-length" in request.headers:
            raise RequestError(400, "binary tensors are not taken; send the data as JSON")
        body = _parse_json(await read_body(request))
        return JSONResponse(await run_in_threadpool(self._infer, body))

    async def predict(self, request: Request) -> Response:
        """For the page: a picture's file as the body, or records as JSON: {column: value}, or a list of such."""
        body = await read_body(request)
        return JSONResponse(await run_in_threadpool(self._predict_picture if self.predictor.recipe["kind"] == "image" else self._predict_records, body))

    def _infer(self, body: Any) -> dict[str, Any]:
        fields = read_request(self.predictor, body)
        return write_response(self.predictor, body, *self.predictor.run(fields))

    def _predict_picture(self, body: bytes) -> dict[str, Any]:
        if not body:
            raise RequestError(400, "send the picture's file as the body")
        pixels = read_picture(body, self.predictor.recipe)
        return {"rows": describe_answers(self.predictor, self.predictor.predict((pixels[None],)))}

    def _predict_records(self, body: bytes) -> dict[str, Any]:
        given = _parse_json(body)
        records = given if isinstance(given, list) else [given]
        if not records or not all(isinstance(record, dict) for record in records):
            raise RequestError(400, "send an object with a value per column, or a list of such objects")
        if len(records) > MAX_ROWS:
            raise RequestError(413, f"a request holds at most {MAX_ROWS:,} rows, this one {len(records):,}")
        names = list(dict.fromkeys(name for record in records for name in record))
        recipe = self.predictor.recipe
        preprocess.check_columns(names, recipe)
        columns = {name: [record.get(name) for record in records] for name in (column["name"] for column in recipe["columns"])}
        outputs = self.predictor.predict(preprocess.decode_columns(columns, recipe))
        ignored = list(preprocess.unknown_columns(names, recipe))
        return {"rows": describe_answers(self.predictor, outputs), "unseen": preprocess.unseen(columns, recipe), "ignored": ignored}

    def _check_model(self, request: Request) -> None:
        manifest = self.predictor.manifest
        name, version = request.path_params["name"], request.path_params.get("version", manifest.version)
        if name != manifest.name:
            raise RequestError(404, f"there is no model of this name; the model is called {manifest.name}")
        if version != manifest.version:
            raise RequestError(404, f"there is no such version of {manifest.name}; it has version {manifest.version}")


def _parse_json(body: bytes) -> Any:
    try:
        parsed = json.loads(body)
        if b"\\ud" in body.lower():  # half of a surrogate pair is no character, and could not be sent back
            json.dumps(parsed, ensure_ascii=False).encode()
        return parsed
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is no JSON: {str(error)[:200]}") from error


async def _answer_request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return JSONResponse({"error": error.message}, error.status)


async def _answer_known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SurefootError)
    return JSONResponse({"error": " ".join(f"{error.what} {error.next}".split())}, 400)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": str(error.detail)}, error.status_code, headers=error.headers)


async def _answer_unknown_error(request: Request, error: Exception) -> Response:
    """The server logs the traceback; the client gets none."""
    return JSONResponse({"error": "the server failed at this request; its log says why"}, 500)
