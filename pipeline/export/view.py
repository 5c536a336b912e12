"""What `realtalk export` prints."""

from pipeline.console import Format, duration, print_facts, print_json, say
from pipeline.export.run import DONE_NAME, Exported, as_data
from schemas.manifest import CONSENTED

_REFUSED_SHOWN = 10


def show_export(result: Exported, output: Format) -> None:
    """The result on stdout; on stderr a line for each refused clip, and a missing consent."""
    for clip, why in result.refused[:_REFUSED_SHOWN]:
        say(f"  left out: {clip}: {why}")
    more = len(result.refused) - _REFUSED_SHOWN
    if more > 0:
        say(f"  and {more} more; {result.out / DONE_NAME} names all")
    if result.consent != CONSENTED:
        say(f"  {result.consent}: do not train a voice of this speaker from it")
    if output is Format.JSON:
        print_json(as_data(result))
        return
    print_facts(
        {
            "format": result.format,
            result.noun: f"{result.count}, {duration(result.seconds)}",
            "left out": len(result.refused) or None,
            "version": f"{result.version}, {'unchanged' if result.unchanged else 'new'}",
            "folder": result.out,
        }
    )
