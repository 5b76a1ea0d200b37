/** Which declared servers are one, and what each is called in the configuration. Pure. */
import { isAbsolute } from 'node:path'
import { fetchingCommand } from '../../config/fetching-commands.ts'
import { canonicalJson } from '../../core/json.ts'
import { usableName } from '../servers/package-reference.ts'
import type { DeclaredServer } from './declared-server.ts'

export interface NamedServer {
  readonly server: string
  readonly declared: readonly [DeclaredServer, ...DeclaredServer[]]
  /** Whether the configuration has this name already. */
  readonly isThere: boolean
  readonly notes: readonly string[]
}

/** Servers that clients declare alike are one; different ones of one name are told apart by their client. */
export function namedServers(declared: readonly DeclaredServer[], there: Iterable<string>): readonly NamedServer[] {
  const existing = new Set([...there].map((name) => name.toLowerCase()))
  const taken = new Set<string>()
  const alike = Map.groupBy(declared, ({ launch, project }) => canonicalJson([launch, isPlaced(launch) ? (project ?? '') : '']))
  return [...alike.values()].flatMap((group) => {
    const [first, ...others] = group
    if (first === undefined) return []
    const name = usableName(first.name)
    const isThere = existing.has(name.toLowerCase())
    const server = isThere
      ? name
      : freeName(name, first.client, (candidate) => taken.has(candidate.toLowerCase()) || existing.has(candidate.toLowerCase()))
    taken.add(server.toLowerCase())
    const notes = [
      ...(name === first.name ? [] : [`named \`${name}\`, because a server cannot be called what it is called there`]),
      ...(server === name ? [] : [`named \`${server}\`, because \`${name}\` is another server here`]),
      ...(others.length === 0 ? [] : [`declared alike ${others.length + 1} times: one entry`]),
    ]
    return [{ server, declared: [first, ...others] as const, isThere, notes: isThere ? [] : notes }]
  })
}

function freeName(name: string, client: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name
  for (let attempt = 1; ; attempt += 1) {
    const suffix = attempt === 1 ? `-${client}` : `-${client}-${attempt}`
    const candidate = `${name.slice(0, 31 - suffix.length).replace(/[-_]+$/, '')}${suffix}`
    if (!isTaken(candidate)) return candidate
  }
}

/** Whether what is started depends on the folder it is declared for. */
function isPlaced(launch: DeclaredServer['launch']): boolean {
  if (launch.kind === 'address') return launch.url.includes('workspaceFolder')
  const { command, env, cwd, envFile } = launch
  const isRelative = (word: string): boolean => !isAbsolute(word) && !word.startsWith('-') && /[/.]/.test(word)
  return (
    [...command, ...Object.values(env)].some((word) => /^\.\.?(?:\/|$)|workspaceFolder/.test(word)) ||
    [cwd, envFile].some((path) => path !== undefined && !isAbsolute(path)) ||
    (fetchingCommand(command) === undefined && command.slice(0, 2).some(isRelative))
  )
}
