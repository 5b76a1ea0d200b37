/** What a person is told of an import: the plan before, what became of it after, and how clients get there. */
import { homedir } from 'node:os'
import { printable } from '../../audit/format-tree.ts'
import { block } from '../../config/editing-text.ts'
import { addArguments, quoted } from '../../config/fetching-commands.ts'
import { table } from '../output.ts'
import { packageText } from '../servers/package-reference.ts'
import { clients, pointing, type ClientId } from './clients.ts'
import type { FoundFile } from './finding-declared.ts'
import type { ImportedVariable } from './imported-variables.ts'
import type { ImportPlan } from './planning-import.ts'
import type { Becomes, PlannedServer } from './planned-server.ts'

/** The plan as a table, and below it what each server would get and what there is to do. */
export function planText(files: readonly FoundFile[], { servers }: ImportPlan): string {
  const rows = servers.flatMap(({ server, sources, becomes }) =>
    sources.map(({ client, file, project, name }, index) => [
      clients[client].title,
      `${tilde(file)}${project !== undefined && client === 'claude-code' && !file.endsWith('.mcp.json') ? ` (${tilde(project)})` : ''}`,
      name,
      index === 0 ? outcome(server, becomes) : `the same as \`${server}\``,
    ]),
  )
  const lines = [
    ...(rows.length === 0 ? [] : table([['client', 'file', 'name', 'becomes'], ...rows.map((row) => row.map(printable))]).split('\n')),
    ...files.flatMap(({ client, file, problem }) => (problem === undefined ? [] : [`${clients[client].title}: ${tilde(file)} ${problem}`])),
    ...servers.flatMap((server) => detail(server)),
  ]
  return lines.map(printable).join('\n')
}

function outcome(server: string, becomes: Becomes): string {
  switch (becomes.kind) {
    case 'install':
      return `servers.${server}: ${packageText(becomes.reference)}${becomes.reference.version === undefined ? ' (newest)' : ''}, installed, in the sandbox`
    case 'command':
      return `servers.${server}: in the sandbox`
    case 'container':
      return `servers.${server}: ${becomes.image}, in a container`
    case 'address':
      return `servers.${server}: over HTTP`
    case 'left':
      return `nothing: ${becomes.why}`
  }
}

function detail({ server, becomes, findings, notes }: PlannedServer): string[] {
  const shown = shownBecomes(becomes)
  const told = [...findings.map((text) => `  to do: ${text}`), ...notes.map((text) => `  note: ${text}`)]
  if (shown === undefined && told.length === 0) return []
  const lines =
    shown === undefined || Object.keys(shown).length === 0
      ? []
      : block(shown)
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`)
  return ['', server, ...lines, ...told]
}

function shownBecomes(becomes: Becomes): object | undefined {
  if (becomes.kind === 'left') return undefined
  if (becomes.kind === 'address') return becomes.entry
  const { args, mounts, network, env } = becomes.wishes
  return {
    ...(becomes.kind === 'command' ? { command: [...becomes.program, ...args] } : args.length > 0 && { args }),
    ...(mounts.length > 0 && { mounts }),
    ...(network.length > 0 && { network }),
    ...(env.length > 0 && {
      env: Object.fromEntries(env.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)])),
    }),
  }
}

/** The command line that would do the same for one server. */
export function addLine({ server, becomes }: PlannedServer, gateway: string): string | undefined {
  if (becomes.kind !== 'install') return undefined
  const { reference, bin, wishes } = becomes
  const options = [
    ...wishes.mounts.flatMap((mount) => ['--mount', mount.replace(/:ro$/, '')]),
    ...wishes.network.flatMap((host) => ['--network', host]),
    ...wishes.env.flatMap((text) => ['--env', text]),
    '--gateway',
    gateway,
  ]
  const words = addArguments({ name: server, reference: packageText(reference), bin, args: wishes.args, options })
  return `turnward servers add ${words.map(quoted).join(' ')}`
}

/** Which variables the configuration needs now; a name and whose it is, never a value. */
export function variablesText(variables: readonly ImportedVariable[], secretsFile: string | undefined): string {
  if (variables.length === 0) return ''
  const rows = variables.map(({ name, value, about, servers }) => [
    `  ${name}`,
    `for ${servers.join(', ')}`,
    value === undefined
      ? `in no file${about === '' ? '' : `: ${about}`}`
      : secretsFile === undefined
        ? "in the client's file"
        : `in ${secretsFile}`,
  ])
  const how =
    secretsFile === undefined || variables.every(({ value }) => value === undefined)
      ? `Set these variables where the gateway runs${variables.some(({ value }) => value !== undefined) ? '; `--secrets-file PATH` writes those that the files have' : ''}:`
      : `Set these variables where the gateway runs (\`set -a; . ${secretsFile}; set +a\`):`
  return [how, ...table(rows.map((row) => row.map(printable))).split('\n')].join('\n')
}

/** How the clients that were read get to the gateway. Their files stay as they are. */
export function pointingText(ids: readonly ClientId[], url: string): string {
  return ids
    .map((id) => {
      const { title, own, project } = clients[id]
      return `To use Turnward from ${title}, replace the servers taken over in ${project[0] ?? own[0] ?? ''} by this, with a key of \`turnward keys create\`:\n\n${pointing(id, url)}\n`
    })
    .join('\n')
}

function tilde(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path
}
