"""The command `realtalk watch`."""

from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from pipeline.watch.targets import Target


def watch(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The folder or URI of a dataset.")],
    once: Annotated[bool, typer.Option(help="Do what is there to do and end; exit code 1 where it failed.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Between two looks.")] = 30.0,
    settle: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="A version has to stay for so long before it is taken.")
    ] = 0.0,
    retries: Annotated[int, typer.Option(min=0, help="How often to try again what has failed.")] = 2,
    again: Annotated[bool, typer.Option(help="Try again what was given up.")] = False,
    task: Annotated[
        str,
        typer.Option(metavar="NAME", help="A version is started once for each task; else train, of a webhook webhook."),
    ] = "",
    state: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Folder or URI for what was started; else the dataset's work/watch."),
    ] = None,
    webhook: Annotated[str, typer.Option(metavar="URL", help="POST what is ready there, instead of a command.")] = "",
    vertex: Annotated[
        str, typer.Option(metavar="PROJECT/REGION", help="Make a job of Vertex AI; what it runs goes after --.")
    ] = "",
    container: Annotated[str, typer.Option(metavar="IMAGE", help="The job's container.")] = "",
    machine: Annotated[str, typer.Option(metavar="TYPE", help="The job's machine.")] = "n1-standard-8",
    accelerator: Annotated[str, typer.Option(metavar="TYPE:N", help="The job's GPUs, such as NVIDIA_L4:1.")] = "",
) -> int:
    """Run a command once for each new version of a dataset: realtalk watch DATASET -- COMMAND ...

    {dataset} and {version} in the command are filled in. It is run again where it failed, or was stopped midway.
    """
    arguments = tuple(context.obj or ())
    if webhook and vertex:
        raise ConfigurationError("--webhook and --vertex: name one; a second watcher can do the other")
    task = task or ("webhook" if webhook else "train")
    target = _target(arguments, webhook, vertex, (container, machine, accelerator), task)
    from pipeline.console import say
    from pipeline.watch.ledger import ledger_of
    from pipeline.watch.watcher import Watcher, WatchSettings

    settings = WatchSettings(interval, settle, retries, again, once)
    return 0 if Watcher(dataset, target, ledger_of(dataset, task, state), settings, say).run() else 1


def _target(arguments: tuple[str, ...], webhook: str, vertex: str, job: tuple[str, str, str], task: str) -> "Target":
    if webhook:
        from pipeline.watch.webhook import WebhookTarget, secret_of_environment

        if arguments:
            raise ConfigurationError("--webhook: takes no command; leave -- and what follows out")
        return WebhookTarget(webhook, secret_of_environment())
    container, machine, accelerator = job
    if vertex:
        from pipeline.watch.vertex import VertexTarget, accelerator_of, vertex_place

        if not container:
            raise ConfigurationError("--vertex: say which container is run, by --container IMAGE")
        if accelerator:
            accelerator_of(accelerator)
        return VertexTarget(*vertex_place(vertex), container, arguments, machine, accelerator, task=task)
    if container or accelerator:
        raise ConfigurationError("--container and --accelerator are of a job of Vertex AI; say --vertex PROJECT/REGION")
    from pipeline.watch.command import CommandTarget

    return CommandTarget(arguments)
