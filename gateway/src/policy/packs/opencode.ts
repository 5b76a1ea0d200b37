/** OpenCode: the ids of its tool registry, with older ones that releases in use still send. */
import * as kind from './kinds.ts'
import type { ContractPack } from './pack.ts'

export const opencode: ContractPack = {
  name: 'opencode',
  version: 2,
  contracts: {
    read: kind.readsWorkspace,
    list: kind.readsWorkspace,
    glob: kind.readsWorkspace,
    grep: kind.readsWorkspace,
    lsp: kind.readsWorkspace,
    lsp_diagnostics: kind.readsWorkspace,
    lsp_hover: kind.readsWorkspace,
    edit: kind.edits('filePath'),
    multiedit: kind.edits('filePath'),
    write: kind.edits('filePath'),
    patch: kind.patches('patchText'),
    apply_patch: kind.patches('patchText'),
    bash: kind.runsCommands('command'),
    shell: kind.runsCommands('command'),
    // Code mode and batches run other tools out of sight.
    execute: kind.runsAnything,
    batch: kind.runsAnything,
    webfetch: kind.fetchesWeb,
    websearch: kind.searchesWeb,
    codesearch: kind.searchesWeb,
    todowrite: kind.keepsNotes,
    todoread: kind.keepsNotes,
    plan_enter: kind.keepsNotes,
    plan_exit: kind.keepsNotes,
    invalid: kind.keepsNotes,
    question: kind.asksPerson,
    task: kind.delegates,
    skill: kind.loadsInstructions,
  },
}
