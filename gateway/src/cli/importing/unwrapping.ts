/** What a command really starts, behind `cmd /c`, `env NAME=value`, `uv run` and the bridge `mcp-remote`. Pure. */
import { fetchingCommand, programName, withoutShell } from '../../config/fetching-commands.ts'
import type { DeclaredAddress, DeclaredCommand } from './declared-server.ts'

/** Without the words that only start another program. */
export function unwrapped(declared: DeclaredCommand): DeclaredCommand {
  const [first = '', ...others] = withoutShell(declared.command)
  if (programName(first) !== 'env') return { ...declared, command: [first, ...others] }
  const settings = others.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word))
  const set = settings < 0 ? others : others.slice(0, settings)
  const rest = settings < 0 ? [] : others.slice(settings)
  if (rest.length === 0 || rest[0]?.startsWith('-') === true) return declared
  const env = Object.fromEntries(set.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]))
  return { ...declared, command: rest, env: { ...declared.env, ...env } }
}

/** `npx mcp-remote URL …` and its kind: the server behind the bridge. */
export function bridgedAddress({ command, env }: DeclaredCommand): DeclaredAddress | undefined {
  const fetching = fetchingCommand(command)
  const isBridge =
    fetching === undefined ? programName(command[0] ?? '') === 'mcp-remote' : /^npm:mcp-remote(?:@|$)/.test(fetching.package ?? '')
  if (!isBridge) return undefined
  const args = fetching === undefined ? command.slice(1) : fetching.args
  const url = args.find((arg) => /^https?:\/\/|^\$\{/i.test(arg))
  if (url === undefined) return undefined
  const filled = (text: string): string =>
    text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(env, name) ? (env[name] ?? whole) : whole))
  const headers: Record<string, string> = {}
  for (const [index, arg] of args.entries()) {
    const [, name, value] = /^\s*([\w-]+)\s*:\s*(.*)$/s.exec(arg === '--header' ? (args[index + 1] ?? '') : '') ?? []
    if (name !== undefined && value !== undefined) headers[name] = filled(value)
  }
  const asked = args[args.indexOf('--transport') + 1]
  const isSse = args.includes('--transport') ? asked?.startsWith('sse') === true : /\/sse\/?(?:\?|$)/.test(url)
  return { kind: 'address', url: filled(url), transport: isSse ? 'sse' : 'http', headers }
}

/** `uv --directory DIR run WHAT …`: the folder, and what is run in its environment. */
export function uvRun(command: readonly string[]): { readonly folder: string | undefined; readonly run: readonly string[] } | undefined {
  if (programName(command[0] ?? '') !== 'uv') return undefined
  let folder: string | undefined
  let isRun = false
  for (let index = 1; index < command.length; index += 1) {
    const word = command[index] ?? ''
    if (['--directory', '--project'].includes(word)) folder = command[(index += 1)]
    else if (['--with', '--python', '-p', '--extra', '--group', '--env-file', '--index-url', '--with-editable'].includes(word)) index += 1
    else if (word === 'run' && !isRun) isRun = true
    else if (!word.startsWith('-')) return isRun ? { folder, run: command.slice(index) } : undefined
  }
  return undefined
}
