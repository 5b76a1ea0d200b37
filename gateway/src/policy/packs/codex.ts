/** Codex: the tools its registry offers a model, by the names of its shell, patch, plan and multi-agent families. */
import * as kind from './kinds.ts'
import type { ContractPack } from './pack.ts'

export const codex: ContractPack = {
  name: 'codex',
  version: 2,
  contracts: {
    shell: kind.runsPrograms('command'),
    local_shell: kind.runsPrograms('command'),
    shell_command: kind.runsPrograms('command'),
    'container.exec': kind.runsPrograms('cmd'),
    exec_command: kind.runsCommands('cmd'),
    // Asks for more output of a command by sending it nothing.
    write_stdin: kind.tellsCommands('chars'),
    // Code mode: a program that calls the other tools.
    exec: kind.runsAnything,
    wait: kind.followsCommands,
    js_repl: kind.runsAnything,
    js_repl_reset: kind.stopsCommands,
    apply_patch: kind.patches('input'),
    list_dir: kind.readsWorkspace,
    view_image: kind.readsWorkspace,
    update_plan: kind.keepsNotes,
    get_goal: kind.keepsNotes,
    create_goal: kind.keepsNotes,
    update_goal: kind.keepsNotes,
    request_user_input: kind.asksPerson,
    request_permissions: kind.asksPerson,
    tool_search: kind.findsTools,
    tool_suggest: kind.findsTools,
    web_search: kind.searchesWeb,
    spawn_agent: kind.delegates,
    spawn_agents_on_csv: kind.delegates,
    report_agent_job_result: kind.keepsNotes,
    wait_agent: kind.delegates,
    resume_agent: kind.delegates,
    close_agent: kind.keepsNotes,
    list_agents: kind.keepsNotes,
    send_input: kind.tellsOtherAgents,
    send_message: kind.tellsOtherAgents,
    followup_task: kind.tellsOtherAgents,
    list_mcp_resources: kind.readsServers,
    list_mcp_resource_templates: kind.readsServers,
    read_mcp_resource: kind.readsServers,
  },
}
