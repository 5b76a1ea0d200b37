/** `turnward import --from mcp-client`: reads, plans, shows, asks, takes over, and tells what is left to do. */
import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { loadConfig } from '../../config/load.ts'
import { publicUrl } from '../../config/public-url.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { checkMounts } from '../../tools/runners/sandbox-mounts.ts'
import { findProgram } from '../../tools/runners/server-command.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print } from '../output.ts'
import { checkGateway } from '../servers/adding-to.ts'
import { consents, mayChange, type ConsentOptions } from '../servers/consent.ts'
import { findOnPath } from '../servers/running-installers.ts'
import { applyServer, type AppliedServer } from './applying-import.ts'
import { clientIds, clients, isClientId, pointing, type ClientId } from './clients.ts'
import { foundFiles, type FoundFile } from './finding-declared.ts'
import { addLine, planText, pointingText, variablesText } from './import-report.ts'
import { checkVariablesFile, writeVariablesFile } from './import-variables-file.ts'
import { withoutValues, type ImportedVariable } from './imported-variables.ts'
import { planImport, type ImportPlan } from './planning-import.ts'
import type { PlannedServer } from './planned-server.ts'

export interface ImportOptions extends ConsentOptions {
  readonly config: string
  readonly client?: string
  readonly gateway?: string
  readonly install: boolean
  readonly network: readonly string[]
  readonly secretsFile?: string
}

