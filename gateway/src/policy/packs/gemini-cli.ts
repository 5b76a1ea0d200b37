/** Gemini CLI: the names its tool declarations share, with two older ones. */
import * as kind from './kinds.ts'
import type { ContractPack } from './pack.ts'

export const geminiCli: ContractPack = {
  name: 'gemini-cli',
  version: 2,
  contracts: {
    read_file: kind.readsWorkspace,
    read_many_files: kind.readsWorkspace,
    list_directory: kind.readsWorkspace,
    glob: kind.readsWorkspace,
    grep_search: kind.readsWorkspace,
    search_file_content: kind.readsWorkspace,
    get_internal_docs: kind.readsWorkspace,
    write_file: kind.edits('file_path'),
    replace: kind.edits('file_path'),
    run_shell_command: kind.runsCommands('command'),
    list_background_processes: kind.followsCommands,
    read_background_output: kind.followsCommands,
    web_fetch: kind.fetchesWeb,
    google_web_search: kind.searchesWeb,
    write_todos: kind.keepsNotes,
    update_topic: kind.keepsNotes,
    enter_plan_mode: kind.keepsNotes,
    exit_plan_mode: kind.keepsNotes,
    complete_task: kind.keepsNotes,
    ask_user: kind.asksPerson,
    activate_skill: kind.loadsInstructions,
    codebase_investigator: kind.delegates,
    invoke_agent: kind.delegates,
    // A fact is put before the model in every later session.
    save_memory: kind.outlivesSession,
  },
}
