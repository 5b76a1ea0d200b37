/** `turnward connect`: leads a client to this gateway. Its files are changed after they were shown, and changed back by `--undo`. */
import { homedir, platform } from 'node:os'
import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { connectedClientIds, connectedClients, isConnectedClientId, modelFor } from '@turnward/contract/connect/clients'
import { mcpUrl, type ConnectedClient, type GatewayPlace } from '@turnward/contract/connect/connected-client'
import { fileOf } from '@turnward/contract/connect/entry'
import { loadConfig } from '../../config/load.ts'
import { publicUrl } from '../../config/public-url.ts'
import { didYouMean } from '../../core/closest-name.ts'
import { TurnwardError } from '../../core/error.ts'
import {
  connectingChanges,
  disconnectingChanges,
  writeConnecting,
  writeDisconnecting,
  type ClientChange,
  type Whose,
} from '../connecting/client-changes.ts'
import { changesText, snippetsText, stepsText } from '../connecting/connection-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print, table } from '../output.ts'
import { consents, mayChange, type ConsentOptions } from '../servers/consent.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface ConnectOptions extends ConsentOptions {
  readonly config: string
  readonly url?: string
  readonly gateway?: string
  readonly model?: string
  readonly project?: string | true
  readonly show?: boolean
  readonly undo?: boolean
}

export function addConnect(program: Command): void {
  program
    .command('connect')
    .description('lead a coding agent, an editor or a program to this gateway')
    .argument('[client]', connectedClientIds.join(', '))
    .option('--url <url>', 'address of the gateway, instead of the one the configuration gives it')
    .option('--gateway <name>', 'MCP gateway; without it the one called main, or the first')
    .option('--model <name>', 'model to ask for; without it one that a route serves')
    .option('--project [folder]', "the project's files instead of one's own")
    .option('--show', 'print what belongs where, and change nothing')
    .option('--yes', 'change the files without asking')
    .option('--dry-run', 'show what would change')
    .addOption(new Option('--undo', 'take it back: the files as they were').conflicts(['show']))
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward connect claude-code\n  $ turnward connect claude-code --undo\n  $ turnward connect openai --model gpt-5.5 --url https://turnward.acme.example\n\nExit code 5 when nothing was changed because nobody agreed, or there was nothing to take back.',
    )
    .action(connect)
}

async function connect(name: string | undefined, options: ConnectOptions): Promise<void> {
  try {
    if (name === undefined) return listClients(options)
    if (!isConnectedClientId(name))
      throw new TurnwardError('request.invalid', {
        subject: name.slice(0, 64),
        why: `there is no such client${didYouMean(name, connectedClientIds)}`,
        fix: `Name one of ${connectedClientIds.join(', ')}.`,
      })
    const client = connectedClients[name]
    if (options.undo === true) return await disconnect(client, options)
    const place = await placeOf(client, options)
    if (options.show === true || client.files.length === 0) return show(client, place, options)
    await change(client, place, options)
  } catch (error) {
    fail(options, error)
  }
}

function listClients(options: ConnectOptions): void {
  const clients = connectedClientIds.map((id) => ({ id, title: connectedClients[id].title, kind: connectedClients[id].kind }))
  const rows = clients.map(({ id, title, kind }) => [id, title, kind])
  print(options, { clients }, table([['NAME', 'CLIENT', 'KIND'], ...rows]))
}

function show(client: ConnectedClient, place: GatewayPlace, options: ConnectOptions): void {
  print(options, documentOf(client, place), snippetsText(client, place))
}

async function change(client: ConnectedClient, place: GatewayPlace, options: ConnectOptions): Promise<void> {
  const changes = await connectingChanges(client.files, place, whoseOf(options))
  const isThere = changes.length === 0
  const written = !isThere && (await agreed(changes, 'Change these files?', options))
  if (written) await writeConnecting(changes)
  const kept = changes.flatMap(({ backup, before }) => (before === undefined ? [] : [backup]))
  const done = [
    isThere ? `${client.title} leads here already.` : `Connected ${client.title} to ${place.url}.`,
    ...(kept.length === 0 ? [] : [`What was there: ${kept.join(', ')}`]),
    `\n${stepsText(client, place)}`,
  ]
  const document = { ...documentOf(client, place), files: changes.map(changeDocument), written }
  print(options, document, written || isThere ? done.join('\n') : refusedText(changes, options))
  if (!written && !isThere && options.dryRun !== true) process.exitCode = exitCodes.negative
}

