"""The suites of AgentDojo 1.2.2 without the model SDKs that its package imports: nobody here asks one of its models."""

import os
import sys
import types
from types import SimpleNamespace

import yaml

import agentdojo


def _bare_module(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    return module


# Its packages import every SDK it knows when they are imported; their modules that are used here need none of them.
_pipeline = _bare_module("agentdojo.agent_pipeline")
_pipeline.__path__ = [os.path.join(os.path.dirname(agentdojo.__file__), "agent_pipeline")]
_bare_module("agentdojo.agent_pipeline.llms").__path__ = []
_bare_module("agentdojo.agent_pipeline.llms.google_llm", EMPTY_FUNCTION_NAME="<empty-function-name>")

# The same language read by the same rules in C: an environment is parsed for every case, ten times as fast.
yaml.safe_load = lambda text: yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))

from agentdojo.agent_pipeline.tool_execution import tool_result_to_str  # noqa: E402
from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack  # noqa: E402
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime  # noqa: E402
from agentdojo.task_suite.load_suites import get_suite  # noqa: E402
from agentdojo.task_suite.task_suite import read_suite_file  # noqa: E402

__all__ = ["FunctionCall", "FunctionsRuntime", "attack_on", "load_suite", "read_suite_file", "tool_result_to_str"]


def load_suite(name):
    return get_suite("v1.2.2", name)


def attack_on(suite):
    """AgentDojo's own attack that worked best on its models; it addresses the model as one of OpenAI's."""
    return ImportantInstructionsAttack(suite, SimpleNamespace(name="gpt-4o-2024-05-13"))
