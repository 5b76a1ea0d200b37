/** What a person is shown of a server before they let it in: exactly what runs, what it sees, where it may go, what it offers. */
import { block } from '../../config/editing-text.ts'
import { quoted } from '../../config/fetching-commands.ts'
import { printable } from '../../audit/format-tree.ts'
import type { ServerEntry } from './server-entry.ts'

export interface ShownServer {
  readonly server: string
  readonly file: string
  readonly package: string
  readonly integrity: string
  readonly written: boolean
  readonly folder: string
  readonly tree: string
  readonly runs: readonly string[]
  readonly entry: ServerEntry
  readonly tools: readonly { readonly name: string; readonly digest: string }[]
  readonly notes: readonly string[]
}

export function shownServer({ server, package: name, integrity, folder, tree, runs, entry, tools, notes }: ShownServer): string {
  const mounts = (entry.mounts ?? []).map(({ path, write }) => `${path}${write === true ? ' (may write)' : ''}`)
  return `${name}  ${integrity}
installed:  ${folder}
            ${tree}
runs:       ${runs.map(quoted).join(' ')}
sees:       ${['its own code', ...mounts].join(', ')}
network:    ${entry.network === undefined ? 'none' : entry.network.map((to) => (typeof to === 'string' ? to : `${to.tcp} (TCP)`)).join(', ')}
tools (${tools.length}): ${tools.map((tool) => printable(tool.name)).join(', ')}
${notes.map((note) => `note:       ${note}\n`).join('')}
${block({ servers: { [server]: entry } })}`
}
