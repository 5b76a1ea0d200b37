/**
 * Cline: the tools of its editor extension and of its newer command line. `use_mcp_tool` has no contract: the call
 * inside is decided instead, or is one nobody described.
 */
import * as kind from './kinds.ts'
import type { ContractPack } from './pack.ts'

export const cline: ContractPack = {
  name: 'cline',
  version: 2,
  contracts: {
    // The editor extension.
    read_file: kind.readsWorkspace,
    list_files: kind.readsWorkspace,
    search_files: kind.readsWorkspace,
    list_code_definition_names: kind.readsWorkspace,
    write_to_file: kind.edits('path', 'absolutePath'),
    replace_in_file: kind.edits('path', 'absolutePath'),
    execute_command: kind.runsCommands('command'),
    web_fetch: kind.fetchesWeb,
    web_search: kind.searchesWeb,
    browser_action: kind.drivesBrowser,
    focus_chain: kind.keepsNotes,
    plan_mode_respond: kind.keepsNotes,
    act_mode_respond: kind.keepsNotes,
    attempt_completion: kind.keepsNotes,
    condense: kind.keepsNotes,
    summarize_task: kind.keepsNotes,
    generate_explanation: kind.keepsNotes,
    ask_followup_question: kind.asksPerson,
    search_subagent: kind.delegates,
    new_task: kind.delegates,
    load_mcp_documentation: kind.loadsInstructions,
    // A rule is put before the model in every later session.
    new_rule: kind.outlivesSession,
    report_bug: kind.publishes,
    access_mcp_resource: kind.readsServers,
    // The command line.
    read_files: kind.readsWorkspace,
    search_codebase: kind.readsWorkspace,
    editor: kind.edits('path'),
    apply_patch: kind.patches('input'),
    run_commands: kind.runsCommands('commands'),
    fetch_web_content: kind.fetchesWeb,
    submit_and_exit: kind.keepsNotes,
    ask_question: kind.asksPerson,
    skills: kind.loadsInstructions,
    spawn_agent: kind.delegates,
    team_spawn_teammate: kind.delegates,
    team_shutdown_teammate: kind.keepsNotes,
    team_status: kind.keepsNotes,
    team_task: kind.keepsNotes,
    team_run_task: kind.tellsOtherAgents,
    team_cancel_run: kind.keepsNotes,
    team_list_runs: kind.keepsNotes,
    team_await_runs: kind.delegates,
    team_send_message: kind.tellsOtherAgents,
    team_broadcast: kind.tellsOtherAgents,
    team_read_mailbox: kind.delegates,
    team_mission_log: kind.keepsNotes,
    team_cleanup: kind.keepsNotes,
    team_create_outcome: kind.keepsNotes,
    team_attach_outcome_fragment: kind.keepsNotes,
    team_review_outcome_fragment: kind.keepsNotes,
    team_finalize_outcome: kind.keepsNotes,
    team_list_outcomes: kind.keepsNotes,
  },
}
