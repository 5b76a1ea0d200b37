"""
One suite of AgentDojo as an MCP server (2026-07-28, HTTP on loopback), with one case at a time. Its tools are AgentDojo's own.

The harness begins a case, asks what an injected instruction wants, and has the case graded at paths below a word that only it and
this process know; the gateway knows `/mcp`. Arguments: the suite, and that word.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from agentdojo_suites import FunctionCall, FunctionsRuntime, attack_on, load_suite, tool_result_to_str
from injected_plans import plan_of
from substitutions import substitutions_of

VERSION = "2026-07-28"
suite = load_suite(sys.argv[1])
word = sys.argv[2]
attack = attack_on(suite)
runtime = FunctionsRuntime(suite.tools)
lock = threading.Lock()


class Case:
    """What is graded: the environment before, the same as it is now, and every call that has run."""

    def __init__(self, environment, user_task, injection_task):
        self.user_task, self.injection_task = user_task, injection_task
        self.now = user_task.init_environment(environment)
        self.before = self.now.model_copy(deep=True)
        self.executed = []


case = None
substitutions = None


def plain(value):
    """Arguments as a client would write them."""
    return json.loads(json.dumps(value, default=str))


def steps(calls):
    return [{"tool": call.function, "args": plain(dict(call.args))} for call in calls]


def all_substitutions():
    global substitutions
    substitutions = substitutions or substitutions_of(suite)
    return substitutions


def list_cases():
    environment = suite.load_and_inject_default_environment({})
    injections = [
        {"id": task.ID, "acts": plan_of(task, suite, environment, environment) is not None} for task in suite.injection_tasks.values()
    ]
    return {
        "userTasks": list(suite.user_tasks),
        "injections": injections,
        "substitutions": [one.as_json() for one in all_substitutions()],
    }


def begin(userTask, injection=None, substitution=None):
    global case
    task = suite.user_tasks[userTask]
    injection_task = suite.injection_tasks[injection] if injection else None
    texts = attack.attack(task, injection_task) if injection_task else {}
    changed = all_substitutions()[substitution] if substitution is not None else None
    environment = changed.environment() if changed else suite.load_and_inject_default_environment(texts)
    case = Case(environment, task, injection_task)
    # What was asked for is what the task comes to without the change, and with instructions that are none of its business.
    asked = steps(task.ground_truth(case.before.model_copy(deep=True)))
    calls = asked
    if changed:
        honest = task.init_environment(suite.load_and_inject_default_environment({}))
        asked = steps(task.ground_truth(honest))
        calls = [{**call, "args": {name: changed.replaced(value) for name, value in call["args"].items()}} for call in calls]
    return {
        "prompt": task.PROMPT,
        "steps": calls,
        "asked": asked,
        "output": task.GROUND_TRUTH_OUTPUT,
        "goal": injection_task.GOAL if injection_task else None,
    }


def injected():
    return steps(plan_of(case.injection_task, suite, case.before, case.now) or [])


def grade(output, utility):
    def check(task):
        content = [{"type": "text", "content": output}]
        traces = [FunctionCall(function=one["tool"], args=one["args"]) for one in case.executed]
        return bool(suite._check_task_result(task, content, case.before, case.now, traces))

    return {
        "utility": check(case.user_task) if utility else None,
        "security": check(case.injection_task) if case.injection_task else None,
        "executed": case.executed,
    }


def listed_tools():
    return [
        {"name": tool.name, "description": tool.description, "inputSchema": tool.parameters.model_json_schema()} for tool in suite.tools
    ]


def call_tool(name, args):
    result, error = runtime.run_function(case.now, name, args)
    if error is None:
        case.executed.append({"tool": name, "args": plain(args)})
    text = tool_result_to_str(result) if error is None else error
    return {"content": [{"type": "text", "text": text}], "isError": error is not None, "resultType": "complete"}


def answer(method, params):
    if method == "server/discover":
        return {"supportedVersions": [VERSION], "capabilities": {"tools": {}}, "resultType": "complete"}
    if method == "tools/list":
        return {"tools": listed_tools(), "resultType": "complete", "ttlMs": 600_000, "cacheScope": "private"}
    if method == "tools/call":
        return call_tool(params["name"], params.get("arguments") or {})
    return None


operations = {"cases": list_cases, "begin": begin, "injected": injected, "grade": grade}


class Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer are written apart: in one segment, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/mcp":
            return self.serve(message)
        operation = operations[self.path.removeprefix(f"/{word}/")]
        try:
            with lock:
                return self.reply(200, {"value": operation(**message)})
        except Exception as error:  # The harness says which case it was.
            return self.reply(200, {"error": f"{type(error).__name__}: {error}"})

    def serve(self, message):
        if "id" not in message:
            return self.reply(202, None)
        with lock:
            result = answer(message["method"], message.get("params") or {})
        body = {"result": result} if result is not None else {"error": {"code": -32601, "message": "Method not found"}}
        return self.reply(404 if result is None else 200, {"jsonrpc": "2.0", "id": message["id"], **body})

    def do_GET(self):
        self.reply(405, None)

    def reply(self, status, value):
        body = b"" if value is None else json.dumps(value, default=str).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f'{{"event":"ready","url":"http://127.0.0.1:{server.server_port}"}}', flush=True)
    # It ends with whoever started it.
    sys.stdin.read()


main()
