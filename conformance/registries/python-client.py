"""An MCP client of PyPI behind a line of JSON a request: what the suite asks, in the client's own calls.

python-client.py '{"library": ..., "mode": ..., "url": ..., "headers": {...}, "answers": {...}}'
"""

import asyncio
import contextlib
import json
import sys

settings = json.loads(sys.argv[1])
answers = settings.get("answers", {})


def plain(value):
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def callbacks():
    """What the person and the model say, for the SDK: only what is answered is offered."""
    from mcp import types

    async def elicit(_context, _params):
        return types.ElicitResult(action="accept", content=answers["elicitation"])

    async def sample(_context, _params):
        text = types.TextContent(type="text", text=answers["sampling"])
        return types.CreateMessageResult(role="assistant", model="test-model", content=text)

    return {
        **({"elicitation_callback": elicit} if "elicitation" in answers else {}),
        **({"sampling_callback": sample} if "sampling" in answers else {}),
    }


@contextlib.asynccontextmanager
async def sdk():
    """`mcp.Client`, of both eras."""
    from mcp import Client
    from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

    async with create_mcp_http_client(headers=settings["headers"]) as http:
        transport = streamable_http_client(settings["url"], http_client=http)
        async with Client(transport, mode=settings["mode"], **callbacks()) as client:
            yield client


@contextlib.asynccontextmanager
async def first_sdk():
    """`mcp.ClientSession` of the first SDK."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(settings["url"], headers=settings["headers"]) as (read, write, _):
        async with ClientSession(read, write, **callbacks()) as session:
            await session.initialize()
            yield session


@contextlib.asynccontextmanager
async def fastmcp():
    """`fastmcp.Client`."""
    from fastmcp import Client
    from fastmcp.client.transports import StreamableHttpTransport

    async def elicit(_message, _response_type, _params, _context):
        return answers["elicitation"]

    async def sample(_messages, _params, _context):
        return answers["sampling"]

    handlers = {
        **({"elicitation_handler": elicit} if "elicitation" in answers else {}),
        **({"sampling_handler": sample} if "sampling" in answers else {}),
    }
    async with Client(StreamableHttpTransport(settings["url"], headers=settings["headers"]), mode=settings["mode"], **handlers) as client:
        yield client


async def ask(client, request, progress):
    """One request of the suite. Lists are the protocol's, whatever the client makes of them."""
    op = request["op"]
    is_fast = settings["library"] == "fastmcp"
    if op == "tools":
        listed = await client.list_tools()
        return [tool.name for tool in (listed if is_fast else listed.tools)]
    if op == "resources":
        listed = await client.list_resources()
        return [str(one.uri) for one in (listed if is_fast else listed.resources)]
    if op == "prompts":
        listed = await client.list_prompts()
        return [one.name for one in (listed if is_fast else listed.prompts)]
    if op == "read":
        read = await client.read_resource(request["uri"])
        return plain(read if is_fast else read.contents)
    if op == "prompt":
        return plain((await client.get_prompt(request["name"], request["args"])).messages)
    call = client.call_tool_mcp if is_fast else client.call_tool
    listener = {"progress_handler" if is_fast else "progress_callback": progress} if request["progress"] else {}
    return plain(await call(request["name"], request["args"], **listener))


def say(message):
    print(json.dumps(message), flush=True)


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = {}

    async def answer(client, request):
        async def progress(done, _total=None, _message=None):
            say({"id": request["id"], "progress": done})

        try:
            say({"id": request["id"], "result": await ask(client, request, progress)})
        except asyncio.CancelledError:
            say({"id": request["id"], "error": "cancelled"})
        except Exception as error:
            say({"id": request["id"], "error": str(error)})

    async with {"mcp": sdk, "mcp<2": first_sdk, "fastmcp": fastmcp}[settings["library"]]() as client:
        say({"ready": True})
        while line := await reader.readline():
            request = json.loads(line)
            if "cancel" in request:
                running[request["cancel"]].cancel()
            else:
                running[request["id"]] = asyncio.create_task(answer(client, request))


asyncio.run(main())