export async function importClients(asked: readonly string[], options: ImportOptions): Promise<void> {
  try {
    const main = resolve(options.config)
    const snapshot = await loadConfig(main, process.env)
    const gateway = gatewayOf(snapshot, options.gateway)
    const secretsFile = options.secretsFile === undefined ? undefined : resolve(options.secretsFile)
    if (secretsFile !== undefined) checkVariablesFile(secretsFile)
    const files = await foundFiles(asked, clientOf(options.client), {
      platform: process.platform,
      home: homedir(),
      project: process.cwd(),
      env: process.env,
    })
    const plan = planned(files, snapshot, gateway, options)
    const taken = plan.servers.filter(({ becomes }) => becomes.kind !== 'left')
    if (options.json !== true)
      print(
        options,
        {},
        plan.servers.length === 0 && files.every(({ problem }) => problem === undefined) ? nothingFound(files) : planText(files, plan),
      )
    const mayDo = taken.length > 0 && mayChange(options)
    const count = `${taken.length} server${taken.length === 1 ? '' : 's'}`
    if (
      !mayDo ||
      !(await consents(options, `\nTake over ${count} into ${main}? Packages are installed, images fetched, and each is started once.`))
    ) {
      const hint = taken.length === 0 ? '' : `\nNothing was changed.${options.dryRun === true || mayDo ? '' : ' Add --yes to do it.'}`
      print(options, { ...documentOf(files, plan, [], main, gateway), written: false }, hint)
      if (hasFindings(files, plan.servers) || (taken.length > 0 && options.dryRun !== true && !mayDo)) process.exitCode = exitCodes.negative
      return
    }
    const applied = await takenOver(taken, plan, main, gateway, options)
    const written = new Set(applied.filter((server) => server.written).map(({ server }) => server))
    const variables = plan.variables.filter(({ servers }) => servers.some((server) => written.has(server)))
    if (secretsFile !== undefined) await writeVariablesFile(secretsFile, variables)
    const unset = variables.filter(
      ({ name, value }) => process.env[name] === undefined || (value !== undefined && process.env[name] !== value),
    )
    const url = endpointOf(snapshot, gateway)
    const ids = clientIds.filter((id) =>
      plan.servers.some(({ server, sources }) => written.has(server) && sources.some(({ client }) => client === id)),
    )
    const texts = [
      `\n${written.size} of ${count} written to ${main}, shown by the gateway \`${gateway}\`.`,
      variablesText(unset, secretsFile),
      written.size === 0 ? '' : pointingText(ids, url),
    ]
    print(
      options,
      {
        ...documentOf(files, plan, applied, main, gateway),
        written: written.size > 0,
        variables: variables.map((variable) => shownVariable(variable, unset)),
        ...(secretsFile !== undefined && { secretsFile }),
        point: ids.map((client) => ({ client, entry: pointing(client, url) })),
      },
      texts.filter((text) => text !== '').join('\n\n'),
    )
    const isLeft =
      unset.some(({ value }) => secretsFile === undefined || value === undefined) || applied.some(({ findings }) => findings.length > 0)
    if (isLeft || hasFindings(files, plan.servers)) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

function clientOf(text: string | undefined): ClientId | undefined {
  if (text === undefined || isClientId(text)) return text
  throw new TurnwardError('request.invalid', {
    subject: '--client',
    why: `there is no client \`${text}\``,
    fix: `Use one of ${clientIds.join(', ')}.`,
  })
}

/** The one that was named, the only one there is, or `main`. */
function gatewayOf(snapshot: Snapshot, asked: string | undefined): string {
  checkGateway(snapshot, asked)
  const [first] = snapshot.gateways.keys()
  const gateway =
    asked ?? (snapshot.gateways.size === 1 ? first : snapshot.gateways.size === 0 || snapshot.gateways.has('main') ? 'main' : undefined)
  if (gateway !== undefined) return gateway
  throw new TurnwardError('request.invalid', {
    subject: '--gateway',
    why: `there are ${snapshot.gateways.size} gateways: ${[...snapshot.gateways.keys()].join(', ')}`,
    fix: 'Say with --gateway which one shows the servers.',
  })
}

function planned(files: readonly FoundFile[], snapshot: Snapshot, gateway: string, options: ImportOptions): ImportPlan {
  const protect = [snapshot.dataDir, ...snapshot.files]
  const plan = planImport(
    files.flatMap(({ servers }) => servers),
    snapshot,
    {
      home: homedir(),
      env: process.env,
      network: networkOf(options.network),
      inSandbox: findProgram,
      onPath: findOnPath,
      at: whatIsAt,
      refused(path) {
        try {
          checkMounts('it', [{ path, write: false }], protect)
          return undefined
        } catch (error) {
          return error instanceof TurnwardError ? (error.why ?? error.message) : 'it cannot be looked at'
        }
      },
    },
  )
  return options.install ? plan : { ...plan, servers: plan.servers.map((server) => notInstalled(server, gateway)) }
}

function notInstalled(server: PlannedServer, gateway: string): PlannedServer {
  const line = addLine(server, gateway)
  return line === undefined
    ? server
    : { ...server, becomes: { kind: 'left', why: 'it is to be installed' }, findings: [line, ...server.findings] }
}

function networkOf(texts: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const pairs = texts.map((text) => {
    const [, server, host] = /^([\w-]+)=(\S+)$/.exec(text) ?? []
    if (server === undefined || host === undefined)
      throw new TurnwardError('request.invalid', { subject: '--network', why: 'it is not `SERVER=HOST`' })
    return [server, host] as const
  })
  return new Map([...Map.groupBy(pairs, ([server]) => server)].map(([server, all]) => [server, all.map(([, host]) => host)]))
}

function whatIsAt(path: string): 'folder' | 'file' | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isDirectory() === true ? 'folder' : stat?.isFile() === true ? 'file' : undefined
}

async function takenOver(
  taken: readonly PlannedServer[],
  { variables }: ImportPlan,
  main: string,
  gateway: string,
  options: ImportOptions,
): Promise<readonly AppliedServer[]> {
  // A variable that nobody knows yet must not keep the others from being judged.
  const known = variables.map(({ name, value }) => [name, value ?? process.env[name] ?? 'unset'] as const)
  const masked = (text: string): string =>
    withoutValues(
      text,
      known.map(([, value]) => value),
    )
  const applied: AppliedServer[] = []
  for (const server of taken) {
    const result = await applyServer(server, { main, gateway, env: { ...process.env, ...Object.fromEntries(known) }, masked })
    applied.push(result)
    const tools = `${result.tools.length} tool${result.tools.length === 1 ? '' : 's'}`
    if (options.json === true) continue
    if (result.written)
      print(options, {}, `written:  ${result.server}  ${[result.package, tools].filter((text) => text !== undefined).join(', ')}`)
    for (const finding of result.findings) print(options, {}, `to do:    ${result.server}  ${finding}`)
  }
  return applied
}

function hasFindings(files: readonly FoundFile[], servers: readonly PlannedServer[]): boolean {
  return files.some(({ problem }) => problem !== undefined) || servers.some(({ findings }) => findings.length > 0)
}

function nothingFound(files: readonly FoundFile[]): string {
  return files.length === 0
    ? `No file of a client was found (${Object.values(clients)
        .map(({ title }) => title)
        .join(', ')}). Name one: \`turnward import --from mcp-client FILE\`.`
    : `${files.length} file${files.length === 1 ? ' of a client was' : 's of clients were'} read; no server is declared in them.`
}

function endpointOf(snapshot: Snapshot, gateway: string): string {
  return `${publicUrl(snapshot)}/mcp/${gateway}`
}

function shownVariable({ name, value, about, servers }: ImportedVariable, unset: readonly ImportedVariable[]): object {
  return {
    name,
    servers,
    inFile: value !== undefined,
    isSet: !unset.some((other) => other.name === name),
    ...(about === '' ? {} : { about }),
  }
}

/** For programs: the same as what is shown to a person. */
function documentOf(
  files: readonly FoundFile[],
  plan: ImportPlan,
  applied: readonly AppliedServer[],
  main: string,
  gateway: string,
): object {
  return {
    file: main,
    gateway,
    files: files.map(({ client, file, servers, problem }) => ({
      client,
      file,
      servers: servers.length,
      ...(problem === undefined ? {} : { problem }),
    })),
    servers: plan.servers.map((server) => {
      const result = applied.find((one) => one.server === server.server)
      const isLeft = server.becomes.kind === 'left'
      return {
        ...server,
        written: !isLeft && result?.written === true,
        ...(isLeft || result === undefined ? {} : { package: result.package, entry: result.entry, tools: result.tools }),
        findings: [...server.findings, ...(isLeft ? [] : (result?.findings ?? []))],
      }
    }),
  }
}