async function disconnect(client: ConnectedClient, options: ConnectOptions): Promise<void> {
  // Only where its entries stand counts.
  const place = { url: '', mcp: 'main', model: client.model.usual }
  const changes = await disconnectingChanges(client.files, place, whoseOf(options))
  const written = changes.length > 0 && (await agreed(changes, 'Change these files back?', options))
  if (written) await writeDisconnecting(changes)
  const text =
    changes.length === 0
      ? `Nothing of ${client.title} leads here.`
      : written
        ? `Disconnected ${client.title}.`
        : refusedText(changes, options)
  print(options, { client: client.title, files: changes.map(changeDocument), written }, text)
  if (!written && options.dryRun !== true) process.exitCode = exitCodes.negative
}

/** Shows them to whoever is asked; whoever is not sees them in what is said at the end. */
async function agreed(changes: readonly ClientChange[], question: string, options: ConnectOptions): Promise<boolean> {
  if (!mayChange(options)) return false
  print({ json: false }, {}, options.json === true ? '' : `${changesText(changes)}\n\n`)
  return consents(options, question)
}

function refusedText(changes: readonly ClientChange[], options: ConnectOptions): string {
  if (mayChange(options)) return 'Nothing was changed.'
  return `${changesText(changes)}\n\nNothing was changed.${options.dryRun === true ? '' : ' Add --yes to do it.'}`
}

function whoseOf({ project }: ConnectOptions): Whose {
  const folder = resolve(typeof project === 'string' ? project : '.')
  return { machine: { platform: platform(), home: homedir(), project: folder, env: process.env }, isProject: project !== undefined }
}

/** Of the gateway that the configuration describes; of another one, where its address is given. */
async function placeOf(client: ConnectedClient, { config, url, gateway, model }: ConnectOptions): Promise<GatewayPlace> {
  if (url !== undefined) return { url: addressOf(url), mcp: gateway ?? 'main', model: model ?? client.model.usual }
  const snapshot = await loadConfig(config, process.env)
  const { gateways, routes } = snapshot
  if (gateway !== undefined && !gateways.has(gateway))
    throw new TurnwardError('request.invalid', {
      subject: '--gateway',
      why: `there is no gateway \`${gateway}\`${didYouMean(gateway, gateways.keys())}`,
    })
  const [first] = gateways.keys()
  const served = [...routes.names, ...routes.patterns.map((pattern) => pattern.model)]
  return { url: publicUrl(snapshot), mcp: gateway ?? (gateways.has('main') ? 'main' : first), model: model ?? modelFor(client, served) }
}

function addressOf(text: string): string {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.username === '') return url.href.replace(/\/$/, '')
  throw new TurnwardError('request.invalid', { subject: '--url', why: 'it is not an address such as `https://turnward.acme.example`' })
}

function documentOf(client: ConnectedClient, place: GatewayPlace): object {
  return {
    client: client.title,
    url: place.url,
    mcp: mcpUrl(place) ?? null,
    model: place.model,
    files: client.files.map(({ own, project, format, entries }) => ({ own, project, text: fileOf(format, entries(place)) })),
    code: client.code(place),
    variables: client.variables(place),
    start: client.start(place) ?? null,
    notes: client.notes(place),
  }
}

/** Not what was there: it may be a secret. */
function changeDocument({ file, before, text, backup, entries }: ClientChange): object {
  const change = text === undefined ? 'removed' : before === undefined ? 'made' : 'changed'
  return { file, change, backup, entries: entries.map(({ path, becomes }) => ({ path, value: becomes ?? null })) }
}
