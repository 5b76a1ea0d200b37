/** What a person is told of connecting a client: what changes, and what is left to do. */
import { exportsOf, type Code, type ConnectedClient, type GatewayPlace } from '@turnward/contract/connect/connected-client'
import { fileOf, tomlOf, type Entry, type Plain } from '@turnward/contract/connect/entry'
import { maskedEntry } from '../../config/masking.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import type { ChangedEntry, ClientChange } from './client-changes.ts'

/** Every change, with what is taken away and what is put in its place. What was there may be a secret: then it is not shown. */
export function changesText(changes: readonly ClientChange[]): string {
  return changes
    .map(({ file, format, before, text, entries }) => {
      const what = text === undefined ? ' (removed)' : before === undefined ? ' (new)' : ''
      const lines = entries.flatMap((entry) => [...signed('-', format, entry, hidden(entry)), ...signed('+', format, entry, entry.becomes)])
      return [`${file}${what}`, ...lines].join('\n')
    })
    .join('\n\n')
}

/** The snippets, whole: for somebody who puts them in by hand. */
export function snippetsText(client: ConnectedClient, place: GatewayPlace): string {
  const files = client.files
    .map(({ own, project, format, entries }) => ({ own, project, format, written: entries(place) }))
    .filter(({ written }) => written.length > 0)
    .map(({ own, project, format, written }) => `${own}, or ${project} in a project:\n\n${fileOf(format, written)}`)
  return [...files, ...client.code(place).map(codeText), stepsText(client, place)].join('\n\n')
}

/** What is done outside of files. */
export function stepsText(client: ConnectedClient, place: GatewayPlace): string {
  const start = client.start(place)
  const shell = [exportsOf(client.variables(place)), ...(start === undefined ? [] : [start])].join('\n')
  const key = 'The key is one of `turnward keys create --principal NAME`. In the shell it is started from:'
  return [`${key}\n\n${indented(shell)}`, ...client.notes(place)].join('\n\n')
}

function codeText({ language, text }: Code): string {
  return `${{ js: 'JavaScript', py: 'Python', sh: 'Shell' }[language]}:\n\n${text}`
}

function hidden({ path, was }: ChangedEntry): ChangedEntry['was'] {
  if (was === undefined) return undefined
  return maskedEntry(was, namesOf(path)) as ChangedEntry['was']
}

function signed(sign: string, format: ClientChange['format'], { path }: ChangedEntry, value: ChangedEntry['was']): string[] {
  if (value === undefined) return []
  const entry = { path, value: value as Plain } satisfies Entry
  const text = format === 'toml' ? tomlOf(entry) : `${namesOf(path).join('.')}: ${JSON.stringify(value, null, 2)}`
  return text.split('\n').map((line) => `  ${sign} ${spelledOut(line)}`)
}

function namesOf(path: Entry['path']): readonly string[] {
  return path.map((step) => (typeof step === 'string' ? step : step.id))
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
