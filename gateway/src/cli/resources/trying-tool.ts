/**
 * A call of a tool that somebody tries: as the person they are, in a conversation of its own, on the way of every call at the MCP
 * endpoint. Nothing is let through that a client with a key of this person would be refused.
 */
import type { triedSchema } from '@turnward/contract/api/tools'
import type { DecisionRecord } from '@turnward/contract/decision'
import type { z } from 'zod'
import type { Ask } from '../../admin/api-route.ts'
import type { Administrator } from '../../admin/administrators.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { Caller } from '../../core/principal.ts'
import { presentedBy } from '../../identity/ways/presented-by.ts'
import { modernVersion } from '../../tools/codec/versions.ts'
import { sessionIdFor } from '../../turns/sessions/naming-session.ts'
import type { Services } from '../../turns/services.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import { gatewaysOf } from '../servers/listing-servers.ts'
import type { KnownTool } from './known-tools.ts'

type Tried = z.input<typeof triedSchema>

const longestResult = 256 * 1024
const client = { name: 'turnward console', version: '' }
const sessionHeader = 'x-turnward-session'

export interface Trial {
  readonly tool: KnownTool
  readonly args: JsonObject
  /** A gateway that shows the server; undefined for the first. */
  readonly gateway: string | undefined
}

/** Rejects as the MCP endpoint does: `auth.*`, `stop.*`, `grant.*`, `mcp.*`, `audit.*`. */
export async function tryTool(
  services: Services,
  { administrator, request, response }: Pick<Ask<unknown, unknown, unknown>, 'administrator' | 'request' | 'response'>,
  { tool, args, gateway: wanted }: Trial,
): Promise<Tried> {
  const snapshot = services.snapshot()
  const caller = await callerFor(services, administrator, request, snapshot)
  const gateway = gatewayFor(snapshot, caller, tool, wanted)
  const name = `console-${randomText(16)}`
  const signal = new Cancellation()
  const exit = services.live.enter(caller, signal)
  const release = services.fleet.hold(snapshot)
  // Nobody reads the answer any more.
  const gone = (): void => signal.cancel(new TurnwardError('request.cancelled'))
  response.once('close', gone)
  try {
    const result = await services.runTool(
      { caller, snapshot, gateway, client, protocolVersion: modernVersion, offers: {}, headers: { [sessionHeader]: name } },
      { kind: 'tool_call', name: tool.name, args, unfit: unfitOf(args), meta: undefined, signal, onProgress: undefined },
    )
    const session = sessionIdFor(services.secret, caller, { source: 'header', value: name })
    return { tool: tool.name, gateway, ...triedOf(result), decision: decisionOf(await recordOf(services, session, tool.name)) }
  } finally {
    response.off('close', gone)
    release()
    exit()
  }
}

/**
 * Who calls: with a key or token, whoever it is good for at the MCP endpoint; else the person who is signed in. What holds for
 * every call holds here too: nobody who is stopped goes on, and nothing does while what restricts calls is missing.
 */
async function callerFor(
  { authenticator, people, stops }: Services,
  { id, caller }: Administrator,
  request: Parameters<typeof presentedBy>[0],
  snapshot: Snapshot,
): Promise<Caller> {
  if (caller !== undefined) return authenticator.authenticate(presentedBy(request), snapshot, 'mcp')
  const principal = await people.principal(id, snapshot)
  const own: Caller = {
    principal,
    key: 'console',
    consumer: null,
    actor: null,
    actors: [],
    issuer: principal.issuer ?? null,
    scopes: ['mcp'],
    expires: null,
    claims: {},
    credentials: new Map(),
    later: '',
  }
  if (snapshot.managed.holdsCalls) throw new TurnwardError('config.managed_conflict')
  await stops.requireGoing(own)
  return own
}

/** Throws `request.invalid` for a gateway that does not show the server, and where none does. */
function gatewayFor(snapshot: Snapshot, caller: Caller, { server }: Pick<KnownTool, 'server'>, wanted: string | undefined): string {
  const showing = gatewaysOf(snapshot, server satisfies McpServer['name'])
  const found = wanted ?? showing.find((name) => snapshot.policy.grants.ruling(caller, 'gateways', name).allowed) ?? showing[0]
  if (found !== undefined && showing.includes(found)) return found
  throw new TurnwardError('request.invalid', {
    subject: 'gateway',
    why: showing.length === 0 ? `no MCP gateway shows the server \`${server}\`` : `it does not show the server \`${server}\``,
    fix: 'A tool is called through a gateway of `gateways` that names its server.',
  })
}

/** What of the arguments would not arrive as it was written. */
function unfitOf(value: unknown, path = ''): string | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return `${path.slice(1)}: the number is too large to be passed on exactly`
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, one] of Object.entries(value)) {
    const unfit = unfitOf(one, `${path}.${name}`)
    if (unfit !== undefined) return unfit
  }
  return undefined
}

function triedOf(result: JsonObject): Pick<Tried, 'outcome' | 'approval' | 'result'> {
  const meta = isObject(result._meta) ? result._meta : {}
  const approval = meta['dev.turnward/approval']
  if (meta['dev.turnward/refusal'] !== undefined) {
    const id = isObject(approval) && typeof approval.id === 'string' ? approval.id : null
    return { outcome: id === null ? 'refused' : 'waits', approval: id, result: null }
  }
  const text = JSON.stringify(result, null, 2)
  const shown = { text: text.slice(0, longestResult).split('\n').map(spelledOut).join('\n'), is_cut: text.length > longestResult }
  return { outcome: result.isError === true ? 'failed' : 'ran', approval: null, result: shown }
}

/** The call has been answered: what cannot be read of the log takes nothing from that. */
async function recordOf({ reading }: Services, session: string, tool: string): Promise<DecisionRecord | undefined> {
  const found = await reading
    .find({ filter: { session, tool, kind: 'tool_call', type: 'decision' }, limit: 1 })
    .catch((): undefined => undefined)
  return found?.records[0]?.record
}

function decisionOf(record: DecisionRecord | undefined): Tried['decision'] {
  if (record === undefined) return null
  const { id, turn, action, reason, rules, gaps = [], remedies = [], labelBefore } = record
  return { id, turn, action: action ?? 'release', reason: reason ?? '', rules: [...rules], gaps, remedies, label: labelBefore }
}
