"""`cdner-bench llm` serves a language model on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Language models on this machine, behind the OpenAI API.", no_args_is_help=True)


@app.callback()
def _group() -> None: ...


@app.command()
def serve(
    name: Annotated[str, typer.Argument(help="A GGUF model of `models list`, or hf:NAME.", metavar="NAME")],
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1.", min=1, max=65535)] = 8080,
    parallel: Annotated[int, typer.Option(help="Requests answered at a time.", min=1)] = 4,
    context: Annotated[int, typer.Option(help="Tokens of a prompt and its answer.", min=64)] = 2048,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> None:
    """Answer requests at http://127.0.0.1:PORT/v1 until Ctrl-C, without an account and without a GPU."""
    from ...llm import server

    if child:
        server.end_with_parent()

    def announce() -> None:
        print(f"{name} at http://{server.HOST}:{port}/v1, until Ctrl-C", flush=True)

    server.serve(name, port, parallel, context, announce)
