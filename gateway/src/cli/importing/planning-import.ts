/** From what clients declare to what would become of it. Reads nothing and starts nothing: whoever calls it answers questions. */
import type { Snapshot } from '../../config/snapshot.ts'
import { addressBecomes } from './becoming-address.ts'
import { commandBecomes, type CommandQuestions } from './becoming-command.ts'
import { clientParts, type Surroundings } from './client-references.ts'
import { clients } from './clients.ts'
import { inputName, type TextContext } from './config-text.ts'
import type { DeclaredServer, UnreadableServer } from './declared-server.ts'
import { ImportedVariables, type ImportedVariable } from './imported-variables.ts'
import { namedServers, type NamedServer } from './naming-servers.ts'
import type { Made, PlannedServer } from './planned-server.ts'
import { bridgedAddress, unwrapped } from './unwrapping.ts'

export interface ImportPlan {
  readonly servers: readonly PlannedServer[]
  readonly variables: readonly ImportedVariable[]
}

export interface PlanningQuestions extends Omit<CommandQuestions, 'network'> {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Server -> hosts the person named for it. */
  readonly network: ReadonlyMap<string, readonly string[]>
}

/** What is declared, in the order of the clients. */
export function planImport(
  declared: readonly (DeclaredServer | UnreadableServer)[],
  snapshot: Pick<Snapshot, 'servers' | 'settings'>,
  questions: PlanningQuestions,
): ImportPlan {
  const readable = declared.filter((server) => 'launch' in server)
  const running = readable.filter(({ isOff }) => !isOff)
  const variables = new ImportedVariables(
    questions.env,
    running.flatMap((server) => referredNames(server, surroundings(server, questions.home))),
  )
  const servers = [
    ...namedServers(running, snapshot.servers.keys()).map((named) => planned(named, variables, snapshot, questions)),
    ...readable.filter(({ isOff }) => isOff).map((server) => left(server, 'it is switched off in the client', [])),
    ...declared
      .filter((server) => 'why' in server)
      .map((server) => left(server, server.why, ["correct it in the client's file and import again"])),
  ]
  return { servers, variables: variables.list() }
}

function planned(
  named: NamedServer,
  variables: ImportedVariables,
  snapshot: Pick<Snapshot, 'settings'>,
  questions: PlanningQuestions,
): PlannedServer {
  const { server, isThere, declared, notes } = named
  const sources = declared.map(({ client, file, project, name }) => ({ client, file, project, name }))
  if (isThere)
    return { server, sources, becomes: { kind: 'left', why: `\`servers.${server}\` is there and is kept as it is` }, findings: [], notes }
  const [first] = declared
  const context: TextContext = { server, around: surroundings(first, questions.home), inputs: first.inputs, variables, findings: [] }
  const made = madeOf(first, context, (url) => isOwnAddress(url, snapshot), { ...questions, network: questions.network.get(server) ?? [] })
  return {
    server,
    sources,
    becomes: made.becomes,
    findings: made.becomes.kind === 'left' ? made.findings : [...first.findings, ...made.findings, ...new Set(context.findings)],
    notes: [...notes, ...made.notes],
  }
}

function madeOf({ launch }: DeclaredServer, context: TextContext, isOwn: (url: string) => boolean, questions: CommandQuestions): Made {
  if (launch.kind === 'address') return addressBecomes(launch, context, isOwn)
  const command = unwrapped(launch)
  const bridged = bridgedAddress(command)
  return bridged === undefined ? commandBecomes(command, context, questions) : addressBecomes(bridged, context, isOwn)
}

function surroundings({ client, project }: DeclaredServer, home: string): Surroundings {
  return { home, project, references: clients[client].references }
}

/** Names of variables a server's own declaration refers to. */
function referredNames({ launch }: DeclaredServer, around: Surroundings): string[] {
  const values =
    launch.kind === 'address' ? [launch.url, ...Object.values(launch.headers)] : [...launch.command, ...Object.values(launch.env)]
  return values.flatMap((value) =>
    clientParts(value, around).flatMap((part) =>
      part.kind === 'variable' ? [part.name] : part.kind === 'input' ? [inputName(part.id)] : [],
    ),
  )
}

function left({ client, file, project, name }: DeclaredServer | UnreadableServer, why: string, findings: readonly string[]): PlannedServer {
  return { server: name, sources: [{ client, file, project, name }], becomes: { kind: 'left', why }, findings, notes: [] }
}

/** A client that was pointed to this gateway already has it among its servers. */
function isOwnAddress(address: string, { settings }: Pick<Snapshot, 'settings'>): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^\/mcp\/[^/]+\/?$/.test(url.pathname)) return false
  const { host, port, hosts } = settings.listen
  return (
    Number(url.port || (url.protocol === 'https:' ? 443 : 80)) === port &&
    ['localhost', '127.0.0.1', '[::1]', host, ...hosts].includes(url.hostname)
  )
}
